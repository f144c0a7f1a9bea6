//! DaemonSets: one pod on every node that should have one.
//!
//! Not known here: how a pod gets to its node. It is made for it, by its affinity, and scheduled like any other.

mod place;
mod rollout;

use std::collections::BTreeMap;

use futures::future::BoxFuture;
use serde_json::{Map, Value, json};

use self::place::Place;
use super::{
    Controller, Gravity, Hand, Key, Next, Watch,
    member::{self, Availability, Member, PODS},
    node::NODES,
    reading::{count, counted, is_leaving},
    revision::{self, Marks},
    scheduler::Plan,
    sibling::{self, Way},
};
use crate::{
    actor::json::{annotation, as_map, map_at, name, text},
    resource::Resource,
    server::Deletion,
    status::Status,
};

const DAEMON_SETS: Resource = Resource::of("apps", "v1", "daemonsets");
const KIND: (&str, &str) = ("apps/v1", "DaemonSet");
const HASH: &str = "controller-revision-hash";
const GENERATION: &str = "deprecated.daemonset.template.generation";
const MARKS: Marks = Marks { kind: KIND, label: HASH };

/// As many pods as are made or deleted in one go.
const BURST: usize = 5000;

pub(super) const DAEMON_SET: Controller = Controller {
    name: "daemonset-controller",
    watches: &[
        Watch::itself(DAEMON_SETS),
        Watch::owner(PODS, "DaemonSet"),
        Watch::owner(revision::REVISIONS, "DaemonSet"),
        Watch::by(NODES, of_nodes),
    ],
    reconcile: |hand, key| boxed(hand, key),
};

fn boxed<'a>(hand: &'a Hand, key: &'a Key) -> BoxFuture<'a, Result<Next, Status>> {
    Box::pin(reconcile(hand, key))
}

/// Every DaemonSet, where a node is other than it was in what decides who comes to it.
fn of_nodes(hand: &Hand, event: &crate::store::Event) -> Vec<Key> {
    let is_news = event.is_deletion || event.old.as_ref().is_none_or(|old| place::is_news(old, &event.new));
    if !is_news {
        return Vec::new();
    }
    hand.stored(DAEMON_SETS, None).iter().map(|set| Key::new(set.namespace(), set.name())).collect()
}

/// The pods of each node, or of none yet.
type ByNode<'a> = BTreeMap<&'a str, Vec<&'a Member>>;

async fn reconcile(hand: &Hand, key: &Key) -> Result<Next, Status> {
    let Some(set) = hand.get(DAEMON_SETS, &key.namespace, &key.name) else { return Ok(Next::Done) };
    let uid = text(&set, "/metadata/uid").to_owned();
    if set["spec"]["selector"].as_object().is_none_or(Map::is_empty) {
        let message = "This daemon set is selecting all pods. A non-empty selector is required.";
        hand.event(&set, Gravity::Warning, "SelectingAll", message).await;
        return Ok(Next::Done);
    }
    let mut known = revision::of_owner(hand, &uid);
    if is_leaving(&set) {
        return Ok(Next::Done);
    }
    let current = revision::present(hand, &set, MARKS, &mut known).await?;
    let hash = revision::hash(&current, MARKS).to_owned();
    member::claim(hand, &set, KIND, &set["spec"]["selector"]).await;
    let nodes = hand.stored(NODES, None);
    let rule = place::Rule::of(&set);
    let places: Vec<Place<'_>> = nodes.iter().map(|node| rule.place(node)).collect();
    let mut pods = member::controlled(hand, &uid);
    let on = by_node(&pods);
    let (mut moved, later) = manage(hand, &set, &places, &on, &hash).await;
    if let Ok(Moved::Nothing) = moved
        && text(&set, "/spec/updateStrategy/type") == "RollingUpdate"
    {
        moved = Ok(rollout::roll(hand, &set, &places, &on, &hash).await?);
    }
    if !matches!(moved, Ok(Moved::Nothing)) {
        pods = member::controlled(hand, &uid);
    }
    let used: Vec<&str> = pods.iter().filter_map(|pod| pod.label(HASH)).collect();
    let is_used = |it: &Value| revision::hash(it, MARKS) == hash || used.contains(&revision::hash(it, MARKS));
    revision::clean(hand, &set, &known, is_used).await?;
    let next = tell(hand, set, &places, &pods, &hash).await?;
    moved.map(|_| next.sooner(later))
}

