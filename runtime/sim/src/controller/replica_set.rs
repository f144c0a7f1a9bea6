//! ReplicaSets: so many pods of one template.
//!
//! Not known here: Deployments.

use std::collections::HashMap;

use futures::future::BoxFuture;
use serde_json::{Map, Value, json};

use super::{
    Controller, Gravity, Hand, Key, Next, Watch, condition,
    member::{self, Availability, Member, PODS},
    reading::{count, counted, is_leaving, replicas, stamp},
    sibling::{self, Way},
};
use crate::{
    actor::json::{items, namespace, text},
    resource::Resource,
    server::Deletion,
    status::Status,
};

pub(super) const REPLICA_SETS: Resource = Resource::of("apps", "v1", "replicasets");
const KIND: (&str, &str) = ("apps/v1", "ReplicaSet");

/// As many as are made or deleted in one go.
const BURST: usize = 5000;

pub(super) const REPLICA_SET: Controller = Controller {
    name: "replicaset-controller",
    watches: &[Watch::itself(REPLICA_SETS), Watch::owner(PODS, "ReplicaSet"), Watch::by(PODS, adopters)],
    reconcile: |hand, key| boxed(hand, key),
};

fn boxed<'a>(hand: &'a Hand, key: &'a Key) -> BoxFuture<'a, Result<Next, Status>> {
    Box::pin(reconcile(hand, key))
}

/// The sets that may want to take in a pod that nobody controls.
fn adopters(hand: &Hand, event: &crate::store::Event) -> Vec<Key> {
    if event.new.controller().is_some() || event.is_deletion || event.new.labels.is_empty() {
        return Vec::new();
    }
    let sets = hand.list(REPLICA_SETS, Some(event.new.namespace())).into_iter();
    sets.filter(|set| event.new.is_selected(&set["spec"]["selector"]))
        .map(|set| Key::new(namespace(&set), crate::actor::json::name(&set)))
        .collect()
}

async fn reconcile(hand: &Hand, key: &Key) -> Result<Next, Status> {
    let Some(set) = hand.get(REPLICA_SETS, &key.namespace, &key.name) else { return Ok(Next::Done) };
    let uid = text(&set, "/metadata/uid");
    if !is_leaving(&set) {
        member::claim(hand, &set, KIND, &set["spec"]["selector"]).await;
    }
    let pods = member::controlled(hand, uid);
    let active: Vec<&Member> = pods.iter().filter(|pod| pod.is_active()).collect();
    let leaving = pods.iter().filter(|pod| pod.is_leaving() && !pod.has_ended()).count();
    let managed = if is_leaving(&set) { Ok(Next::Done) } else { manage(hand, &set, &active).await };
    let (later, failure) = match managed {
        Ok(later) => (later, None),
        Err(failure) => (Next::Done, Some(failure)),
    };
    let (status, again) = status_of(hand, &set, &active, leaving, failure.as_ref());
    if set["status"] != status {
        let mut updated = set;
        updated["status"] = status;
        hand.update_status(REPLICA_SETS, updated).await?;
    }
    match failure {
        Some(failure) => Err(failure),
        None => Ok(again.sooner(later)),
    }
}

/// Makes the pods that are missing, or lets those go that are too many.
async fn manage(hand: &Hand, set: &Value, active: &[&Member]) -> Result<Next, Status> {
    let wanted = usize::try_from(replicas(set)).unwrap_or(0);
    if active.len() < wanted {
        let missing = (wanted - active.len()).min(BURST);
        let (made, next) = match Way::of(hand, missing, active.iter().copied()) {
            Way::Made => (missing, Next::Done),
            Way::First => (1, Next::Done),
            Way::Later(at) => (0, Next::At(at)),
            Way::Copied(model) => (sibling::spread(hand, &model, missing)?, Next::Done),
        };
        let pod = member::from_template(set, KIND, &set["spec"]["template"]);
        for _ in 0..made {
            match hand.create(PODS, pod.clone()).await {
                Ok(made) => {
                    let message = format!("Created pod: {}", text(&made, "/metadata/name"));
                    hand.event(set, Gravity::Normal, "SuccessfulCreate", &message).await;
                }
                Err(status) => {
                    let message = format!("Error creating: {}", status.message);
                    hand.event(set, Gravity::Warning, "FailedCreate", &message).await;
                    return Err(status);
                }
            }
        }
        return Ok(next);
    }
    if active.len() > wanted {
        for pod in least_needed(active, active.len() - wanted) {
            let at = (pod.namespace(), pod.name());
            match hand.delete(PODS, at, Deletion::default()).await {
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
    }
    Ok(Next::Done)
}

/// The pods that are let go first.
fn least_needed<'a>(active: &[&'a Member], surplus: usize) -> Vec<&'a Member> {
    let mut shared: HashMap<&str, usize> = HashMap::new();
    for pod in active.iter().filter(|pod| pod.is_ready()) {
        *shared.entry(pod.node().unwrap_or_default()).or_default() += 1;
    }
    let rank = |pod: &Member| shared.get(pod.node().unwrap_or_default()).copied().unwrap_or(0);
    let mut order: Vec<(&Member, usize)> = active.iter().map(|pod| (*pod, rank(pod))).collect();
    order.sort_by(|a, b| Member::expendable(*a, *b));
    order.into_iter().take(surplus.min(BURST)).map(|(pod, _)| pod).collect()
}

fn status_of(hand: &Hand, set: &Value, active: &[&Member], leaving: usize, failure: Option<&Status>) -> (Value, Next) {
    let now = hand.now();
    let template = json!({ "matchLabels": set["spec"]["template"]["metadata"]["labels"] });
    let patience = count(set, "/spec/minReadySeconds");
    let (mut labelled, mut ready, mut available, mut again) = (0, 0, 0, Next::Done);
    for pod in active {
        labelled += i64::from(pod.stored.is_selected(&template));
        ready += i64::from(pod.is_ready());
        match pod.availability(patience, now) {
            Availability::Yes => available += 1,
            Availability::At(at) => again = again.sooner(Next::At(at)),
            Availability::No => {}
        }
    }
    let mut status = Map::new();
    let pods = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    status.insert("replicas".to_owned(), pods(active.len()).into());
    counted(&mut status, "fullyLabeledReplicas", labelled);
    counted(&mut status, "readyReplicas", ready);
    counted(&mut status, "availableReplicas", available);
    status.insert("terminatingReplicas".to_owned(), pods(leaving).into());
    counted(&mut status, "observedGeneration", count(set, "/metadata/generation"));
    let mut conditions = items(set, "/status/conditions").to_vec();
    let known = conditions.iter().any(|it| it["type"] == "ReplicaFailure");
    match failure {
        Some(failure) if !known => {
            let reason = if pods(active.len()) < replicas(set) { "FailedCreate" } else { "FailedDelete" };
            conditions.push(json!({
                "type": "ReplicaFailure", "status": "True", "lastTransitionTime": stamp(now), "reason": reason,
                "message": failure.message,
            }));
        }
        None if known => conditions.retain(|it| it["type"] != "ReplicaFailure"),
        _ => {}
    }
    if !conditions.is_empty() {
        status.insert("conditions".to_owned(), conditions.into());
    }
    (status.into(), again)
}

/// Does the set say that it may not make its pods?
pub(super) fn failure(set: &Value) -> Option<&Value> {
    condition::find(set, "/status/conditions", "ReplicaFailure")
}
