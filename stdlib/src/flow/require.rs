//! `require`

use runbook_core::arg::Args;
use runbook_core::primitive::{Answer, no_command};
use runbook_core::{Call, Code, Effect, Example, Fault, Outcome, Param, Primitive, Value};

use super::option::{EVIDENCE, FIX, OBJECT, told};

const CONDITION: Param<bool> = Param::required("condition", "What must hold.");
const MESSAGE: Param<String> = Param::required("message", "What is wrong where it does not.");

pub(super) const REQUIRE: Primitive = Primitive {
    name: "require",
    summary: "Fail where a condition does not hold.",
    params: &[&CONDITION, &MESSAGE, &OBJECT, &FIX, &EVIDENCE],
    effect: Effect::Pure,
    answer: Answer::Recorded,
    announce: |args| args.get(&MESSAGE),
    command: no_command,
    run,
    examples: &[
        Example { cluster: "", script: r#"require(1 < 2, "numbers are broken")"#, expect: "null" },
        Example {
            cluster: "",
            script: r#"let got = (); try { require(false, "no nodes", #{ fix: "add one" }); } catch (e) { got = `${e.code} ${e.hint}`; } got"#,
            expect: r#""RB072 add one""#,
        },
    ],
};

fn run(_: &Call<'_>, args: &Args) -> Outcome {
    if args.get(&CONDITION) {
        return Ok(Value::Null);
    }
    let fault = Fault::new(Code::Required, args.get(&MESSAGE));
    Err(told(fault, args.get(&OBJECT), args.get(&FIX), args.get(&EVIDENCE)))
}
