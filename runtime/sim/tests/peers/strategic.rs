//! The cases of strategic merge patch in `k8s.io/apimachinery`, as far as they apply patches; making them is the client's.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Cases, Difference, module, tables, yaml};
use crate::patch;
use crate::schema::{Document, Schema};

const DIFFERENCES: &[Difference] = &[];

#[test]
fn peers_cases_of_strategic_merge_patch() {
    let test = "peers_cases_of_strategic_merge_patch";
    let Some(folder) = module(test, "k8s.io/apimachinery ") else { return };
    let folder = folder.join("pkg/util/strategicpatch");
    let schema = fs_err::read_to_string(folder.join("testdata/swagger-merge-item-v3.json")).unwrap();
    let schema = of_name(serde_json::from_str(&schema).unwrap(), "mergeItem");
    let tables = tables(&folder, &["patch_test"]);
    let mut cases = Cases::new(DIFFERENCES);
    for case in tables["strategicMergePatchRawTestCases"].as_array().unwrap() {
        let name = case["Description"].as_str().unwrap();
        let data = &case["StrategicMergePatchRawTestCaseData"];
        let part = |key: &str| data[key].as_str().map(yaml);
        let result = part("TwoWayResult").or_else(|| part("Modified"));
        check(&mut cases, &format!("{name}, two ways"), &schema, [part("Original"), part("TwoWay"), result]);
        if data["ExpectedError"].as_str().is_none_or(str::is_empty) {
            check(
                &mut cases,
                &format!("{name}, three ways"),
                &schema,
                [part("Current"), part("ThreeWay"), part("Result")],
            );
        }
    }
    for table in ["createStrategicMergePatchTestCaseData", "customStrategicMergePatchTestCaseData"] {
        let table = yaml(tables[table].as_str().unwrap());
        for case in table["testCases"].as_array().unwrap() {
            let name = case["description"].as_str().unwrap();
            let part = |key: &str| case.get(key).cloned();
            check(
                &mut cases,
                &format!("{name}, two ways"),
                &schema,
                [part("original"), part("twoWay"), part("twoWayResult").or_else(|| part("modified"))],
            );
            check(
                &mut cases,
                &format!("{name}, three ways"),
                &schema,
                [part("current"), part("threeWay"), part("result")],
            );
        }
    }
    cases.settle(150);
}

/// Applies a patch to an object and compares; lists are compared in their order.
fn check(cases: &mut Cases, name: &str, schema: &Schema, [object, patch, result]: [Option<Value>; 3]) {
    let (Some(object), Some(patch), Some(result)) = (object, patch, result) else { return };
    let or_empty = |value: Value| if value.is_null() { json!({}) } else { value };
    let (object, result) = (or_empty(object), or_empty(result));
    let outcome = patch::strategic(schema, &object, &patch).map_err(|why| why.to_string());
    let told = |ours: Value| {
        let told = || format!("object {object}\npatch  {patch}\nours   {ours}\ntheirs {result}");
        if ours == result { Ok(()) } else { Err(told()) }
    };
    cases.add(name, outcome.and_then(told));
}

fn of_name(mut document: Value, name: &str) -> Schema {
    let schemas = document["components"]["schemas"].as_object_mut().unwrap();
    let kind = json!([{ "group": "", "version": "v1", "kind": name }]);
    schemas[name]["x-kubernetes-group-version-kind"] = kind;
    Schema::of_record(&Arc::new(Document::of_openapi(&document)), "", "v1", name).unwrap()
}
