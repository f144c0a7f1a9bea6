//! The nodes of a scenario: a number, or a list of them.
//!
//! Not known here: what runs on them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

/// Room on a node for pods, unless it says otherwise.
const PODS: u32 = 110;

/// The nodes.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Nodes {
    /// That many, called `node-0`, `node-1` and so on.
    Count(u32),
    /// These.
    Named(Vec<Node>),
}

/// One node.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Labels beside those that every node has.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Whether nothing new may be scheduled on it.
    #[serde(default)]
    pub unschedulable: bool,
    /// How many pods have room.
    #[serde(default)]
    pub pods: Option<u32>,
}

impl Default for Nodes {
    fn default() -> Self {
        Self::Count(3)
    }
}

impl Nodes {
    /// More than that is a slip of the hand: twenty times what Kubernetes itself is made for.
    pub(super) const MOST: u32 = 100_000;

    /// As objects.
    pub fn all(&self) -> Vec<Value> {
        match self {
            Self::Count(count) => (0..*count).map(|number| object(&Node::called(format!("node-{number}")))).collect(),
            Self::Named(nodes) => nodes.iter().map(object).collect(),
        }
    }
}

impl Node {
    fn called(name: String) -> Self {
        Self { name, labels: BTreeMap::new(), unschedulable: false, pods: None }
    }
}

fn object(node: &Node) -> Value {
    let mut labels = json!({
        "kubernetes.io/hostname": node.name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
    });
    for (key, value) in &node.labels {
        labels[key] = json!(value);
    }
    let room = json!({ "cpu": "64", "memory": "256Gi", "pods": node.pods.unwrap_or(PODS).to_string() });
    let mut spec = json!({});
    if node.unschedulable {
        spec = json!({ "unschedulable": true });
    }
    json!({
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": { "name": node.name, "labels": labels },
        "spec": spec,
        "status": { "capacity": room, "allocatable": room },
    })
}
