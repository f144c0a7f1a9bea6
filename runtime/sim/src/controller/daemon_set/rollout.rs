//! How the pods of a DaemonSet get from one template to the next: a few nodes at a time.
//!
//! Not known here: which nodes should have a pod.

use std::collections::HashSet;

use serde_json::Value;

use super::{ByNode, HASH, Moved, place::Place, sync};
use crate::{
    actor::json::text,
    controller::{
        Hand,
        member::{Availability, Member},
        reading::{Rounding, count, share},
    },
    status::Status,
};

/// Does the set make the new pod of a node before the old one goes?
pub(super) fn surges(set: &Value) -> bool {
    text(set, "/spec/updateStrategy/type") == "RollingUpdate" && bound(set, "maxSurge", 100) > 0
}

fn bound(set: &Value, field: &str, nodes: i64) -> i64 {
    let value = &set["spec"]["updateStrategy"]["rollingUpdate"][field];
    share(value, nodes, Rounding::Up).unwrap_or(0).max(0)
}

fn is_available(set: &Value, pod: &Member, hand: &Hand) -> bool {
    pod.availability(count(set, "/spec/minReadySeconds"), hand.now()) == Availability::Yes
}

/// The pods of one node beyond the oldest of each revision, and the old one once the new one serves.
pub(super) fn superseded<'a>(
    hand: &Hand,
    set: &Value,
    running: &[&'a Member],
    hash: &str,
    surplus: &mut Vec<&'a Member>,
) {
    let (mut new, mut old) = (None, None);
    for pod in running {
        let slot = if pod.label(HASH) == Some(hash) { &mut new } else { &mut old };
        match slot {
            None => *slot = Some(*pod),
            Some(_) => surplus.push(pod),
        }
    }
    if let (Some(new), Some(old)) = (new, old)
        && (!old.is_ready() || is_available(set, new, hand))
    {
        surplus.push(old);
    }
}

/// The new and the old pod of a node; none where there are more than one of either.
fn pair<'a>(pods: &[&'a Member], hash: &str) -> Option<(Option<&'a Member>, Option<&'a Member>)> {
    let (mut new, mut old) = (None, None);
    for pod in pods.iter().filter(|pod| !pod.is_leaving()) {
        let slot = if pod.label(HASH) == Some(hash) { &mut new } else { &mut old };
        if slot.is_some() {
            return None;
        }
        *slot = Some(*pod);
    }
    Some((new, old))
}

/// One round: as many pods of the old template go as may.
pub(super) async fn roll(
    hand: &Hand,
    set: &Value,
    places: &[Place<'_>],
    on: &ByNode<'_>,
    hash: &str,
) -> Result<Moved, Status> {
    let wanted = i64::try_from(places.iter().filter(|place| place.should_run).count()).unwrap_or(i64::MAX);
    let (surge, mut slack) = (bound(set, "maxSurge", wanted), bound(set, "maxUnavailable", wanted));
    if surge == 0 && slack == 0 {
        slack = 1;
    }
    let nodes = on.iter().map(|(node, pods)| (*node, pair(pods, hash)));
    let (gone, made) = if surge == 0 {
        let missing = places.iter().filter(|place| place.should_run && !on.contains_key(place.node)).count();
        (in_place(hand, set, nodes, slack - i64::try_from(missing).unwrap_or(0)), Vec::new())
    } else {
        surging(hand, set, nodes, surge, places)
    };
    sync(hand, set, &gone, &made, hash).await
}

type Pair<'a> = Option<(Option<&'a Member>, Option<&'a Member>)>;

/// The old pod goes first: at most so many nodes are without one that serves.
fn in_place<'a>(
    hand: &Hand,
    set: &Value,
    nodes: impl Iterator<Item = (&'a str, Pair<'a>)>,
    slack: i64,
) -> Vec<&'a Member> {
    let (mut unavailable, mut gone, mut candidates) = (0, Vec::new(), Vec::new());
    for (_, pair) in nodes {
        match pair {
            Some((Some(new), None)) => unavailable += i64::from(!is_available(set, new, hand)),
            Some((None, Some(old))) if is_available(set, old, hand) => candidates.push(old),
            Some((None, Some(old))) => {
                gone.push(old);
                unavailable += 1;
            }
            _ => unavailable += 1,
        }
    }
    let room = usize::try_from(slack - unavailable).unwrap_or(0);
    gone.extend(candidates.into_iter().take(room));
    gone
}

/// The new pod comes first: at most so many nodes have both.
fn surging<'a>(
    hand: &Hand,
    set: &Value,
    nodes: impl Iterator<Item = (&'a str, Pair<'a>)>,
    surge: i64,
    places: &[Place<'_>],
) -> (Vec<&'a Member>, Vec<&'a str>) {
    let running: HashSet<&str> = places.iter().filter(|place| place.should_run).map(|place| place.node).collect();
    let should_run = |node: &str| running.contains(node);
    let (mut surging, mut gone, mut made, mut candidates) = (0, Vec::new(), Vec::new(), Vec::new());
    for (node, pair) in nodes {
        match pair {
            Some((_, None)) => {}
            Some((None, Some(old))) if !should_run(node) => gone.push(old),
            Some((None, Some(old))) if is_available(set, old, hand) => candidates.push(node),
            Some((None, Some(_))) => made.push(node),
            Some((Some(new), Some(old))) if is_available(set, new, hand) => gone.push(old),
            None | Some((Some(_), Some(_))) => surging += 1,
        }
    }
    let room = usize::try_from(surge - surging).unwrap_or(0);
    made.extend(candidates.into_iter().take(room));
    (gone, made)
}
