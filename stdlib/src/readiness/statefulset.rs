//! StatefulSets: every pod of the update revision and ready, except those the partition keeps back.
//!
//! Does not know how pods are found.

use serde_json::Value;

use super::object::{count, namespace, number, selector, text, uid, unobserved};
use super::pod::{self, PodState};
use super::related::{Query, Related, Source};
use super::verdict::{Patience, Standing, Verdict};
use super::{EVENTS_AFTER, creation};

/// What the verdict looks up once a StatefulSet is found not ready.
pub fn wants(set: &Value, related: Option<&Related>, patience: &Patience) -> Vec<Query> {
    let space = namespace(set);
    let mut queries = vec![Source::TroubledPods.of(space).with(selector(set, "/spec/selector"))];
    if patience.waited() > EVENTS_AFTER && related.is_some_and(|related| unexplained(set, related)) {
        queries.push(pod::events_in(space));
    }
    queries
}

fn unexplained(set: &Value, related: &Related) -> bool {
    let mut pods = related.pods(uid(set)).peekable();
    pods.peek().is_none() || pod::vague(pods)
}

/// The verdict on a StatefulSet, whatever its update strategy: with `OnDelete` someone has to delete the old pods.
pub fn verdict(set: &Value, related: Option<&Related>, patience: &Patience) -> Verdict {
    if let Some(reason) = unobserved(set) {
        return Verdict::because(reason);
    }
    let desired = number(set, "/spec/replicas").unwrap_or(1);
    let kept_back = count(set, "/spec/updateStrategy/rollingUpdate/partition").min(desired);
    let wanted = desired - kept_back;
    let (updated, ready) = (updated(set, desired), count(set, "/status/readyReplicas"));
    let (available, total) = (count(set, "/status/availableReplicas"), count(set, "/status/replicas"));
    let progress = if updated < wanted {
        format!("{updated} of {wanted} replicas updated")
    } else if ready < desired {
        format!("{ready} of {desired} replicas ready")
    } else if total > desired {
        format!("{desired} of {desired} replicas ready, {} still to go", total - desired)
    } else if available < desired {
        format!("{available} of {desired} replicas available")
    } else {
        return Verdict::Ready;
    };
    let mut standing = Standing { progress, reasons: Vec::new() };
    if text(set, "/spec/updateStrategy/type") == "OnDelete" && updated < wanted {
        let left = wanted - updated;
        standing
            .reasons
            .push(format!("its update strategy is OnDelete: {left} old pods stay until someone deletes them"));
    }
    let Some(related) = related else { return Verdict::NotReady(standing) };
    let refused = creation::gathered(uid(set), related, patience, &mut standing);
    match (pod::gathered(standing, current(set, related), related, patience), refused) {
        (Verdict::NotReady(standing), Some(doom)) => Verdict::Doomed(standing, doom),
        (verdict, _) => verdict,
    }
}

/// How many pods are of the update revision. Where no update is under way some servers leave the count out.
fn updated(set: &Value, desired: i64) -> i64 {
    let (current, update) = (text(set, "/status/currentRevision"), text(set, "/status/updateRevision"));
    if !update.is_empty() && current == update && number(set, "/status/updatedReplicas").is_none() {
        return count(set, "/status/currentReplicas").min(desired);
    }
    count(set, "/status/updatedReplicas")
}

/// Pods of the update revision; a broken old one is about to be replaced.
fn current<'a>(set: &'a Value, related: &'a Related) -> impl Iterator<Item = &'a PodState> {
    let update = text(set, "/status/updateRevision");
    related.pods(uid(set)).filter(move |pod| update.is_empty() || pod.revision.as_deref() == Some(update))
}
