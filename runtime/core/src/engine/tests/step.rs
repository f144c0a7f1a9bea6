//! Steps.

use std::time::Duration;

use serde_json::json;

use super::bench::{Bench, eval, fault, places};
use crate::fault::Code;

#[test]
fn a_step_is_an_expression_with_a_scope_of_its_own() {
    assert_eq!(eval("let x = 1; let v = step \"a\" { let y = 2; x += 1; x + y }; [v, x]"), json!([4, 2]));
    assert_eq!(eval("fn f() { step \"in a function\" { 5 } } f() + step \"b\" { 1 }"), json!(6));
    assert!(fault("step \"a\" { let inner = 1; } inner").message.contains("no variable `inner`"));
}

#[test]
fn steps_nest_and_are_told_apart() {
    let ran =
        Bench::new("for i in 0..2 { step `Move ${i}` { step \"Inner\" { } } } step \"Same\" { } step \"Same\" { }")
            .run();
    assert_eq!(
        ran.trace(),
        [
            "move-0: Move 0",
            "  move-0/inner: Inner",
            "move-0/inner Done",
            "move-0 Done",
            "move-1: Move 1",
            "  move-1/inner: Inner",
            "move-1/inner Done",
            "move-1 Done",
            "same: Same",
            "same Done",
            "same-2: Same",
            "same-2 Done",
        ]
    );
}

#[test]
fn return_and_break_inside_a_step_are_no_failures() {
    let ran = Bench::new(
        "fn f() { step \"A\" { return 7; } 8 } for i in 0..3 { step `B ${i}` { if i == 1 { break; } continue; } } f()",
    )
    .run();
    assert_eq!(ran.trace().iter().filter(|line| line.ends_with("Done")).count(), 3);
    assert_eq!(ran.value(), json!(7));
    assert_eq!(eval("step \"A\" { return 1; } 2"), json!(1), "it leaves the script as it would without a step");
}

#[test]
fn a_step_that_fails_says_so_and_so_do_those_around_it() {
    let ran = Bench::new("step \"A\" { step \"B\" { test::fail(\"RB022\"); } }").run();
    assert_eq!(ran.trace()[3..], ["a/b Failed".to_owned(), "a Failed".to_owned()]);
    assert_eq!(ran.fault().step.as_deref(), Some("a/b"));
}

#[test]
fn options_may_be_computed_and_unknown_ones_are_faults() {
    let ran = Bench::new("let o = #{ id: \"x-1\" }; step \"A\" with o + #{ when: 1 == 2 } { test::echo(1); }").run();
    assert_eq!(ran.trace(), ["x-1: A", "x-1 Skipped"]);
    let unknown = fault("\n step \"A\" with #{ timout: \"5m\" } { }");
    assert_eq!((unknown.code, unknown.hint.as_deref()), (Code::UnknownOption, Some("did you mean `timeout`?")));
    assert_eq!(places(&unknown), ["main.rhai:2"]);
    assert!(fault("step \"A\" with #{ timeout: 5 } { }").message.contains("a duration such as \"5m\""));
    assert!(fault("step \"A\" with #{ id: \"Not an id\" } { }").message.contains("lower case"));
    assert!(fault("let t = 3; step t { }").message.contains("the title of a step is a string"));
}

#[test]
fn a_stated_id_is_used_once() {
    let fault = fault("for i in 0..2 { step \"A\" with #{ id: \"one\" } { } }");
    assert_eq!((fault.code, fault.message.as_str()), (Code::StepId, "two steps have the id `one`"));
}

#[test]
fn a_step_with_approval_waits_for_it() {
    let script = "step \"Remove\" with #{ id: \"remove-old\", approve: \"delete 9 objects\" } { test::echo(1); }";
    let refused = Bench::new(script).run();
    assert_eq!(refused.trace(), ["remove-old: Remove", "remove-old Failed"]);
    assert_eq!(refused.fault().code, Code::NeedsApproval);
    let agreed = Bench::new(script).approving("remove-old").run();
    assert_eq!(agreed.trace(), ["remove-old: Remove", "answered remove-old", "remove-old#1 echo 1", "remove-old Done"]);
}

