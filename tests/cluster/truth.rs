//! The stand-in of istiod beside the recording of a real one, on the same API server: the same installation, and then every
//! object compared, field by field.
//!
//! What may differ stands in `ACCEPTED` with the reason, and nowhere else.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::OnceLock;

use runbook_control_plane::{ControlPlane, Fault, Helm, Release, StandIn, charts_or_skip};
use serde_json::{Value, json};

/// Where ours may differ from the recording: a file (or a part of its name), how the path of the field begins or ends, and why.
const ACCEPTED: &[(&str, &str, &str)] = &[
    ("", "/status/loadBalancer", "the recording cluster had no load balancer; the stand-in gives an address"),
    ("gateway-resource", "/status/conditions", "so these Gateways are programmed, which they were not there"),
    ("gateway-resource", "/status/addresses", "as above"),
    ("pod", "/status", "written by the cluster's kwok stages, not by istiod"),
    ("pod", "/spec/nodeName", "the scheduler's choice"),
    ("pod", "/metadata/managedFields", "not recorded"),
    ("leases", "/metadata/managedFields", "not recorded"),
    ("pod", "/metadata/labels/topology.kubernetes.io/region", "the API server copies it from the node, which had none"),
    ("pod", "/metadata/labels/topology.kubernetes.io/zone", "as above"),
    ("objects", "/spec/clusterIP", "the API server's choice"),
    ("objects", "/spec/clusterIPs/0", "the API server's choice"),
    ("objects", "/nodePort", "the API server's choice"),
    ("waypoint-resource", "/status/addresses/0/value", "the ClusterIP, the API server's choice"),
    ("objects", "/data/root-cert.pem", "each mesh has a root certificate of its own"),
    ("configmaps", "/data/root-cert.pem", "each mesh has a root certificate of its own"),
    ("configmaps", "/data/ca.crt", "each cluster has an authority of its own"),
];

/// Writes that one of the two made and the other did not, and why.
const ACCEPTED_WRITES: &[(&str, &str)] = &[
    ("patch /services/status ", "the recording cluster had no load balancer; the stand-in gives an address"),
    (
        "patch gateway.networking.k8s.io/gateways/status ",
        "the real one sends its controller's version as an annotation through the status, where it is dropped",
    ),
];

/// The one installation that all tests of this file look at.
struct Installed {
    plane: ControlPlane,
    _stand_in: StandIn,
}

fn installed(test: &str) -> Option<&'static Installed> {
    static INSTALLED: OnceLock<Installed> = OnceLock::new();
    charts_or_skip(test)?;
    Some(INSTALLED.get_or_init(|| install().unwrap_or_else(|fault| panic!("{fault}"))))
}

/// As `tests/truth/README.md` describes the recorded one.
fn install() -> Result<Installed, Fault> {
    let plane = ControlPlane::start()?;
    let stand_in = StandIn::start(&plane)?;
    plane.install_gateway_api("v1.5.1")?;
    let release = |chart| Release::of(chart, "1.30.3", Helm::V3);
    release("base").values(&json!({ "defaultRevision": "1-30-3" })).install(&plane)?;
    let istiod = release("istiod").named("istiod-1-30-3");
    istiod.values(&json!({ "profile": "ambient", "revision": "1-30-3" })).install(&plane)?;
    release("cni").values(&json!({ "profile": "ambient" })).install(&plane)?;
    for (namespace, label) in
        [("shop", "istio.io/rev=1-30-3"), ("amb", "istio.io/dataplane-mode=ambient"), ("ingress", "purpose=edge")]
    {
        plane.run_kubectl(&["create", "namespace", namespace])?;
        plane.run_kubectl(&["label", "namespace", namespace, label])?;
    }
    plane.run_kubectl(&["create", "deployment", "web", "--namespace=shop", "--image=nginx"])?;
    let file = plane.folder()?.join("gateways.yaml");
    fs_err::write(&file, GATEWAYS)?;
    // Client-side, as it was recorded.
    plane.run_kubectl(&["apply", "--filename", &file.to_string_lossy()])?;
    plane.settle()?;
    Ok(Installed { plane, _stand_in: stand_in })
}

