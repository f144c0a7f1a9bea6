//! `confirm`

use runbook_core::arg::Args;
use runbook_core::primitive::{Answer, no_command};
use runbook_core::world::Style;
use runbook_core::{Call, Effect, Example, Outcome, Param, Primitive};

use super::option::{EVIDENCE, ID, question};

const TEXT: Param<String> = Param::required("question", "A question with a yes or a no.");

pub(super) const CONFIRM: Primitive = Primitive {
    name: "confirm",
    summary: "Ask a person yes or no; the run goes on either way.",
    params: &[&TEXT, &ID, &EVIDENCE],
    effect: Effect::Pure,
    answer: Answer::Recorded,
    announce: |args| format!("question: {}", args.get(&TEXT)),
    command: no_command,
    run,
    examples: &[Example {
        cluster: "",
        script: r#"confirm("Restart the gateways too?", #{ id: "gateways" })"#,
        expect: "true",
    }],
};

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    let question = question(call, args.get(&TEXT), args.get(&ID), args.get(&EVIDENCE), Style::Confirm);
    Ok((call.session.ask(&question)? == "yes").into())
}
