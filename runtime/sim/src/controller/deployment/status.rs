//! What a Deployment says about how far it is.
//!
//! Not known here: what is done about it.

use serde_json::{Map, Value, json};

use super::{has_deadline, is_complete, revision::Sets, say, scaling::write_status, slack};
use crate::{
    actor::json::{list_at, name, text},
    controller::{
        Hand, Next, condition,
        reading::{count, counted, later, replicas, time},
        replica_set,
    },
    status::Status,
};

/// Counts, and says whether enough is available.
pub(super) async fn write(hand: &Hand, deployment: &mut Value, sets: &Sets) -> Result<(), Status> {
    let status = counts(hand, deployment, sets);
    write_status(hand, deployment, status).await
}

/// The same, and whether the rollout gets on.
pub(super) async fn roll(hand: &Hand, deployment: &mut Value, sets: &Sets) -> Result<Next, Status> {
    let mut after = deployment.clone();
    after["status"] = counts(hand, deployment, sets);
    if !has_deadline(deployment) {
        list_at(&mut after["status"], "conditions").retain(|condition| condition["type"] != "Progressing");
    }
    progress(hand, deployment, &mut after, sets);
    let conditions = list_at(&mut after["status"], "conditions");
    conditions.retain(|condition| condition["type"] != "ReplicaFailure");
    let failure = sets.new.iter().chain(&sets.old).find_map(replica_set::failure);
    if let Some(failure) = failure {
        let known = condition::find(deployment, "/status/conditions", "ReplicaFailure");
        let known = known.filter(|it| it["status"] == failure["status"] && it["reason"] == failure["reason"]);
        conditions.push(known.cloned().unwrap_or_else(|| {
            json!({
                "type": "ReplicaFailure", "status": failure["status"], "lastUpdateTime": failure["lastTransitionTime"],
                "lastTransitionTime": failure["lastTransitionTime"], "reason": failure["reason"],
                "message": failure["message"],
            })
        }));
    }
    let status = after["status"].take();
    write_status(hand, deployment, status).await?;
    Ok(next_check(deployment))
}

fn progress(hand: &Hand, before: &Value, after: &mut Value, sets: &Sets) {
    let present = condition::find(before, "/status/conditions", "Progressing").cloned();
    let reason = present.as_ref().map_or("", |present| text(present, "/reason"));
    let status = &after["status"];
    let is_done = count(status, "/replicas") == count(status, "/updatedReplicas") && reason == "NewReplicaSetAvailable";
    if !has_deadline(before) || is_done {
        return;
    }
    let what = match &sets.new {
        Some(new) => format!("ReplicaSet \"{}\"", name(new)),
        None => format!("Deployment \"{}\"", name(before)),
    };
    if is_complete(before, status) {
        let message = format!("{what} has successfully progressed.");
        say(hand, after, "Progressing", "True", ("NewReplicaSetAvailable", &message));
    } else if has_moved(&before["status"], status) {
        // Said anew each time: the deadline counts from here.
        let since = present.filter(|present| present["status"] == "True").map(|it| it["lastTransitionTime"].clone());
        let conditions = list_at(&mut after["status"], "conditions");
        conditions.retain(|condition| condition["type"] != "Progressing");
        let message = format!("{what} is progressing.");
        say(hand, after, "Progressing", "True", ("ReplicaSetUpdated", &message));
        let said = list_at(&mut after["status"], "conditions").last_mut();
        if let (Some(said), Some(since)) = (said, since) {
            said["lastTransitionTime"] = since;
        }
    } else if is_late(hand, before, after) {
        let message = format!("{what} has timed out progressing.");
        say(hand, after, "Progressing", "False", ("ProgressDeadlineExceeded", &message));
    }
}

fn has_moved(before: &Value, after: &Value) -> bool {
    let old = |status: &Value| count(status, "/replicas") - count(status, "/updatedReplicas");
    let grows = |pointer: &str| count(after, pointer) > count(before, pointer);
    grows("/updatedReplicas") || old(after) < old(before) || grows("/readyReplicas") || grows("/availableReplicas")
}

fn is_late(hand: &Hand, deployment: &Value, after: &Value) -> bool {
    let Some(progress) = condition::find(after, "/status/conditions", "Progressing") else { return false };
    match text(progress, "/reason") {
        "NewReplicaSetAvailable" => false,
        "ProgressDeadlineExceeded" => true,
        _ => time(progress, "/lastUpdateTime")
            .is_some_and(|from| later(from, count(deployment, "/spec/progressDeadlineSeconds")) < hand.now()),
    }
}

/// When to look whether the deadline has passed.
fn next_check(deployment: &Value) -> Next {
    let progress = condition::find(deployment, "/status/conditions", "Progressing");
    let Some(progress) = progress.filter(|_| has_deadline(deployment)) else { return Next::Done };
    let is_over = matches!(text(progress, "/reason"), "ProgressDeadlineExceeded" | "NewReplicaSetAvailable");
    if is_over || is_complete(deployment, &deployment["status"]) {
        return Next::Done;
    }
    let from = time(progress, "/lastUpdateTime");
    from.map_or(Next::Done, |from| Next::At(later(from, count(deployment, "/spec/progressDeadlineSeconds") + 1)))
}

fn counts(hand: &Hand, deployment: &Value, sets: &Sets) -> Value {
    let sum = |pointer: &str| sets.all().map(|set| count(set, pointer)).sum::<i64>();
    let available = sum("/status/availableReplicas");
    let mut status = Map::new();
    counted(&mut status, "observedGeneration", count(deployment, "/metadata/generation"));
    counted(&mut status, "replicas", sum("/status/replicas"));
    counted(&mut status, "updatedReplicas", sets.new.as_ref().map_or(0, |new| count(new, "/status/replicas")));
    counted(&mut status, "readyReplicas", sum("/status/readyReplicas"));
    counted(&mut status, "availableReplicas", available);
    let total: i64 = sets.all().map(replicas).sum();
    counted(&mut status, "unavailableReplicas", (total - available).max(0));
    let leaving = || sets.all().map(|set| set["status"]["terminatingReplicas"].as_i64()).sum::<Option<i64>>();
    if let Some(leaving) = leaving() {
        status.insert("terminatingReplicas".to_owned(), leaving.into());
    }
    for kept in ["collisionCount", "conditions"] {
        if let Some(value) = deployment["status"].get(kept) {
            status.insert(kept.to_owned(), value.clone());
        }
    }
    let mut after = json!({ "status": status });
    if available >= replicas(deployment) - slack(deployment) {
        let saying = ("MinimumReplicasAvailable", "Deployment has minimum availability.");
        say(hand, &mut after, "Available", "True", saying);
    } else {
        let saying = ("MinimumReplicasUnavailable", "Deployment does not have minimum availability.");
        say(hand, &mut after, "Available", "False", saying);
    }
    after["status"].take()
}
