//! What each kind of patch does.

use serde_json::json;

use super::{json, merge};

#[test]
fn a_json_patch_adds_moves_and_tests() {
    let object = json!({ "a": [1, 2], "b": "x" });
    let patch = json!([
        { "op": "test", "path": "/b", "value": "x" },
        { "op": "add", "path": "/a/-", "value": 3 },
        { "op": "move", "from": "/b", "path": "/c" },
    ]);
    assert_eq!(json(&object, &patch).unwrap(), json!({ "a": [1, 2, 3], "c": "x" }));
}

#[test]
fn a_merge_patch_removes_with_null() {
    assert_eq!(
        merge(&json!({ "a": 1, "b": { "c": 1 } }), &json!({ "a": null, "b": { "d": 2 } })),
        json!({ "b": { "c": 1, "d": 2 } })
    );
}
