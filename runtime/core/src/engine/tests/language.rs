//! The language: what scripts of people who do not know Rhai run into.

use serde_json::json;

use super::bench::{Bench, eval, fault, places};
use crate::fault::Code;

#[test]
fn the_optimiser_changes_nothing() {
    assert_eq!(eval("try { 1 } catch { 2 }"), json!(1));
}

#[test]
fn functions_and_closures_see_the_constants_of_their_file() {
    let script = "const LIMIT = 2; const BIG = #{ a: LIMIT + 1 }; fn f() { LIMIT * 10 } fn g() { let h = || BIG.a + f(); h.call() } [f(), g()]";
    assert_eq!(eval(script), json!([20, 23]));
}

#[test]
fn functions_do_not_see_variables_and_the_fault_says_how_they_could() {
    let fault = fault("let name = 1;\nfn f() { name }\nf()");
    assert_eq!(fault.code, Code::ScriptSyntax);
    assert_eq!(places(&fault), ["main.rhai:2"]);
    assert!(fault.hint.unwrap().contains("const name"));
}

#[test]
fn step_is_an_ordinary_name_wherever_it_begins_no_step() {
    assert_eq!(eval("let step = #{ step: 1 }; step.step += 1; let list = [step.step, step]; list[0]"), json!(2));
    assert_eq!(
        eval("try { throw #{ code: \"RB022\", message: \"x\", step: \"a\" } } catch (e) { return e.step; }"),
        json!("a")
    );
}

#[test]
fn an_unknown_variable_names_its_neighbour() {
    let fault = fault("let namespace = 1; namspace");
    assert_eq!((fault.code, fault.hint.as_deref()), (Code::ScriptSyntax, Some("did you mean `namespace`?")));
    assert_eq!((fault.stack[0].line, fault.stack[0].column), (1, 20));
}

#[test]
fn an_unknown_function_is_found_before_anything_runs() {
    let ran = Bench::new("test::write(\"x\"); if false { test::ecko(1); }").run();
    assert!(ran.entries.is_empty());
    let fault = ran.fault();
    assert_eq!(fault.message, "there is no function `test::ecko`");
    assert_eq!(fault.hint.as_deref(), Some("did you mean `test::echo(value, #{ namespace, when_done })`?"));
}

#[test]
fn an_unknown_namespace_is_found_before_anything_runs_also_in_closures() {
    for script in ["test::write(\"x\"); tset::echo(1);", "test::write(\"x\"); let f = || tset::echo(1); f.call()"] {
        let ran = Bench::new(script).run();
        assert!(ran.entries.is_empty(), "{script}");
        assert_eq!(ran.fault().hint.as_deref(), Some("did you mean `test`?"));
    }
}

#[test]
fn a_wrong_number_of_arguments_is_found_before_anything_runs() {
    let wrong = fault("fn f(a) { a } test::write(); f(1, 2);");
    assert_eq!(wrong.message, "`test::write` does not take no argument");
    assert_eq!(wrong.hint.as_deref(), Some("it is `test::write(text)`"));
    assert_eq!(wrong.evidence, ["line 1: `f` is called with 2, it takes 1"]);
}

#[test]
fn functions_of_rhai_itself_are_there() {
    assert_eq!(
        eval(
            "let a = [3, 1, 2]; a.sort(); [a, len(\"abc\"), max(1, 2), type_of(range(0, 2)), type_of(1), \"a,b\".split(\",\")]"
        ),
        json!([[1, 2, 3], 3, 2, "range", "i64", ["a", "b"]])
    );
}

#[test]
fn what_would_escape_the_world_is_off() {
    for (script, word) in
        [("exit(3)", "`throw`"), ("sleep(1)", "wait::pause"), ("timestamp()", "time::now"), ("eval(\"1\")", "")]
    {
        let fault = fault(script);
        assert_eq!(fault.code, Code::ScriptSyntax, "{script}");
        assert!(fault.hint.as_deref().unwrap_or_default().contains(word), "{script}: {fault:?}");
    }
    assert!(fault("let f = Fn(\"exit\"); f.call()").message.contains("`exit` cannot be used"));
}

