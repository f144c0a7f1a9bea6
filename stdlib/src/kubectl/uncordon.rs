//! `kubectl::uncordon`

use runbook_core::primitive::{Answer, Example};
use runbook_core::{Effect, Primitive, Repeat};

use super::option::CONTEXT;
use super::schedulable::{NODE, Wanted, command, run};

/// `kubectl::uncordon`
pub(super) const UNCORDON: Primitive = Primitive {
    name: "kubectl::uncordon",
    summary: "Let new pods onto a node again.",
    params: &[&NODE, &CONTEXT],
    effect: Effect::Write(Repeat::Safe),
    answer: Answer::Recorded,
    announce: |args| format!("uncordon node/{}", args.get(&NODE)),
    command: |args| Some(command("kubectl uncordon", args)),
    run: |call, args| run(call, args, Wanted::Open),
    examples: &[Example {
        cluster: "shop",
        script: r#"kubectl::uncordon("node-1")"#,
        expect: "node/node-1: unchanged",
    }],
};
