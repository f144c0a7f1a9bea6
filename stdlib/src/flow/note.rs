//! `note`

use runbook_core::arg::Args;
use runbook_core::primitive::{Answer, no_command};
use runbook_core::record::{Entry, Note};
use runbook_core::{Call, Effect, Example, Outcome, Param, Primitive, Value};

const MARKDOWN: Param<String> = Param::required("markdown", "The text, in Markdown.");

pub(super) const NOTE: Primitive = Primitive {
    name: "note",
    summary: "Write a passage into the report.",
    params: &[&MARKDOWN],
    effect: Effect::Pure,
    answer: Answer::Recorded,
    announce: |_| "note".to_owned(),
    command: no_command,
    run,
    examples: &[Example {
        cluster: "",
        script: r###"note("## Left alone\n\n- namespace `legacy`")"###,
        expect: "null",
    }],
};

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    call.session.record(Entry::Note(Note { step: call.step.clone(), markdown: args.get(&MARKDOWN) }))?;
    Ok(Value::Null)
}
