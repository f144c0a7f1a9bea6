//! `kubectl::get`

use std::sync::Arc;

use runbook_core::command::Command;
use runbook_core::param::nearest;
use runbook_core::primitive::{Answer, Example};
use runbook_core::world::Cluster;
use runbook_core::{Args, Call, Effect, Outcome, Param, Primitive, Value};

use super::api::without_managed_fields;
use super::option::{CONTEXT, KIND, MANAGED_FIELDS, NAME, NAMESPACE, Target};
use super::query::Listing;
use super::refusal;

/// Among how many names one that was meant is looked for.
const NAMES_AT_MOST: usize = 500;

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
        Err(fault) if refusal::object_absent(&fault) => {
            let names = call.read(async { Ok(names_there(&target, &cluster, &args.get(&KIND)).await) })?;
            Err(match nearest(&args.get(&NAME), names.iter().map(String::as_str)) {
                Some(near) => fault.hint(format!("did you mean `{near}`?")),
                None => fault,
            })
        }
        Err(fault) => Err(fault),
    }
}

/// The names on the first page of what is there; none where they cannot be read: a fault has been found already.
async fn names_there(target: &Target, cluster: &Arc<Cluster>, kind: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut take = |object: Value| names.extend(object["metadata"]["name"].as_str().map(str::to_owned));
    if let Ok(api) = target.open(cluster, kind).await {
        let _ = api.page(&Listing::default().metadata_only(), NAMES_AT_MOST, None, &mut take).await;
    }
    names
}
