//! What the status of a pod looks like at each step.
//!
//! Not known here: when a pod takes which step.

use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    actor::json::{items, list_at, text},
    controller::{
        condition::{self, Saying},
        reading::{count, stamp},
    },
};

/// How the containers of a running pod are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Containers {
    Ready,
    Unready,
    /// The first is not ready, the others are.
    FirstUnready,
}

/// Bound, and its containers are being made.
pub(super) fn creating(pod: &Value, node: &Value, now: Timestamp) -> Value {
    let mut status = pod["status"].clone();
    status["phase"] = "Pending".into();
    status["startTime"] = stamp(now);
    observed(pod, &mut status);
    on_host(&mut status, &internal(node));
    let has_init = !items(pod, "/spec/initContainers").is_empty();
    let names = |list: &str| {
        let all = items(pod, list).iter();
        all.map(|container| text(container, "/name")).collect::<Vec<_>>().join(" ")
    };
    let unready = format!("containers with unready status: [{}]", names("/spec/containers"));
    let pending = format!("containers with incomplete status: [{}]", names("/spec/initContainers"));
    let initialized = if has_init { ("False", "ContainersNotInitialized", pending.as_str()) } else { ("True", "", "") };
    say(
        &mut status,
        &[
            ("PodReadyToStartContainers", ("False", "", "")),
            ("Initialized", initialized),
            ("Ready", ("False", "ContainersNotReady", &unready)),
            ("ContainersReady", ("False", "ContainersNotReady", &unready)),
            ("PodScheduled", ("True", "", "")),
        ],
        now,
    );
    let reason = if has_init { "PodInitializing" } else { "ContainerCreating" };
    let waiting = |container: &Value| {
        json!({
            "name": container["name"], "image": container["image"], "imageID": "", "lastState": {}, "ready": false,
            "restartCount": 0, "started": false, "state": { "waiting": { "reason": reason } },
        })
    };
    if has_init {
        status["initContainerStatuses"] = items(pod, "/spec/initContainers").iter().map(waiting).collect();
    }
    status["containerStatuses"] = items(pod, "/spec/containers").iter().map(waiting).collect();
    status
}

/// The addresses of a node that its pods say they are on.
pub(in crate::controller) fn internal(node: &Value) -> Vec<&Value> {
    let addresses = items(node, "/status/addresses").iter().filter(|address| address["type"] == "InternalIP");
    addresses.map(|address| &address["address"]).collect()
}

fn on_host(status: &mut Value, addresses: &[&Value]) {
    if let Some(first) = addresses.first() {
        status["hostIP"] = (*first).clone();
        status["hostIPs"] = addresses.iter().map(|address| json!({ "ip": address })).collect();
    }
}

fn has_address(pod: &Value, status: &mut Value, address: &str) {
    let on_host = pod["spec"]["hostNetwork"] == true;
    let ip = if on_host { status["hostIP"].clone() } else { address.into() };
    status["podIPs"] = json!([{ "ip": ip.clone() }]);
    status["podIP"] = ip;
}

/// A copy of a running pod runs elsewhere, in containers of its own.
pub(in crate::controller) fn moved(pod: &mut Value, host: &[Value], address: &str) {
    let mut status = pod["status"].take();
    on_host(&mut status, &host.iter().collect::<Vec<_>>());
    has_address(pod, &mut status, address);
    for list in ["initContainerStatuses", "containerStatuses"] {
        for container in status.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            container["containerID"] = container_id(pod, text(container, "/name")).into();
        }
    }
    pod["status"] = status;
}

fn container_id(pod: &Value, container: &str) -> String {
    format!("containerd://{}", digest(&format!("{}/{container}", text(pod, "/metadata/uid"))))
}

/// Its images cannot be pulled.
pub(super) fn unpulled(pod: &Value, reason: &str) -> Value {
    let mut status = pod["status"].clone();
    let container = |container: &Value| {
        let image = text(container, "/image");
        let message = match reason {
            "ErrImagePull" => {
                format!("rpc error: code = NotFound desc = failed to pull and unpack image \"{image}\": not found")
            }
            _ => format!("Back-off pulling image \"{image}\": ErrImagePull: not found"),
        };
        json!({
            "name": container["name"], "image": image, "imageID": "", "lastState": {}, "ready": false,
            "restartCount": 0, "started": false, "state": { "waiting": { "reason": reason, "message": message } },
        })
    };
    status["containerStatuses"] = items(pod, "/spec/containers").iter().map(container).collect();
    status["phase"] = "Pending".into();
    status
}

/// Its containers run.
pub(super) fn running(pod: &Value, containers: Containers, address: &str, now: Timestamp) -> Value {
    let mut status = pod["status"].clone();
    status["phase"] = "Running".into();
    observed(pod, &mut status);
    if text(&status, "/podIP").is_empty() {
        has_address(pod, &mut status, address);
    }
    if !items(pod, "/spec/initContainers").is_empty() {
        status["initContainerStatuses"] =
            items(pod, "/spec/initContainers").iter().map(|it| initialized(pod, it, now)).collect();
    }
    let before = pod["status"]["containerStatuses"].clone();
    let statuses = items(pod, "/spec/containers").iter().enumerate().map(|(index, container)| {
        let is_ready = containers == Containers::Ready || (containers == Containers::FirstUnready && index > 0);
        let mut status = image_of(pod, container);
        status["lastState"] = before[index].get("lastState").cloned().unwrap_or_else(|| json!({}));
        status["ready"] = is_ready.into();
        status["started"] = true.into();
        status["restartCount"] = count(&before[index], "/restartCount").into();
        let started = before[index].pointer("/state/running/startedAt").cloned().unwrap_or_else(|| stamp(now));
        status["state"] = json!({ "running": { "startedAt": started } });
        status
    });
    status["containerStatuses"] = statuses.collect();
    readiness(pod, &mut status, now);
    status
}

