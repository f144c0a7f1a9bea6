//! `wait::any`

use runbook_core::primitive::{Answer, Example, no_command};
use runbook_core::{Args, Call, Effect, Outcome, Primitive};
use serde_json::json;

use super::all::WAITS;
use super::engine::Mode;
use super::option::{ALLOW_RESTARTS, CONTEXT, FAIL_FAST, FAIL_WHEN, INTERVAL, NO_ACTIVITY, TIMEOUT};
use super::{describe, reach};

/// `index` in the answer counts from 0, as lists do. It stops early only once none of them can succeed.
pub(super) const ANY: Primitive = Primitive {
    name: "wait::any",
    summary: "Wait until one of several things is so; the answer says which.",
    params: &[&WAITS, &CONTEXT, &TIMEOUT, &NO_ACTIVITY, &FAIL_FAST, &FAIL_WHEN, &ALLOW_RESTARTS, &INTERVAL],
    effect: Effect::Wait,
    answer: Answer::Recorded,
    announce,
    command: no_command,
    run,
    examples: &[Example {
        cluster: "shop",
        script: r#"wait::any([
            #{ wait: "exists", kind: "configmap", name: "absent", namespace: "shop" },
            #{ kind: "deployment", name: "web", namespace: "shop" },
        ])"#,
        expect: r#"{ "index": 1, "object": "deployment/web" }"#,
    }],
};

fn announce(args: &Args) -> String {
    format!("wait until one of {} things is so", args.get(&WAITS).len())
}

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    let asks = describe::read(&args.get(&WAITS))?;
    let (engine, index) = reach::several(call, args, &asks, Mode::Any)?;
    let object = engine.tracks()[index].goal.title();
    Ok(json!({ "index": index, "object": object, "elapsed_ms": reach::elapsed(&engine) }))
}
