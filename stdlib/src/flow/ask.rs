//! `ask`

use runbook_core::arg::Args;
use runbook_core::primitive::{Answer, no_command};
use runbook_core::world::Style;
use runbook_core::{Call, Effect, Example, Outcome, Param, Primitive};

use super::option::{EVIDENCE, ID, question};

const TEXT: Param<String> = Param::required("question", "What is asked.");

pub(super) const ASK: Primitive = Primitive {
    name: "ask",
    summary: "Ask a person for a text.",
    params: &[&TEXT, &ID, &EVIDENCE],
    effect: Effect::Pure,
    answer: Answer::Recorded,
    announce: |args| format!("question: {}", args.get(&TEXT)),
    command: no_command,
    run,
    examples: &[Example { cluster: "", script: r#"ask("Ticket?", #{ id: "ticket" })"#, expect: r#""yes""# }],
};

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    let question = question(call, args.get(&TEXT), args.get(&ID), args.get(&EVIDENCE), Style::Text);
    Ok(call.session.ask(&question)?.into())
}
