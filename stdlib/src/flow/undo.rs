//! `undo`

use runbook_core::arg::{Args, Function};
use runbook_core::primitive::{Answer, no_command};
use runbook_core::{Call, Effect, Example, Outcome, Param, Primitive, Value};

const BODY: Param<Function> = Param::required("body", "Takes the next change back.");
const WORDS: Param<Option<String>> = Param::option("words", "What it does, in a few words.");

pub(super) const UNDO: Primitive = Primitive {
    name: "undo",
    summary: "Say how the next change is taken back; inverses run in reverse order, by `runbook undo`.",
    params: &[&BODY, &WORDS],
    effect: Effect::Pure,
    answer: Answer::Recorded,
    announce: |args| args.get(&WORDS).unwrap_or_else(|| "undo".to_owned()),
    command: no_command,
    run,
    examples: &[Example { cluster: "", script: r#"undo(|| log::info("back"), #{ words: "say so" })"#, expect: "null" }],
};

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    call.session.register_undo(&call.step, args.get(&WORDS), args.get(&BODY))?;
    Ok(Value::Null)
}
