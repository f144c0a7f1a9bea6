//! Functions of one name in two texts: Rhai would call the wrong one, so they are a fault before anything runs.

use serde_json::json;

use super::bench::{Bench, places};
use crate::fault::Code;

#[test]
fn two_texts_that_call_functions_of_one_name_are_a_fault_that_names_both() {
    let bench = Bench::new("import \"std/m\" as m;\nfn f(x) { `main ${x}` }\n[f(1), f(2), f(3), m::all()]")
        .module("std/m", "//! M\nfn f(x) { `m ${x}` }\nfn all() { [f(4), f(5)] }");
    let fault = bench.run().fault();
    assert_eq!(fault.code, Code::ScriptSyntax);
    assert_eq!(places(&fault), ["std/m.rhai:2"]);
    assert!(fault.message.contains("mix up function `f` with 1 argument: main.rhai:2 has one"), "{fault:#?}");
}

#[test]
fn a_function_that_another_text_means_as_the_languages_is_a_fault_too() {
    // Where the module calls `some` of lists, Rhai calls the script's, whether that is ever called or not.
    let method = Bench::new("import \"std/m\" as m; fn some(x) { 1 } m::all()")
        .module("std/m", "fn all() { [[1].some(|x| x == 1), [1].some(|x| x == 2)] }");
    let fault = method.run().fault();
    assert_eq!(places(&fault), ["main.rhai:1"]);
    assert!(fault.message.contains("std/m.rhai:1 calls what the language itself has"), "{fault:#?}");
    let function = Bench::new("import \"std/m\" as m; [m::all(), abs(-1)]")
        .module("std/m", "fn abs(x) { x } fn all() { [abs(-1), abs(-2)] }");
    assert!(function.run().fault().message.contains("`abs` with 1 argument"));
}

#[test]
fn names_that_are_never_mixed_up_stay_free() {
    let module = "fn f(x) { `m ${x}` } fn all() { [f(4), f(5), 1.type_of()] }";
    let run = |script: &str| Bench::new(script).module("std/m", module).run().value();
    assert_eq!(
        run("import \"std/m\" as m; fn f(x, y) { `main ${x}` } [f(1, 1), f(2, 2), f(3, 3), m::all()]"),
        json!(["main 1", "main 2", "main 3", ["m 4", "m 5", "i64"]]),
        "another number of arguments"
    );
    assert_eq!(
        run("import \"std/m\" as m; fn f(x) { `main ${x}` } [m::f(1), m::f(2), m::f(3), m::all()]"),
        json!(["m 1", "m 2", "m 3", ["m 4", "m 5", "i64"]]),
        "a script that never calls its own by its bare name"
    );
}

/// Should this fail, Rhai has been mended, and the rule can go.
#[test]
fn rhai_itself_still_mixes_them_up() {
    let mut engine = rhai::Engine::new();
    let mut resolver = rhai::module_resolvers::StaticModuleResolver::new();
    let module = engine.compile("fn f(x) { `m ${x}` } fn all() { [f(4), f(5)] }").unwrap();
    resolver.insert("m", rhai::Module::eval_ast_as_new(rhai::Scope::new(), &module, &engine).unwrap());
    engine.set_module_resolver(resolver);
    let all: rhai::Array =
        engine.eval("import \"m\" as m; fn f(x) { `main ${x}` } f(1); f(2); f(3); m::all()").unwrap();
    assert_eq!(all[0].to_string(), "main 4");
}
