//! Calls of primitives, and of script functions by primitives.

use serde_json::json;

use super::bench::{Bench, eval, fault, places};
use crate::fault::Code;
use crate::record::Entry;

#[test]
fn a_call_takes_its_positional_arguments_and_options() {
    assert_eq!(eval("test::echo(#{ a: [1, 2.5, \"x\", true, ()] })"), json!({ "a": [1, 2.5, "x", true, null] }));
    assert_eq!(
        eval("let v = [1]; let o = #{ namespace: \"b\" }; test::echo(v, o); v"),
        json!([1]),
        "arguments stay as they were"
    );
    assert_eq!(eval("fn f(x) { test::echo(x, #{ namespace: () }) } f(1)"), json!(1));
}

#[test]
fn an_unknown_option_points_at_the_call_and_names_its_neighbour() {
    let fault = fault("let x = 1;\n   test::echo(x, #{ namspace: \"a\" });");
    assert_eq!((fault.code, fault.hint.as_deref()), (Code::UnknownOption, Some("did you mean `namespace`?")));
    assert_eq!((fault.stack[0].line, fault.stack[0].column), (2, 4));
    assert_eq!(fault.primitive.as_deref(), Some("test::echo"));
}

#[test]
fn a_wrong_type_says_what_was_expected_and_what_came() {
    let fault = fault("test::write(3)");
    assert_eq!(fault.code, Code::WrongArgument);
    assert_eq!(fault.message, "`text` of `test::write`: expected a string, got the number 3");
}

#[test]
fn what_is_no_plain_value_cannot_be_handed_over() {
    assert_eq!(fault("test::echo([|| 1])").message, "`value` of `test::echo` holds a function");
    assert_eq!(fault("test::echo(1..2)").code, Code::WrongArgument);
}

#[test]
fn every_call_is_recorded_with_its_place_in_the_run() {
    let ran =
        Bench::new("test::echo(1); step \"A b\" { test::echo(2); step \"C\" { test::write(\"x\"); } test::echo(3); }")
            .run();
    let calls: Vec<String> = ran.trace().into_iter().filter(|line| line.contains('#')).collect();
    assert_eq!(calls, ["#1 echo 1", "a-b#1 echo 2", "a-b/c#1 write x", "a-b#2 echo 3"]);
    let intents = ran.entries.iter().filter(|entry| matches!(entry, Entry::Intent(_))).count();
    assert_eq!(intents, 1, "only writes are announced");
}

#[test]
fn a_write_needs_consent() {
    let mut bench = Bench::new("test::write(\"x\")");
    bench.approved.clear();
    assert_eq!(bench.run().fault().code, Code::NeedsApproval);
}

#[test]
fn closures_keep_what_they_captured_and_may_change_it() {
    assert_eq!(eval("let n = 0; let by = 2; test::twice(|| { n += by; }); n"), json!(4));
}

#[test]
fn a_function_among_the_options_is_called_with_arguments() {
    assert_eq!(eval("test::echo(20, #{ when_done: |x| x + 1 })"), json!(21));
    assert_eq!(eval("fn f(x) { x * 2 } test::echo(20, #{ when_done: f })"), json!(40));
}

#[test]
fn a_return_in_a_closure_ends_the_closure_alone() {
    assert_eq!(eval("let n = 0; test::twice(|| { n += 1; if n > 0 { return 7; } 8 })"), json!(7));
}

#[test]
fn a_fault_in_a_closure_keeps_its_place() {
    let script = "fn inner() {\n  test::fail(\"RB022\");\n}\ntest::twice(|| {\n  inner();\n});";
    let fault = fault(script);
    assert_eq!(fault.code, Code::NotFound);
    assert_eq!(places(&fault), ["main.rhai:2", "main.rhai:5", "main.rhai:4"]);
    assert_eq!(fault.primitive.as_deref(), Some("test::fail"));
}

#[test]
fn answers_of_many_threads_come_in_the_order_of_the_items() {
    let ran = Bench::new("step \"All\" { each([5, 6, 7, 8], |i| { test::echo(i); i * 10 }) }").run();
    let mut calls: Vec<String> = ran.trace().into_iter().filter(|line| line.contains('#')).collect();
    calls.sort();
    assert_eq!(calls, ["all/each[0]#1 echo 5", "all/each[1]#1 echo 6", "all/each[2]#1 echo 7", "all/each[3]#1 echo 8"]);
    assert_eq!(ran.value(), json!([50, 60, 70, 80]));
}

#[test]
fn threads_use_functions_constants_and_modules_of_the_script() {
    let bench = Bench::new("import \"std/m\" as m; const K = 2; fn f(x) { x + K } each([1, 2], |i| m::g(f(i)))")
        .module("std/m", "const T = 100; fn h(x) { x * T } fn g(x) { h(x) }");
    assert_eq!(bench.run().value(), json!([300, 400]));
}

#[test]
fn a_run_ending_fault_on_one_thread_ends_the_others() {
    let mut bench = Bench::new("each([1, 2, 3], |i| { if i == 2 { test::fail(\"RB060\"); } loop { } })");
    // Nothing else ends the loops.
    bench.limits.operations = u64::MAX;
    assert_eq!(bench.run().fault().code, Code::NeedsApproval);
}
