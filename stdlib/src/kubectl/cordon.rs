//! `kubectl::cordon`

use runbook_core::primitive::{Answer, Example};
use runbook_core::{Effect, Primitive, Repeat};

use super::option::CONTEXT;
use super::schedulable::{NODE, Wanted, command, run};

/// `kubectl::cordon`
pub(super) const CORDON: Primitive = Primitive {
    name: "kubectl::cordon",
    summary: "Keep new pods off a node; those that are there stay.",
    params: &[&NODE, &CONTEXT],
    effect: Effect::Write(Repeat::Safe),
    answer: Answer::Recorded,
    announce: |args| format!("cordon node/{}", args.get(&NODE)),
    command: |args| Some(command("kubectl cordon", args)),
    run: |call, args| run(call, args, Wanted::Closed),
    examples: &[Example {
        cluster: "shop",
        script: r#"kubectl::cordon("node-1").changed && !kubectl::cordon("node-1").changed"#,
        expect: "true",
    }],
};
