//! What differs between two states of an object, field by field, as scripts and people read it.
//!
//! Items of a list are told apart by what Kubernetes merges them by, where all of them have it. What only the server writes is
//! left out and counted. Does not know kinds, releases, or who changed a field.

use serde_json::{Value, json};
use similar::TextDiff;

use crate::path::{Part, Path};
use crate::value::word;

/// What the server writes into `metadata`, and every change with it.
const SERVERS_OWN: &[&str] =
    &["creationTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid"];

/// What items of lists are told apart by, the best first.
const KEYS: &[&[&str]] = &[
    &["name"],
    &["containerPort", "protocol"],
    &["containerPort"],
    &["port", "protocol"],
    &["port"],
    &["mountPath"],
    &["devicePath"],
    &["topologyKey", "whenUnsatisfiable"],
    &["type"],
    &["ip"],
    &["uid"],
];

/// What stands for values out of a Secret.
const HIDDEN: &str = "<secret>";

/// Texts above this are shown as a diff of their lines.
const SHORT: usize = 200;

/// A diff of a text ends after that many characters.
const LONGEST: usize = 8_000;

/// An object as somebody made it: without its status, and without what the server writes into its metadata.
pub fn without_servers_own(mut object: Value) -> Value {
    if let Some(map) = object.as_object_mut() {
        map.shift_remove("status");
    }
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.retain(|key, _| !SERVERS_OWN.contains(&key.as_str()));
    }
    object
}

/// One field that differs.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Where it stands by number: in the old state where it was there, else in the new one.
    pub(crate) at: Path,
    /// Where it stands, with items by their keys: `spec.containers[name=web].image`.
    pub path: String,
    /// What it was; `None` where it was not there.
    pub old: Option<Value>,
    /// What it is; `None` where it is gone.
    pub new: Option<Value>,
}

/// Two states compared.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Compared {
    /// The fields that differ.
    pub fields: Vec<Difference>,
    /// How many fields differ that only the server writes.
    pub hidden: usize,
}

impl Difference {
    /// As scripts get it that ask for changes of live objects.
    pub(crate) fn to_value(&self) -> Value {
        json!({ "path": self.at.to_string(), "old": self.old, "new": self.new })
    }

    /// As scripts get it that compare manifests: `path`, `old` and `new`, or `path` and `diff` for long texts.
    pub fn shown(&self) -> Value {
        match self.lines() {
            Some(diff) => json!({ "path": self.path, "diff": diff }),
            None => json!({ "path": self.path, "old": self.old, "new": self.new }),
        }
    }

    /// The lines in which two texts differ, where they are long.
    pub fn lines(&self) -> Option<String> {
        let (Some(Value::String(old)), Some(Value::String(new))) = (&self.old, &self.new) else { return None };
        let long = |text: &str| text.len() > SHORT || text.contains('\n');
        (long(old) || long(new))
            .then(|| shortened(&TextDiff::from_lines(old, new).unified_diff().context_radius(1).to_string()))
    }
}

/// The fields that differ, in the order of the old state, then what is new. Values of Secrets do not come out of here.
pub fn between(old: &Value, new: &Value) -> Vec<Difference> {
    let mut found = compared(old, new).fields;
    let secret = [old, new].iter().any(|object| object["kind"] == "Secret");
    for difference in &mut found {
        // An old kubectl keeps a whole copy of what it applied in an annotation.
        let path = &difference.path;
        if secret && (path.starts_with("data") || path.starts_with("stringData") || path.contains("last-applied")) {
            difference.old = difference.old.take().map(|_| Value::from(HIDDEN));
            difference.new = difference.new.take().map(|_| Value::from(HIDDEN));
        }
    }
    found
}

/// The same for objects out of which the values of Secrets have been taken already; says too how much is left out.
pub fn compared(old: &Value, new: &Value) -> Compared {
    let mut compared = Compared::default();
    compare(&Step::default(), Some(old), Some(new), &mut compared);
    compared
}

/// Where the comparison is, in both forms of a path.
#[derive(Debug, Clone, Default)]
struct Step {
    at: Path,
    path: String,
}