const GATEWAYS: &str = r"
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: waypoint, namespace: amb, labels: { istio.io/rev: 1-30-3, istio.io/waypoint-for: service } }
spec: { gatewayClassName: istio-waypoint, listeners: [{ name: mesh, port: 15008, protocol: HBONE }] }
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: edge, namespace: ingress, labels: { istio.io/rev: 1-30-3 } }
spec: { gatewayClassName: istio, listeners: [{ name: http, port: 80, protocol: HTTP }] }
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: unlabelled, namespace: ingress }
spec: { gatewayClassName: istio, listeners: [{ name: http, port: 80, protocol: HTTP }] }
";

fn truth(file: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/truth/1.30.3").join(file);
    fs_err::read_to_string(path).unwrap()
}

/// Our object that corresponds to a recorded one: the same kind, namespace and name, or the pod of the same ReplicaSet.
fn ours(plane: &ControlPlane, recorded: &Value) -> Value {
    let of = |path: &str| recorded.pointer(path).and_then(Value::as_str).unwrap_or_default();
    let (group, version) = of("/apiVersion").rsplit_once('/').unwrap_or(("", "v1"));
    let kind = format!("{}.{version}.{group}", of("/kind"));
    let namespace = format!("--namespace={}", of("/metadata/namespace"));
    let get = |what: &str| -> Value {
        let arguments = ["get", &kind, what, &namespace, "--output=json", "--show-managed-fields"];
        let told = plane.run_kubectl(&arguments).unwrap_or_else(|fault| panic!("{fault}"));
        serde_json::from_str(&told).unwrap()
    };
    if of("/kind") != "Pod" {
        return get(of("/metadata/name"));
    }
    let mut pods = get("--selector=")["items"].as_array().cloned().unwrap();
    pods.retain(|pod| pod["metadata"]["generateName"] == recorded["metadata"]["generateName"]);
    assert_eq!(pods.len(), 1, "no pod of {}", of("/metadata/generateName"));
    pods.remove(0)
}

/// Takes out of an object what was taken out of the recording: identity, times, the contents of managed fields.
fn as_recorded(value: &mut Value, of: &str) {
    match value {
        Value::Object(fields) => {
            // The recording kept an empty map, which the API server leaves out.
            if fields.get("data").is_some_and(|data| *data == json!({})) {
                fields.shift_remove("data");
            }
            if of == "metadata" {
                for gone in ["uid", "resourceVersion", "creationTimestamp", "generation"] {
                    fields.shift_remove(gone);
                }
            }
            if let Some(Value::String(prefix)) = fields.get("generateName").cloned() {
                fields.insert("name".to_owned(), json!(format!("{prefix}<random>")));
            }
            if of == "managedFields" {
                fields.retain(|key, _| ["manager", "operation", "subresource"].contains(&key.as_str()));
            }
            for (key, value) in fields {
                as_recorded(value, key);
            }
        }
        Value::Array(items) => {
            // The recording cluster had no load balancer.
            items.retain(|item| item["manager"] != "load-balancer");
            for item in items {
                as_recorded(item, of);
            }
        }
        Value::String(text) if of.ends_with("/leader") => {
            let mut record: Value = serde_json::from_str(text).unwrap();
            as_recorded(&mut record, "");
            *text = record.to_string();
        }
        Value::String(text) => *text = text_as_recorded(text, of),
        _ => {}
    }
}

fn text_as_recorded(text: &str, of: &str) -> String {
    if of.ends_with("Time") || of.ends_with("At") {
        return "<time>".to_owned();
    }
    match of {
        "uid" => return "<uid>".to_owned(),
        "caBundle" if !text.is_empty() => return "<base64 certificate>".to_owned(),
        "holderIdentity" => return text.rsplit_once("-local").map_or(text, |(name, _)| name).to_owned(),
        _ => {}
    }
    // Names that the API server ends at random.
    match text.strip_prefix("kube-api-access-") {
        Some(_) => "kube-api-access-".to_owned(),
        None => text.to_owned(),
    }
}

