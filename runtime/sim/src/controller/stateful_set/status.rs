//! What a StatefulSet says about its pods.
//!
//! Not known here: what is done about them.

use serde_json::{Map, Value};

use super::{REVISION, STATEFUL_SETS, Work};
use crate::{
    actor::json::{name, text},
    controller::{
        Hand, Next,
        member::{Availability, Member},
        reading::{count, counted, replicas},
    },
    status::Status,
};

/// Counted pods.
pub(super) struct Counts {
    total: i64,
    ready: i64,
    available: i64,
    current: i64,
    updated: i64,
    current_revision: String,
    update_revision: String,
    next: Next,
}

impl Counts {
    pub(super) fn of(work: &Work<'_>, pods: &[Member]) -> Self {
        let mut counts = Self {
            total: 0,
            ready: 0,
            available: 0,
            current: 0,
            updated: 0,
            current_revision: name(work.current).to_owned(),
            update_revision: name(work.update).to_owned(),
            next: Next::Done,
        };
        for pod in pods {
            counts.total += 1;
            if pod.phase() == "Running" && pod.is_ready() {
                counts.ready += 1;
                match work.availability(pod) {
                    Availability::Yes => counts.available += 1,
                    Availability::At(at) => counts.next = counts.next.sooner(Next::At(at)),
                    Availability::No => {}
                }
            }
            if !pod.is_leaving() {
                counts.current += i64::from(pod.label(REVISION) == Some(&counts.current_revision));
                counts.updated += i64::from(pod.label(REVISION) == Some(&counts.update_revision));
            }
        }
        counts
    }
}

/// Writes it, where it is other than it was.
pub(super) async fn write(hand: &Hand, set: &Value, mut counts: Counts) -> Result<Next, Status> {
    let wanted = replicas(set);
    let is_through = text(set, "/spec/updateStrategy/type") == "RollingUpdate"
        && counts.updated == wanted
        && counts.ready == wanted
        && counts.total == wanted;
    if is_through {
        counts.current = counts.updated;
        counts.current_revision.clone_from(&counts.update_revision);
    }
    let mut status = Map::new();
    counted(&mut status, "observedGeneration", count(set, "/metadata/generation"));
    status.insert("replicas".to_owned(), counts.total.into());
    counted(&mut status, "readyReplicas", counts.ready);
    counted(&mut status, "currentReplicas", counts.current);
    counted(&mut status, "updatedReplicas", counts.updated);
    status.insert("currentRevision".to_owned(), counts.current_revision.into());
    status.insert("updateRevision".to_owned(), counts.update_revision.into());
    status.insert("collisionCount".to_owned(), count(set, "/status/collisionCount").into());
    status.insert("availableReplicas".to_owned(), counts.available.into());
    let status = Value::Object(status);
    if set["status"] != status {
        let mut updated = set.clone();
        updated["status"] = status;
        hand.update_status(STATEFUL_SETS, updated).await?;
    }
    Ok(counts.next)
}
