//! Who owns which field, as server-side apply keeps it in `metadata.managedFields`.
//!
//! Reads the server's record and follows it; does not decide what to do about it.

use serde_json::{Map, Value};

use super::quantity;
use crate::path::{Part, Path};
use crate::readiness::object::{items, text};

/// Whether applying a manifest in the name of a manager would change nothing: the manager owns exactly the manifest's fields,
/// and each has the manifest's value. Where that cannot be told, the answer is no.
pub(super) fn is_applied(manifest: &Value, live: &Value, manager: &str) -> bool {
    let mut own = items(live, "/metadata/managedFields").iter().filter(|entry| {
        text(entry, "/manager") == manager
            && text(entry, "/operation") == "Apply"
            && text(entry, "/subresource").is_empty()
            && entry["apiVersion"] == manifest["apiVersion"]
    });
    let (Some(entry), None) = (own.next(), own.next()) else { return false };
    let Some(fields) = entry["fieldsV1"].as_object() else { return false };
    matches(fields, &without_identity(manifest), live)
}

/// What says which object it is belongs to nobody.
fn without_identity(manifest: &Value) -> Value {
    let mut manifest = manifest.clone();
    if let Value::Object(fields) = &mut manifest {
        fields.shift_remove("apiVersion");
        fields.shift_remove("kind");
        if let Some(Value::Object(metadata)) = fields.get_mut("metadata") {
            for key in ["name", "namespace", "resourceVersion", "uid"] {
                metadata.shift_remove(key);
            }
            if metadata.is_empty() {
                fields.shift_remove("metadata");
            }
        }
    }
    manifest
}

/// Fields that hold a map of quantities, which the server rewrites.
const QUANTITIES: &[&str] = &["requests", "limits", "hard"];

fn quantities(wanted: &Value, live: &Value) -> bool {
    let (Some(wanted), Some(live)) = (wanted.as_object(), live.as_object()) else { return false };
    wanted
        .iter()
        .all(|(key, value)| live.get(key).is_some_and(|live| value == live || quantity::are_equal(value, live)))
}

fn matches(fields: &Map<String, Value>, wanted: &Value, live: &Value) -> bool {
    let inner = || fields.iter().filter(|(key, _)| *key != ".");
    if inner().next().is_none() {
        return wanted == live;
    }
    match (wanted, live) {
        (Value::Object(wanted), Value::Object(live)) => {
            // A null in a manifest asks for nothing.
            let said = || wanted.iter().filter(|(_, value)| !value.is_null());
            let same = |(key, value): (&String, &Value)| {
                let owned = fields.get(&format!("f:{key}")).and_then(Value::as_object);
                owned.zip(live.get(key)).is_some_and(|(owned, live)| {
                    matches(owned, value, live) || (QUANTITIES.contains(&key.as_str()) && quantities(value, live))
                })
            };
            said().count() == inner().count() && said().all(same)
        }
        (Value::Array(wanted), Value::Array(live)) => {
            let mut last = None;
            let mut same = |item: &Value| {
                let found = inner().find(|(key, _)| names(key, item, Named::ByManifest));
                let Some((key, Value::Object(owned))) = found else { return false };
                let Some(place) = live.iter().position(|item| names(key, item, Named::ByServer)) else { return false };
                // What merges by key still has an order.
                let in_order = last.is_none_or(|last| last < place);
                last = Some(place);
                in_order && (key.starts_with("v:") || matches(owned, item, &live[place]))
            };
            wanted.len() == inner().count() && wanted.iter().all(&mut same)
        }
        _ => false,
    }
}

/// Who wrote an item of a list: a manifest may leave out keys that the server fills in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Named {
    ByManifest,
    ByServer,
}

/// Whether an element of a record, such as `k:{"name":"web"}` or `v:"a"`, means an item of a list.
fn names(element: &str, item: &Value, by: Named) -> bool {
    if let Some(value) = element.strip_prefix("v:") {
        return serde_json::from_str::<Value>(value).is_ok_and(|value| value == *item);
    }
    let keys = element.strip_prefix("k:").and_then(|keys| serde_json::from_str::<Map<String, Value>>(keys).ok());
    keys.is_some_and(|keys| {
        let said = keys.keys().any(|key| item.get(key).is_some());
        said && keys.iter().all(|(key, value)| match item.get(key) {
            Some(found) => found == value,
            None => by == Named::ByManifest,
        })
    })
}

