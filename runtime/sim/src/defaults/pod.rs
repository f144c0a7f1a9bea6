//! Pods, and the templates of pods that workloads hold.
//!
//! Not known here: what admission adds to a pod (tolerations, its service account's token).

use serde_json::{Map, Value, json};

use super::{absent, each, inner, map_of, zero};
use crate::{actor::json::text, quantity::Quantity};

/// A pod.
pub(super) fn fill(pod: &mut Value) {
    let Some(spec) = map_of(pod, "spec") else { return };
    fill_spec(spec);
    for list in ["initContainers", "containers"] {
        for container in each(spec, list) {
            requests_from_limits(container);
        }
    }
    absent(spec, "enableServiceLinks", true);
    if spec["hostNetwork"] == true {
        for list in ["initContainers", "containers"] {
            for port in each(spec, list).flat_map(|container| each(container, "ports")) {
                let number = port["containerPort"].clone();
                zero(port, "hostPort", number);
            }
        }
    }
    if let Some(status) = map_of(pod, "status") {
        zero(status, "phase", "Pending");
    }
    let class = quality(&pod["spec"]);
    if let Some(status) = inner(pod, "status") {
        zero(status, "qosClass", class);
    }
}

/// The template of a workload's pods.
pub(super) fn fill_template(template: &mut Value) {
    absent(template, "metadata", json!({}));
    if let Some(spec) = map_of(template, "spec") {
        fill_spec(spec);
    }
}

fn fill_spec(spec: &mut Value) {
    absent(spec, "restartPolicy", "Always");
    absent(spec, "terminationGracePeriodSeconds", 30);
    zero(spec, "dnsPolicy", "ClusterFirst");
    absent(spec, "securityContext", json!({}));
    zero(spec, "schedulerName", "default-scheduler");
    // The older name of the field is written beside the newer one, whichever was given.
    for (from, to) in [("serviceAccountName", "serviceAccount"), ("serviceAccount", "serviceAccountName")] {
        if let Some(account) = spec.get(from).cloned() {
            zero(spec, to, account);
        }
    }
    for list in ["initContainers", "containers", "ephemeralContainers"] {
        each(spec, list).for_each(fill_container);
    }
    each(spec, "volumes").for_each(fill_volume);
    if let Some(overhead) = inner(spec, "overhead") {
        canonical_amounts(overhead);
    }
}

fn fill_container(container: &mut Value) {
    let policy = if is_latest(text(container, "/image")) { "Always" } else { "IfNotPresent" };
    zero(container, "imagePullPolicy", policy);
    zero(container, "terminationMessagePath", "/dev/termination-log");
    zero(container, "terminationMessagePolicy", "File");
    absent(container, "resources", json!({}));
    for kind in ["limits", "requests"] {
        if let Some(amounts) = inner(&mut container["resources"], kind) {
            canonical_amounts(amounts);
        }
    }
    for port in each(container, "ports") {
        zero(port, "protocol", "TCP");
    }
    for variable in each(container, "env") {
        if let Some(source) = inner(variable, "valueFrom") {
            fill_reference(source);
        }
    }
    for kind in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if let Some(probe) = inner(container, kind) {
            zero(probe, "timeoutSeconds", 1);
            zero(probe, "periodSeconds", 10);
            zero(probe, "successThreshold", 1);
            zero(probe, "failureThreshold", 3);
            fill_action(probe);
            if let Some(grpc) = inner(probe, "grpc") {
                absent(grpc, "service", "");
            }
        }
    }
    if let Some(lifecycle) = inner(container, "lifecycle") {
        for moment in ["postStart", "preStop"] {
            if let Some(action) = inner(lifecycle, moment) {
                fill_action(action);
            }
        }
    }
}

fn fill_action(action: &mut Value) {
    if let Some(http) = inner(action, "httpGet") {
        zero(http, "path", "/");
        zero(http, "scheme", "HTTP");
    }
}

/// A reference to a field of the pod, or to what a container may use.
fn fill_reference(source: &mut Value) {
    if let Some(field) = inner(source, "fieldRef") {
        zero(field, "apiVersion", "v1");
    }
    if let Some(resource) = inner(source, "resourceFieldRef") {
        let divisor = resource.get("divisor").map_or_else(|| "0".into(), canonical_amount);
        resource["divisor"] = divisor;
    }
}

fn fill_volume(volume: &mut Value) {
    if volume.as_object().is_some_and(|fields| fields.keys().all(|field| field == "name")) {
        volume["emptyDir"] = json!({});
    }
    for kind in ["secret", "configMap", "downwardAPI", "projected"] {
        if let Some(source) = inner(volume, kind) {
            absent(source, "defaultMode", 420);
        }
    }
    if let Some(host) = inner(volume, "hostPath") {
        absent(host, "type", "");
    }
    if let Some(size) = inner(volume, "emptyDir").and_then(|source| source.get_mut("sizeLimit")) {
        *size = canonical_amount(size);
    }
    if let Some(downward) = inner(volume, "downwardAPI") {
        each(downward, "items").for_each(fill_reference);
    }
    let projected = inner(volume, "projected");
    for source in projected.into_iter().flat_map(|projected| each(projected, "sources")) {
        if let Some(token) = inner(source, "serviceAccountToken") {
            absent(token, "expirationSeconds", 3600);
        }
        if let Some(downward) = inner(source, "downwardAPI") {
            each(downward, "items").for_each(fill_reference);
        }
    }
}

