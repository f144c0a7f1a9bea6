//! `kubectl::logs`

use std::time::Duration;

use futures::TryStreamExt as _;
use runbook_core::primitive::{Answer, Example};
use runbook_core::{Args, Call, Code, Effect, Fault, Outcome, Param, Primitive, Value};

use super::api::{Api, Scope};
use super::kind;
use super::name::encode;
use super::option::{CONTEXT, NAMESPACE, Target};
use super::query::Listing;
use crate::readiness::object::{holds, items, name, selector, text};
use runbook_core::command::Command;

const TARGET: Param<String> =
    Param::required("target", "A pod by its name, or a workload as `deployment/web`: its first ready pod.");
const CONTAINER: Param<Option<String>> =
    Param::option("container", "The container; the pod's default one if absent, else its first.");
const TAIL: Param<Option<i64>> = Param::option("tail", "Only so many lines from the end.");
const SINCE: Param<Option<Duration>> = Param::option("since", "Only what is not older.");
const PREVIOUS: Param<Option<bool>> = Param::option("previous", "The log of the container before its restart.");
const GREP: Param<Option<String>> = Param::option("grep", "Only lines that contain this text.");
const ALL_PODS: Param<Option<bool>> =
    Param::option("all_pods", "Of a workload all pods, each line with its pod before it: `[pod/web-1] ...`.");

/// More than this of one pod is no longer read by anybody.
const LARGEST: usize = 16 * 1024 * 1024;

/// `kubectl::logs`
pub(super) const LOGS: Primitive = Primitive {
    name: "kubectl::logs",
    summary: "Read the lines that a pod has logged.",
    params: &[&TARGET, &NAMESPACE, &CONTAINER, &TAIL, &SINCE, &PREVIOUS, &GREP, &ALL_PODS, &CONTEXT],
    effect: Effect::Read,
    // Programs log what they should not.
    answer: Answer::Withheld,
    announce: |args| format!("read the log of {}{}", args.get(&TARGET), Target::of(args).place()),
    command: |args| Some(command(args)),
    run,
    examples: &[Example {
        cluster: "shop",
        script: r#"let words = ""; try { kubectl::logs("deployment/nowhere", #{ namespace: "shop" }); } catch (e) { words = e.message; } words"#,
        expect: "deployment/nowhere does not exist in namespace `shop`",
    }],
};

fn command(args: &Args) -> Command {
    let line = Command::new("kubectl logs").word(args.get(&TARGET)).flag("--container", args.get(&CONTAINER));
    let line = line
        .flag("--tail", args.get(&TAIL).map(|lines| lines.to_string()))
        .flag("--since", args.get(&SINCE).map(|since| format!("{}s", since.as_secs())))
        .switch("--previous", args.get(&PREVIOUS))
        .switch("--all-pods", args.get(&ALL_PODS));
    Target::of(args).flags(line)
}

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    let target = Target::of(args);
    let cluster = target.cluster(call)?;
    if args.get(&TAIL).is_some_and(|lines| lines < 0) {
        return Err(Fault::new(Code::WrongArgument, "`tail` cannot be negative"));
    }
    call.read(async {
        let api = Api::of(&cluster, kind::builtin("pods"), &target.scope())?;
        let pods = pods(&api, &args.get(&TARGET), args.get(&ALL_PODS) == Some(true)).await?;
        let mut lines: Vec<Value> = Vec::new();
        for pod in &pods {
            let prefix =
                if args.get(&ALL_PODS) == Some(true) { format!("[pod/{}] ", name(pod)) } else { String::new() };
            let wanted = |line: &String| args.get(&GREP).is_none_or(|text| line.contains(&text));
            let log = log(&api, pod, args).await?;
            lines.extend(log.into_iter().filter(wanted).map(|line| Value::from(format!("{prefix}{line}"))));
        }
        Ok(Value::Array(lines))
    })
}

/// The pod, or the pods of a workload.
async fn pods(api: &Api, target: &str, all: bool) -> Result<Vec<Value>, Fault> {
    let (word, wanted) = target.split_once('/').unwrap_or(("pods", target));
    let resource = kind::resolve(api.cluster(), word).await?;
    if resource == *api.resource() {
        return Ok(vec![api.get(wanted).await?]);
    }
    let scope = Scope::Namespace(api.namespace().map(str::to_owned));
    let workloads = Api::of(api.cluster(), resource, &scope)?;
    let workload = workloads.get(wanted).await?;
    let title = workloads.title(wanted);
    let Some(selector) = selector(&workload, "/spec/selector") else {
        return Err(Fault::new(Code::WrongArgument, format!("{title} selects no pods")).about(title));
    };
    let mut pods = api.list(&Listing::labelled(Some(selector))).await?.items;
    pods.sort_by_key(|pod| (!holds(pod, "Ready"), name(pod).to_owned()));
    if pods.is_empty() {
        return Err(Fault::new(Code::NotFound, format!("{title} has no pods")).about(title).retryable());
    }
    pods.truncate(if all { usize::MAX } else { 1 });
    Ok(pods)
}

async fn log(api: &Api, pod: &Value, args: &Args) -> Result<Vec<String>, Fault> {
    let default = text(pod, "/metadata/annotations/kubectl.kubernetes.io~1default-container");
    let first = items(pod, "/spec/containers").first().map(|container| text(container, "/name")).unwrap_or_default();
    let container = args.get(&CONTAINER).unwrap_or_else(|| if default.is_empty() { first } else { default }.to_owned());
    let mut query = format!("container={}&limitBytes={LARGEST}", encode(&container));
    if let Some(lines) = args.get(&TAIL) {
        query = format!("{query}&tailLines={lines}");
    }
    if let Some(since) = args.get(&SINCE) {
        query = format!("{query}&sinceSeconds={}", since.as_secs().max(1));
    }
    if args.get(&PREVIOUS) == Some(true) {
        query = format!("{query}&previous=true");
    }
    let lines: Vec<String> = api.log(name(pod), &query).await?.try_collect().await?;
    if lines.iter().map(|line| line.len() + 1).sum::<usize>() >= LARGEST {
        let title = api.title(name(pod));
        return Err(Fault::new(
            Code::TooLarge,
            format!("the log of {title} is longer than {} MiB", LARGEST / 1024 / 1024),
        )
        .about(title)
        .hint("`tail` or `since` ask for less"));
    }
    Ok(lines)
}