/// Whether pods were made or let go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moved {
    Nothing,
    Some,
}

fn by_node(pods: &[Member]) -> ByNode<'_> {
    let mut found: ByNode<'_> = BTreeMap::new();
    for pod in pods {
        found.entry(place::node_of(pod)).or_default().push(pod);
    }
    for pods in found.values_mut() {
        pods.sort_by(|a, b| {
            let order = |pod: &Member| (pod.node().is_none(), pod.created());
            order(a).cmp(&order(b)).then_with(|| a.uid().cmp(b.uid()))
        });
    }
    found
}

/// Makes the pods that nodes lack, and lets those go that no node should have.
async fn manage(
    hand: &Hand,
    set: &Value,
    places: &[Place<'_>],
    on: &ByNode<'_>,
    hash: &str,
) -> (Result<Moved, Status>, Next) {
    let (mut lacking, mut surplus) = (Vec::new(), Vec::new());
    let surges = rollout::surges(set);
    for place in places {
        let here = on.get(place.node).map_or(&[][..], Vec::as_slice);
        match place {
            Place { should_run: true, .. } if here.is_empty() => lacking.push(place.node),
            Place { may_stay: true, .. } => {
                let mut running = Vec::new();
                for pod in here.iter().filter(|pod| !pod.is_leaving()) {
                    let (gravity, reason, word) = match pod.phase() {
                        "Failed" => (Gravity::Warning, "FailedDaemonPod", "failed"),
                        "Succeeded" => (Gravity::Normal, "SucceededDaemonPod", "succeeded"),
                        _ => {
                            running.push(*pod);
                            continue;
                        }
                    };
                    let end = if word == "failed" { "kill" } else { "delete" };
                    let (space, named, node) = (pod.namespace(), pod.name(), place.node);
                    let message =
                        format!("Found {word} daemon pod {space}/{named} on node {node}, will try to {end} it");
                    hand.event(set, gravity, reason, &message).await;
                    surplus.push(*pod);
                }
                if surges && running.is_empty() && place.should_run {
                    lacking.push(place.node);
                } else if surges {
                    rollout::superseded(hand, set, &running, hash, &mut surplus);
                } else {
                    surplus.extend(running.into_iter().skip(1));
                }
            }
            _ => surplus.extend(here.iter().filter(|pod| !pod.is_leaving())),
        }
    }
    let alike = on.values().flatten().copied().filter(|pod| pod.label(HASH) == Some(hash));
    let next = match Way::of(hand, lacking.len(), alike) {
        Way::Made => Next::Done,
        Way::First => {
            lacking.truncate(1);
            Next::Done
        }
        Way::Later(at) => {
            lacking.clear();
            Next::At(at)
        }
        Way::Copied(model) => match copy(hand, &model, &lacking) {
            Ok(left) => {
                lacking = left;
                Next::Done
            }
            Err(status) => return (Err(status), Next::Done),
        },
    };
    (sync(hand, set, &surplus, &lacking, hash).await, next)
}

/// Puts copies of a pod on nodes; says which have no room for one.
fn copy<'a>(hand: &Hand, model: &Value, nodes: &[&'a str]) -> Result<Vec<&'a str>, Status> {
    let mut plan = Plan::of(hand, "");
    let mut left = Vec::new();
    for node in nodes {
        let mut copied = model.clone();
        mean_for(&mut copied, node);
        if !sibling::put(hand, copied, &mut plan)? {
            left.push(*node);
        }
    }
    Ok(left)
}