/// The first container has ended with an error and waits.
pub(super) fn crashed(pod: &Value, now: Timestamp) -> Value {
    let mut status = pod["status"].clone();
    if let Some(first) = list_at(&mut status, "containerStatuses").first_mut() {
        first["ready"] = false.into();
        first["started"] = false.into();
        let message = "back-off 10s restarting failed container";
        first["state"] = json!({ "waiting": { "reason": "CrashLoopBackOff", "message": message } });
        first["lastState"] = ended_state(first, 1, now);
    }
    readiness(pod, &mut status, now);
    status
}

/// The first container runs again.
pub(super) fn restarted(pod: &Value, now: Timestamp) -> Value {
    let mut status = pod["status"].clone();
    if let Some(first) = list_at(&mut status, "containerStatuses").first_mut() {
        first["started"] = true.into();
        first["restartCount"] = (count(first, "/restartCount") + 1).into();
        first["state"] = json!({ "running": { "startedAt": stamp(now) } });
    }
    status
}

/// All of its containers have ended, and will not start again.
pub(super) fn ended(pod: &Value, code: i32, now: Timestamp) -> Value {
    let mut status = pod["status"].clone();
    status["phase"] = if code == 0 { "Succeeded" } else { "Failed" }.into();
    for container in list_at(&mut status, "containerStatuses") {
        let state = ended_state(container, code, now);
        container["ready"] = false.into();
        container["started"] = false.into();
        container["state"] = state;
    }
    let reason = if code == 0 { "PodCompleted" } else { "PodFailed" };
    say(&mut status, &[("Ready", ("False", reason, "")), ("ContainersReady", ("False", reason, ""))], now);
    status
}

fn ended_state(container: &Value, code: i32, now: Timestamp) -> Value {
    let started = container.pointer("/state/running/startedAt").cloned().unwrap_or_else(|| stamp(now));
    let reason = if code == 0 { "Completed" } else { "Error" };
    json!({ "terminated": { "exitCode": code, "reason": reason, "startedAt": started, "finishedAt": stamp(now) } })
}

/// An init container that has done its work; a sidecar runs on.
fn initialized(pod: &Value, container: &Value, now: Timestamp) -> Value {
    let mut status = image_of(pod, container);
    status["lastState"] = json!({});
    status["ready"] = true.into();
    status["restartCount"] = 0.into();
    if text(container, "/restartPolicy") == "Always" {
        status["started"] = true.into();
        status["state"] = json!({ "running": { "startedAt": stamp(now) } });
    } else {
        status["started"] = false.into();
        status["state"] = ended_state(&json!({}), 0, now);
    }
    status
}

/// Which image a container runs.
fn image_of(pod: &Value, container: &Value) -> Value {
    let image = text(container, "/image");
    let name = image.split('@').next().unwrap_or_default();
    json!({
        "name": container["name"], "image": image, "imageID": format!("{name}@sha256:{}", digest(image)),
        "containerID": container_id(pod, text(container, "/name")),
    })
}

fn digest(text: &str) -> String {
    use std::fmt::Write as _;
    Sha256::digest(text.as_bytes()).iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn observed(pod: &Value, status: &mut Value) {
    let generation = pod["metadata"].get("generation").cloned().unwrap_or_else(|| 1.into());
    status["observedGeneration"] = generation;
}

/// The order in which a node writes the conditions of a pod, whoever wrote one of them first.
const ORDER: [&str; 5] = ["PodReadyToStartContainers", "Initialized", "ContainersReady", "Ready", "PodScheduled"];

/// What the conditions say, by how the containers are.
fn readiness(pod: &Value, status: &mut Value, now: Timestamp) {
    let unready: Vec<String> = items(status, "/containerStatuses")
        .iter()
        .filter(|container| container["ready"] != true)
        .map(|container| text(container, "/name").to_owned())
        .collect();
    let message = format!("containers with unready status: [{}]", unready.join(" "));
    let ready = if unready.is_empty() { ("True", "", "") } else { ("False", "ContainersNotReady", message.as_str()) };
    let well = ("True", "", "");
    let said = [well, well, ready, ready, well];
    let sayings: Vec<_> = ORDER.into_iter().zip(said).collect();
    say(status, &sayings, now);
    let place = |one: &Value| ORDER.iter().position(|kind| one["type"] == *kind).unwrap_or(ORDER.len());
    list_at(status, "conditions").sort_by_key(place);
    // Whoever a gate waits for is content.
    for gate in items(pod, "/spec/readinessGates") {
        say(status, &[(text(gate, "/conditionType"), ("True", "", ""))], now);
    }
}

fn say(status: &mut Value, sayings: &[(&str, (&str, &str, &str))], now: Timestamp) {
    let conditions = list_at(status, "conditions");
    for (kind, (status, reason, message)) in sayings {
        condition::set(conditions, Saying { kind, status, reason, message }, now);
    }
    for condition in conditions {
        if let Some(fields) = condition.as_object_mut() {
            fields.entry("lastProbeTime").or_insert(Value::Null);
            if fields.get("message").is_some_and(|message| message == "") {
                fields.shift_remove("message");
            }
        }
    }
}