/// Who owns the field that a path leads to, or what holds it; the last to write where several do.
pub(super) fn owner_of(live: &Value, path: &Path) -> Option<String> {
    let owns = |entry: &&Value| {
        let fields = entry["fieldsV1"].as_object();
        fields.is_some_and(|fields| covers(fields, &path.0, live))
    };
    let owners = items(live, "/metadata/managedFields").iter().filter(owns);
    owners.max_by_key(|entry| text(entry, "/time").to_owned()).map(|entry| text(entry, "/manager").to_owned())
}

fn covers(fields: &Map<String, Value>, path: &[Part], live: &Value) -> bool {
    let Some((part, rest)) = path.split_first() else { return true };
    // A leaf of the record owns all below it.
    if fields.is_empty() {
        return true;
    }
    let into = |owned: Option<&Value>, live: Option<&Value>| {
        owned.and_then(Value::as_object).is_some_and(|owned| covers(owned, rest, live.unwrap_or(&Value::Null)))
    };
    match part {
        Part::Key(key) => into(fields.get(&format!("f:{key}")), live.get(key.as_str())),
        Part::Index(index) => {
            let Some(item) = usize::try_from(*index).ok().and_then(|index| live.get(index)) else { return false };
            let owned =
                fields.iter().find(|(key, _)| names(key, item, Named::ByServer) || **key == format!("i:{index}"));
            into(owned.map(|(_, owned)| owned), Some(item))
        }
    }
}

/// Whether a manager has applied anything of an object.
pub(super) fn has_applied(live: &Value, manager: &str) -> bool {
    items(live, "/metadata/managedFields")
        .iter()
        .any(|entry| text(entry, "/manager") == manager && text(entry, "/operation") == "Apply")
}

/// Takes a field out of a manifest, by the path that a conflict names: `.spec.containers[name="web"].image`.
///
/// Answers whether it was there. Keys may hold dots, so the manifest itself tells where one ends.
pub(super) fn take_out(manifest: &mut Value, field: &str) -> bool {
    match manifest {
        Value::Object(map) => {
            let Some(rest) = field.strip_prefix('.') else { return false };
            let mut keys: Vec<String> = map.keys().filter(|key| rest.starts_with(key.as_str())).cloned().collect();
            keys.sort_by_key(|key| std::cmp::Reverse(key.len()));
            keys.iter().any(|key| match &rest[key.len()..] {
                "" => map.shift_remove(key).is_some(),
                after if after.starts_with(['.', '[']) => map.get_mut(key).is_some_and(|inner| take_out(inner, after)),
                _ => false,
            })
        }
        Value::Array(list) => {
            let Some((element, after)) = bracket(field) else { return false };
            let Some(place) = list.iter().position(|item| is_meant(&element, item)) else { return false };
            if after.is_empty() {
                list.remove(place);
                return true;
            }
            take_out(&mut list[place], after)
        }
        _ => false,
    }
}

/// What stands in the brackets at the start of a field's path, and what comes after them.
fn bracket(field: &str) -> Option<(String, &str)> {
    let inner = field.strip_prefix('[')?;
    let mut quoted = false;
    let mut escaped = false;
    for (place, c) in inner.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ']' if !quoted => return Some((inner[..place].to_owned(), &inner[place + 1..])),
            _ => {}
        }
    }
    None
}