/// Every path at which the two differ and that is not accepted.
fn differences(file: &str, ours: &Value, recorded: &Value, path: &str, found: &mut Vec<String>) {
    let accepted = |(of, field, _): &&(&str, &str, &str)| {
        file.contains(of) && (path.ends_with(field) || path.contains(&format!("{field}/")))
    };
    if ACCEPTED.iter().any(|entry| accepted(&entry)) {
        return;
    }
    match (ours, recorded) {
        (Value::Object(ours), Value::Object(recorded)) => {
            let keys: BTreeSet<_> = ours.keys().chain(recorded.keys()).collect();
            for key in keys {
                let [one, other] = [ours, recorded].map(|fields| fields.get(key).unwrap_or(&Value::Null));
                differences(file, one, other, &format!("{path}/{key}"), found);
            }
        }
        (Value::Array(ours), Value::Array(recorded)) if ours.len() == recorded.len() => {
            for (at, (one, other)) in ours.iter().zip(recorded).enumerate() {
                differences(file, one, other, &format!("{path}/{at}"), found);
            }
        }
        // Long texts were recorded by their length.
        (Value::String(ours), Value::String(recorded))
            if *recorded == format!("<{} characters>", ours.chars().count()) => {}
        _ if ours == recorded => {}
        _ => found.push(format!("{file}{path}\n    ours      {ours}\n    recorded  {recorded}")),
    }
}

fn compare(test: &str, files: &[&str]) {
    let Some(installed) = installed(test) else { return };
    let mut found = Vec::new();
    for file in files {
        let recorded: Vec<Value> = serde_json::from_str(&truth(file)).unwrap();
        assert!(!recorded.is_empty(), "{file} holds nothing");
        for mut recorded in recorded {
            let mut ours = ours(&installed.plane, &recorded);
            as_recorded(&mut ours, "");
            as_recorded(&mut recorded, "");
            let name = recorded["metadata"]["name"].as_str().unwrap_or_default().to_owned();
            differences(&format!("{file} {name} "), &ours, &recorded, "", &mut found);
        }
    }
    assert!(found.is_empty(), "{} differences:\n{}", found.len(), found.join("\n"));
}

#[test]
fn webhooks_are_taken_charge_of_as_recorded() {
    compare("webhooks_are_taken_charge_of_as_recorded", &["webhooks.json"]);
}

#[test]
fn a_gateway_gets_the_objects_recorded() {
    compare(
        "a_gateway_gets_the_objects_recorded",
        &["gateway-objects.json", "gateway-resource.json", "gateway-pod.json"],
    );
}

#[test]
fn a_waypoint_gets_the_objects_recorded() {
    let files = ["waypoint-objects.json", "waypoint-resource.json", "waypoint-pod.json"];
    compare("a_waypoint_gets_the_objects_recorded", &files);
}

#[test]
fn an_injected_pod_is_as_recorded() {
    compare("an_injected_pod_is_as_recorded", &["sidecar-pod.json"]);
}

#[test]
fn gateway_classes_leases_and_config_maps_are_as_recorded() {
    let files = ["gatewayclasses.json", "leases.json", "configmaps-istio-system.json"];
    compare("gateway_classes_leases_and_config_maps_are_as_recorded", &files);
}

#[test]
fn it_writes_what_was_recorded_and_nothing_else() {
    let Some(installed) = installed("it_writes_what_was_recorded_and_nothing_else") else { return };
    let ours: BTreeSet<String> = installed
        .plane
        .audit()
        .unwrap()
        .into_iter()
        .filter(|entry| entry.user_agent.starts_with("pilot-discovery"))
        .filter(|entry| ["create", "update", "patch", "delete"].contains(&entry.verb.as_str()))
        .map(|entry| {
            let subresource =
                if entry.subresource.is_empty() { String::new() } else { format!("/{}", entry.subresource) };
            format!("{} {}/{}{subresource} {} {}", entry.verb, entry.group, entry.resource, entry.namespace, entry.name)
        })
        .collect();
    let recorded: BTreeSet<String> = truth("writes.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.rsplit_once(" (").unwrap().0.to_owned())
        .collect();
    let mut different: Vec<_> = ours.symmetric_difference(&recorded).collect();
    different.retain(|write| !ACCEPTED_WRITES.iter().any(|(begin, _)| write.starts_with(begin)));
    assert_eq!(different, Vec::<&String>::new());
}