impl Step {
    fn key(&self, key: &str) -> Self {
        let plain = !key.is_empty() && !key.contains(['.', '[', ']', '"']);
        let path = match (self.path.is_empty(), plain) {
            (true, true) => key.to_owned(),
            (false, true) => format!("{}.{key}", self.path),
            (_, false) => format!("{}[\"{key}\"]", self.path),
        };
        Self { at: self.at.key(key), path }
    }

    fn item(&self, index: usize, label: &str) -> Self {
        Self { at: self.at.index(index), path: format!("{}[{label}]", self.path) }
    }

    fn is_servers_own(&self, key: &str) -> bool {
        match self.at.0.as_slice() {
            [] => key == "status",
            [Part::Key(top)] if top == "metadata" => SERVERS_OWN.contains(&key),
            _ => false,
        }
    }

    fn found(self, old: Option<&Value>, new: Option<&Value>) -> Difference {
        Difference { at: self.at, path: self.path, old: old.cloned(), new: new.cloned() }
    }
}

fn compare(step: &Step, old: Option<&Value>, new: Option<&Value>, into: &mut Compared) {
    match (old, new) {
        (Some(old), Some(new)) if old == new => {}
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            let added = new.keys().filter(|key| !old.contains_key(*key));
            for key in old.keys().chain(added) {
                if !step.is_servers_own(key) {
                    compare(&step.key(key), old.get(key), new.get(key), into);
                } else if old.get(key) != new.get(key) {
                    into.hidden += 1;
                }
            }
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) => compare_lists(step, old, new, into),
        (old, new) => into.fields.push(step.clone().found(old, new)),
    }
}

fn compare_lists(step: &Step, old: &[Value], new: &[Value], into: &mut Compared) {
    let keyed = KEYS.iter().find_map(|keys| Some((labels(old, keys)?, labels(new, keys)?)));
    let Some((before, after)) = keyed else {
        for index in 0..old.len().max(new.len()) {
            compare(&step.item(index, &index.to_string()), old.get(index), new.get(index), into);
        }
        return;
    };
    let place = |labels: &[String], wanted: &str| labels.iter().position(|label| label == wanted);
    for (index, label) in before.iter().enumerate() {
        let now = place(&after, label).map(|index| &new[index]);
        compare(&step.item(index, label), Some(&old[index]), now, into);
    }
    for (index, label) in after.iter().enumerate().filter(|(_, label)| place(&before, label).is_none()) {
        compare(&step.item(index, label), None, Some(&new[index]), into);
    }
    let common = |labels: &[String], other: &[String]| -> Vec<String> {
        let name = |label: &String| label.strip_prefix("name=").unwrap_or(label).to_owned();
        labels.iter().filter(|label| other.contains(label)).map(name).collect()
    };
    let (was, is) = (common(&before, &after), common(&after, &before));
    if was != is {
        let order = Step { at: step.at.clone(), path: format!("{} (order)", step.path) };
        into.fields.push(order.found(Some(&json!(was)), Some(&json!(is))));
    }
}

