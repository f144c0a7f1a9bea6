//! Disruption budgets: how many pods may go at present.
//!
//! Not known here: evictions, which the API server holds against this.

use std::collections::HashMap;

use futures::future::BoxFuture;
use serde_json::{Map, Value, json};

use super::{
    Controller, Gravity, Hand, Key, Next, Watch,
    condition::{self, Saying},
    deployment::DEPLOYMENTS,
    member::{Member, PODS},
    reading::{Rounding, count, later, replicas, share},
    replica_set::REPLICA_SETS,
};
use crate::{
    actor::json::{items, list_at, namespace, text},
    resource::Resource,
    status::Status,
    store::Event,
};

const BUDGETS: Resource = Resource::of("policy", "v1", "poddisruptionbudgets");

/// How long an eviction counts that was granted and whose pod is still there.
const FORGOTTEN_AFTER: i64 = 120;

pub(super) const BUDGET: Controller = Controller {
    name: "disruption-controller",
    watches: &[Watch::itself(BUDGETS), Watch::by(PODS, of_pods)],
    reconcile: |hand, key| boxed(hand, key),
};

fn boxed<'a>(hand: &'a Hand, key: &'a Key) -> BoxFuture<'a, Result<Next, Status>> {
    Box::pin(reconcile(hand, key))
}

/// The budgets that select a pod.
fn of_pods(hand: &Hand, event: &Event) -> Vec<Key> {
    let space = event.new.namespace();
    if hand.count(BUDGETS, Some(space)) == 0 {
        return Vec::new();
    }
    // What selects the pod is looked up once for all of them, when their turn comes.
    hand.stored(BUDGETS, Some(space)).iter().map(|budget| Key::new(space, budget.name())).collect()
}

async fn reconcile(hand: &Hand, key: &Key) -> Result<Next, Status> {
    let Some(budget) = hand.get(BUDGETS, &key.namespace, &key.name) else { return Ok(Next::Done) };
    let selector = &budget["spec"]["selector"];
    let selected = hand.stored(PODS, Some(&key.namespace)).into_iter();
    let pods: Vec<Member> = selected
        .filter(|pod| !selector.is_null() && pod.is_selected(selector))
        .map(Member::of)
        .filter(|pod| !pod.has_ended())
        .collect();
    if pods.is_empty() {
        hand.event(&budget, Gravity::Normal, "NoPods", "No matching pods found").await;
    }
    let (expected, wanted) = expectation(hand, &budget, &pods);
    let mut next = Next::Done;
    let mut disrupted = Map::new();
    for (pod, since) in budget["status"]["disruptedPods"].as_object().into_iter().flatten() {
        let since_when = since.as_str().and_then(|since| since.parse().ok()).unwrap_or_else(|| hand.now());
        let due = later(since_when, FORGOTTEN_AFTER);
        if due > hand.now() && pods.iter().any(|it| it.name() == pod && !it.is_leaving()) {
            disrupted.insert(pod.clone(), since.clone());
            next = next.sooner(Next::At(due));
        }
    }
    let is_healthy = |pod: &&Member| !pod.is_leaving() && pod.is_ready() && !disrupted.contains_key(pod.name());
    let healthy = i64::try_from(pods.iter().filter(is_healthy).count()).unwrap_or(i64::MAX);
    let allowed = if expected <= 0 { 0 } else { (healthy - wanted).max(0) };
    write(hand, budget, [allowed, healthy, wanted, expected], disrupted).await?;
    Ok(next)
}

async fn write(
    hand: &Hand,
    budget: Value,
    [allowed, healthy, wanted, expected]: [i64; 4],
    disrupted: Map<String, Value>,
) -> Result<(), Status> {
    let generation = count(&budget, "/metadata/generation");
    let mut status = json!({
        "disruptionsAllowed": allowed, "currentHealthy": healthy, "desiredHealthy": wanted, "expectedPods": expected,
    });
    if generation > 0 {
        status["observedGeneration"] = generation.into();
    }
    if !disrupted.is_empty() {
        status["disruptedPods"] = disrupted.into();
    }
    status["conditions"] = items(&budget, "/status/conditions").into();
    let (said, reason) = if allowed > 0 { ("True", "SufficientPods") } else { ("False", "InsufficientPods") };
    let saying = Saying { kind: "DisruptionAllowed", status: said, reason, message: "" };
    let conditions = list_at(&mut status, "conditions");
    condition::set(conditions, saying, hand.now());
    for condition in conditions.iter_mut().filter(|it| it["type"] == "DisruptionAllowed") {
        condition["observedGeneration"] = generation.into();
    }
    if budget["status"] == status {
        return Ok(());
    }
    let mut updated = budget;
    updated["status"] = status;
    hand.update_status(BUDGETS, updated).await.map(|_| ())
}

/// How many pods there should be, and how many of them healthy.
fn expectation(hand: &Hand, budget: &Value, pods: &[Member]) -> (i64, i64) {
    let present = i64::try_from(pods.len()).unwrap_or(i64::MAX);
    if let Some(most) = budget["spec"].get("maxUnavailable") {
        let expected = scale(hand, pods);
        let unavailable = share(most, expected, Rounding::Up).unwrap_or(0);
        return (expected, (expected - unavailable).max(0));
    }
    match budget["spec"].get("minAvailable") {
        Some(Value::Number(least)) => (present, least.as_i64().unwrap_or(0)),
        Some(least) => {
            let expected = scale(hand, pods);
            (expected, share(least, expected, Rounding::Up).unwrap_or(0))
        }
        None => (0, 0),
    }
}

/// How many pods the owners of these pods want together.
fn scale(hand: &Hand, pods: &[Member]) -> i64 {
    let mut owners: HashMap<String, i64> = HashMap::new();
    for pod in pods {
        let Some(owner) = pod.stored.controller() else { continue };
        if owners.contains_key(&*owner.uid) {
            continue;
        }
        let wanted = match &*owner.kind {
            "ReplicaSet" => hand.get(REPLICA_SETS, pod.namespace(), &owner.name).map(|set| deployment_of(hand, &set)),
            "StatefulSet" => hand
                .get(Resource::of("apps", "v1", "statefulsets"), pod.namespace(), &owner.name)
                .map(|set| (owner.uid.to_string(), replicas(&set))),
            _ => None,
        };
        if let Some((uid, wanted)) = wanted {
            owners.insert(uid, wanted);
        }
    }
    owners.values().sum()
}

/// A Deployment counts once, however many ReplicaSets it has.
fn deployment_of(hand: &Hand, set: &Value) -> (String, i64) {
    let own = (text(set, "/metadata/uid").to_owned(), replicas(set));
    let owner = items(set, "/metadata/ownerReferences").iter().find(|owner| owner["kind"] == "Deployment");
    let space = namespace(set);
    let deployment = owner.and_then(|owner| hand.get(DEPLOYMENTS, space, text(owner, "/name")));
    deployment.map_or(own, |it| (text(&it, "/metadata/uid").to_owned(), replicas(&it)))
}
