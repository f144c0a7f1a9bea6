//! `report::keep`

use runbook_core::primitive::Answer;
use runbook_core::record::{Attached, Entry};
use runbook_core::{Args, Call, Effect, Example, Outcome, Param, Primitive};
use runbook_core::{Value, primitive::no_command, secret};
use serde_json::json;

const NAME: Param<String> = Param::required("name", "Its name in the report.");
const VALUE: Param<Value> = Param::required("value", "Any value; what Secrets hold is left out.");

pub(super) const KEEP: Primitive = Primitive {
    name: "report::keep",
    summary: "Keep a value beside the journal, compressed, readable by its owner alone: `file`, `sha256`, `bytes`.",
    params: &[&NAME, &VALUE],
    effect: Effect::Pure,
    answer: Answer::Recorded,
    announce: |args| format!("keep {}", args.get(&NAME)),
    command: no_command,
    run,
    examples: &[Example {
        cluster: "",
        script: r#"report::keep("labels", #{ shop: #{ app: "web" } }).bytes"#,
        expect: "22",
    }],
};

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    let kept = call.session.journal().keep(&secret::redacted(args.get(&VALUE)))?;
    let value = json!({ "file": format!("{}.json.gz", kept.digest), "sha256": kept.digest, "bytes": kept.bytes });
    let attached = Attached { step: call.step.clone(), name: args.get(&NAME), value: value.clone() };
    call.session.record(Entry::Attached(attached))?;
    Ok(value)
}
