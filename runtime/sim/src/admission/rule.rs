//! Whether a webhook is concerned with a request: rules, scope, selectors.
//!
//! Not known here: what the webhook says.

use serde_json::Value;

use super::Act;
use crate::{
    actor::json::{items, selects, text},
    kind::Kind,
    resource::Resource,
    server::Server,
};

/// The version of the object that a webhook is to be shown. None where it is not concerned.
pub(super) fn concerned(server: &Server, act: &Act, webhook: &Value) -> Option<String> {
    let place = &act.order.place;
    // What could lock everybody out is never shown to webhooks.
    if place.kind.group == "admissionregistration.k8s.io" {
        return None;
    }
    let version = matching(server, act, webhook)?;
    (in_namespace(server, act, webhook) && of_object(act, webhook)).then_some(version)
}

fn matching(server: &Server, act: &Act, webhook: &Value) -> Option<String> {
    let kind = &act.order.place.kind;
    let rules = items(webhook, "/rules");
    let holds = |kind: &Kind| rules.iter().any(|rule| is_met(act, rule, kind));
    if holds(kind) {
        return Some(kind.version.clone());
    }
    if webhook["matchPolicy"] == "Exact" {
        return None;
    }
    let versions = server.catalogue().versions(&kind.group, &kind.plural);
    versions.iter().find(|kind| holds(kind)).map(|kind| kind.version.clone())
}

fn is_met(act: &Act, rule: &Value, kind: &Kind) -> bool {
    let any = |key: &str, wanted: &str| {
        rule[key].as_array().is_some_and(|list| list.iter().any(|one| one == "*" || one == wanted))
    };
    let scope = match text(rule, "/scope") {
        "Cluster" => !kind.namespaced,
        "Namespaced" => kind.namespaced,
        _ => true,
    };
    scope
        && any("operations", act.operation.word())
        && any("apiGroups", &kind.group)
        && any("apiVersions", &kind.version)
        && items(rule, "/resources")
            .iter()
            .any(|one| names(one.as_str().unwrap_or_default(), &kind.plural, &act.order.place.below))
}

/// Does `pods`, `pods/status`, `pods/*`, `*/status`, `*` or `*/*` mean the resource?
fn names(pattern: &str, plural: &str, below: &str) -> bool {
    let (resource, part) = pattern.split_once('/').unwrap_or((pattern, ""));
    (resource == "*" || resource == plural) && (part == below || (part == "*"))
}

fn in_namespace(server: &Server, act: &Act, webhook: &Value) -> bool {
    let selector = &webhook["namespaceSelector"];
    let place = &act.order.place;
    if place.kind.kind == "Namespace" && place.kind.group.is_empty() {
        let labels = if act.labels.is_null() {
            act.old.map_or(&Value::Null, |old| &old["metadata"]["labels"])
        } else {
            &act.labels
        };
        return selects(selector, labels);
    }
    if !place.kind.namespaced {
        return true;
    }
    let namespaces = Resource::core("namespaces").into();
    let Some(namespace) = server.store.get(&namespaces, "", &place.namespace) else { return false };
    selects(selector, &namespace.tree()["metadata"]["labels"])
}

fn of_object(act: &Act, webhook: &Value) -> bool {
    let selector = &webhook["objectSelector"];
    let is_everything = items(selector, "/matchExpressions").is_empty()
        && selector["matchLabels"].as_object().is_none_or(serde_json::Map::is_empty);
    let old = act.old.map(|old| &old["metadata"]["labels"]);
    is_everything
        || (act.operation != super::Operation::Delete && selects(selector, &act.labels))
        || old.is_some_and(|labels| selects(selector, labels))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_are_named_with_what_lies_below() {
        for (pattern, below, holds) in [
            ("pods", "", true),
            ("pods", "status", false),
            ("pods/status", "status", true),
            ("pods/*", "status", true),
            ("*", "", true),
            ("*", "status", false),
            ("*/*", "", true),
            ("*/*", "status", true),
            ("*/scale", "status", false),
            ("services", "", false),
            ("pods/*", "", true),
        ] {
            assert_eq!(names(pattern, "pods", below), holds, "{pattern} {below}");
        }
    }
}
