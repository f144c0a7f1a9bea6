//! What a client-side apply sends: the difference of two manifests, or of two manifests and what is live, as a patch.
//!
//! Built-in kinds take strategic patches, in which lists are merged by the key of their items: those keys are known here. All
//! others take merge patches. Does not send anything.

use runbook_core::Value;
use serde_json::{Map, json};

use crate::kubectl::kind::Resource;

/// Groups whose kinds the API server itself knows, beside those that end in `.k8s.io`.
const BUILT_IN: [&str; 5] = ["", "apps", "batch", "autoscaling", "policy"];

/// Groups that end in `.k8s.io` and are defined by CRDs.
const DEFINED: [&str; 4] = ["gateway.networking.k8s.io", "metrics.k8s.io", "snapshot.storage.k8s.io", "x-k8s.io"];

/// A patch and its content type.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Patch {
    pub(super) form: &'static str,
    pub(super) body: Value,
}

impl Patch {
    /// Whether it changes nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.body.as_object().is_some_and(Map::is_empty)
    }
}

/// How custom resources are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Custom {
    /// The two manifests, whatever is live. Upgrades and rollbacks.
    TwoWay,
    /// With what is live. Adoptions.
    ThreeWay,
}

/// The patch that leads from a live object to a manifest, where another manifest was applied before.
pub(super) fn make(resource: &Resource, before: &Value, after: &Value, live: &Value, custom: Custom) -> Patch {
    if is_built_in(resource) {
        let place = if resource.group == "apiextensions.k8s.io" { Place::Opaque } else { Place::Root };
        let changes = maps(live, after, place, Aim::Changes);
        let removals = maps(before, after, place, Aim::Removals);
        let body = together(removals, changes, place);
        return Patch { form: "application/strategic-merge-patch+json", body: Value::Object(body) };
    }
    let body = match custom {
        Custom::TwoWay => two_way(before, after),
        Custom::ThreeWay => {
            let changes = maps(live, after, Place::Opaque, Aim::Changes);
            together(maps(before, after, Place::Opaque, Aim::Removals), changes, Place::Opaque)
        }
    };
    Patch { form: "application/merge-patch+json", body: Value::Object(body) }
}

fn is_built_in(resource: &Resource) -> bool {
    let group = resource.group.as_str();
    BUILT_IN.contains(&group) || group.ends_with(".k8s.io") && !DEFINED.iter().any(|defined| group.ends_with(defined))
}

/// A JSON merge patch from one value to another.
fn two_way(before: &Value, after: &Value) -> Map<String, Value> {
    let mut patch = maps(before, after, Place::Opaque, Aim::Changes);
    patch = together(maps(before, after, Place::Opaque, Aim::Removals), patch, Place::Opaque);
    patch
}

/// What of a difference is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Aim {
    /// What comes or differs.
    Changes,
    /// What goes.
    Removals,
}

/// Where in an object something stands: what its lists are merged by depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Root,
    Spec,
    Container,
    Other,
    /// In what has no lists that are merged.
    Opaque,
}

impl Place {
    /// Behind a field.
    fn below(self, field: &str) -> Self {
        match (self, field) {
            (Self::Opaque, _) | (Self::Root, "data" | "binaryData" | "stringData") => Self::Opaque,
            (_, "containers" | "initContainers" | "ephemeralContainers") => Self::Container,
            (Self::Root, "spec") => Self::Spec,
            _ => Self::Other,
        }
    }

    /// How a list of that name is merged.
    fn list(self, field: &str) -> List {
        let key = match (self, field) {
            (Self::Opaque, _) | (Self::Root, "imagePullSecrets") => return List::Replaced,
            (_, "finalizers") => return List::Set,
            (Self::Container, "ports") => "containerPort",
            (Self::Spec, "ports") => "port",
            (Self::Container, "volumeMounts") => "mountPath",
            (Self::Container, "volumeDevices") => "devicePath",
            (Self::Container, "env")
            | (Self::Root, "secrets" | "webhooks")
            | (
                _,
                "containers"
                | "initContainers"
                | "ephemeralContainers"
                | "volumes"
                | "imagePullSecrets"
                | "matchConditions",
            ) => "name",
            (_, "hostAliases") => "ip",
            (_, "topologySpreadConstraints") => "topologyKey",
            (_, "ownerReferences") => "uid",
            (_, "conditions") => "type",
            _ => return List::Replaced,
        };
        List::Keyed(key)
    }

    /// Whether fields that the manifest does not have must go although nobody set them: of unions.
    fn is_union(self, field: &str) -> bool {
        self != Self::Opaque && (field == "strategy" && self == Self::Spec)
    }
}

