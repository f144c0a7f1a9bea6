//! Every example of the kubectl and wait primitives runs on a real cluster, and answers what it says.

use runbook_control_plane::{ControlPlane, required_or_skip};
use runbook_core::Value;
use serde_json::json;

use crate::bench::Bench;

/// Puts everything back to where examples begin.
fn reset(bench: &Bench) {
    for name in ["colours", "settings"] {
        bench.ok("kubectl::delete", json!(["configmap", name, { "namespace": "shop" }]));
    }
    bench.ok("kubectl::uncordon", json!(["node-1"]));
    bench.ok("kubectl::uncordon", json!(["node-3"]));
    bench.ok("kubectl::apply", json!([include_str!("shop.yaml"), { "on_conflict": "force" }]));
    for name in ["web", "api"] {
        bench.ok("wait::ready", json!(["deployment", name, { "namespace": "shop", "timeout": "60s" }]));
    }
}

/// Whether an answer holds what an example expects: maps at least those fields, all else exactly; or the words.
fn says(found: &Value, expected: &str) -> bool {
    match serde_json::from_str::<Value>(expected) {
        Ok(expected) => holds(found, &expected),
        Err(_) => found.to_string().contains(expected),
    }
}

fn holds(found: &Value, expected: &Value) -> bool {
    match (found, expected) {
        (Value::Object(found), Value::Object(expected)) => {
            expected.iter().all(|(key, expected)| found.get(key).is_some_and(|found| holds(found, expected)))
        }
        (Value::Array(found), Value::Array(expected)) => {
            found.len() == expected.len() && found.iter().zip(expected).all(|(found, expected)| holds(found, expected))
        }
        _ => found == expected,
    }
}

#[test]
fn every_example_answers_what_it_says() {
    if required_or_skip("every_example_answers_what_it_says").is_none() {
        return;
    }
    // Its own: examples cordon nodes and speak of all namespaces.
    let plane = ControlPlane::start().unwrap_or_else(|fault| panic!("{fault}"));
    let bench = Bench::new(&plane.kubeconfig());
    bench.ok("kubectl::apply", json!([{ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "shop" } }]));
    let mut wrong = Vec::new();
    let mut ran = 0;
    for primitive in runbook_stdlib::primitives() {
        let ours = primitive.name.starts_with("kubectl::") || primitive.name.starts_with("wait::");
        for example in primitive.examples.iter().filter(|example| ours && example.cluster == "shop") {
            reset(&bench);
            ran += 1;
            match bench.script(example.script) {
                Ok(value) if says(&value, example.expect) => {}
                Ok(value) => wrong
                    .push(format!("{}: {}\n  is {value}\n  not {}", primitive.name, example.script, example.expect)),
                Err(fault) => wrong.push(format!("{}: {}\n  {fault}\n{fault:#?}", primitive.name, example.script)),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(ran > 40, "only {ran} examples ran");
}
