//! `choose`

use runbook_core::arg::Args;
use runbook_core::param::nearest;
use runbook_core::primitive::{Answer, no_command};
use runbook_core::world::Style;
use runbook_core::{Call, Code, Effect, Example, Fault, Outcome, Param, Primitive};

use super::option::{EVIDENCE, ID, question};

const TEXT: Param<String> = Param::required("question", "What is asked.");
const CHOICES: Param<Vec<String>> = Param::required("choices", "What may be answered.");

pub(super) const CHOOSE: Primitive = Primitive {
    name: "choose",
    summary: "Ask a person to choose one of several texts.",
    params: &[&TEXT, &CHOICES, &ID, &EVIDENCE],
    effect: Effect::Pure,
    answer: Answer::Recorded,
    announce: |args| format!("question: {}", args.get(&TEXT)),
    command: no_command,
    run,
    examples: &[Example { cluster: "", script: r#"choose("Which?", ["yes", "later"])"#, expect: r#""yes""# }],
};

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    let choices = args.get(&CHOICES);
    if choices.is_empty() {
        return Err(Fault::new(Code::WrongArgument, "there is nothing to choose from"));
    }
    let style = Style::Choice(choices.clone());
    let question = question(call, args.get(&TEXT), args.get(&ID), args.get(&EVIDENCE), style);
    let answer = call.session.ask(&question)?;
    if choices.contains(&answer) {
        return Ok(answer.into());
    }
    // An answer given beforehand may name what is no choice here.
    let fault =
        Fault::new(Code::WrongArgument, format!("`{answer}` is none of {}", choices.join(", "))).about(question.id);
    Err(match nearest(&answer, choices.iter().map(String::as_str)) {
        Some(near) => fault.hint(format!("did you mean `{near}`?")),
        None => fault,
    })
}
