//! A pod as those see it who count pods: the few fields that they decide by, read without the rest.
//!
//! Not known here: what anybody counts pods for.

use std::{cmp::Ordering, sync::Arc};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Hand, reading::later};
use crate::{
    actor::json::{as_map, map_at, name, namespace, text},
    resource::Resource,
    store::Stored,
};

pub(super) const PODS: Resource = Resource::core("pods");

/// A pod.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) stored: Arc<Stored>,
    brief: Arc<Brief>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Brief {
    metadata: Metadata,
    spec: Spec,
    status: PodStatus,
    #[serde(skip)]
    meant_for: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Metadata {
    creation_timestamp: Option<Timestamp>,
    deletion_timestamp: Option<Timestamp>,
    annotations: Annotations,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Annotations {
    #[serde(rename = "controller.kubernetes.io/pod-deletion-cost")]
    deletion_cost: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Spec {
    node_name: Option<String>,
    hostname: Option<String>,
    subdomain: Option<String>,
}

/// The affinity of a pod that is on no node yet.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Wish {
    spec: WishSpec,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WishSpec {
    affinity: Value,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PodStatus {
    phase: String,
    #[serde(rename = "podIP")]
    pod_ip: Option<String>,
    conditions: Vec<Condition>,
    container_statuses: Vec<Container>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Condition {
    r#type: String,
    status: String,
    last_transition_time: Option<Timestamp>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Container {
    restart_count: i64,
    state: State,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct State {
    terminated: Option<Terminated>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Terminated {
    finished_at: Option<Timestamp>,
}

/// Whether a pod has been ready for long enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Availability {
    No,
    /// It will be then, if it stays ready.
    At(Timestamp),
    Yes,
}

impl Brief {
    fn of(stored: &Stored) -> Self {
        // What does not read as a pod counts as one of which nothing is known.
        let mut brief: Self = serde_json::from_slice(stored.bytes()).unwrap_or_default();
        let is_bound = brief.spec.node_name.as_ref().is_some_and(|node| !node.is_empty());
        brief.meant_for = if is_bound { None } else { meant_for(stored) };
        brief
    }
}

impl Member {
    pub(super) fn of(stored: Arc<Stored>) -> Self {
        let brief = stored.part(Brief::of);
        Self { stored, brief }
    }

    pub(super) fn name(&self) -> &str {
        self.stored.name()
    }

    pub(super) fn namespace(&self) -> &str {
        self.stored.namespace()
    }

    pub(super) fn uid(&self) -> &str {
        &self.stored.uid
    }

    pub(super) fn label(&self, key: &str) -> Option<&str> {
        self.stored.label(key)
    }

    pub(super) fn node(&self) -> Option<&str> {
        self.brief.spec.node_name.as_deref().filter(|node| !node.is_empty())
    }

    pub(super) fn hostname(&self) -> Option<&str> {
        self.brief.spec.hostname.as_deref().filter(|name| !name.is_empty())
    }

    pub(super) fn subdomain(&self) -> Option<&str> {
        self.brief.spec.subdomain.as_deref().filter(|name| !name.is_empty())
    }

    /// The one node that a pod without one is made for.
    pub(super) fn meant_for(&self) -> Option<&str> {
        self.brief.meant_for.as_deref()
    }

    /// When the last of its containers ended.
    pub(super) fn ended(&self) -> Option<Timestamp> {
        let containers = self.brief.status.container_statuses.iter();
        containers.filter_map(|container| container.state.terminated.as_ref()?.finished_at).max()
    }

    pub(super) fn ip(&self) -> Option<&str> {
        self.brief.status.pod_ip.as_deref().filter(|ip| !ip.is_empty())
    }

    pub(super) fn phase(&self) -> &str {
        &self.brief.status.phase
    }

    pub(super) fn created(&self) -> Timestamp {
        self.brief.metadata.creation_timestamp.unwrap_or(Timestamp::UNIX_EPOCH)
    }

    pub(super) fn is_leaving(&self) -> bool {
        self.brief.metadata.deletion_timestamp.is_some()
    }

    /// Has it ended, well or not?
    pub(super) fn has_ended(&self) -> bool {
        matches!(self.phase(), "Succeeded" | "Failed")
    }

    /// Neither ended nor leaving.
    pub(super) fn is_active(&self) -> bool {
        !self.is_leaving() && !self.has_ended()
    }

    fn ready_condition(&self) -> Option<&Condition> {
        self.brief.status.conditions.iter().find(|condition| condition.r#type == "Ready" && condition.status == "True")
    }

    pub(super) fn is_ready(&self) -> bool {
        self.ready_condition().is_some()
    }

    /// Has it been ready for so many seconds?
    pub(super) fn availability(&self, seconds: i64, now: Timestamp) -> Availability {
        let Some(ready) = self.ready_condition() else { return Availability::No };
        if seconds == 0 {
            return Availability::Yes;
        }
        let at = later(ready.last_transition_time.unwrap_or(now), seconds);
        if at <= now { Availability::Yes } else { Availability::At(at) }
    }

    fn restarts(&self) -> i64 {
        self.brief.status.container_statuses.iter().map(|container| container.restart_count).max().unwrap_or(0)
    }

    fn deletion_cost(&self) -> i64 {
        self.brief.metadata.annotations.deletion_cost.as_deref().and_then(|cost| cost.parse().ok()).unwrap_or(0)
    }

    /// Which of two pods a controller lets go first; the lesser one. Beside each stands how many ready pods of the same
    /// kind share its node.
    pub(super) fn expendable((a, rank_a): (&Self, usize), (b, rank_b): (&Self, usize)) -> Ordering {
        let phase = |pod: &Self| match pod.phase() {
            "Pending" => 0,
            "Running" => 2,
            _ => 1,
        };
        let since = |pod: &Self| pod.ready_condition().and_then(|ready| ready.last_transition_time);
        a.node()
            .is_some()
            .cmp(&b.node().is_some())
            .then_with(|| phase(a).cmp(&phase(b)))
            .then_with(|| a.is_ready().cmp(&b.is_ready()))
            .then_with(|| a.deletion_cost().cmp(&b.deletion_cost()))
            .then_with(|| rank_b.cmp(&rank_a))
            .then_with(|| since(b).cmp(&since(a)))
            .then_with(|| b.restarts().cmp(&a.restarts()))
            .then_with(|| b.created().cmp(&a.created()))
            .then_with(|| a.uid().cmp(b.uid()))
    }
}

fn meant_for(stored: &Stored) -> Option<String> {
    const TERM: &str = "/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms/0/matchFields/0";
    let wish: Wish = serde_json::from_slice(stored.bytes()).ok()?;
    Some(wish.spec.affinity.pointer(TERM)?.pointer("/values/0")?.as_str()?.to_owned())
}

/// The pods that an owner controls.
pub(super) fn controlled(hand: &Hand, owner: &str) -> Vec<Member> {
    let pods = hand.stored_of(PODS, owner).into_iter();
    pods.filter(|stored| stored.controller().is_some_and(|it| &*it.uid == owner)).map(Member::of).collect()
}

/// Pods of the namespace that nobody controls and that a selector means, taken in by a reference to the owner; pods that
/// the selector no longer means are let go. Says whether anything was changed.
pub(super) async fn claim(hand: &Hand, owner: &Value, kind: (&str, &str), selector: &Value) -> bool {
    let uid = text(owner, "/metadata/uid");
    let mut is_changed = false;
    for pod in hand.stored(PODS, Some(namespace(owner))) {
        let is_meant = || pod.is_selected(selector);
        let change = match pod.controller() {
            None if is_meant() => {
                let mut object = pod.value();
                if !text(&object, "/metadata/deletionTimestamp").is_empty() {
                    continue;
                }
                push_owner(&mut object, reference(owner, kind));
                object
            }
            Some(controller) if &*controller.uid == uid && !is_meant() => {
                let mut object = pod.value();
                let owners = map_at(&mut object, "metadata").get_mut("ownerReferences");
                if let Some(owners) = owners.and_then(Value::as_array_mut) {
                    owners.retain(|it| it["uid"] != uid);
                }
                object
            }
            _ => continue,
        };
        is_changed |= hand.update(PODS, change).await.is_ok();
    }
    is_changed
}

/// Adds an owner reference to an object.
pub(super) fn push_owner(object: &mut Value, reference: Value) {
    crate::actor::json::list_at(as_map(object).entry("metadata").or_insert(Value::Null), "ownerReferences")
        .push(reference);
}

/// The labels of a stored object, as a map that selectors can be held against.
pub(super) fn labels(stored: &Stored) -> Value {
    stored.labels.iter().map(|(key, value)| (key.to_string(), Value::from(&**value))).collect()
}

/// The reference by which an owner controls what it made. `kind` is its API version and kind.
pub(super) fn reference(owner: &Value, (api_version, kind): (&str, &str)) -> Value {
    json!({
        "apiVersion": api_version, "kind": kind, "name": name(owner), "uid": owner["metadata"]["uid"],
        "controller": true, "blockOwnerDeletion": true,
    })
}

/// A pod made from a template, owned, with a name that the server completes.
pub(super) fn from_template(owner: &Value, kind: (&str, &str), template: &Value) -> Value {
    let mut metadata = json!({ "generateName": prefix(name(owner)), "namespace": namespace(owner) });
    for field in ["labels", "annotations", "finalizers"] {
        if let Some(value) = template["metadata"].get(field) {
            metadata[field] = value.clone();
        }
    }
    metadata["ownerReferences"] = json!([reference(owner, kind)]);
    json!({ "apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"] })
}

/// What the names of an owner's pods begin with.
fn prefix(owner: &str) -> String {
    format!("{owner}-")
}