/// How a list is merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum List {
    Replaced,
    Set,
    Keyed(&'static str),
}

fn maps(from: &Value, to: &Value, place: Place, aim: Aim) -> Map<String, Value> {
    let empty = Map::new();
    let (from, to) = (from.as_object().unwrap_or(&empty), to.as_object().unwrap_or(&empty));
    let mut patch = Map::new();
    if aim == Aim::Removals {
        patch.extend(from.keys().filter(|key| !to.contains_key(*key)).map(|key| (key.clone(), Value::Null)));
    }
    for (key, new) in to {
        match from.get(key) {
            None | Some(Value::Null) if aim == Aim::Changes && !new.is_null() => {
                patch.insert(key.clone(), new.clone());
            }
            Some(old) if old != new => field(&mut patch, key, old, new, place, aim),
            _ => {}
        }
    }
    patch
}

/// One field that differs.
fn field(patch: &mut Map<String, Value>, key: &str, old: &Value, new: &Value, place: Place, aim: Aim) {
    match (old, new) {
        (Value::Object(_), Value::Object(_)) => {
            let below = place.below(key);
            let mut inner = maps(old, new, below, aim);
            if inner.is_empty() {
                return;
            }
            if place.is_union(key) {
                let kept: Vec<_> = new.as_object().into_iter().flat_map(Map::keys).collect();
                inner.insert("$retainKeys".to_owned(), json!(kept));
            }
            patch.insert(key.to_owned(), Value::Object(inner));
        }
        (Value::Array(old), Value::Array(new)) => match place.list(key) {
            List::Keyed(by) if [old, new].iter().all(|list| list.iter().all(|item| item.get(by).is_some())) => {
                keyed(patch, key, old, new, by, place.below(key), aim);
            }
            List::Set => set(patch, key, old, new, aim),
            _ if aim == Aim::Changes => {
                patch.insert(key.to_owned(), Value::Array(new.clone()));
            }
            _ => {}
        },
        _ if aim == Aim::Changes => {
            patch.insert(key.to_owned(), new.clone());
        }
        _ => {}
    }
}

fn keyed(patch: &mut Map<String, Value>, field: &str, old: &[Value], new: &[Value], by: &str, place: Place, aim: Aim) {
    let mut items = Vec::new();
    for item in new {
        match old.iter().find(|other| other[by] == item[by]) {
            None if aim == Aim::Changes => items.push(item.clone()),
            Some(other) if other != item => {
                let mut inner = maps(other, item, place, aim);
                if !inner.is_empty() {
                    if field == "volumes" {
                        let kept: Vec<_> = item.as_object().into_iter().flat_map(Map::keys).collect();
                        inner.insert("$retainKeys".to_owned(), json!(kept));
                    }
                    inner.insert(by.to_owned(), item[by].clone());
                    items.push(Value::Object(inner));
                }
            }
            _ => {}
        }
    }
    if aim == Aim::Removals {
        let gone = old.iter().filter(|item| !new.iter().any(|other| other[by] == item[by]));
        items.extend(gone.map(|item| json!({ "$patch": "delete", by: item[by] })));
    }
    let order = |list: &[Value], among: &[Value]| -> Vec<Value> {
        let both = list.iter().filter(|item| among.iter().any(|other| other[by] == item[by]));
        both.map(|item| item[by].clone()).collect()
    };
    let reordered = aim == Aim::Changes && order(old, new) != order(new, old);
    if items.is_empty() && !reordered {
        return;
    }
    let order: Vec<_> = new.iter().map(|item| json!({ by: item[by] })).collect();
    patch.insert(format!("$setElementOrder/{field}"), Value::Array(order));
    if !items.is_empty() {
        patch.insert(field.to_owned(), Value::Array(items));
    }
}

fn set(patch: &mut Map<String, Value>, field: &str, old: &[Value], new: &[Value], aim: Aim) {
    let without = |list: &[Value], others: &[Value]| -> Vec<Value> {
        list.iter().filter(|item| !others.contains(item)).cloned().collect()
    };
    let (name, items) = match aim {
        Aim::Changes => (field.to_owned(), without(new, old)),
        Aim::Removals => (format!("$deleteFromPrimitiveList/{field}"), without(old, new)),
    };
    if !items.is_empty() {
        patch.insert(format!("$setElementOrder/{field}"), Value::Array(new.to_vec()));
        patch.insert(name, Value::Array(items));
    }
}

