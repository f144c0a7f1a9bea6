//! The columns of built-in kinds.
//!
//! Not known here: how tables are put together.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    Column, Form,
    cell::{age, containers, joined, object_age, or_none, selector},
};
use crate::actor::json::{items, text};

const fn text_column(name: &'static str, priority: u8, cell: fn(&Value, Timestamp) -> Value) -> Column {
    Column { name, form: Form::Text, priority, cell }
}

const fn number(name: &'static str, cell: fn(&Value, Timestamp) -> Value) -> Column {
    Column { name, form: Form::Number, priority: 0, cell }
}

const NAME: Column =
    Column { name: "Name", form: Form::Name, priority: 0, cell: |object, _| object["metadata"]["name"].clone() };
const AGE: Column = text_column("Age", 0, object_age);
const CONTAINERS: Column =
    text_column("Containers", 1, |object, _| containers(&object["spec"]["template"]["spec"], "name"));
const IMAGES: Column = text_column("Images", 1, |object, _| containers(&object["spec"]["template"]["spec"], "image"));
const SELECTOR: Column = text_column("Selector", 1, |object, _| selector(&object["spec"]["selector"]).into());

fn count(object: &Value, pointer: &str) -> i64 {
    object.pointer(pointer).and_then(Value::as_i64).unwrap_or(0)
}

macro_rules! counted {
    ($name:literal, $pointer:literal) => {
        number($name, |object, _| count(object, $pointer).into())
    };
}

