//! Nodes: when one is ready, and whether a DaemonSet wants a pod on it.
//!
//! Does not know which pods are there.

use serde_json::Value;

use super::object::{condition, flag, holds, items, name, pairs, text, words_of};
use super::verdict::Verdict;

/// What is kept of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeState {
    /// Its name.
    pub name: String,
    /// Whether its Ready condition is true.
    pub ready: bool,
    /// Whether it is cordoned.
    pub cordoned: bool,
    labels: Vec<(String, String)>,
    /// Taints that keep pods away: key, value, effect.
    taints: Vec<(String, String, String)>,
}

impl NodeState {
    /// What is kept of a node.
    pub fn of(node: &Value) -> Self {
        let taints = items(node, "/spec/taints").iter();
        Self {
            name: name(node).to_owned(),
            ready: holds(node, "Ready"),
            cordoned: flag(node, "/spec/unschedulable"),
            labels: pairs(node, "/metadata/labels").map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
            taints: taints
                .map(|taint| {
                    let part = |pointer| text(taint, pointer).to_owned();
                    (part("/key"), part("/value"), part("/effect"))
                })
                .filter(|(_, _, effect)| effect == "NoSchedule" || effect == "NoExecute")
                .collect(),
        }
    }

    /// Whether a DaemonSet wants a pod here: node selector, required affinity, taints.
    ///
    /// A cordoned node counts, as it does for the controller, unless it is down as well: nothing will happen there.
    pub fn wanted_by(&self, daemonset: &Value) -> bool {
        if self.cordoned && !self.ready {
            return false;
        }
        let Some(spec) = daemonset.pointer("/spec/template/spec") else { return false };
        let bound = text(spec, "/nodeName");
        (bound.is_empty() || bound == self.name)
            && pairs(spec, "/nodeSelector").all(|(key, value)| self.label(key) == Some(value))
            && self.fits_affinity(spec)
            && self.taints.iter().all(|taint| tolerated(spec, taint))
    }

    fn label(&self, key: &str) -> Option<&str> {
        self.labels.iter().find(|(own, _)| own == key).map(|(_, value)| value.as_str())
    }

    fn fits_affinity(&self, spec: &Value) -> bool {
        let path = "/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms";
        if spec.pointer(path).is_none() {
            return true;
        }
        items(spec, path).iter().any(|term| {
            let (labels, fields) = (items(term, "/matchExpressions"), items(term, "/matchFields"));
            // A term without any requirement matches nothing.
            (!labels.is_empty() || !fields.is_empty())
                && labels.iter().all(|wanted| meets(wanted, self.label(text(wanted, "/key"))))
                && fields.iter().all(|wanted| meets(wanted, Some(&self.name)))
        })
    }
}

fn meets(requirement: &Value, value: Option<&str>) -> bool {
    let listed = || items(requirement, "/values").iter().filter_map(Value::as_str);
    let compared = |holds: fn(i64, i64) -> bool| {
        let ours = value.and_then(|value| value.parse().ok());
        let theirs = listed().next().and_then(|value| value.parse().ok());
        ours.zip(theirs).is_some_and(|(ours, theirs)| holds(ours, theirs))
    };
    match text(requirement, "/operator") {
        "In" => value.is_some_and(|value| listed().any(|one| one == value)),
        "NotIn" => !value.is_some_and(|value| listed().any(|one| one == value)),
        "Exists" => value.is_some(),
        "DoesNotExist" => value.is_none(),
        "Gt" => compared(|ours, theirs| ours > theirs),
        "Lt" => compared(|ours, theirs| ours < theirs),
        _ => false,
    }
}

/// What the controller lets every DaemonSet's pods tolerate.
const GIVEN: [&str; 6] = [
    "node.kubernetes.io/not-ready",
    "node.kubernetes.io/unreachable",
    "node.kubernetes.io/disk-pressure",
    "node.kubernetes.io/memory-pressure",
    "node.kubernetes.io/pid-pressure",
    "node.kubernetes.io/unschedulable",
];

fn tolerated(spec: &Value, (key, value, effect): &(String, String, String)) -> bool {
    let given =
        GIVEN.contains(&key.as_str()) || key == "node.kubernetes.io/network-unavailable" && flag(spec, "/hostNetwork");
    given
        || items(spec, "/tolerations").iter().any(|toleration| {
            let (of_key, of_effect) = (text(toleration, "/key"), text(toleration, "/effect"));
            let exists = text(toleration, "/operator") == "Exists";
            (of_effect.is_empty() || of_effect == effect)
                && (of_key == key || of_key.is_empty() && exists)
                && (exists || text(toleration, "/value") == value)
        })
}

/// The verdict on a node: its Ready condition.
pub fn verdict(node: &Value) -> Verdict {
    match condition(node, "Ready") {
        Some(ready) if text(ready, "/status") == "True" => Verdict::Ready,
        Some(ready) => Verdict::because(words_of(ready)),
        None => Verdict::because("its kubelet has not reported yet"),
    }
}