/// Two patches as one; where both speak of a field, the second has the last word.
fn together(mut first: Map<String, Value>, second: Map<String, Value>, place: Place) -> Map<String, Value> {
    for (key, value) in second {
        match (first.get_mut(&key), value) {
            (Some(Value::Object(old)), Value::Object(new)) => {
                *old = together(std::mem::take(old), new, place.below(&key));
            }
            (Some(Value::Array(old)), Value::Array(new)) => match place.list(&key) {
                List::Keyed(by) => items_together(old, new, by, place.below(&key)),
                _ => *old = new,
            },
            (_, value) => {
                first.insert(key, value);
            }
        }
    }
    first
}

fn items_together(first: &mut Vec<Value>, second: Vec<Value>, by: &str, place: Place) {
    for item in second {
        match (first.iter_mut().find(|other| other.get(by) == item.get(by)), item) {
            (Some(Value::Object(old)), Value::Object(new)) => *old = together(std::mem::take(old), new, place),
            (_, item) => first.push(item),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deployment() -> Resource {
        Resource {
            group: "apps".to_owned(),
            version: "v1".to_owned(),
            kind: "Deployment".to_owned(),
            ..Resource::default()
        }
    }

    fn pods(spec: &Value) -> Value {
        json!({ "spec": { "template": { "spec": spec } } })
    }

    #[test]
    fn what_somebody_else_added_stays_and_what_the_chart_dropped_goes() {
        let before = pods(
            &json!({ "containers": [{ "name": "a", "image": "a:1", "env": [{ "name": "X", "value": "1" }, { "name": "Y", "value": "1" }] }] }),
        );
        let after =
            pods(&json!({ "containers": [{ "name": "a", "image": "a:2", "env": [{ "name": "Y", "value": "1" }] }] }));
        let mut live = before.clone();
        let containers = live.pointer_mut("/spec/template/spec/containers").unwrap().as_array_mut().unwrap();
        containers[0]["terminationMessagePath"] = json!("/dev/termination-log");
        containers.push(json!({ "name": "injected", "image": "p:1" }));
        let patch = make(&deployment(), &before, &after, &live, Custom::TwoWay);
        let expected = pods(&json!({
            "$setElementOrder/containers": [{ "name": "a" }],
            "containers": [{
                "name": "a",
                "image": "a:2",
                "$setElementOrder/env": [{ "name": "Y" }],
                "env": [{ "$patch": "delete", "name": "X" }],
            }],
        }));
        assert_eq!(patch.body, expected);
    }

    #[test]
    fn what_is_as_it_should_be_makes_no_patch() {
        let object = pods(&json!({ "containers": [{ "name": "a", "image": "a:1" }] }));
        let mut live = object.clone();
        live["status"] = json!({ "replicas": 1 });
        assert!(make(&deployment(), &object, &object, &live, Custom::TwoWay).is_empty());
        live["spec"]["replicas"] = json!(5);
        let mut after = object.clone();
        after["spec"]["replicas"] = json!(2);
        let patch = make(&deployment(), &object, &after, &live, Custom::TwoWay);
        assert_eq!(patch.body, json!({ "spec": { "replicas": 2 } }));
    }

    #[test]
    fn custom_resources_are_compared_without_a_look_at_what_is_live() {
        let custom = Resource { group: "example.com".to_owned(), kind: "Thing".to_owned(), ..Resource::default() };
        let (before, after) =
            (json!({ "spec": { "a": 1, "b": [1], "c": 1 } }), json!({ "spec": { "a": 1, "b": [2] } }));
        let live = json!({ "spec": { "a": 9, "b": [1] } });
        let patch = make(&custom, &before, &after, &live, Custom::TwoWay);
        assert_eq!(patch.form, "application/merge-patch+json");
        assert_eq!(patch.body, json!({ "spec": { "b": [2], "c": null } }));
        let patch = make(&custom, &before, &after, &live, Custom::ThreeWay);
        assert_eq!(patch.body, json!({ "spec": { "a": 1, "b": [2], "c": null } }));
    }

    #[test]
    fn ports_are_told_by_where_they_stand() {
        let service = Resource { kind: "Service".to_owned(), version: "v1".to_owned(), ..Resource::default() };
        let spec =
            |port: u16| json!({ "spec": { "ports": [{ "name": "http", "port": port }], "selector": { "a": "b" } } });
        let patch = make(&service, &spec(80), &spec(81), &spec(80), Custom::TwoWay);
        let expected = json!({ "spec": {
            "$setElementOrder/ports": [{ "port": 81 }],
            "ports": [{ "name": "http", "port": 81 }, { "$patch": "delete", "port": 80 }],
        } });
        let mut sorted = patch.body.clone();
        sorted["spec"]["ports"].as_array_mut().unwrap().sort_by_key(|port| port.get("$patch").is_some());
        assert_eq!(sorted, expected);
    }
}