#[test]
fn a_step_is_tried_again_only_where_that_may_help() {
    let ran = Bench::new("step \"A\" with #{ retries: 3 } { step \"B\" with #{ id: \"b\" } { test::flaky(3) } }").run();
    let attempts = ran.trace().iter().filter(|line| line.contains("attempt")).count();
    assert!(ran.outcome.is_ok() && attempts <= 2, "{:?}", ran.trace());
    assert_eq!(ran.elapsed, Duration::from_secs([0, 2, 6][attempts]), "each pause is twice the one before");
    let once = Bench::new("step \"A\" with #{ retries: 3 } { test::fail(\"RB022\") }").run();
    assert!(!once.trace().iter().any(|line| line.contains("attempt")));
}

#[test]
fn a_steps_time_bounds_the_waits_inside() {
    let ran =
        Bench::new("step \"A\" with #{ timeout: \"30s\" } { step \"B\" with #{ timeout: \"5m\" } { test::wait(); } }")
            .run();
    assert_eq!(ran.elapsed, Duration::from_secs(30));
    assert_eq!(ran.fault().code, Code::Timeout);
    let after =
        Bench::new("step \"A\" with #{ timeout: \"30s\" } { try { test::wait(); } catch { } test::echo(1); }").run();
    assert_eq!(after.fault().message, "the time of the step is over");
    let outside =
        Bench::new("try { step \"A\" with #{ timeout: \"30s\" } { test::wait(); } } catch { } test::echo(1)").run();
    assert_eq!(outside.value(), json!(1), "its time is its own");
}

#[test]
fn what_begins_a_step_wrongly_says_how_it_is_written() {
    let fault = fault("step \"A\" when x { }");
    assert_eq!(fault.code, Code::ScriptSyntax);
    assert!(fault.message.contains("`step \"title\" { ... }`"), "{}", fault.message);
}

#[test]
fn steps_can_be_listed_without_running() {
    let script = "fn f(a) { step `For ${a.name} in ${x}` with #{ id: \"given\" } { } }\nconst x = 1;\nstep \"A\" { step \"B\" { f(1); } }\nif x == 2 { step \"C\" { } }\ntest::twice(|| step \"D\" { });\nstep \"A\" { }";
    let steps: Vec<(String, String, usize)> = Bench::new(script)
        .load()
        .unwrap()
        .steps(&serde_json::Map::new())
        .into_iter()
        .map(|step| (step.id, step.title, step.depth))
        .collect();
    let expected = [
        ("a", "A", 0),
        ("a/b", "B", 1),
        ("a/b/given", "For <name> in <x>", 2),
        ("c", "C", 0),
        ("d", "D", 0),
        ("a-2", "A", 0),
    ];
    assert_eq!(steps, expected.map(|(id, title, depth)| (id.to_owned(), title.to_owned(), depth)));
}

#[test]
fn steps_of_branches_that_parameters_rule_out_do_not_come() {
    let script = r#"let strategy = param::choice("strategy", "How", ["in-place", "canary"], #{ fallback: "in-place" });
let remove = param::bool("remove-old", "Whether", #{ fallback: false });
let turned = param::bool("turned", "Whether", #{ fallback: false });
turned = true;
fn inner(strategy) { if strategy == "canary" { step "F" { } } }
if strategy == "canary" { step "A" { } } else { step "B" { inner(1); } }
if remove && strategy == "canary" { step "C" { } }
if !remove || false { step "D" { } }
if turned { step "E" { } }
if strategy.len() == 6 { step "G" { } }
"#;
    let steps = |given: serde_json::Value| {
        let steps = Bench::new(script).load().unwrap().steps(given.as_object().unwrap());
        steps.into_iter().map(|step| step.id).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(steps(json!({})), "a b b/f c d e g");
    assert_eq!(steps(json!({ "strategy": "in-place", "remove-old": true, "turned": false })), "b b/f e g");
    assert_eq!(steps(json!({ "strategy": "canary", "remove-old": true, "turned": false })), "a c e g");
    assert_eq!(steps(json!({ "strategy": "canary", "remove-old": false, "turned": false })), "a d e g");
}
