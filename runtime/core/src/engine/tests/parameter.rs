//! Parameters: declared literally, read without running.

use serde_json::json;

use super::bench::{Bench, eval, fault, places};
use crate::engine::ParameterKind;
use crate::fault::Code;

const SCRIPT: &str = "//! T.\nlet target = param::version(\"target\", \"Version\");\nconst strategy = param::choice(\"strategy\", \"How\", [\"in-place\", \"canary\"], #{ fallback: \"in-place\" });\nlet n = 0 + param::int(\"old-n\", \"N\", #{ fallback: -2 });\nlet tags = param::list(\"tags\", \"T\", #{ fallback: [] });\nfn f() { strategy }\n[target, f(), n, tags]";

#[test]
fn declarations_are_read_without_running() {
    let runbook = Bench::new(SCRIPT).load().unwrap();
    let parameters: Vec<_> =
        runbook.parameters().iter().map(|p| (p.name.as_str(), p.kind, p.required(), p.place.line)).collect();
    assert_eq!(
        parameters,
        [
            ("target", ParameterKind::Version, true, 2),
            ("strategy", ParameterKind::Choice, false, 3),
            ("old-n", ParameterKind::Int, false, 4),
            ("tags", ParameterKind::List, false, 5),
        ]
    );
    assert_eq!(runbook.header().title, "T");
    assert_eq!(runbook.digest().len(), 64);
}

#[test]
fn a_run_sees_what_was_given_and_fallbacks_for_the_rest() {
    let bench = Bench::new(SCRIPT).with(json!({ "target": "v1.30.3", "old-n": 5 }));
    assert_eq!(bench.run().value(), json!(["1.30.3", "in-place", 5, []]));
}

#[test]
fn what_is_missing_unknown_or_mistyped_is_found_before_anything_runs() {
    let ran = |given| Bench::new(&format!("test::write(\"x\");\n{SCRIPT}")).with(given).run();
    for given in [json!({}), json!({ "target": "1.30.3", "tragets": "x" }), json!({ "target": 3 })] {
        let ran = ran(given);
        assert!(ran.entries.is_empty());
        assert_eq!(ran.fault().code, Code::Parameter);
    }
}

#[test]
fn a_declaration_must_be_literal_and_at_the_top() {
    for script in [
        "let d = \"x\";\nlet p = param::string(d, \"P\", #{ fallback: 1 + 1 });",
        "let a = 1;\nif true { let p = param::string(\"p\", \"P\"); }",
        "fn f() {\n param::string(\"p\", \"P\") }",
        "let f = ();\nlet g = || param::string(\"p\", \"P\");",
        "let f = ();\nstep \"a\" { param::string(\"p\", \"P\"); }",
        "let a = 1;\nlet p = param::strin(\"p\", \"P\");",
        "let a = param::int(\"p\", \"P\");\nlet b = param::int(\"p\", \"P\");",
        "let a = 1;\nlet p = param::int(\"p\", \"P\", #{ fallbak: 1 });",
        "let a = 1;\nlet p = param::int(\"p\", \"P\", #{ fallback: \"x\" });",
        "let a = 1;\nlet p = param::choice(\"p\", \"P\");",
        "let a = 1;\nlet p = param::int(\"Not A Name\", \"P\");",
    ] {
        let fault = fault(script);
        assert_eq!(fault.code, Code::Parameter, "{script}: {}", fault.message);
        assert_eq!(places(&fault), ["main.rhai:2"], "{script}");
    }
}

#[test]
fn a_parameter_may_be_absent() {
    assert_eq!(eval("let p = param::version(\"p\", \"P\", #{ fallback: () }); p == ()"), json!(true));
}
