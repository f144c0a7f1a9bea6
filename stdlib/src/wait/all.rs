//! `wait::all`

use runbook_core::primitive::{Answer, Example, no_command};
use runbook_core::{Args, Call, Effect, Outcome, Param, Primitive, Value};
use serde_json::json;

use super::engine::Mode;
use super::option::{ALLOW_RESTARTS, CONTEXT, FAIL_FAST, FAIL_WHEN, INTERVAL, NO_ACTIVITY, TIMEOUT};
use super::{describe, reach};

pub(super) const WAITS: Param<Vec<Value>> = Param::required(
    "waits",
    "Maps such as `#{ kind, name }`, with `wait: \"condition\"` and the like for what is not readiness.",
);

/// One wait with shared watches, not one after another; all of them hold at the moment it ends.
pub(super) const ALL: Primitive = Primitive {
    name: "wait::all",
    summary: "Wait until several things are so at the same time.",
    params: &[&WAITS, &CONTEXT, &TIMEOUT, &NO_ACTIVITY, &FAIL_FAST, &FAIL_WHEN, &ALLOW_RESTARTS, &INTERVAL],
    effect: Effect::Wait,
    answer: Answer::Recorded,
    announce,
    command: no_command,
    run,
    examples: &[Example {
        cluster: "shop",
        script: r#"wait::all([
            #{ kind: "deployment", name: "web", namespace: "shop" },
            #{ wait: "endpoints", service: "web", namespace: "shop" },
        ])"#,
        expect: r#"{ "count": 2 }"#,
    }],
};

fn announce(args: &Args) -> String {
    format!("wait until {} things are so", args.get(&WAITS).len())
}

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    let asks = describe::read(&args.get(&WAITS))?;
    let (engine, _) = reach::several(call, args, &asks, Mode::All)?;
    Ok(json!({ "count": asks.len(), "elapsed_ms": reach::elapsed(&engine) }))
}
