//! Imports.

use serde_json::json;

use super::bench::{Bench, places};
use crate::fault::Code;

#[test]
fn functions_of_a_module_use_one_another_its_constants_and_primitives() {
    let bench = Bench::new("import \"std/m\" as m; [m::f(1), m::NAME]").module(
        "std/m",
        "import \"std/n\" as n; export const NAME = \"m\"; const BASE = n::TEN; private fn inner(x) { test::echo(x + BASE) } fn f(x) { inner(x) + n::one() }",
    );
    let bench = bench.module("std/n", "export const TEN = 10; fn one() { 1 }");
    assert_eq!(bench.run().value(), json!([12, "m"]));
}

#[test]
fn a_steps_in_a_module_is_a_step_of_the_run() {
    let bench = Bench::new("import \"std/m\" as m; step \"Outer\" { m::f(); }")
        .module("std/m", "fn f() { step \"Inner\" { test::echo(1); } }");
    assert!(bench.run().trace().contains(&"outer/inner#1 echo 1".to_owned()));
}

#[test]
fn closures_of_a_module_can_be_called_where_it_is_imported() {
    let bench = Bench::new("import \"std/m\" as m; let f = m::adder(5); [f.call(1), each([1, 2], m::adder(10))]")
        .module("std/m", "const K = 100; fn help(x) { x + K } fn adder(n) { |x| help(x) + n }");
    assert_eq!(bench.run().value(), json!([106, [111, 112]]));
}

#[test]
fn modules_beside_the_script_are_found_from_it_and_from_each_other() {
    let folder = tempfile::tempdir().unwrap();
    fs_err::create_dir(folder.path().join("lib")).unwrap();
    fs_err::write(folder.path().join("lib/ours.rhai"), "import \"./more\" as more; fn f() { more::g() }").unwrap();
    fs_err::write(folder.path().join("lib/more.rhai"), "fn g() {\n  test::fail(\"RB022\")\n}").unwrap();
    let mut bench = Bench::new("import \"./lib/ours\" as ours;\nours::f();");
    bench.source.folder = Some(folder.path().to_owned());
    let fault = bench.run().fault();
    assert_eq!(places(&fault), ["lib/more.rhai:2", "lib/ours.rhai:1", "main.rhai:2"]);
    assert!(bench.load().unwrap().text_of("lib/more.rhai").unwrap().contains("RB022"));
}

#[test]
fn a_missing_module_is_found_before_anything_runs_and_at_its_place() {
    let ran = Bench::new("test::write(\"x\");\nif false { import \"std/mm\" as m; }").module("std/m", "").run();
    assert!(ran.entries.is_empty());
    let fault = ran.fault();
    assert_eq!((fault.code, fault.hint.as_deref()), (Code::Import, Some("did you mean `std/m`?")));
    assert_eq!(places(&fault), ["main.rhai:2"]);
}

#[test]
fn a_computed_import_is_confined_too_and_cannot_be_caught() {
    let ran = Bench::new("let p = \"../../etc/x\"; try { import p as m; } catch { } test::write(\"x\");").run();
    assert_eq!(ran.fault().code, Code::Import);
}

#[test]
fn modules_that_import_one_another_are_a_fault_that_shows_the_circle() {
    let bench = Bench::new("import \"std/a\" as a;")
        .module("std/a", "import \"std/b\" as b;")
        .module("std/b", "import \"std/a\" as a;");
    let fault = bench.run().fault();
    assert_eq!(
        fault.message,
        "modules import one another: std/a.rhai → std/b.rhai → std/a.rhai"
            .replace("std/a.rhai →", "main.rhai → std/a.rhai →")
            .replacen("→ main.rhai → std/a.rhai", "", 1)
    );
    assert_eq!(places(&fault), ["std/b.rhai:1"]);
}

#[test]
fn what_is_wrong_in_a_module_is_found_at_its_place() {
    let bench = Bench::new("import \"std/a\" as a;").module("std/a", "\nlet x = ;");
    let fault = bench.run().fault();
    assert_eq!((fault.code, places(&fault)), (Code::ScriptSyntax, vec!["std/a.rhai:2".to_owned()]));
    let bench = Bench::new("import \"std/a\" as a;").module("std/a", "\nlet p = param::string(\"p\", \"P\");");
    assert_eq!(bench.run().fault().code, Code::Parameter);
}

#[test]
fn a_module_runs_once_however_often_it_is_imported() {
    let bench = Bench::new(
        "import \"std/a\" as a; import \"std/b\" as b; fn f() { import \"std/a\" as a2; a2::X } [f(), f(), b::y()]",
    )
    .module("std/a", "test::echo(\"a\"); export const X = 1;")
    .module("std/b", "import \"std/a\" as a; fn y() { a::X }");
    let ran = bench.run();
    assert_eq!(ran.trace(), ["#1 echo \"a\""]);
    assert_eq!(ran.value(), json!([1, 1, 1]));
}
