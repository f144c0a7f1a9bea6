//! `report::attach`

use runbook_core::arg::Args;
use runbook_core::primitive::{Answer, no_command};
use runbook_core::record::{Attached, Entry};
use runbook_core::{Call, Effect, Example, Outcome, Param, Primitive, Value, secret};

const NAME: Param<String> = Param::required("name", "Its name in the report.");
const VALUE: Param<Value> = Param::required("value", "Any value; what Secrets hold is left out.");

pub(super) const ATTACH: Primitive = Primitive {
    name: "report::attach",
    summary: "Keep a value with the report.",
    params: &[&NAME, &VALUE],
    effect: Effect::Pure,
    answer: Answer::Recorded,
    announce: |args| format!("attach {}", args.get(&NAME)),
    command: no_command,
    run,
    examples: &[Example {
        cluster: "",
        script: r#"report::attach("labels", #{ shop: #{ app: "web" } })"#,
        expect: "null",
    }],
};

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    let value = secret::redacted(args.get(&VALUE));
    call.session.record(Entry::Attached(Attached { step: call.step.clone(), name: args.get(&NAME), value }))?;
    Ok(Value::Null)
}
