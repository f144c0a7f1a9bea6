//! What differs between two states of an object, field by field, as scripts and people read it.
//!
//! Leaves out what only the server writes. Does not know who changed a field.

use serde_json::{Value, json};

use crate::path::Path;

/// What the server writes into `metadata`, and every change with it.
const SERVERS_OWN: &[&str] =
    &["creationTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid"];

/// What stands for values out of a Secret.
const HIDDEN: &str = "<secret>";

/// One field that differs.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Difference {
    pub(super) path: Path,
    /// What it was; `None` where it was not there.
    pub(super) old: Option<Value>,
    /// What it is; `None` where it is gone.
    pub(super) new: Option<Value>,
}

impl Difference {
    /// As scripts get it.
    pub(super) fn to_value(&self) -> Value {
        json!({ "path": self.path.to_string(), "old": self.old, "new": self.new })
    }
}

/// The fields that differ, in the order of the new state. Values of Secrets do not come out of here.
pub(super) fn between(old: &Value, new: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    compare(&Path::default(), Some(old), Some(new), &mut found);
    let secret = [old, new].iter().any(|object| object["kind"] == "Secret");
    for difference in &mut found {
        // An old kubectl keeps a whole copy of what it applied in an annotation.
        let path = difference.path.to_string();
        if secret && (path.starts_with("data") || path.starts_with("stringData") || path.contains("last-applied")) {
            difference.old = difference.old.take().map(|_| Value::from(HIDDEN));
            difference.new = difference.new.take().map(|_| Value::from(HIDDEN));
        }
    }
    found
}

fn compare(path: &Path, old: Option<&Value>, new: Option<&Value>, found: &mut Vec<Difference>) {
    match (old, new) {
        (Some(old), Some(new)) if old == new => {}
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            let gone = old.keys().filter(|key| !new.contains_key(*key));
            for key in new.keys().chain(gone) {
                if !servers_own(path, key) {
                    compare(&path.key(key), old.get(key), new.get(key), found);
                }
            }
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) => {
            for index in 0..old.len().max(new.len()) {
                compare(&path.index(index), old.get(index), new.get(index), found);
            }
        }
        (old, new) => found.push(Difference { path: path.clone(), old: old.cloned(), new: new.cloned() }),
    }
}

fn servers_own(path: &Path, key: &str) -> bool {
    match path.0.as_slice() {
        [] => key == "status",
        [crate::path::Part::Key(top)] if top == "metadata" => SERVERS_OWN.contains(&key),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words(old: &Value, new: &Value) -> Vec<String> {
        between(old, new).iter().map(|difference| difference.to_value().to_string()).collect()
    }

    #[test]
    fn fields_are_named_and_the_servers_own_left_out() {
        let old = json!({ "metadata": { "resourceVersion": "1", "labels": { "a.b/c": "1" } }, "spec": { "l": [1, 2] }, "status": 1 });
        let new =
            json!({ "metadata": { "resourceVersion": "2", "labels": {} }, "spec": { "l": [1, 3, 4] }, "status": 2 });
        assert_eq!(
            words(&old, &new),
            [
                r#"{"path":"metadata.labels[\"a.b/c\"]","old":"1","new":null}"#,
                r#"{"path":"spec.l[1]","old":2,"new":3}"#,
                r#"{"path":"spec.l[2]","old":null,"new":4}"#,
            ]
        );
    }

    #[test]
    fn values_of_secrets_stay_inside() {
        let secret = |value: &str| json!({ "kind": "Secret", "data": { "password": value } });
        assert_eq!(
            words(&secret("old"), &secret("new")),
            [r#"{"path":"data.password","old":"<secret>","new":"<secret>"}"#]
        );
        assert_eq!(words(&json!({}), &secret("x")).len(), 2);
        assert!(!words(&json!({}), &secret("hunter2")).concat().contains("hunter2"));
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![any::<bool>().prop_map(Value::from), (0i64..5).prop_map(Value::from)];
        leaf.prop_recursive(3, 20, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::btree_map("[a-d]", inner, 0..3)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn nothing_differs_exactly_where_all_is_equal(old in value(), new in value()) {
            let wrap = |value: &Value| json!({ "spec": value });
            prop_assert_eq!(between(&wrap(&old), &wrap(&new)).is_empty(), old == new);
        }
    }
}
