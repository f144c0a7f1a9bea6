//! A Deployment that was scaled, or is paused: sizes alone change, in proportion where several ReplicaSets have pods.
//!
//! Not known here: templates.

use serde_json::Value;

use super::{
    DEPLOYMENTS,
    revision::{self, Make, Sets, annotate_size},
    status, surge,
};
use crate::{
    actor::json::{annotation, name, text},
    controller::{
        Gravity, Hand, Next,
        reading::{count, flag, replicas},
        replica_set::REPLICA_SETS,
    },
    status::Status,
};

/// Brings sizes in line, and no template.
pub(super) async fn sync(hand: &Hand, mut deployment: Value, mut sets: Sets) -> Result<Next, Status> {
    revision::settle(hand, &mut deployment, &mut sets, Make::Never).await?;
    scale(hand, &deployment, &mut sets).await?;
    if flag(&deployment, "/spec/paused") {
        revision::clean(hand, &deployment, &sets).await?;
    }
    status::write(hand, &mut deployment, &sets).await.map(|()| Next::Done)
}

async fn scale(hand: &Hand, deployment: &Value, sets: &mut Sets) -> Result<(), Status> {
    let wanted = replicas(deployment);
    let active = sets.all().filter(|set| replicas(set) > 0).count();
    if active <= 1 {
        let one = match active {
            1 => sets.old.iter_mut().chain(&mut sets.new).find(|set| replicas(set) > 0),
            // Nothing has pods: the newest there is.
            _ => sets.new.as_mut().or_else(|| sets.old.last_mut()),
        };
        if let Some(set) = one {
            scale_set(hand, deployment, set, wanted).await?;
        }
        return Ok(());
    }
    let is_saturated = sets.new.as_ref().is_some_and(|new| {
        replicas(new) == wanted
            && annotation(new, revision::DESIRED) == Some(&wanted.to_string())
            && count(new, "/status/availableReplicas") == wanted
    });
    if is_saturated {
        for set in sets.old.iter_mut().filter(|set| replicas(set) > 0) {
            scale_set(hand, deployment, set, 0).await?;
        }
        return Ok(());
    }
    if text(deployment, "/spec/strategy/type") == "RollingUpdate" {
        in_proportion(hand, deployment, sets).await?;
    }
    Ok(())
}

/// Larger ReplicaSets get, or lose, more of the difference.
async fn in_proportion(hand: &Hand, deployment: &Value, sets: &mut Sets) -> Result<(), Status> {
    let wanted = replicas(deployment);
    let allowed = if wanted > 0 { wanted + surge(deployment) } else { 0 };
    let mut active: Vec<&mut Value> =
        sets.old.iter_mut().chain(&mut sets.new).filter(|set| replicas(set) > 0).collect();
    let missing = allowed - active.iter().map(|set| replicas(set)).sum::<i64>();
    let age = |set: &Value| (text(set, "/metadata/creationTimestamp").to_owned(), name(set).to_owned());
    active.sort_by(|a, b| {
        let by_age = if missing > 0 { age(b).cmp(&age(a)) } else { age(a).cmp(&age(b)) };
        replicas(b).cmp(&replicas(a)).then(by_age)
    });
    let mut added = 0;
    let mut sizes = Vec::with_capacity(active.len());
    for set in &active {
        let part = proportion(deployment, set, missing, added);
        added += part;
        sizes.push(replicas(set) + part);
    }
    if missing != 0
        && let Some(largest) = sizes.first_mut()
    {
        *largest = (*largest + missing - added).max(0);
    }
    for (set, size) in active.into_iter().zip(sizes) {
        scale_set_anyway(hand, deployment, set, size).await?;
    }
    Ok(())
}

fn proportion(deployment: &Value, set: &Value, missing: i64, added: i64) -> i64 {
    let size = replicas(set);
    if size == 0 || missing == 0 || missing == added {
        return 0;
    }
    let fraction = if replicas(deployment) == 0 {
        -size
    } else {
        let told = annotation(set, revision::MOST).and_then(|most| most.parse().ok()).filter(|most| *most != 0);
        let before: i64 = told.unwrap_or_else(|| count(deployment, "/status/replicas"));
        if before == 0 {
            return 0;
        }
        // Rounded to the nearest, as integers.
        let scaled = size * (replicas(deployment) + surge(deployment));
        (2 * scaled + before).div_euclid(2 * before) - size
    };
    if missing > 0 { fraction.min(missing - added) } else { fraction.max(missing - added) }
}

/// Gives a ReplicaSet another size. Says whether it had another before.
pub(super) async fn scale_set(hand: &Hand, deployment: &Value, set: &mut Value, size: i64) -> Result<bool, Status> {
    if replicas(set) == size { Ok(false) } else { scale_set_anyway(hand, deployment, set, size).await }
}

/// The same, with what it is told about the Deployment's size even where its own does not change.
async fn scale_set_anyway(hand: &Hand, deployment: &Value, set: &mut Value, size: i64) -> Result<bool, Status> {
    let before = replicas(set);
    let mut updated = set.clone();
    updated["spec"]["replicas"] = size.into();
    annotate_size(deployment, &mut updated);
    if updated == *set {
        return Ok(false);
    }
    *set = hand.update(REPLICA_SETS, updated).await?;
    if before == size {
        return Ok(false);
    }
    let way = if before < size { "up" } else { "down" };
    let message = format!("Scaled {way} replica set {} from {before} to {size}", name(set));
    hand.event(deployment, Gravity::Normal, "ScalingReplicaSet", &message).await;
    Ok(true)
}

/// Writes a Deployment's status.
pub(super) async fn write_status(hand: &Hand, deployment: &mut Value, status: Value) -> Result<(), Status> {
    if deployment["status"] != status {
        deployment["status"] = status;
        *deployment = hand.update_status(DEPLOYMENTS, deployment.clone()).await?;
    }
    Ok(())
}