/// Whether `name="web",protocol="TCP"` or `="a"` means an item.
fn is_meant(element: &str, item: &Value) -> bool {
    if let Some(value) = element.strip_prefix('=') {
        return serde_json::from_str::<Value>(value).is_ok_and(|value| value == *item);
    }
    let mut pairs = element.split(',').filter_map(|pair| pair.split_once('='));
    pairs.all(|(key, value)| {
        let value = serde_json::from_str::<Value>(value).unwrap_or_default();
        item.get(key).is_none_or(|found| *found == value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn live() -> Value {
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {
                "name": "web", "labels": { "app.kubernetes.io/name": "web" },
                "managedFields": [
                    { "manager": "runbook", "operation": "Apply", "apiVersion": "apps/v1", "time": "2026-01-01T00:00:00Z",
                      "fieldsV1": {
                        "f:metadata": { "f:labels": { "f:app.kubernetes.io/name": {} } },
                        "f:spec": {
                            "f:replicas": {},
                            "f:template": { "f:spec": { "f:containers": {
                                r#"k:{"name":"a"}"#: { ".": {}, "f:name": {}, "f:image": {},
                                    "f:ports": { r#"k:{"containerPort":80,"protocol":"TCP"}"#: { ".": {}, "f:containerPort": {} } } },
                                r#"k:{"name":"b"}"#: { ".": {}, "f:name": {} },
                            } } },
                        },
                        "f:set": { r#"v:"x""#: {}, r#"v:"y""#: {} },
                        "f:atomic": {},
                      } },
                    { "manager": "hpa", "operation": "Update", "apiVersion": "apps/v1", "time": "2026-01-02T00:00:00Z",
                      "fieldsV1": { "f:spec": { "f:replicas": {} }, "f:status": { "f:phase": {} } } },
                ],
            },
            "spec": { "replicas": 2, "template": { "spec": { "containers": [
                { "name": "a", "image": "web:1", "ports": [{ "containerPort": 80, "protocol": "TCP" }], "added": true },
                { "name": "b" },
            ] } } },
            "set": ["x", "y", "z"],
            "atomic": [{ "any": 1 }],
        })
    }

    fn manifest() -> Value {
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": { "name": "web", "namespace": "shop", "labels": { "app.kubernetes.io/name": "web" } },
            "spec": { "replicas": 2, "template": { "spec": { "containers": [
                { "name": "a", "image": "web:1", "ports": [{ "containerPort": 80 }] },
                { "name": "b" },
            ] } } },
            "set": ["x", "y"],
            "atomic": [{ "any": 1 }],
        })
    }

    #[test]
    fn what_is_applied_already_is_recognised() {
        assert!(is_applied(&manifest(), &live(), "runbook"));
        assert!(!is_applied(&manifest(), &live(), "hpa"));
        assert!(!is_applied(&manifest(), &live(), "someone"));
    }

    #[test]
    fn every_single_change_is_seen() {
        let changes: [(&str, Value); 10] = [
            ("/spec/replicas", json!(3)),
            ("/metadata/labels/app.kubernetes.io~1name", json!("api")),
            ("/metadata/labels", json!({ "app.kubernetes.io/name": "web", "more": "x" })),
            ("/metadata/labels", json!({})),
            ("/spec/template/spec/containers/0/image", json!("web:2")),
            ("/spec/template/spec/containers/0/ports/0/containerPort", json!(81)),
            (
                "/spec/template/spec/containers",
                json!([{ "name": "b" }, { "name": "a", "image": "web:1", "ports": [{ "containerPort": 80 }] }]),
            ),
            ("/set", json!(["x"])),
            ("/set", json!(["x", "y", "w"])),
            ("/atomic", json!([{ "any": 2 }])),
        ];
        for (pointer, value) in changes {
            let mut other = manifest();
            *other.pointer_mut(pointer).unwrap() = value.clone();
            assert!(!is_applied(&other, &live(), "runbook"), "{pointer} = {value}");
        }
        let mut drifted = live();
        drifted["spec"]["replicas"] = json!(5);
        assert!(!is_applied(&manifest(), &drifted, "runbook"), "someone else changed the value");
    }

    #[test]
    fn the_last_to_write_a_field_is_its_owner() {
        let owner = |path: &str| owner_of(&live(), &Path::parse(path).unwrap());
        assert_eq!(owner("spec.replicas").as_deref(), Some("hpa"));
        assert_eq!(owner("spec.template.spec.containers[0].image").as_deref(), Some("runbook"));
        assert_eq!(owner("spec.template.spec.containers[0].added"), None);
        assert_eq!(owner("atomic[0].any").as_deref(), Some("runbook"));
    }

    #[test]
    fn a_field_is_taken_out_by_the_path_that_a_conflict_names() {
        let mut rest = manifest();
        for field in [
            r".metadata.labels.app.kubernetes.io/name",
            r#".spec.template.spec.containers[name="a"].ports[containerPort=80,protocol="TCP"].containerPort"#,
            r".spec.replicas",
            r#".set[="x"]"#,
        ] {
            assert!(take_out(&mut rest, field), "{field}");
            assert!(!take_out(&mut rest, field), "{field} is out");
        }
        assert_eq!(rest["set"], json!(["y"]));
        assert_eq!(rest["spec"]["template"]["spec"]["containers"][0]["ports"], json!([{}]));
        assert!(!take_out(&mut rest, ".spec.nowhere"));
    }
}