static PLAIN: &[Column] = &[NAME, AGE];
static DEPLOYMENT: &[Column] = &[
    NAME,
    text_column("Ready", 0, |object, _| {
        format!("{}/{}", count(object, "/status/readyReplicas"), count(object, "/spec/replicas")).into()
    }),
    text_column("Up-to-date", 0, |object, _| count(object, "/status/updatedReplicas").into()),
    text_column("Available", 0, |object, _| count(object, "/status/availableReplicas").into()),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
];
static STATEFUL_SET: &[Column] = &[
    NAME,
    text_column("Ready", 0, |object, _| {
        format!("{}/{}", count(object, "/status/readyReplicas"), count(object, "/spec/replicas")).into()
    }),
    AGE,
    CONTAINERS,
    IMAGES,
];
static REPLICA_SET: &[Column] = &[
    NAME,
    counted!("Desired", "/spec/replicas"),
    counted!("Current", "/status/replicas"),
    counted!("Ready", "/status/readyReplicas"),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
];
static DAEMON_SET: &[Column] = &[
    NAME,
    counted!("Desired", "/status/desiredNumberScheduled"),
    counted!("Current", "/status/currentNumberScheduled"),
    counted!("Ready", "/status/numberReady"),
    counted!("Up-to-date", "/status/updatedNumberScheduled"),
    counted!("Available", "/status/numberAvailable"),
    text_column("Node Selector", 0, |object, _| selector(&object["spec"]["template"]["spec"]["nodeSelector"]).into()),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
];
static POD: &[Column] = &[
    NAME,
    text_column("Ready", 0, |object, _| {
        let ready = items(object, "/status/containerStatuses").iter().filter(|one| one["ready"] == true).count();
        format!("{ready}/{}", items(object, "/spec/containers").len()).into()
    }),
    text_column("Status", 0, |object, _| pod_status(object).into()),
    text_column("Restarts", 0, restarts),
    AGE,
    text_column("IP", 1, |object, _| or_none(text(object, "/status/podIP"))),
    text_column("Node", 1, |object, _| or_none(text(object, "/spec/nodeName"))),
    text_column("Nominated Node", 1, |object, _| or_none(text(object, "/status/nominatedNodeName"))),
    text_column("Readiness Gates", 1, |_, _| json!("<none>")),
];
static SERVICE: &[Column] = &[
    NAME,
    text_column("Type", 0, |object, _| object["spec"]["type"].clone()),
    text_column("Cluster-IP", 0, |object, _| or_none(text(object, "/spec/clusterIP"))),
    text_column("External-IP", 0, |object, _| external(object)),
    text_column("Port(s)", 0, |object, _| {
        joined(items(object, "/spec/ports").iter().map(|port| match port["nodePort"].as_u64() {
            Some(node) => format!("{}:{node}/{}", port["port"], text(port, "/protocol")),
            None => format!("{}/{}", port["port"], text(port, "/protocol")),
        }))
        .into()
    }),
    AGE,
    SELECTOR,
];
static NAMESPACE: &[Column] = &[NAME, text_column("Status", 0, |object, _| object["status"]["phase"].clone()), AGE];
static NODE: &[Column] = &[
    NAME,
    text_column("Status", 0, |object, _| {
        let ready = items(object, "/status/conditions").iter().find(|one| one["type"] == "Ready");
        let mut words = match ready.map(|one| text(one, "/status")) {
            Some("True") => "Ready",
            Some(_) => "NotReady",
            None => "Unknown",
        }
        .to_owned();
        if object["spec"]["unschedulable"] == true {
            words.push_str(",SchedulingDisabled");
        }
        words.into()
    }),
    text_column("Roles", 0, |object, _| {
        let labels = object["metadata"]["labels"].as_object().into_iter().flatten();
        let roles = labels.filter_map(|(key, _)| key.strip_prefix("node-role.kubernetes.io/").map(str::to_owned));
        joined(roles).into()
    }),
    AGE,
    text_column("Version", 0, |object, _| object["status"]["nodeInfo"]["kubeletVersion"].clone()),
];
static CONFIG_MAP: &[Column] = &[NAME, text_column("Data", 0, |object, _| size(object, &["data", "binaryData"])), AGE];
static SECRET: &[Column] = &[
    NAME,
    text_column("Type", 0, |object, _| object["type"].clone()),
    text_column("Data", 0, |object, _| size(object, &["data"])),
    AGE,
];
static ACCOUNT: &[Column] = &[NAME, number("Secrets", |object, _| items(object, "/secrets").len().into()), AGE];
static JOB: &[Column] = &[
    NAME,
    text_column("Status", 0, |object, _| {
        let holds = |kind: &str| {
            items(object, "/status/conditions").iter().any(|one| one["type"] == kind && one["status"] == "True")
        };
        match () {
            () if holds("Complete") => "Complete",
            () if holds("Failed") => "Failed",
            () if holds("Suspended") => "Suspended",
            () => "Running",
        }
        .into()
    }),
    text_column("Completions", 0, |object, _| {
        format!("{}/{}", count(object, "/status/succeeded"), object["spec"]["completions"].as_i64().unwrap_or(1)).into()
    }),
    AGE,
];
static BUDGET: &[Column] = &[
    NAME,
    text_column("Min Available", 0, |object, _| given(&object["spec"]["minAvailable"])),
    text_column("Max Unavailable", 0, |object, _| given(&object["spec"]["maxUnavailable"])),
    counted!("Allowed Disruptions", "/status/disruptionsAllowed"),
    AGE,
];
static EVENT: &[Column] = &[
    text_column("Last Seen", 0, |object, now| age(text(object, "/lastTimestamp"), now).into()),
    text_column("Type", 0, |object, _| object["type"].clone()),
    text_column("Reason", 0, |object, _| object["reason"].clone()),
    text_column("Object", 0, |object, _| {
        format!("{}/{}", text(object, "/involvedObject/kind").to_lowercase(), text(object, "/involvedObject/name"))
            .into()
    }),
    text_column("Message", 0, |object, _| object["message"].clone()),
];
static CRD: &[Column] =
    &[NAME, text_column("Created At", 0, |object, _| object["metadata"]["creationTimestamp"].clone())];
static AUTOSCALER: &[Column] = &[
    NAME,
    text_column("Reference", 0, |object, _| {
        format!("{}/{}", text(object, "/spec/scaleTargetRef/kind"), text(object, "/spec/scaleTargetRef/name")).into()
    }),
    counted!("MinPods", "/spec/minReplicas"),
    counted!("MaxPods", "/spec/maxReplicas"),
    counted!("Replicas", "/status/currentReplicas"),
    AGE,
];
static WEBHOOKS: &[Column] = &[NAME, number("Webhooks", |object, _| items(object, "/webhooks").len().into()), AGE];
static LEASE: &[Column] =
    &[NAME, text_column("Holder", 0, |object, _| or_none(text(object, "/spec/holderIdentity"))), AGE];
static BINDING: &[Column] = &[
    NAME,
    text_column("Role", 0, |object, _| {
        format!("{}/{}", text(object, "/roleRef/kind"), text(object, "/roleRef/name")).into()
    }),
    AGE,
];
static ROLE: &[Column] =
    &[NAME, text_column("Created At", 0, |object, _| object["metadata"]["creationTimestamp"].clone())];