fn requests_from_limits(container: &mut Value) {
    let Some(resources) = inner(container, "resources") else { return };
    let Some(limits) = resources["limits"].as_object().filter(|limits| !limits.is_empty()).cloned() else { return };
    let Some(requests) = map_of(resources, "requests") else { return };
    for (name, amount) in limits {
        absent(requests, &name, amount);
    }
}

/// Writes each amount of a list of resources as the server does.
pub(super) fn canonical_amounts(amounts: &mut Value) {
    for amount in amounts.as_object_mut().into_iter().flat_map(Map::values_mut) {
        *amount = match quantity(amount) {
            Some(quantity) => quantity.rounded().canonical().into(),
            None => amount.clone(),
        };
    }
}

/// One amount as the server writes it; what is none is left to validation.
pub(super) fn canonical_amount(amount: &Value) -> Value {
    quantity(amount).map_or_else(|| amount.clone(), |quantity| quantity.canonical().into())
}

fn quantity(amount: &Value) -> Option<Quantity> {
    match amount {
        Value::String(text) => Quantity::parse(text),
        Value::Number(number) => Quantity::parse(&number.to_string()),
        _ => None,
    }
}

/// Whether an image has no tag but `latest`; a digest alone is not that.
fn is_latest(image: &str) -> bool {
    let (name, digest) = image.split_once('@').map_or((image, None), |(name, digest)| (name, Some(digest)));
    let last = name.rsplit('/').next().unwrap_or_default();
    match last.split_once(':') {
        Some((_, tag)) => tag == "latest",
        None => digest.is_none(),
    }
}

/// The class of service of a pod: whether all of its containers say what they need and may have.
fn quality(spec: &Value) -> &'static str {
    let lists = ["initContainers", "containers"].into_iter().filter_map(|list| spec.get(list)?.as_array());
    let containers: Vec<&Value> = lists.flatten().collect();
    let amount = |container: &Value, kind: &str, name: &str| {
        quantity(container.pointer(&format!("/resources/{kind}/{name}"))?).filter(|amount| amount.millis() > 0)
    };
    let says = |kind: &str, name: &str| containers.iter().any(|container| amount(container, kind, name).is_some());
    let pairs = [("limits", "cpu"), ("limits", "memory"), ("requests", "cpu"), ("requests", "memory")];
    if !pairs.iter().any(|(kind, name)| says(kind, name)) {
        return "BestEffort";
    }
    let is_exact = |container: &&Value, name: &str| {
        let limit = amount(container, "limits", name);
        let wanted = amount(container, "requests", name).or(limit);
        limit.is_some() && limit.map(Quantity::millis) == wanted.map(Quantity::millis)
    };
    let guaranteed = containers.iter().all(|it| is_exact(it, "cpu") && is_exact(it, "memory"));
    if guaranteed { "Guaranteed" } else { "Burstable" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_without_a_tag_are_pulled_each_time() {
        assert!(is_latest("busybox"));
        assert!(is_latest("localhost:5000/busybox"));
        assert!(is_latest("a/b:latest"));
        assert!(!is_latest("a/b:1"));
        assert!(!is_latest("a/b@sha256:00"));
    }

    #[test]
    fn a_pod_is_filled_as_the_server_fills_it() {
        let mut pod = json!({ "spec": { "hostNetwork": true, "serviceAccountName": "sa", "containers": [{
            "name": "c", "image": "nginx:1", "ports": [{ "containerPort": 80 }],
            "resources": { "limits": { "cpu": "1000m", "memory": "2048Mi" } },
        }], "volumes": [{ "name": "a" }, { "name": "b", "configMap": { "name": "x" } }] } });
        fill(&mut pod);
        let spec = &pod["spec"];
        assert_eq!(spec["containers"][0]["resources"]["requests"], json!({ "cpu": "1", "memory": "2Gi" }));
        assert_eq!(spec["containers"][0]["ports"], json!([{ "containerPort": 80, "protocol": "TCP", "hostPort": 80 }]));
        assert_eq!(spec["volumes"][0], json!({ "name": "a", "emptyDir": {} }));
        assert_eq!(spec["volumes"][1]["configMap"]["defaultMode"], 420);
        assert_eq!((&spec["serviceAccount"], &spec["dnsPolicy"]), (&json!("sa"), &json!("ClusterFirst")));
        assert_eq!(pod["status"], json!({ "phase": "Pending", "qosClass": "Guaranteed" }));
    }
}
