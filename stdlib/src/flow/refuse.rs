//! `refuse`

use runbook_core::arg::Args;
use runbook_core::primitive::{Answer, no_command};
use runbook_core::{Call, Code, Effect, Example, Fault, Outcome, Param, Primitive};

use super::option::{EVIDENCE, FIX, OBJECT, told};

const MESSAGE: Param<String> = Param::required("message", "What is refused, and because of what.");

pub(super) const REFUSE: Primitive = Primitive {
    name: "refuse",
    summary: "End the run because going on would do harm; no `catch` takes it.",
    params: &[&MESSAGE, &OBJECT, &FIX, &EVIDENCE],
    effect: Effect::Pure,
    answer: Answer::Recorded,
    announce: |args| args.get(&MESSAGE),
    command: no_command,
    run,
    examples: &[Example {
        cluster: "",
        script: r#"if false { refuse("the chart would delete 3 CRDs", #{ object: "release base" }); } "went on""#,
        expect: r#""went on""#,
    }],
};

fn run(_: &Call<'_>, args: &Args) -> Outcome {
    let fault = Fault::new(Code::RefusedByRule, args.get(&MESSAGE));
    Err(told(fault, args.get(&OBJECT), args.get(&FIX), args.get(&EVIDENCE)))
}
