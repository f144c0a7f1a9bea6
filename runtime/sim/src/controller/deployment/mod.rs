//! Deployments: from one template of pods to the next, by way of ReplicaSets.
//!
//! Follows the real controller step by step, one change of one ReplicaSet at a time, so that what a client sees on the way is
//! what it sees of a real one. Not known here: pods, beyond whether old ones still run.

mod revision;
mod rollout;
mod scaling;
mod status;

use futures::future::BoxFuture;
use serde_json::Value;

use self::revision::Sets;
use super::{
    Controller, Gravity, Hand, Key, Next, Watch, condition,
    member::{self, PODS},
    reading::{Rounding, count, flag, is_leaving, number, replicas, share, stamp},
    replica_set::REPLICA_SETS,
};
use crate::{
    actor::json::{list_at, text},
    resource::Resource,
    status::Status,
};

pub(super) const DEPLOYMENTS: Resource = Resource::of("apps", "v1", "deployments");
const KIND: (&str, &str) = ("apps/v1", "Deployment");

pub(super) const DEPLOYMENT: Controller = Controller {
    name: "deployment-controller",
    watches: &[
        Watch::itself(DEPLOYMENTS),
        Watch::owner(REPLICA_SETS, "Deployment"),
        Watch::by(PODS, waiting_for_old_pods),
    ],
    reconcile: |hand, key| boxed(hand, key),
};

fn boxed<'a>(hand: &'a Hand, key: &'a Key) -> BoxFuture<'a, Result<Next, Status>> {
    Box::pin(reconcile(hand, key))
}

/// A Deployment that is recreated goes on once the last of its old pods is gone.
fn waiting_for_old_pods(hand: &Hand, event: &crate::store::Event) -> Vec<Key> {
    if !event.is_deletion {
        return Vec::new();
    }
    let Some(owner) = event.new.controller().filter(|owner| &*owner.kind == "ReplicaSet") else { return Vec::new() };
    let Some(set) = hand.get(REPLICA_SETS, event.new.namespace(), &owner.name) else { return Vec::new() };
    let owners = crate::actor::json::items(&set, "/metadata/ownerReferences").iter();
    owners
        .filter(|owner| owner["kind"] == "Deployment")
        .map(|owner| Key::new(event.new.namespace(), text(owner, "/name")))
        .collect()
}

async fn reconcile(hand: &Hand, key: &Key) -> Result<Next, Status> {
    let Some(mut deployment) = hand.get(DEPLOYMENTS, &key.namespace, &key.name) else { return Ok(Next::Done) };
    let selector = &deployment["spec"]["selector"];
    if selector.as_object().is_none_or(serde_json::Map::is_empty) {
        let message = "This deployment is selecting all pods. A non-empty selector is required.";
        hand.event(&deployment, Gravity::Warning, "SelectingAll", message).await;
        return Ok(Next::Done);
    }
    let listed = claimed(hand, &deployment).await?;
    let sets = Sets::of(&deployment, listed);
    if is_leaving(&deployment) {
        return status::write(hand, &mut deployment, &sets).await.map(|()| Next::Done);
    }
    check_paused(hand, &mut deployment).await?;
    if flag(&deployment, "/spec/paused") || is_resized(&deployment, &sets) {
        return scaling::sync(hand, deployment, sets).await;
    }
    match text(&deployment, "/spec/strategy/type") {
        "Recreate" => rollout::recreate(hand, deployment, sets).await,
        _ => rollout::rolling(hand, deployment, sets).await,
    }
}

/// The ReplicaSets that the Deployment controls; those that nobody controls and that it selects are taken in.
async fn claimed(hand: &Hand, deployment: &Value) -> Result<Vec<Value>, Status> {
    let uid = text(deployment, "/metadata/uid");
    for set in hand.stored(REPLICA_SETS, Some(text(deployment, "/metadata/namespace"))) {
        if set.controller().is_none() && set.is_selected(&deployment["spec"]["selector"]) {
            let mut object = set.value();
            if !is_leaving(&object) && !is_leaving(deployment) {
                member::push_owner(&mut object, member::reference(deployment, KIND));
                hand.update(REPLICA_SETS, object).await?;
            }
        }
    }
    let owned = hand.stored_of(REPLICA_SETS, uid).into_iter();
    let controlled = owned.filter(|set| set.controller().is_some_and(|owner| &*owner.uid == uid));
    Ok(controlled.map(|set| set.value()).collect())
}

