//! Jobs: complete, or failed for good.
//!
//! Does not know how pods are found.

use serde_json::Value;

use super::object::{condition, count, flag, holds, namespace, number, selector, text, uid};
use super::pod;
use super::related::{Query, Related, Source};
use super::verdict::{Doom, Patience, Standing, Verdict};
use super::{EVENTS_AFTER, creation};

/// What the verdict looks up once a Job is found not complete.
pub fn wants(job: &Value, related: Option<&Related>, patience: &Patience) -> Vec<Query> {
    let space = namespace(job);
    let mut queries = vec![Source::TroubledPods.of(space).with(selector(job, "/spec/selector"))];
    if patience.waited() > EVENTS_AFTER && related.is_some_and(|related| pod::vague(related.pods(uid(job)))) {
        queries.push(pod::events_in(space));
    }
    queries
}

/// The verdict on a Job. Failed pods doom it only once the Job itself gives up: it may start others.
pub fn verdict(job: &Value, related: Option<&Related>, patience: &Patience) -> Verdict {
    if holds(job, "Complete") {
        return Verdict::Ready;
    }
    let wanted = number(job, "/spec/completions").unwrap_or(1);
    let (succeeded, failed) = (count(job, "/status/succeeded"), count(job, "/status/failed"));
    let mut progress = format!("{succeeded} of {wanted} completed");
    if failed > 0 {
        progress = format!("{progress}, {failed} failed");
    }
    let mut standing = Standing { progress, reasons: Vec::new() };
    if let Some(given_up) = condition(job, "Failed").filter(|_| holds(job, "Failed")) {
        return failed_for_good(job, given_up, related, standing);
    }
    if flag(job, "/spec/suspend") {
        standing.reasons.push("it is suspended".to_owned());
    }
    let Some(related) = related else { return Verdict::NotReady(standing) };
    // How often a pod may fail is the Job's own to say.
    let limit = number(job, "/spec/backoffLimit").unwrap_or(6);
    let patience = &Patience { allow_restarts: patience.allow_restarts.max(limit), ..*patience };
    let refused = creation::gathered(uid(job), related, patience, &mut standing);
    let living = related.pods(uid(job)).filter(|pod| !pod.trouble().is_some_and(super::trouble::Trouble::failed));
    match (pod::gathered(standing, living, related, patience), refused) {
        (Verdict::NotReady(standing), Some(doom)) => Verdict::Doomed(standing, doom),
        (verdict, _) => verdict,
    }
}

fn failed_for_good(job: &Value, given_up: &Value, related: Option<&Related>, mut standing: Standing) -> Verdict {
    let why = match text(given_up, "/reason") {
        "BackoffLimitExceeded" => format!("it failed {} times and has given up", count(job, "/status/failed")),
        "DeadlineExceeded" => "it ran longer than its active deadline".to_owned(),
        _ => format!("it has failed: {}", text(given_up, "/message")),
    };
    let mut doom = Doom::new(why).seen(super::object::words_of(given_up));
    let mut pods: Vec<_> = related.into_iter().flat_map(|related| related.pods(uid(job))).collect();
    pods.sort_by(|a, b| a.name.cmp(&b.name));
    standing.reasons.extend(pods.iter().map(|pod| pod.line(related)));
    if let Some(last) = pods.last() {
        doom.evidence.push(last.line(related));
        doom.witness = Some(last.witness());
    }
    Verdict::Doomed(standing, doom)
}
