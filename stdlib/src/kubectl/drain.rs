//! `kubectl::drain`

use std::time::Duration;

use runbook_core::primitive::{Answer, Example};
use runbook_core::{Args, Call, Code, Effect, Fault, Outcome, Param, Primitive, Repeat};
use serde_json::json;

use super::api::{Api, Scope};
use super::eviction::{Draining, Plan};
use super::kind;
use super::option::{CONTEXT, Target};
use super::query::Listing;
use super::schedulable::{NODE, Wanted, set};
use runbook_core::command::Command;

const TIMEOUT: Param<Option<Duration>> =
    Param::option("timeout", "How long the pods may take to leave; 10m if absent.");
const GRACE_PERIOD: Param<Option<i64>> =
    Param::option("grace_period", "Seconds for each pod to end by itself; the pod's own if absent.");
const POD_SELECTOR: Param<Option<String>> = Param::option("pod_selector", "Only pods with these labels leave.");
const FORCE: Param<Option<bool>> =
    Param::option("force", "Evict pods that no controller makes again; a fault if absent.");
const DELETE_EMPTYDIR_DATA: Param<Option<bool>> =
    Param::option("delete_emptydir_data", "Evict pods whose `emptyDir` volumes are lost with them; a fault if absent.");

const PATIENCE: Duration = Duration::from_mins(10);

/// `kubectl::drain`
pub(super) const DRAIN: Primitive = Primitive {
    name: "kubectl::drain",
    summary: "Cordon a node and evict its pods, as their disruption budgets allow; pods of DaemonSets stay.",
    params: &[&NODE, &TIMEOUT, &GRACE_PERIOD, &POD_SELECTOR, &FORCE, &DELETE_EMPTYDIR_DATA, &CONTEXT],
    effect: Effect::Write(Repeat::Safe),
    answer: Answer::Recorded,
    announce: |args| format!("drain node/{}", args.get(&NODE)),
    command: |args| Some(command(args)),
    run,
    examples: &[Example {
        cluster: "shop",
        script: r#"kubectl::drain("node-3", #{ pod_selector: "app=nowhere" }).evicted"#,
        expect: "[]",
    }],
};

fn command(args: &Args) -> Command {
    let line = Command::new("kubectl drain --ignore-daemonsets").word(args.get(&NODE));
    let line = line
        .flag("--timeout", args.get(&TIMEOUT).map(|timeout| format!("{}s", timeout.as_secs())))
        .flag("--grace-period", args.get(&GRACE_PERIOD).map(|seconds| seconds.to_string()))
        .flag("--pod-selector", args.get(&POD_SELECTOR))
        .switch("--force", args.get(&FORCE))
        .switch("--delete-emptydir-data", args.get(&DELETE_EMPTYDIR_DATA));
    Target::of_context(args).flags(line)
}

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    let cluster = Target::of_context(args).cluster(call)?;
    let node = args.get(&NODE);
    let nodes = Api::of(&cluster, kind::builtin("nodes"), &Scope::All)?;
    let title = nodes.title(&node);
    let listing = Listing {
        field_selector: Some(format!("spec.nodeName={node}")),
        selector: args.get(&POD_SELECTOR),
        ..Listing::default()
    };
    let plan = call.read(async {
        nodes.get(&node).await?;
        let pods = Api::of(&cluster, kind::builtin("pods"), &Scope::All)?.list(&listing).await?;
        Ok(Plan::of(&pods.items))
    })?;
    refuse(&title, &plan, args)?;
    let cordoned = call.write(set(&nodes, &node, Wanted::Closed))?;
    let draining = Draining {
        call,
        cluster: &cluster,
        title: &title,
        listing: listing.metadata_only(),
        grace_period: args.get(&GRACE_PERIOD),
        patience: args.get(&TIMEOUT).unwrap_or(PATIENCE),
    };
    let evicted = call.write(draining.run(&plan.leaving))?;
    let changed = cordoned["changed"] == true || !evicted.is_empty();
    Ok(json!({
        "changed": changed,
        "evicted": evicted,
        "skipped": plan.staying.iter().map(|(pod, why)| json!({ "pod": pod, "why": why })).collect::<Vec<_>>(),
        "summary": format!("{title}: drained, {} evicted, {} stay", evicted.len(), plan.staying.len()),
    }))
}

/// Says beforehand what would be lost, all at once.
fn refuse(title: &str, plan: &Plan, args: &Args) -> Result<(), Fault> {
    let alone = if args.get(&FORCE) == Some(true) { &[][..] } else { &plan.alone };
    let losing = if args.get(&DELETE_EMPTYDIR_DATA) == Some(true) { &[][..] } else { &plan.losing };
    if alone.is_empty() && losing.is_empty() {
        return Ok(());
    }
    let mut words = Vec::new();
    let mut hints = Vec::new();
    if !alone.is_empty() {
        words.push(format!("nothing makes {} again", alone.join(", ")));
        hints.push("`force: true` evicts them all the same");
    }
    if !losing.is_empty() {
        words.push(format!("the `emptyDir` data of {} would be lost", losing.join(", ")));
        hints.push("`delete_emptydir_data: true` says that it may be");
    }
    Err(Fault::new(Code::Precondition, format!("{title} is not drained: {}; nothing was changed", words.join("; ")))
        .about(title)
        .hint(hints.join(", ")))
}
