//! `kubectl::exec`

use futures::TryFutureExt as _;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use kube::api::AttachParams;
use runbook_core::primitive::{Answer, Example};
use runbook_core::{Args, Call, Code, Effect, Fault, Outcome, Param, Primitive, Value};
use serde_json::json;
use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::name;
use super::option::{CONTEXT, NAMESPACE, Target};
use super::refusal;
use super::request::Asked;
use crate::readiness::object::shortened;
use runbook_core::command::Command;

const POD: Param<String> = Param::required("pod", "Name of the pod.");
const ARGV: Param<Vec<String>> =
    Param::required("argv", "The command and its arguments, one by one: there is no shell between.");
const CONTAINER: Param<Option<String>> = Param::option("container", "The container; the pod's default one if absent.");
const WRITES: Param<Option<bool>> =
    Param::option("writes", "The command changes something: it is then announced, asked for and recorded as a write.");
const ALLOW_FAILURE: Param<Option<bool>> =
    Param::option("allow_failure", "Answer a command that fails with its `exit_code` instead of a fault.");

/// More than this of either stream is cut off, with a fault.
const LARGEST: u64 = 16 * 1024 * 1024;

/// `kubectl::exec`
pub(super) const EXEC: Primitive = Primitive {
    name: "kubectl::exec",
    summary: "Run a command in a container of a pod: `stdout`, `stderr`, `exit_code`.",
    params: &[&POD, &ARGV, &NAMESPACE, &CONTAINER, &WRITES, &ALLOW_FAILURE, &CONTEXT],
    effect: Effect::Read,
    // A command may print what it should not.
    answer: Answer::Withheld,
    announce: |args| format!("run {} in {}", args.get(&ARGV).join(" "), Target::of(args).words("pod", &args.get(&POD))),
    command: |args| Some(command(args)),
    run,
    examples: &[Example {
        cluster: "shop",
        script: r#"let code = ""; try { kubectl::exec("nowhere", ["true"], #{ namespace: "shop" }); } catch (e) { code = e.code; } code"#,
        expect: "RB022",
    }],
};

fn command(args: &Args) -> Command {
    let line = Command::new("kubectl exec").word(args.get(&POD)).flag("--container", args.get(&CONTAINER));
    args.get(&ARGV).iter().fold(Target::of(args).flags(line).word("--"), Command::word)
}

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    let (target, pod, words) = (Target::of(args), args.get(&POD), args.get(&ARGV));
    name::check("pod", &pod)?;
    if words.first().is_none_or(String::is_empty) {
        return Err(Fault::new(Code::WrongArgument, "`argv` needs a command"));
    }
    let cluster = target.cluster(call)?;
    let namespace = target.namespace.clone().unwrap_or_else(|| cluster.namespace.clone());
    name::check("namespace", &namespace)?;
    let writes = args.get(&WRITES) == Some(true);
    let asked = Asked {
        verb: if writes { "exec in" } else { "read" },
        object: format!("pod/{pod}"),
        plural: "pods/exec".to_owned(),
        namespace: Some(namespace.clone()),
    };
    let work = async {
        let pods = kube::Api::<Pod>::namespaced(cluster.client.clone(), &namespace);
        let parameters = AttachParams { container: args.get(&CONTAINER), ..AttachParams::default() };
        let running = pods.exec(&pod, &words, &parameters).map_err(|error| unopened(&error, &asked));
        finished(running.await?, &asked).await
    };
    let done = if writes { call.write(work) } else { call.read(work) }?;
    let code = done["exit_code"].as_i64().unwrap_or(-1);
    if code != 0 && args.get(&ALLOW_FAILURE) != Some(true) {
        return Err(failed(&words, code, &done, &asked));
    }
    Ok(done)
}

fn unopened(error: &kube::Error, asked: &Asked) -> Fault {
    match error {
        kube::Error::Api(status) => {
            let body = serde_json::to_vec(status).unwrap_or_default();
            let mut body: Value = serde_json::from_slice(&body).unwrap_or_default();
            body["kind"] = "Status".into();
            refusal::refused(status.code, body.to_string().as_bytes(), asked)
        }
        other => refusal::unanswered(other, asked),
    }
}

async fn finished(mut running: kube::api::AttachedProcess, asked: &Asked) -> Result<Value, Fault> {
    let lost = |what: &str| {
        Fault::new(Code::Network, format!("the connection to the command in {} broke off: {what}", asked.object))
            .about(asked.object.clone())
    };
    let (Some(stdout), Some(stderr), Some(status)) = (running.stdout(), running.stderr(), running.take_status()) else {
        return Err(lost("it has no streams"));
    };
    let (stdout, stderr, status) = futures::join!(all_of(stdout), all_of(stderr), status);
    running.join().await.map_err(|error| lost(&error.to_string()))?;
    let (stdout, stderr) =
        (stdout.map_err(|error| lost(&error.to_string()))?, stderr.map_err(|error| lost(&error.to_string()))?);
    if stdout.len().max(stderr.len()) as u64 > LARGEST {
        let message = format!("the command in {} wrote more than {} MiB", asked.object, LARGEST / 1024 / 1024);
        return Err(Fault::new(Code::TooLarge, message).about(asked.object.clone()));
    }
    let Some(code) = status.as_ref().and_then(exit_code) else {
        let message = status.and_then(|status| status.message).unwrap_or_else(|| "no status came".to_owned());
        return Err(lost(&message));
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(json!({ "stdout": text(&stdout), "stderr": text(&stderr), "exit_code": code }))
}

async fn all_of(stream: impl AsyncRead + Unpin) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    stream.take(LARGEST + 1).read_to_end(&mut bytes).await?;
    Ok(bytes)
}

/// The exit code in the status that ends a command; `None` where it never ran.
fn exit_code(status: &Status) -> Option<i64> {
    if status.status.as_deref() == Some("Success") {
        return Some(0);
    }
    let causes = status.details.as_ref()?.causes.as_ref()?;
    causes.iter().find(|cause| cause.reason.as_deref() == Some("ExitCode"))?.message.as_ref()?.parse().ok()
}

fn failed(argv: &[String], code: i64, done: &Value, asked: &Asked) -> Fault {
    let said = done["stderr"].as_str().into_iter().chain(done["stdout"].as_str()).flat_map(str::lines);
    let last: Vec<&str> = said.filter(|line| !line.trim().is_empty()).take(10).collect();
    let fault = Fault::new(Code::CommandFailed, format!("`{}` in {} ended with {code}", argv.join(" "), asked.object))
        .about(asked.object.clone())
        .with("exit_code", code);
    last.iter().fold(fault, |fault, line| fault.seen(shortened(line, 300)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_code_is_read_from_the_status_that_ends_a_command() {
        let status = |value: Value| exit_code(&serde_json::from_value(value).unwrap());
        assert_eq!(status(json!({ "status": "Success" })), Some(0));
        let failed = json!({ "status": "Failure", "reason": "NonZeroExitCode",
            "details": { "causes": [{ "reason": "ExitCode", "message": "3" }] } });
        assert_eq!(status(failed), Some(3));
        assert_eq!(status(json!({ "status": "Failure", "message": "no such container" })), None);
    }
}
