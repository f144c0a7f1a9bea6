//! Which nodes should have a pod of a DaemonSet, and which may keep one.
//!
//! Not known here: pods, beyond which node one is meant for.

use serde_json::{Value, json};

use crate::{
    actor::json::{items, list_at, text},
    controller::{
        member::Member,
        scheduler::fit::{Node, term_holds, tolerates},
    },
    store::Stored,
};

/// A node, as one DaemonSet sees it.
pub(super) struct Place<'a> {
    pub(super) node: &'a str,
    pub(super) should_run: bool,
    pub(super) may_stay: bool,
}

/// Where a DaemonSet wants its pods.
pub(super) struct Rule {
    name: String,
    labels: Vec<(String, String)>,
    terms: Option<Vec<Value>>,
    tolerations: Vec<Value>,
}

/// Has a node changed in what decides who comes to it?
pub(super) fn is_news(old: &Stored, new: &Stored) -> bool {
    let (old, new) = (Node::of(old), Node::of(new));
    old.labels != new.labels || old.taints != new.taints
}

impl Rule {
    pub(super) fn of(set: &Value) -> Self {
        const REQUIRED: &str =
            "/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms";
        let mut spec = set["spec"]["template"]["spec"].clone();
        add_tolerations(&mut spec);
        let selector = spec["nodeSelector"].as_object();
        let pair = |(key, value): (&String, &Value)| (key.clone(), value.as_str().unwrap_or_default().to_owned());
        Self {
            name: text(&spec, "/nodeName").to_owned(),
            labels: selector.into_iter().flatten().map(pair).collect(),
            terms: spec.pointer(REQUIRED).and_then(Value::as_array).cloned(),
            tolerations: items(&spec, "/tolerations").to_vec(),
        }
    }

    pub(super) fn place<'a>(&self, node: &'a Stored) -> Place<'a> {
        let known = Node::of(node);
        let selected = (self.name.is_empty() || self.name == node.name())
            && self.labels.iter().all(|(key, value)| node.label(key) == Some(value))
            && self
                .terms
                .as_ref()
                .is_none_or(|terms| terms.iter().any(|term| term_holds(term, node.name(), &known.labels)));
        let drives_away = |effects: &[&str]| {
            let taints = known.taints.iter();
            taints.filter(|taint| effects.contains(&&*taint.effect)).any(|taint| !tolerates(&self.tolerations, taint))
        };
        Place {
            node: node.name(),
            should_run: selected && !drives_away(&["NoSchedule", "NoExecute"]),
            may_stay: selected && !drives_away(&["NoExecute"]),
        }
    }
}

/// Adds what every pod of a DaemonSet tolerates.
pub(super) fn add_tolerations(spec: &mut Value) {
    let on_host = spec["hostNetwork"] == true;
    let tolerations = list_at(spec, "tolerations");
    let mut add = |name: &str, effect: &str| {
        let key = format!("node.kubernetes.io/{name}");
        let wanted = json!({ "key": key, "operator": "Exists", "effect": effect });
        let is_known = tolerations.iter().any(|it| it["key"] == wanted["key"] && it["effect"] == wanted["effect"]);
        if !is_known {
            tolerations.push(wanted);
        }
    };
    add("not-ready", "NoExecute");
    add("unreachable", "NoExecute");
    for name in ["disk-pressure", "memory-pressure", "pid-pressure", "unschedulable"] {
        add(name, "NoSchedule");
    }
    if on_host {
        add("network-unavailable", "NoSchedule");
    }
}

/// The node that a pod is on, or is meant for.
pub(super) fn node_of(pod: &Member) -> &str {
    pod.node().or_else(|| pod.meant_for()).unwrap_or_default()
}
