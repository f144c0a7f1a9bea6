//! Whether a pod fits on a node: taints, node affinity, ports of the host, and room.
//!
//! Not known here: other pods, beyond the room that they take.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::Deserialize;
use serde_json::Value;

use crate::{
    actor::json::{items, text},
    controller::{Hand, reading::is_leaving},
    quantity::Quantity,
    store::Stored,
};

/// A node, as far as placing pods asks: where two states of it are equal, a pod that waits has no reason to look again.
#[derive(PartialEq)]
pub(in crate::controller) struct Node {
    pub(super) name: String,
    pub(in crate::controller) labels: Value,
    pub(in crate::controller) taints: Vec<Taint>,
    is_closed: bool,
    allocatable: BTreeMap<String, i128>,
}

/// What drives pods away.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(in crate::controller) struct Taint {
    pub(in crate::controller) key: String,
    pub(in crate::controller) value: String,
    pub(in crate::controller) effect: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Brief {
    spec: Spec,
    status: NodeStatus,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Spec {
    taints: Vec<Taint>,
    unschedulable: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct NodeStatus {
    allocatable: BTreeMap<String, Value>,
}

impl Node {
    /// A node as it is stored, read once.
    pub(in crate::controller) fn of(stored: &Stored) -> Arc<Self> {
        stored.part(|stored| {
            let brief: Brief = serde_json::from_slice(stored.bytes()).unwrap_or_default();
            let allocatable = brief.status.allocatable.iter();
            Self {
                name: stored.name().to_owned(),
                labels: crate::controller::member::labels(stored),
                taints: brief.spec.taints,
                is_closed: brief.spec.unschedulable,
                allocatable: allocatable.filter_map(|(name, amount)| Some((name.clone(), millis(amount)?))).collect(),
            }
        })
    }
}

fn millis(amount: &Value) -> Option<i128> {
    match amount {
        Value::String(text) => Quantity::parse(text).map(Quantity::millis),
        Value::Number(number) => Quantity::parse(&number.to_string()).map(Quantity::millis),
        _ => None,
    }
}

/// Does a pod stand a taint?
pub(in crate::controller) fn tolerates(tolerations: &[Value], taint: &Taint) -> bool {
    tolerations.iter().any(|toleration| {
        let (key, effect) = (text(toleration, "/key"), text(toleration, "/effect"));
        let is_meant = (effect.is_empty() || effect == taint.effect) && (key.is_empty() || key == taint.key);
        match text(toleration, "/operator") {
            "Exists" => is_meant,
            "" | "Equal" => is_meant && !key.is_empty() && text(toleration, "/value") == taint.value,
            _ => false,
        }
    })
}

/// What pods have taken of a node.
#[derive(Default)]
pub(super) struct Room {
    taken: BTreeMap<String, i128>,
    ports: BTreeSet<(String, i64)>,
    pods: i128,
    siblings: BTreeMap<String, i128>,
}

impl Room {
    pub(super) fn of(hand: &Hand, node: &Node) -> Self {
        let mut room = Self::default();
        for pod in hand.stored_on(&node.name) {
            if let Some(load) = &*pod.part(|stored| Load::on_node(&stored.value()).map(Arc::new)) {
                room.take(load);
            }
        }
        room
    }

    pub(super) fn take(&mut self, load: &Load) {
        for (name, amount) in &load.requests {
            *self.taken.entry(name.clone()).or_default() += amount;
        }
        self.ports.extend(load.ports.iter().cloned());
        self.pods += 1;
        if let Some(owner) = &load.owner {
            *self.siblings.entry(owner.clone()).or_default() += 1;
        }
    }
}

/// What a pod takes of its node.
pub(super) struct Load {
    requests: BTreeMap<String, i128>,
    ports: BTreeSet<(String, i64)>,
    owner: Option<String>,
}

impl Load {
    fn of(pod: &Value) -> Self {
        let owners = items(pod, "/metadata/ownerReferences").iter();
        Self {
            requests: requests(pod),
            ports: host_ports(pod),
            owner: owners.into_iter().find(|owner| owner["controller"] == true).map(|it| text(it, "/uid").to_owned()),
        }
    }

    /// What a pod takes as it is now: nothing once it has ended, unless it is only leaving.
    fn on_node(pod: &Value) -> Option<Self> {
        let has_ended = matches!(text(pod, "/status/phase"), "Succeeded" | "Failed");
        (!has_ended || is_leaving(pod)).then(|| Self::of(pod))
    }
}

/// What a pod asks of its node.
pub(in crate::controller) struct Wish {
    /// The one node that its affinity names: so the pods of DaemonSets find theirs.
    pub(super) only_on: Option<String>,
    tolerations: Vec<Value>,
    labels: Vec<(String, Value)>,
    terms: Option<Vec<Value>>,
    pub(super) load: Arc<Load>,
}

impl Wish {
    pub(in crate::controller) fn of(pod: &Value) -> Self {
        const REQUIRED: &str =
            "/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms";
        let terms = pod.pointer(REQUIRED).and_then(Value::as_array).cloned();
        let only_on = terms.as_deref().and_then(single_node);
        let selector = pod.pointer("/spec/nodeSelector").and_then(Value::as_object);
        Self {
            only_on,
            tolerations: items(pod, "/spec/tolerations").to_vec(),
            labels: selector.into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect(),
            terms,
            load: Arc::new(Load::of(pod)),
        }
    }

    /// Knows of a pod that has come to a node with this wish what it takes there, without reading it.
    pub(in crate::controller) fn granted(&self, stored: &Stored) {
        stored.part(|_| Some(self.load.clone()));
    }

    /// Why the pod cannot come to this node; none where it can.
    pub(super) fn refusal(&self, node: &Node, room: &Room) -> Option<Vec<String>> {
        let closed = Taint {
            key: "node.kubernetes.io/unschedulable".to_owned(),
            effect: "NoSchedule".to_owned(),
            value: String::new(),
        };
        if node.is_closed && !tolerates(&self.tolerations, &closed) {
            return Some(vec!["node(s) were unschedulable".to_owned()]);
        }
        let drives_away = |taint: &Taint| taint.effect != "PreferNoSchedule" && !tolerates(&self.tolerations, taint);
        if node.taints.iter().any(drives_away) {
            return Some(vec!["node(s) had untolerated taint(s)".to_owned()]);
        }
        if !self.likes(node) {
            return Some(vec!["node(s) didn't match Pod's node affinity/selector".to_owned()]);
        }
        if self.load.ports.iter().any(|port| room.ports.contains(port)) {
            return Some(vec!["node(s) didn't have free ports for the requested pod ports".to_owned()]);
        }
        let mut missing = Vec::new();
        if node.allocatable.get("pods").is_some_and(|most| (room.pods + 1) * 1000 > *most) {
            missing.push("Too many pods".to_owned());
        }
        for (name, amount) in &self.load.requests {
            // A node that says nothing about itself is as large as one likes.
            let Some(most) =
                node.allocatable.get(name).copied().or_else(|| (!node.allocatable.is_empty()).then_some(0))
            else {
                continue;
            };
            if *amount > 0 && room.taken.get(name).unwrap_or(&0) + amount > most {
                missing.push(format!("Insufficient {name}"));
            }
        }
        (!missing.is_empty()).then_some(missing)
    }

    fn likes(&self, node: &Node) -> bool {
        let selected = self.labels.iter().all(|(key, value)| node.labels.get(key) == Some(value));
        selected
            && self
                .terms
                .as_ref()
                .is_none_or(|terms| terms.iter().any(|term| term_holds(term, &node.name, &node.labels)))
    }

    /// How well the pod comes to this node: the more room is left and the fewer of its siblings are there, the better.
    pub(super) fn score(&self, node: &Node, room: &Room) -> i128 {
        let free = |name: &str| {
            let most = node.allocatable.get(name).copied().unwrap_or(0);
            let taken = room.taken.get(name).copied().unwrap_or(0) + self.load.requests.get(name).copied().unwrap_or(0);
            if most == 0 { 0 } else { (most - taken).max(0) * 100 / most }
        };
        let siblings = self.load.owner.as_ref().and_then(|owner| room.siblings.get(owner)).copied().unwrap_or(0);
        i128::midpoint(free("cpu"), free("memory")) - 200 * siblings - room.pods
    }
}

/// Does one term of a node affinity hold?
pub(in crate::controller) fn term_holds(term: &Value, node: &str, labels: &Value) -> bool {
    let (expressions, fields) = (items(term, "/matchExpressions"), items(term, "/matchFields"));
    let named = serde_json::json!({ "metadata.name": node });
    (!expressions.is_empty() || !fields.is_empty())
        && expressions.iter().all(|it| requirement_holds(it, labels))
        && fields.iter().all(|it| requirement_holds(it, &named))
}

fn requirement_holds(requirement: &Value, labels: &Value) -> bool {
    let actual = labels.get(text(requirement, "/key"));
    let values = items(requirement, "/values");
    let number = |value: Option<&Value>| value.and_then(Value::as_str).and_then(|text| text.parse::<i64>().ok());
    match text(requirement, "/operator") {
        "In" => actual.is_some_and(|actual| values.contains(actual)),
        "NotIn" => actual.is_none_or(|actual| !values.contains(actual)),
        "Exists" => actual.is_some(),
        "DoesNotExist" => actual.is_none(),
        "Gt" => number(actual).zip(number(values.first())).is_some_and(|(actual, bound)| actual > bound),
        "Lt" => number(actual).zip(number(values.first())).is_some_and(|(actual, bound)| actual < bound),
        _ => false,
    }
}

/// The one node that each term names by its field.
fn single_node(terms: &[Value]) -> Option<String> {
    let [term] = terms else { return None };
    let field = items(term, "/matchFields").iter().find(|field| field["key"] == "metadata.name")?;
    match items(field, "/values") {
        [one] if field["operator"] == "In" => one.as_str().map(str::to_owned),
        _ => None,
    }
}

/// What the containers ask for together: the running ones at once, each of the others by itself.
fn requests(pod: &Value) -> BTreeMap<String, i128> {
    let of = |container: &Value| -> BTreeMap<String, i128> {
        let asked = container.pointer("/resources/requests").and_then(Value::as_object);
        asked.into_iter().flatten().filter_map(|(name, amount)| Some((name.clone(), millis(amount)?))).collect()
    };
    let mut running: BTreeMap<String, i128> = BTreeMap::new();
    let mut starting: BTreeMap<String, i128> = BTreeMap::new();
    for container in items(pod, "/spec/initContainers") {
        let is_sidecar = text(container, "/restartPolicy") == "Always";
        for (name, amount) in of(container) {
            if is_sidecar {
                *running.entry(name).or_default() += amount;
            } else {
                let needed = amount + running.get(&name).copied().unwrap_or(0);
                let most = starting.entry(name).or_default();
                *most = (*most).max(needed);
            }
        }
    }
    for container in items(pod, "/spec/containers") {
        for (name, amount) in of(container) {
            *running.entry(name).or_default() += amount;
        }
    }
    for (name, amount) in starting {
        let total = running.entry(name).or_default();
        *total = (*total).max(amount);
    }
    let overhead = pod.pointer("/spec/overhead").and_then(Value::as_object);
    for (name, amount) in overhead.into_iter().flatten() {
        *running.entry(name.clone()).or_default() += millis(amount).unwrap_or(0);
    }
    running
}

fn host_ports(pod: &Value) -> BTreeSet<(String, i64)> {
    let containers = items(pod, "/spec/containers").iter().chain(items(pod, "/spec/initContainers"));
    let ports = containers.flat_map(|container| items(container, "/ports"));
    ports
        .filter_map(|port| Some((text(port, "/protocol").to_owned(), port["hostPort"].as_i64().filter(|it| *it > 0)?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn tolerations_follow_kubernetes() {
        let taint = Taint { key: "a".into(), value: "b".into(), effect: "NoSchedule".into() };
        assert!(tolerates(&[json!({ "operator": "Exists" })], &taint));
        assert!(tolerates(&[json!({ "key": "a", "value": "b" })], &taint));
        assert!(!tolerates(&[json!({ "key": "a", "value": "c" })], &taint));
        assert!(!tolerates(&[json!({ "key": "a", "operator": "Exists", "effect": "NoExecute" })], &taint));
    }

    #[test]
    fn starting_containers_need_no_more_than_the_largest_of_them() {
        let asks = |cpu: &str| json!({ "resources": { "requests": { "cpu": cpu } } });
        let mut sidecar = asks("100m");
        sidecar["restartPolicy"] = "Always".into();
        let pod =
            json!({ "spec": { "initContainers": [sidecar, asks("2")], "containers": [asks("500m"), asks("1")] } });
        assert_eq!(requests(&pod).get("cpu"), Some(&2100));
    }

    #[test]
    fn a_full_node_says_what_it_lacks() {
        let node = Node {
            name: "n".into(),
            labels: json!({}),
            taints: Vec::new(),
            is_closed: false,
            allocatable: [("cpu".to_owned(), 1000), ("pods".to_owned(), 1000)].into(),
        };
        let wish = Wish::of(&json!({ "spec": { "containers": [{ "resources": { "requests": { "cpu": "600m" } } }] } }));
        let mut room = Room::default();
        assert_eq!(wish.refusal(&node, &room), None);
        room.take(&wish.load);
        let lacks = vec!["Too many pods".to_owned(), "Insufficient cpu".to_owned()];
        assert_eq!(wish.refusal(&node, &room), Some(lacks));
    }
}
