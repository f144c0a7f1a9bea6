//! What the API server's own code fills in and refuses for the built-in kinds, beyond what their schemas say.
//!
//! Not known here: how objects are stored or who asks. Custom resources come through untouched.

mod access;
mod autoscaler;
mod check;
mod definition;
mod network;
mod plain;
mod pod;
mod registration;
mod service;
mod warning;
mod workload;

use serde_json::{Map, Value};

pub(crate) use self::{check::check, warning::warnings};
use crate::actor::json::{as_map, items};

/// Fills in the defaults of an object of a built-in kind, from which what Go does not write again is gone already.
pub(crate) fn fill(group: &str, plural: &str, object: &mut Value) {
    if !is_built_in(group) {
        return;
    }
    match (group, plural) {
        ("", "pods") => pod::fill(object),
        ("", "podtemplates") => pod::fill_template(&mut object["template"]),
        ("", "services") => service::fill(object),
        ("", "replicationcontrollers") => workload::fill_replication_controller(object),
        ("apps", "deployments") => workload::fill_deployment(object),
        ("apps", "replicasets") => workload::fill_replica_set(object),
        ("apps", "daemonsets") => workload::fill_daemon_set(object),
        ("apps", "statefulsets") => workload::fill_stateful_set(object),
        ("batch", "jobs") => workload::fill_job(object),
        ("batch", "cronjobs") => workload::fill_cron_job(object),
        ("autoscaling", "horizontalpodautoscalers") => autoscaler::fill(object),
        ("admissionregistration.k8s.io", _) => registration::fill(plural, object),
        ("rbac.authorization.k8s.io", _) => access::fill(plural, object),
        ("networking.k8s.io", _) => network::fill(plural, object),
        ("apiextensions.k8s.io", "customresourcedefinitions") => definition::fill(object),
        _ => plain::fill(group, plural, object),
    }
}

/// Groups of the API server itself. Those of others end in a domain of their own.
fn is_built_in(group: &str) -> bool {
    const OWN: [&str; 6] = ["", "apps", "batch", "autoscaling", "policy", "extensions"];
    const SUFFIXED: [&str; 14] = [
        "admissionregistration",
        "apiextensions",
        "apiregistration",
        "authentication",
        "authorization",
        "certificates",
        "coordination",
        "discovery",
        "events",
        "flowcontrol.apiserver",
        "networking",
        "node",
        "scheduling",
        "storage",
    ];
    OWN.contains(&group)
        || group == "rbac.authorization.k8s.io"
        || group.strip_suffix(".k8s.io").is_some_and(|name| SUFFIXED.contains(&name))
}

/// Sets a field that is absent.
fn absent(object: &mut Value, key: &str, value: impl Into<Value>) {
    let slot = as_map(object).entry(key).or_insert(Value::Null);
    if slot.is_null() {
        *slot = value.into();
    }
}

/// Sets a field that is absent, an empty string or zero: what Go takes for not given.
fn zero(object: &mut Value, key: &str, value: impl Into<Value>) {
    let slot = as_map(object).entry(key).or_insert(Value::Null);
    if slot.is_null() || *slot == "" || *slot == 0 {
        *slot = value.into();
    }
}

/// The map under a key, made if it is absent. What is no map is left to validation and stays.
fn map_of<'a>(object: &'a mut Value, key: &str) -> Option<&'a mut Value> {
    let slot = as_map(object).entry(key).or_insert(Value::Null);
    if slot.is_null() {
        *slot = Value::Object(Map::new());
    }
    slot.is_object().then_some(slot)
}

/// The elements of a list that are maps.
fn each<'a>(object: &'a mut Value, key: &str) -> impl Iterator<Item = &'a mut Value> {
    let list = object.get_mut(key).and_then(Value::as_array_mut);
    list.into_iter().flatten().filter(|item| item.is_object())
}

/// The map under a key, if there is one.
fn inner<'a>(object: &'a mut Value, key: &str) -> Option<&'a mut Value> {
    object.get_mut(key).filter(|value| value.is_object())
}

fn is_empty(object: &Value, pointer: &str) -> bool {
    items(object, pointer).is_empty()
}

#[cfg(test)]
mod tests;
