//! What a cluster has come to, without what differs by chance or by how often something was tried: uids, times, versions, generated
//! names, addresses, how many revisions a release has.

use std::collections::BTreeMap;
use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
use serde_json::{Map, Value, json};

/// Kinds that only tell how things came to be, or are made of others.
const DERIVED: [&str; 6] = ["Event", "Lease", "ReplicaSet", "ControllerRevision", "EndpointSlice", "Endpoints"];

/// Fields that are chance.
const CHANCE: [&str; 21] = [
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "generation",
    "observedGeneration",
    "managedFields",
    "clusterIP",
    "clusterIPs",
    "nodePort",
    "healthCheckNodePort",
    "generateName",
    "pod-template-hash",
    "controller-revision-hash",
    "pod-template-generation",
    "nodeName",
    "volumeMounts",
    "volumes",
    // What the injector found in the pod, names of mounted tokens included.
    "proxy.istio.io/overrides",
    "deployment.kubernetes.io/revision",
    "deprecated.daemonset.template.generation",
    "control-plane.alpha.kubernetes.io/leader",
];

/// Of these the status says whether they are ready.
const READY: [&str; 3] = ["readyReplicas", "numberReady", "updatedReplicas"];

/// What each object has come to, under its kind and name; of pods and releases how many alike there are.
pub(super) fn settled(objects: Vec<Value>) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    let mut releases: BTreeMap<String, (u64, Value)> = BTreeMap::new();
    for object in objects {
        let kind = object["kind"].as_str().unwrap_or_default().to_owned();
        let at = |field: &str| object["metadata"][field].as_str().unwrap_or_default().to_owned();
        let key = format!("{kind} {}/{}", at("namespace"), at("name"));
        if DERIVED.contains(&kind.as_str()) {
            continue;
        }
        if object["type"] == "helm.sh/release.v1" {
            let version = object["metadata"]["labels"]["version"].as_str().and_then(|text| text.parse().ok());
            let (version, name) = (version.unwrap_or_default(), object["metadata"]["labels"]["name"].clone());
            let newest = releases.entry(format!("release {}/{name}", at("namespace"))).or_default();
            if newest.0 <= version {
                *newest = (version, release(&object));
            }
        } else if kind == "Pod" {
            let owner = object["metadata"]["ownerReferences"][0]["name"].as_str().unwrap_or_default().to_owned();
            let mut pod = plain(object.clone());
            for field in ["name", "ownerReferences"] {
                pod["metadata"].as_object_mut().unwrap().remove(field);
            }
            pod["phase"] = object["status"]["phase"].clone();
            pod["spec"].as_object_mut().unwrap().remove("hostname");
            // The first word of a ReplicaSet's name is its Deployment's.
            let owner = owner.rsplit_once('-').map_or(owner.as_str(), |(first, _)| first);
            let key = format!("pods of {}/{owner}: {pod}", at("namespace"));
            let count = found.entry(key).or_insert_with(|| json!(0));
            *count = json!(count.as_u64().unwrap() + 1);
        } else {
            let ready: Map<String, Value> = READY
                .iter()
                .filter_map(|field| Some(((*field).to_owned(), object["status"].get(field)?.clone())))
                .collect();
            let mut object = plain(object);
            object["ready"] = Value::Object(ready);
            found.insert(key, object);
        }
    }
    found.extend(releases.into_iter().map(|(key, (_, release))| (key, release)));
    found
}

/// Where two clusters differ, each in a line.
pub(super) fn differences(wanted: &BTreeMap<String, Value>, found: &BTreeMap<String, Value>) -> Vec<String> {
    let mut lines = Vec::new();
    let keys: std::collections::BTreeSet<_> = wanted.keys().chain(found.keys()).collect();
    for key in keys {
        match (wanted.get(key), found.get(key)) {
            (Some(wanted), Some(found)) if wanted == found => {}
            (Some(wanted), Some(found)) => differ(key, wanted, found, &mut lines),
            (Some(_), None) => lines.push(format!("missing: {key}")),
            (None, _) => lines.push(format!("too many: {key}")),
        }
    }
    lines
}

fn differ(path: &str, wanted: &Value, found: &Value, lines: &mut Vec<String>) {
    match (wanted, found) {
        (Value::Object(wanted), Value::Object(found)) => {
            let keys: std::collections::BTreeSet<_> = wanted.keys().chain(found.keys()).collect();
            for key in keys {
                let of = |map: &Map<String, Value>| map.get(key).cloned().unwrap_or_default();
                differ(&format!("{path}.{key}"), &of(wanted), &of(found), lines);
            }
        }
        (Value::Array(wanted), Value::Array(found)) if wanted.len() == found.len() => {
            for (index, (wanted, found)) in wanted.iter().zip(found).enumerate() {
                differ(&format!("{path}[{index}]"), wanted, found, lines);
            }
        }
        (wanted, found) if wanted == found => {}
        (wanted, found) => lines.push(format!("{path}: wanted {wanted}, found {found}")),
    }
}

/// Of a release: its chart, values, manifest and whether it is deployed.
fn release(secret: &Value) -> Value {
    let packed = STANDARD.decode(secret["data"]["release"].as_str().unwrap()).unwrap();
    let packed = STANDARD.decode(packed).unwrap();
    let mut text = String::new();
    GzDecoder::new(packed.as_slice()).read_to_string(&mut text).unwrap();
    let record: Value = serde_json::from_str(&text).unwrap();
    // What charts render at an installation alone: an upgrade that brings one to its end leaves it out.
    let of_upgrades =
        |line: &&str| !line.contains("failurePolicy: Ignore") && !line.contains("The control plane sets `Fail`");
    let manifest: Vec<_> = record["manifest"].as_str().unwrap().lines().filter(of_upgrades).collect();
    json!({
        "chart": record["chart"]["metadata"]["version"], "values": record["config"], "manifest": manifest,
        "status": record["info"]["status"],
    })
}

fn plain(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.into_iter().filter(|(key, _)| !CHANCE.contains(&key.as_str()) && key != "status");
            Value::Object(kept.map(|(key, value)| (key, plain(value))).collect())
        }
        Value::Array(items) => items.into_iter().map(plain).collect(),
        Value::String(text) => Value::String(without_times(&text)),
        other => other,
    }
}

/// A text with every moment in it replaced: `2026-01-01T00:00:00Z`, with or without fractions.
fn without_times(text: &str) -> String {
    let shape = |bytes: &[u8]| {
        bytes.len() >= 20
            && bytes[..19].iter().zip(b"0000-00-00T00:00:00").all(|(found, wanted)| match wanted {
                b'0' => found.is_ascii_digit(),
                other => found == other,
            })
    };
    let (bytes, mut out, mut index) = (text.as_bytes(), String::new(), 0);
    while index < bytes.len() {
        if shape(&bytes[index..]) {
            let end = bytes[index..].iter().position(|byte| *byte == b'Z').map_or(bytes.len(), |at| index + at + 1);
            out.push_str("TIME");
            index = end;
        } else {
            let width = text[index..].chars().next().map_or(1, char::len_utf8);
            out.push_str(&text[index..index + width]);
            index += width;
        }
    }
    out
}
