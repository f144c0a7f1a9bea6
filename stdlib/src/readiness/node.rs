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

    fn label(&self, key: &str) -> Option<&str> {
        self.labels.iter().find(|(own, _)| own == key).map(|(_, value)| value.as_str())
    }
}

/// Which nodes a DaemonSet wants a pod on: node selector, required affinity, taints. Read once for all nodes.
pub(crate) struct Demand<'a> {
    bound: &'a str,
    labels: Vec<(&'a str, &'a str)>,
    terms: Option<&'a [Value]>,
    tolerations: Vec<Toleration<'a>>,
    is_on_host: bool,
}

struct Toleration<'a> {
    key: &'a str,
    effect: &'a str,
    value: &'a str,
    exists: bool,
}

impl<'a> Demand<'a> {
    /// What the template of a DaemonSet asks for; none where it has no pods to make.
    pub(crate) fn of(daemonset: &'a Value) -> Option<Self> {
        const TERMS: &str = "/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms";
        let spec = daemonset.pointer("/spec/template/spec")?;
        let toleration = |toleration: &'a Value| Toleration {
            key: text(toleration, "/key"),
            effect: text(toleration, "/effect"),
            value: text(toleration, "/value"),
            exists: text(toleration, "/operator") == "Exists",
        };
        Some(Self {
            bound: text(spec, "/nodeName"),
            labels: pairs(spec, "/nodeSelector").collect(),
            terms: spec.pointer(TERMS).map(|_| items(spec, TERMS)),
            tolerations: items(spec, "/tolerations").iter().map(toleration).collect(),
            is_on_host: flag(spec, "/hostNetwork"),
        })
    }

    /// Whether a node should have a pod.
    ///
    /// A cordoned node counts, as it does for the controller, unless it is down as well: nothing will happen there.
    pub(crate) fn wants(&self, node: &NodeState) -> bool {
        (!node.cordoned || node.ready)
            && (self.bound.is_empty() || self.bound == node.name)
            && self.labels.iter().all(|(key, value)| node.label(key) == Some(*value))
            && self.terms.is_none_or(|terms| terms.iter().any(|term| is_met(term, node)))
            && node.taints.iter().all(|taint| self.tolerates(taint))
    }

    fn tolerates(&self, (key, value, effect): &(String, String, String)) -> bool {
        GIVEN.contains(&key.as_str())
            || key == "node.kubernetes.io/network-unavailable" && self.is_on_host
            || self.tolerations.iter().any(|one| {
                (one.effect.is_empty() || one.effect == effect)
                    && (one.key == key || one.key.is_empty() && one.exists)
                    && (one.exists || one.value == value)
            })
    }
}

/// Does a term of an affinity hold? One without any requirement matches nothing.
fn is_met(term: &Value, node: &NodeState) -> bool {
    let (labels, fields) = (items(term, "/matchExpressions"), items(term, "/matchFields"));
    (!labels.is_empty() || !fields.is_empty())
        && labels.iter().all(|wanted| meets(wanted, node.label(text(wanted, "/key"))))
        && fields.iter().all(|wanted| meets(wanted, Some(&node.name)))
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

/// The verdict on a node: its Ready condition.
pub fn verdict(node: &Value) -> Verdict {
    match condition(node, "Ready") {
        Some(ready) if text(ready, "/status") == "True" => Verdict::Ready,
        Some(ready) => Verdict::because(words_of(ready)),
        None => Verdict::because("its kubelet has not reported yet"),
    }
}
