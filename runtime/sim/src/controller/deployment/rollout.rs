//! How a Deployment gets from its old ReplicaSets to the new one: a few pods at a time, or all at once.
//!
//! Not known here: how one ReplicaSet is scaled.

use serde_json::Value;

use super::{
    is_complete,
    revision::{self, Make, Sets},
    scaling::scale_set,
    slack, status, surge,
};
use crate::{
    actor::json::text,
    controller::{
        Hand, Next, member,
        reading::{count, replicas},
    },
    status::Status,
};

/// A few pods at a time.
pub(super) async fn rolling(hand: &Hand, mut deployment: Value, mut sets: Sets) -> Result<Next, Status> {
    revision::settle(hand, &mut deployment, &mut sets, Make::IfMissing).await?;
    if grow_new(hand, &deployment, &mut sets).await? || shrink_old(hand, &deployment, &mut sets).await? {
        return status::roll(hand, &mut deployment, &sets).await;
    }
    if is_complete(&deployment, &deployment["status"]) {
        revision::clean(hand, &deployment, &sets).await?;
    }
    status::roll(hand, &mut deployment, &sets).await
}

/// The old pods go, and only then the new ones come.
pub(super) async fn recreate(hand: &Hand, mut deployment: Value, mut sets: Sets) -> Result<Next, Status> {
    revision::settle(hand, &mut deployment, &mut sets, Make::Never).await?;
    let mut is_shrunk = false;
    for set in sets.old.iter_mut().filter(|set| replicas(set) > 0) {
        is_shrunk |= scale_set(hand, &deployment, set, 0).await?;
    }
    if is_shrunk || old_pods_run(hand, &sets) {
        return status::roll(hand, &mut deployment, &sets).await;
    }
    if sets.new.is_none() {
        revision::settle(hand, &mut deployment, &mut sets, Make::IfMissing).await?;
    }
    if let Some(new) = &mut sets.new {
        scale_set(hand, &deployment, new, replicas(&deployment)).await?;
    }
    if is_complete(&deployment, &deployment["status"]) {
        revision::clean(hand, &deployment, &sets).await?;
    }
    status::roll(hand, &mut deployment, &sets).await
}

fn old_pods_run(hand: &Hand, sets: &Sets) -> bool {
    let runs = |set: &Value| {
        let pods = member::controlled(hand, text(set, "/metadata/uid"));
        pods.iter().any(|pod| !pod.has_ended())
    };
    sets.old.iter().any(|set| count(set, "/status/replicas") > 0 || runs(set))
}

/// How large the new ReplicaSet may be by now.
pub(super) fn next_size<'a>(deployment: &Value, old: impl Iterator<Item = &'a Value>, new: &Value) -> i64 {
    let wanted = replicas(deployment);
    if text(deployment, "/spec/strategy/type") == "Recreate" {
        return wanted;
    }
    let (present, most) = (old.map(replicas).sum::<i64>() + replicas(new), wanted + surge(deployment));
    if present >= most { replicas(new) } else { replicas(new) + (most - present).min(wanted - replicas(new)) }
}

async fn grow_new(hand: &Hand, deployment: &Value, sets: &mut Sets) -> Result<bool, Status> {
    let wanted = replicas(deployment);
    let Some(new) = &mut sets.new else { return Ok(false) };
    let size = match replicas(new) {
        present if present == wanted => return Ok(false),
        present if present > wanted => wanted,
        _ => next_size(deployment, sets.old.iter(), new),
    };
    scale_set(hand, deployment, new, size).await
}

async fn shrink_old(hand: &Hand, deployment: &Value, sets: &mut Sets) -> Result<bool, Status> {
    if sets.old.iter().map(replicas).sum::<i64>() == 0 {
        return Ok(false);
    }
    let (total, least) = (sets.all().map(replicas).sum::<i64>(), replicas(deployment) - slack(deployment));
    let unavailable = sets.new.as_ref().map_or(0, |new| replicas(new) - count(new, "/status/availableReplicas"));
    let room = total - least - unavailable;
    if room <= 0 {
        return Ok(false);
    }
    let mut gone = 0;
    // Those that are not well go first: nobody is served by them.
    for set in sets.old.iter_mut().filter(|set| replicas(set) > 0) {
        let unwell = replicas(set) - count(set, "/status/availableReplicas");
        let surplus = unwell.min(room - gone);
        if surplus > 0 {
            scale_set(hand, deployment, set, replicas(set) - surplus).await?;
            gone += surplus;
        }
    }
    let available: i64 = sets.all().map(|set| count(set, "/status/availableReplicas")).sum();
    let mut spare = available - least;
    for set in sets.old.iter_mut().filter(|set| replicas(set) > 0) {
        let surplus = replicas(set).min(spare);
        if surplus > 0 {
            scale_set(hand, deployment, set, replicas(set) - surplus).await?;
            gone += surplus;
            spare -= surplus;
        }
    }
    Ok(gone > 0)
}
