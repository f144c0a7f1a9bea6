//! Faults on their way through a script.

use serde_json::json;

use super::bench::{Bench, eval, fault, places};
use crate::fault::Code;

#[test]
fn catch_gets_the_fault_as_a_map() {
    let script = "step \"A\" { try { test::fail(\"RB022\"); } catch (e) { [e.code, e.kind, e.message, e.object, e.primitive, e.step, e.nothing] } }";
    // A `catch` block gives no value of its own in Rhai, so it is handed out by a variable.
    let script = script
        .replace("try {", "let got = (); try {")
        .replace("{ [e.code", "{ got = [e.code")
        .replace("] } }", "]; } got }");
    assert_eq!(
        eval(&script),
        json!(["RB022", "not_found", "failed with RB022", "deployment/web", "test::fail", "a", null])
    );
}

#[test]
fn throwing_a_caught_fault_is_the_same_fault() {
    let fault = fault("try {\n  test::fail(\"RB031\");\n} catch (e) {\n  throw e;\n}");
    assert_eq!((fault.code, fault.object.as_deref()), (Code::NotReady, Some("deployment/web")));
    assert_eq!(places(&fault), ["main.rhai:2", "main.rhai:4"]);
}

#[test]
fn anything_else_that_is_thrown_is_the_scripts_own_fault() {
    let text = fault("throw \"no way\"");
    assert_eq!((text.code, text.message.as_str()), (Code::Thrown, "no way"));
    let map = fault("throw #{ message: \"no\", hint: \"do\", extra: 3 }");
    assert_eq!((map.code, map.hint.as_deref(), &map.detail["extra"]), (Code::Thrown, Some("do"), &json!(3)));
    assert_eq!(fault("throw 3").message, "the script threw the number 3");
    assert_eq!(fault("throw").code, Code::Thrown);
}

#[test]
fn what_people_decide_cannot_be_caught() {
    for code in ["RB060", "RB061", "RB050", "RB051", "RB018", "RB070"] {
        let ran =
            Bench::new(&format!("try {{\n test::fail(\"{code}\");\n}} catch (e) {{ }}\ntest::write(\"after\");")).run();
        assert!(!ran.trace().iter().any(|line| line.contains("after")), "{code}");
        let fault = ran.fault();
        assert_eq!(fault.code.id(), code);
        assert_eq!(places(&fault)[0], "main.rhai:2");
    }
}

#[test]
fn what_cannot_be_caught_ends_the_run_also_at_the_end_of_the_script() {
    assert_eq!(fault("try { test::fail(\"RB060\"); } catch { }").code, Code::NeedsApproval);
}

#[test]
fn the_stack_leads_from_the_innermost_place_outwards_through_modules() {
    let bench = Bench::new("import \"std/m\" as m;\nfn outer() {\n  m::middle()\n}\nstep \"S\" {\n  outer();\n}")
        .module("std/m", "fn middle() {\n  deepest()\n}\n\nfn deepest() {\n  test::fail(\"RB022\")\n}");
    let fault = bench.run().fault();
    assert_eq!(places(&fault), ["std/m.rhai:6", "std/m.rhai:2", "main.rhai:3", "main.rhai:6"]);
    assert_eq!(fault.step.as_deref(), Some("s"));
}

#[test]
fn a_fault_that_ends_the_run_has_its_whole_stack_too() {
    let fault = fault("fn f() {\n  test::fail(\"RB060\")\n}\nf();");
    assert_eq!(places(&fault), ["main.rhai:2", "main.rhai:4"]);
}

#[test]
fn rhais_own_errors_are_faults_with_places_and_steps() {
    let fault = fault("fn f(list) {\n  list[7]\n}\nstep \"S\" {\n  f([1]);\n}");
    assert_eq!((fault.code, fault.message.as_str()), (Code::ScriptError, "there is no item 7 in a list of 1"));
    assert_eq!(places(&fault), ["main.rhai:2", "main.rhai:5"]);
    assert_eq!(fault.step.as_deref(), Some("s"));
}

#[test]
fn rhais_own_errors_have_code_and_kind_in_catch_too() {
    let script = "let list = [1]; let got = (); try { list[7]; } catch (e) { got = [e.code, e.kind, e.message]; } got";
    assert_eq!(eval(script), json!(["RB011", "invalid", "there is no item 7 in a list of 1"]));
    assert_eq!(
        fault("try {\n  let x = 1 / 0;\n} catch (e) {\n  if e.kind != \"timeout\" { throw e; }\n}").code,
        Code::ScriptError
    );
}

#[test]
fn an_error_thrown_again_without_looking_at_it_is_a_fault_too() {
    let fault = fault("try {\n  let x = [1][5];\n} catch (e) {\n  throw e;\n}");
    assert_eq!((fault.code, places(&fault)[0].as_str()), (Code::ScriptError, "main.rhai:2"));
}

#[test]
fn arithmetic_types_and_calls_fail_in_words() {
    assert_eq!(fault("let x = 1; x - \"a\"").message, "`-` does not work on a whole number, a string");
    assert!(fault("let x = 0; 1 / x").message.contains("division by zero"));
    assert_eq!(fault("let x = 5; x.frobnicate()").message, "there is no function `frobnicate` for (a whole number)");
    assert_eq!(fault("const K = 1; fn f() { } K.b").code, Code::ScriptError);
}

#[test]
fn secrets_are_masked_in_the_final_fault() {
    let bench = Bench::new("let p = param::secret(\"password\", \"P\"); throw \"with \" + p;")
        .with(json!({ "password": "hunter222" }));
    assert_eq!(bench.run().fault().message, "with <secret 1>");
}
