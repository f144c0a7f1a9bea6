//! The cases of the library that the API server patches JSON with.

use serde_json::Value;

use super::{Cases, Difference, equal, module, tables};
use crate::patch;

/// The peer compares documents that are objects alone, so these two expectations are nobody's: its library gives what ours does.
const DIFFERENCES: &[Difference] = &[
    (r#"[ { "op": "copy", "from": "/0/foo/0", "path": "/0/bar/0"}]"#, "inserts where it says, and does not replace"),
    (r#"[ { "op": "copy", "from": "/0/foo/0", "path": "/0/bar"}]"#, "the element is copied, and not the list"),
];

#[test]
fn peers_cases_of_json_patch() {
    let Some(folder) = module("peers_cases_of_json_patch", "gopkg.in/evanphx/json-patch.v4 ") else { return };
    let tables = tables(&folder, &["patch_test"]);
    let mut cases = Cases::new(DIFFERENCES);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let read = |text: &str| serde_json::from_str::<Value>(text);
    for case in tables["Cases"].as_array().unwrap() {
        let (document, patch, result) = (text(&case[0]), text(&case[1]), text(&case[2]));
        let Ok(document) = read(&document) else { continue };
        let Ok(result) = read(&result) else { continue };
        let ours = patch::json(&document, &read(&patch).unwrap());
        cases.add(&patch, ours.map_err(|why| why.to_string()).and_then(|ours| equal(&ours, &result)));
    }
    for case in tables["BadCases"].as_array().unwrap() {
        let (document, patch) = (text(&case[0]), text(&case[1]));
        let (Ok(document), Ok(read)) = (read(&document), read(&patch)) else { continue };
        let outcome = match patch::json(&document, &read) {
            Ok(ours) => Err(format!("should fail, is {ours}")),
            Err(_) => Ok(()),
        };
        cases.add(&patch, outcome);
    }
    for case in tables["TestCases"].as_array().unwrap() {
        let (document, patch) = (text(&case[0]), text(&case[1]));
        let ours = patch::json(&read(&document).unwrap(), &read(&patch).unwrap());
        let passes = case[2] == Value::Bool(true);
        let outcome = if ours.is_ok() == passes { Ok(()) } else { Err(format!("{ours:?}, but {passes}")) };
        cases.add(&patch, outcome);
    }
    cases.settle(55);
}

#[test]
fn peers_cases_of_merge_patch() {
    let Some(folder) = module("peers_cases_of_merge_patch", "gopkg.in/evanphx/json-patch.v4 ") else { return };
    let tables = tables(&folder, &["merge_test"]);
    let mut cases = Cases::new(&[]);
    for case in tables["rfcTests"].as_array().unwrap() {
        let part = |name: &str, at: usize| -> Value {
            let text = case.get(name).or_else(|| case.get(at)).and_then(Value::as_str).unwrap();
            serde_json::from_str(text).unwrap()
        };
        let (target, patch, expected) = (part("target", 0), part("patch", 1), part("expected", 2));
        cases.add(&patch.to_string(), equal(&patch::merge(&target, &patch), &expected));
    }
    cases.settle(10);
}