static REVISION: &[Column] = &[
    NAME,
    text_column("Controller", 0, |object, _| {
        let owner = items(object, "/metadata/ownerReferences").iter().find(|one| one["controller"] == true);
        owner.map_or_else(
            || json!("<none>"),
            |one| format!("{}.apps/{}", text(one, "/kind").to_lowercase(), text(one, "/name")).into(),
        )
    }),
    counted!("Revision", "/revision"),
    AGE,
];

fn given(value: &Value) -> Value {
    match value {
        Value::Null => "N/A".into(),
        Value::String(text) => text.as_str().into(),
        other => other.to_string().into(),
    }
}

fn size(object: &Value, maps: &[&str]) -> Value {
    maps.iter().map(|map| object[map].as_object().map_or(0, serde_json::Map::len)).sum::<usize>().into()
}

fn external(service: &Value) -> Value {
    let addresses = items(service, "/status/loadBalancer/ingress").iter();
    let found =
        joined(addresses.map(|one| one["ip"].as_str().or(one["hostname"].as_str()).unwrap_or_default().to_owned()));
    match text(service, "/spec/type") {
        "LoadBalancer" if found == "<none>" => "<pending>".into(),
        "LoadBalancer" => found.into(),
        "ExternalName" => service["spec"]["externalName"].clone(),
        _ => {
            joined(items(service, "/spec/externalIPs").iter().filter_map(|one| one.as_str().map(str::to_owned))).into()
        }
    }
}

fn restarts(pod: &Value, now: Timestamp) -> Value {
    let statuses = items(pod, "/status/containerStatuses");
    let many: i64 = statuses.iter().map(|one| count(one, "/restartCount")).sum();
    let last = statuses.iter().filter_map(|one| one["lastState"]["terminated"]["finishedAt"].as_str()).max();
    match last {
        Some(last) if many > 0 => format!("{many} ({} ago)", age(last, now)).into(),
        _ => many.to_string().into(),
    }
}

/// The one word for the state of a pod.
fn pod_status(pod: &Value) -> String {
    let mut word = match text(pod, "/status/reason") {
        "" => text(pod, "/status/phase"),
        reason => reason,
    }
    .to_owned();
    for (at, one) in items(pod, "/status/initContainerStatuses").iter().enumerate() {
        let state = &one["state"];
        if state["terminated"]["exitCode"] == 0 || (one["started"] == true && state["running"].is_object()) {
            continue;
        }
        let many = items(pod, "/spec/initContainers").len();
        return match (text(state, "/waiting/reason"), state["terminated"]["exitCode"].as_i64()) {
            (_, Some(code)) => format!("Init:ExitCode:{code}"),
            ("" | "PodInitializing", None) => format!("Init:{at}/{many}"),
            (reason, None) => format!("Init:{reason}"),
        };
    }
    for one in items(pod, "/status/containerStatuses").iter().rev() {
        let state = &one["state"];
        if let Some(reason) = state["waiting"]["reason"].as_str().or(state["terminated"]["reason"].as_str()) {
            reason.clone_into(&mut word);
        }
    }
    if pod["metadata"]["deletionTimestamp"].is_string() {
        return "Terminating".to_owned();
    }
    word
}

/// The columns of a resource.
pub(super) fn of(group: &str, plural: &str) -> &'static [Column] {
    match (group, plural) {
        ("", "pods") => POD,
        ("", "services") => SERVICE,
        ("", "namespaces") => NAMESPACE,
        ("", "nodes") => NODE,
        ("", "configmaps") => CONFIG_MAP,
        ("", "secrets") => SECRET,
        ("", "serviceaccounts") => ACCOUNT,
        ("", "events") => EVENT,
        ("apps", "deployments") => DEPLOYMENT,
        ("apps", "statefulsets") => STATEFUL_SET,
        ("apps", "replicasets") | ("", "replicationcontrollers") => REPLICA_SET,
        ("apps", "daemonsets") => DAEMON_SET,
        ("apps", "controllerrevisions") => REVISION,
        ("batch", "jobs") => JOB,
        ("policy", "poddisruptionbudgets") => BUDGET,
        ("autoscaling", _) => AUTOSCALER,
        ("coordination.k8s.io", "leases") => LEASE,
        ("rbac.authorization.k8s.io", "rolebindings" | "clusterrolebindings") => BINDING,
        ("rbac.authorization.k8s.io", _) => ROLE,
        ("apiextensions.k8s.io", _) => CRD,
        ("admissionregistration.k8s.io", "mutatingwebhookconfigurations" | "validatingwebhookconfigurations") => {
            WEBHOOKS
        }
        _ => PLAIN,
    }
}
