//! `approve`

use runbook_core::arg::Args;
use runbook_core::primitive::{Answer, no_command};
use runbook_core::world::Style;
use runbook_core::{Call, Effect, Example, Outcome, Param, Primitive, Value};

use super::option::{EVIDENCE, ID, question};

const WHAT: Param<String> = Param::required("what", "What is to be approved, as a sentence.");
const RETYPE: Param<Option<String>> = Param::option("retype", "A text to type, for what cannot be undone.");

pub(super) const APPROVE: Primitive = Primitive {
    name: "approve",
    summary: "Go on only with a person's approval, given on the terminal or beforehand by `--approve STEP-ID`, or its own id.",
    params: &[&WHAT, &ID, &EVIDENCE, &RETYPE],
    effect: Effect::Pure,
    answer: Answer::Recorded,
    announce: |args| format!("approval: {}", args.get(&WHAT)),
    command: no_command,
    run,
    examples: &[Example {
        cluster: "",
        script: r#"approve("Remove the old revision?", #{ id: "remove-old", evidence: ["no proxy uses it"], retype: "1-29-6" })"#,
        expect: "null",
    }],
};

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    let style = Style::Approval { retype: args.get(&RETYPE) };
    let id = args.get(&ID).or_else(|| step_id(&call.step).map(str::to_owned));
    call.session.approve(&question(call, args.get(&WHAT), id, args.get(&EVIDENCE), style))?;
    Ok(Value::Null)
}

/// The id of the innermost step in a path; branches of `parallel` are no steps.
fn step_id(path: &str) -> Option<&str> {
    path.rsplit('/').find(|part| !part.is_empty() && !part.contains('['))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_approval_without_an_id_has_the_id_of_its_step() {
        assert_eq!(step_id("remove/old-one"), Some("old-one"));
        assert_eq!(step_id("remove/each[2]"), Some("remove"));
        assert_eq!(step_id(""), None);
    }
}
