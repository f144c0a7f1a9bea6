//! Held to a real API server: objects as they were given to it, beside what it made of them.

use serde_json::{Value, json};

use crate::{
    Options, Simulation,
    actor::json::{map_at, text},
    resource::GroupResource,
};

/// One pair a line: group, plural, what was given and what was stored, without what each server makes up for itself.
const RECORDED: &str = include_str!("recorded.jsonl");

/// Takes out what each server makes up for itself: identity, times, addresses, ports.
fn without_chance(object: &mut Value) {
    let metadata = map_at(object, "metadata");
    for field in ["uid", "creationTimestamp", "resourceVersion", "managedFields", "generation"] {
        metadata.shift_remove(field);
    }
    if object["kind"] == "Service" {
        let spec = map_at(object, "spec");
        for field in ["clusterIP", "clusterIPs", "healthCheckNodePort"] {
            spec.shift_remove(field);
        }
        for port in spec.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(fields) = port.as_object_mut() {
                fields.shift_remove("nodePort");
            }
        }
    }
    if object["kind"] == "Job" {
        let uid = "controller-uid";
        for pointer in ["/metadata/labels", "/spec/template/metadata/labels", "/spec/selector/matchLabels"] {
            if let Some(labels) = object.pointer_mut(pointer).and_then(Value::as_object_mut) {
                labels.iter_mut().filter(|(key, _)| key.ends_with(uid)).for_each(|(_, value)| *value = "u".into());
            }
        }
    }
}

/// Where two values differ, as pointers.
fn differences(at: &str, ours: &Value, theirs: &Value, found: &mut Vec<String>) {
    match (ours, theirs) {
        (Value::Object(a), Value::Object(b)) => {
            for key in a.keys().chain(b.keys().filter(|key| !a.contains_key(*key))) {
                let nothing = json!("(absent)");
                let (ours, theirs) = (a.get(key).unwrap_or(&nothing), b.get(key).unwrap_or(&nothing));
                differences(&format!("{at}/{key}"), ours, theirs, found);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (ours, theirs)) in a.iter().zip(b).enumerate() {
                differences(&format!("{at}/{index}"), ours, theirs, found);
            }
        }
        _ if ours == theirs => {}
        _ => found.push(format!("{at}: ours {ours}, theirs {theirs}")),
    }
}

#[tokio::test]
async fn what_is_stored_is_what_a_real_server_stores() {
    let simulation = Simulation::new(Options::default());
    let server = simulation.server();
    for name in ["t", "istio-system"] {
        let namespace = json!({ "metadata": { "name": name } });
        server.hand_create(&GroupResource::new("", "namespaces"), "test", namespace).await.unwrap();
    }
    let mut found = Vec::new();
    for line in RECORDED.lines() {
        let mut pair: Value = serde_json::from_str(line).unwrap();
        let resource = GroupResource::new(text(&pair, "/group"), text(&pair, "/plural"));
        let mut theirs = pair["stored"].take();
        let mut given = pair["given"].take();
        if let Some(namespace) = theirs["metadata"].get("namespace") {
            given["metadata"]["namespace"] = namespace.clone();
        }
        let at = format!("{}/{}", resource.plural, text(&theirs, "/metadata/name"));
        match server.hand_create(&resource, "test", given).await {
            Ok(mut ours) => {
                without_chance(&mut ours);
                without_chance(&mut theirs);
                differences(&at, &ours, &theirs, &mut found);
            }
            Err(status) => found.push(format!("{at}: {}", status.message)),
        }
    }
    // A count that the real server keeps for clients of long ago; the protection of volumes and claims in use, which nobody in
    // the simulation would take away again, and when a volume changed its phase; a list of no rules, which the real server writes
    // as null.
    let known = [
        "deprecated.daemonset.template.generation",
        "kubernetes.io/pvc-protection",
        "kubernetes.io/pv-protection",
        "status/lastPhaseTransitionTime",
        "clusterroles/r-empty/rules: ours [], theirs null",
    ];
    found.retain(|difference| !known.iter().any(|known| difference.contains(known)));
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}