/// Lets pods go, and makes pods for nodes.
async fn sync(hand: &Hand, set: &Value, surplus: &[&Member], lacking: &[&str], hash: &str) -> Result<Moved, Status> {
    let moved = if surplus.is_empty() && lacking.is_empty() { Moved::Nothing } else { Moved::Some };
    let template = if lacking.is_empty() { Value::Null } else { pod_template(set, hash) };
    for node in lacking.iter().take(BURST) {
        let pod = pod_for(set, &template, node);
        match hand.create(PODS, pod).await {
            Ok(made) => {
                let message = format!("Created pod: {}", name(&made));
                hand.event(set, Gravity::Normal, "SuccessfulCreate", &message).await;
            }
            Err(status) => {
                let message = format!("Error creating: {}", status.message);
                hand.event(set, Gravity::Warning, "FailedCreate", &message).await;
                return Err(status);
            }
        }
    }
    for pod in surplus.iter().take(BURST) {
        match hand.delete(PODS, (pod.namespace(), pod.name()), Deletion::default()).await {
            Err(status) if !status.is_not_found() => {
                let message = format!("Error deleting: {}", status.message);
                hand.event(set, Gravity::Warning, "FailedDelete", &message).await;
                return Err(status);
            }
            _ => {
                let message = format!("Deleted pod: {}", pod.name());
                hand.event(set, Gravity::Normal, "SuccessfulDelete", &message).await;
            }
        }
    }
    Ok(moved)
}

/// The template with the labels and tolerations that all of its pods get.
fn pod_template(set: &Value, hash: &str) -> Value {
    let mut template = set["spec"]["template"].clone();
    let labels = map_at(as_map(&mut template).entry("metadata").or_insert(Value::Null), "labels");
    labels.insert(HASH.to_owned(), hash.into());
    let generation =
        annotation(set, GENERATION).map_or_else(|| count(set, "/metadata/generation").to_string(), str::to_owned);
    labels.insert("pod-template-generation".to_owned(), generation.into());
    place::add_tolerations(&mut template["spec"]);
    template
}

/// The pod for one node: its affinity leaves it no other.
fn pod_for(set: &Value, template: &Value, node: &str) -> Value {
    let mut pod = member::from_template(set, KIND, template);
    mean_for(&mut pod, node);
    pod
}

/// Leaves a pod no other node.
fn mean_for(pod: &mut Value, node: &str) {
    let only = json!([{ "key": "metadata.name", "operator": "In", "values": [node] }]);
    let affinity = map_at(&mut pod["spec"], "affinity");
    let node_affinity = affinity.entry("nodeAffinity").or_insert_with(|| json!({}));
    let required = map_at(node_affinity, "requiredDuringSchedulingIgnoredDuringExecution");
    let terms = required.entry("nodeSelectorTerms").or_insert_with(|| json!([]));
    match terms.as_array_mut() {
        Some(terms) if !terms.is_empty() => terms.iter_mut().for_each(|term| term["matchFields"] = only.clone()),
        _ => *terms = json!([{ "matchFields": only }]),
    }
}

/// Counts nodes and pods, and says so.
async fn tell(hand: &Hand, mut set: Value, places: &[Place<'_>], pods: &[Member], hash: &str) -> Result<Next, Status> {
    let on = by_node(pods);
    let (now, patience) = (hand.now(), count(&set, "/spec/minReadySeconds"));
    let (mut desired, mut scheduled, mut misplaced) = (0, 0, 0);
    let (mut ready, mut available, mut updated) = (0, 0, 0);
    let mut next = Next::Done;
    for place in places {
        let first = on.get(place.node).and_then(|pods| pods.first());
        if !place.should_run {
            misplaced += i64::from(first.is_some());
            continue;
        }
        desired += 1;
        let Some(pod) = first else { continue };
        scheduled += 1;
        ready += i64::from(pod.is_ready());
        match pod.availability(patience, now) {
            Availability::Yes => available += 1,
            Availability::At(at) => next = next.sooner(Next::At(at)),
            Availability::No => {}
        }
        updated += i64::from(pod.label(HASH) == Some(hash));
    }
    let mut status = Map::new();
    for (field, count) in [
        ("currentNumberScheduled", scheduled),
        ("numberMisscheduled", misplaced),
        ("desiredNumberScheduled", desired),
        ("numberReady", ready),
    ] {
        status.insert(field.to_owned(), count.into());
    }
    counted(&mut status, "observedGeneration", count(&set, "/metadata/generation"));
    counted(&mut status, "updatedNumberScheduled", updated);
    counted(&mut status, "numberAvailable", available);
    counted(&mut status, "numberUnavailable", desired - available);
    for kept in ["collisionCount", "conditions"] {
        if let Some(value) = set["status"].get(kept) {
            status.insert(kept.to_owned(), value.clone());
        }
    }
    let status = Value::Object(status);
    if set["status"] != status {
        set["status"] = status;
        hand.update_status(DAEMON_SETS, set).await?;
    }
    Ok(next)
}