/// What tells the items apart, where each has these keys and no two the same values of them.
fn labels(items: &[Value], keys: &[&str]) -> Option<Vec<String>> {
    let label = |item: &Value| -> Option<String> {
        let part = |key: &&str| {
            let value = item.get(*key)?;
            Some(format!("{key}={}", word(value)))
        };
        Some(keys.iter().map(part).collect::<Option<Vec<_>>>()?.join(","))
    };
    let labels: Vec<String> = items.iter().map(label).collect::<Option<_>>()?;
    let mut unique = labels.clone();
    unique.sort_unstable();
    unique.dedup();
    (unique.len() == labels.len() && !labels.is_empty()).then_some(labels)
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}\n... and more", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(old: &Value, new: &Value) -> Value {
        between(old, new).iter().map(Difference::shown).collect()
    }

    #[test]
    fn each_changed_field_is_named_with_old_and_new() {
        let old = json!({ "kind": "Deployment", "metadata": { "labels": { "app.kubernetes.io/version": "1.29" } },
            "spec": { "replicas": 1, "paused": true, "c": [{ "name": "a", "image": "x:1" }, { "name": "b" }] } });
        let new = json!({ "kind": "Deployment", "metadata": { "labels": { "app.kubernetes.io/version": "1.30" } },
            "spec": { "replicas": 2, "c": [{ "name": "n" }, { "name": "a", "image": "x:2" }], "list": [1] } });
        assert_eq!(
            shown(&old, &new),
            json!([
                { "path": "metadata.labels[\"app.kubernetes.io/version\"]", "old": "1.29", "new": "1.30" },
                { "path": "spec.replicas", "old": 1, "new": 2 },
                { "path": "spec.paused", "old": true, "new": null },
                { "path": "spec.c[name=a].image", "old": "x:1", "new": "x:2" },
                { "path": "spec.c[name=b]", "old": { "name": "b" }, "new": null },
                { "path": "spec.c[name=n]", "old": null, "new": { "name": "n" } },
                { "path": "spec.list", "old": null, "new": [1] },
            ])
        );
    }

    #[test]
    fn ports_are_told_apart_by_number_and_protocol_and_mounts_by_their_path() {
        let old = json!({ "p": [{ "containerPort": 53, "protocol": "UDP" }, { "containerPort": 53, "protocol": "TCP" }],
            "m": [{ "mountPath": "/a", "name": "v" }, { "mountPath": "/b", "name": "v" }] });
        let new = json!({ "p": [{ "containerPort": 53, "protocol": "TCP", "hostPort": 1 }, { "containerPort": 53, "protocol": "UDP" }],
            "m": [{ "mountPath": "/b", "name": "v", "readOnly": true }] });
        let paths: Vec<_> = between(&old, &new).into_iter().map(|one| one.path).collect();
        assert_eq!(
            paths,
            ["p[containerPort=53,protocol=TCP].hostPort", "p (order)", "m[mountPath=/a]", "m[mountPath=/b].readOnly"]
        );
    }

    #[test]
    fn what_the_server_writes_is_left_out_and_counted() {
        let old = json!({ "metadata": { "resourceVersion": "1", "labels": { "a.b/c": "1" } }, "spec": { "l": [1, 2] }, "status": 1 });
        let new =
            json!({ "metadata": { "resourceVersion": "2", "labels": {} }, "spec": { "l": [1, 3, 4] }, "status": 2 });
        let words: Vec<_> = between(&old, &new).iter().map(|one| one.to_value().to_string()).collect();
        assert_eq!(
            words,
            [
                r#"{"path":"metadata.labels[\"a.b/c\"]","old":"1","new":null}"#,
                r#"{"path":"spec.l[1]","old":2,"new":3}"#,
                r#"{"path":"spec.l[2]","old":null,"new":4}"#,
            ]
        );
        assert_eq!(compared(&old, &new).hidden, 2);
    }

    #[test]
    fn equal_objects_differ_in_nothing_whatever_the_order_of_keys() {
        let (old, new) = (json!({ "a": 1, "b": { "c": 2, "d": 3 } }), json!({ "b": { "d": 3, "c": 2 }, "a": 1 }));
        assert!(between(&old, &new).is_empty());
    }

    #[test]
    fn a_new_order_of_named_items_is_a_difference() {
        let fields = shown(
            &json!({ "l": [{ "name": "a" }, { "name": "b" }] }),
            &json!({ "l": [{ "name": "b" }, { "name": "a" }] }),
        );
        assert_eq!(fields, json!([{ "path": "l (order)", "old": ["a", "b"], "new": ["b", "a"] }]));
    }

    #[test]
    fn a_long_text_is_shown_as_its_changed_lines() {
        let lines = |tag: &str| {
            (0..400).map(|n| if n == 200 { tag.to_owned() } else { format!("line {n}") }).collect::<Vec<_>>().join("\n")
        };
        let fields =
            shown(&json!({ "data": { "values": lines("old") } }), &json!({ "data": { "values": lines("new") } }));
        let diff = fields[0]["diff"].as_str().unwrap();
        assert!(diff.contains("-old") && diff.contains("+new") && diff.lines().count() < 10, "{diff}");
    }

    #[test]
    fn values_of_secrets_stay_inside() {
        let secret = |value: &str| json!({ "kind": "Secret", "data": { "password": value }, "type": "Opaque" });
        assert_eq!(
            shown(&secret("b25l"), &secret("dHdv")),
            json!([{ "path": "data.password", "old": "<secret>", "new": "<secret>" }])
        );
        assert!(!shown(&json!({}), &secret("hunter2")).to_string().contains("hunter2"));
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