#[test]
fn text_that_looks_filled_in_and_is_not_is_a_fault() {
    let fault = fault("let name = \"web\";\nlet x = \"deployment/${name}\";");
    assert_eq!(places(&fault), ["main.rhai:2"]);
    assert!(fault.hint.unwrap().contains("back-ticks"));
    assert_eq!(eval("let name = 1; [\"${HOME}\", `${name}`]"), json!(["${HOME}", "1"]));
}

#[test]
fn reserved_words_say_the_way_out() {
    let property = fault("let obj = #{};\nobj.match");
    assert_eq!((property.code, places(&property)), (Code::ScriptSyntax, vec!["main.rhai:2".to_owned()]));
    assert!(property.hint.unwrap().contains("obj.at("));
    assert!(fault("let m = #{ default: 1 };").hint.unwrap().contains("in quotes"));
    assert!(fault("let default = 1;").hint.unwrap().contains("another name"));
    assert!(fault("let x = null;").hint.unwrap().contains("`()`"));
}

#[test]
fn a_script_that_ends_too_early_says_what_is_open() {
    let fault = fault("step \"a\" {\n  if true {\n}\n");
    assert_eq!(fault.message, "the script ends too early: the `{` of line 1 is not closed");
}

#[test]
fn truth_is_a_bool() {
    assert!(fault("let x = \"\"; if x { }").hint.unwrap().contains("no truthiness"));
    assert!(fault("let x = (); !x").hint.unwrap().contains("no truthiness"));
}

#[test]
fn nothing_has_no_properties_and_the_fault_says_what_reads_safely() {
    let fault = fault("let m = #{};\nm.spec.replicas");
    assert_eq!(fault.message, "`replicas` cannot be read: what stands before it is ()");
    assert!(fault.hint.unwrap().contains("?.replicas"));
    assert_eq!(
        eval("let m = #{}; [m?.spec?.replicas, m.at(\"spec.replicas\"), ().at(\"a.b\")]"),
        json!([null, null, null])
    );
}

#[test]
fn objects_are_read_by_path() {
    let script = "let o = #{ spec: #{ http: [#{ \"match\": 1 }] } }; [o.at(\"spec.http[0].match\"), o.must(\"spec.http\").len()]";
    assert_eq!(eval(script), json!([1, 1]));
    let fault = fault("let o = #{ spec: #{} };\no.must(\"spec.replicas\")");
    assert_eq!((fault.code, places(&fault)), (Code::NotFound, vec!["main.rhai:2".to_owned()]));
}

#[test]
fn a_closure_in_a_variable_says_how_it_is_called() {
    assert!(fault("let f = |x| x; f(1)").hint.unwrap().contains("f.call("));
    assert!(fault("let f = |x| x; f.call()").hint.unwrap().contains("takes one argument"));
}

#[test]
fn maps_do_not_iterate_and_the_fault_says_what_does() {
    assert!(fault("let m = #{ a: 1 }; for x in m { }").hint.unwrap().contains(".keys()"));
}

#[test]
fn what_is_printed_goes_to_the_log() {
    assert_eq!(Bench::new("print(`a ${1}`); debug(2);").run().trace(), ["log a 1", "log 2"]);
}

#[test]
fn a_script_answers_with_its_last_value_or_its_return() {
    assert_eq!(eval("let x = 1; x + 1"), json!(2));
    assert_eq!(eval("if true { return #{ a: [1] }; } 3"), json!({ "a": [1] }));
    assert_eq!(eval("|| 1"), json!(null));
}

#[test]
fn an_empty_script_is_one_that_does_nothing() {
    assert_eq!(eval(""), json!(null));
    assert_eq!(eval("//! Only words.\n"), json!(null));
}