async fn check_paused(hand: &Hand, deployment: &mut Value) -> Result<(), Status> {
    if !has_deadline(deployment) {
        return Ok(());
    }
    let reason = condition::find(deployment, "/status/conditions", "Progressing").map(|it| text(it, "/reason"));
    let was_paused = reason == Some("DeploymentPaused");
    let saying = match (flag(deployment, "/spec/paused"), was_paused) {
        _ if reason == Some("ProgressDeadlineExceeded") => return Ok(()),
        (true, false) => ("DeploymentPaused", "Deployment is paused"),
        (false, true) => ("DeploymentResumed", "Deployment is resumed"),
        _ => return Ok(()),
    };
    say(hand, deployment, "Progressing", "Unknown", saying);
    *deployment = hand.update_status(DEPLOYMENTS, deployment.clone()).await?;
    Ok(())
}

/// Was the Deployment scaled since its ReplicaSets were told how large it is?
fn is_resized(deployment: &Value, sets: &Sets) -> bool {
    let wanted = replicas(deployment).to_string();
    let told = |set: &&Value| crate::actor::json::annotation(set, revision::DESIRED).is_some_and(|it| it != wanted);
    sets.all().filter(|set| replicas(set) > 0).any(|set| told(&set))
}

/// Says something in a condition, unless it says it already: the same status for the same reason is left as it is.
fn say(hand: &Hand, deployment: &mut Value, kind: &str, status: &str, (reason, message): (&str, &str)) {
    let now = stamp(hand.now());
    let present = condition::find(deployment, "/status/conditions", kind).cloned();
    let mut since = now.clone();
    if let Some(present) = present.filter(|present| present["status"] == status) {
        if present["reason"] == reason {
            return;
        }
        since = present["lastTransitionTime"].clone();
    }
    let said = serde_json::json!({
        "type": kind, "status": status, "lastUpdateTime": now, "lastTransitionTime": since, "reason": reason,
        "message": message,
    });
    let conditions = list_at(&mut deployment["status"], "conditions");
    conditions.retain(|condition| condition["type"] != kind);
    conditions.push(said);
}

/// Whether it says when a rollout that does not move is to be given up. The largest number means never.
fn has_deadline(deployment: &Value) -> bool {
    number(deployment, "/spec/progressDeadlineSeconds").is_some_and(|seconds| seconds < i64::from(i32::MAX))
}

/// How many pods there may be beyond what is wanted.
fn surge(deployment: &Value) -> i64 {
    if text(deployment, "/spec/strategy/type") != "RollingUpdate" {
        return 0;
    }
    share(&deployment["spec"]["strategy"]["rollingUpdate"]["maxSurge"], replicas(deployment), Rounding::Up).unwrap_or(0)
}

/// How many pods of those wanted may be unavailable.
fn slack(deployment: &Value) -> i64 {
    let wanted = replicas(deployment);
    if text(deployment, "/spec/strategy/type") != "RollingUpdate" || wanted == 0 {
        return 0;
    }
    let rolling = &deployment["spec"]["strategy"]["rollingUpdate"];
    let slack = share(&rolling["maxUnavailable"], wanted, Rounding::Down).unwrap_or(0);
    // Both rounded to nothing, nothing would ever move.
    if slack == 0 && surge(deployment) == 0 { 1 } else { slack.min(wanted) }
}

/// Is everything as the Deployment wants it, by what its status says?
fn is_complete(deployment: &Value, status: &Value) -> bool {
    let wanted = replicas(deployment);
    let counts = ["/updatedReplicas", "/replicas", "/availableReplicas"];
    counts.iter().all(|pointer| count(status, pointer) == wanted)
        && count(status, "/observedGeneration") >= count(deployment, "/metadata/generation")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn deployment(replicas: i64, surge: &Value, slack: &Value) -> Value {
        json!({ "spec": { "replicas": replicas, "strategy": {
            "type": "RollingUpdate", "rollingUpdate": { "maxSurge": surge, "maxUnavailable": slack },
        } } })
    }

    #[test]
    fn surge_is_rounded_up_and_slack_down_and_never_both_to_nothing() {
        let both = |it: Value| (surge(&it), slack(&it));
        assert_eq!(both(deployment(3, &json!("25%"), &json!("25%"))), (1, 0));
        assert_eq!(both(deployment(10, &json!("25%"), &json!("25%"))), (3, 2));
        assert_eq!(both(deployment(1, &json!(0), &json!("25%"))), (0, 1));
        assert_eq!(both(deployment(2, &json!(1), &json!(5))), (1, 2));
    }
}
