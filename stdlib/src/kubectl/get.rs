//! `kubectl::get`

use runbook_core::primitive::{Answer, Example};
use runbook_core::{Args, Call, Effect, Outcome, Param, Primitive, Value};

use super::api::without_managed_fields;
use super::option::{CONTEXT, KIND, MANAGED_FIELDS, NAME, NAMESPACE, Target};
use super::refusal;
use runbook_core::command::Command;

const OR: Param<Option<Value>> =
    Param::option("or", "What to answer where the object does not exist; a fault if absent.");

/// `kubectl::get`
pub(super) const GET: Primitive = Primitive {
    name: "kubectl::get",
    summary: "Read an object.",
    params: &[&KIND, &NAME, &NAMESPACE, &OR, &MANAGED_FIELDS, &CONTEXT],
    effect: Effect::Read,
    answer: Answer::Recorded,
    announce,
    command: |args| Some(command(args)),
    run,
    examples: &[
        Example {
            cluster: "shop",
            script: r#"kubectl::get("deploy", "web", #{ namespace: "shop" }).spec.replicas"#,
            expect: "2",
        },
        Example {
            cluster: "shop",
            script: r#"kubectl::get("configmap", "nowhere", #{ or: #{ data: #{} } })"#,
            expect: r#"{"data":{}}"#,
        },
    ],
};

fn announce(args: &Args) -> String {
    format!("read {}", Target::of(args).words(&args.get(&KIND), &args.get(&NAME)))
}

fn command(args: &Args) -> Command {
    let line = Command::new("kubectl get").word(args.get(&KIND)).word(args.get(&NAME));
    Target::of(args).flags(line).word("-o").word("json")
}

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    let target = Target::of(args);
    let cluster = target.cluster(call)?;
    let found = call.read(async { target.open(&cluster, &args.get(&KIND)).await?.get(&args.get(&NAME)).await });
    match found {
        Ok(mut object) => {
            if args.get(&MANAGED_FIELDS) != Some(true) {
                without_managed_fields(&mut object);
            }
            Ok(object)
        }
        Err(fault) if refusal::object_absent(&fault) && args.has(&OR) => Ok(args.get(&OR).unwrap_or_default()),
        Err(fault) => Err(fault),
    }
}
