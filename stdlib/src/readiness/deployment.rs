//! Deployments and ReplicaSets: rolled out to the last replica, with nothing old left.
//!
//! Does not know how pods are found.

use serde_json::Value;

use super::object::{condition, count, flag, holds, namespace, number, selector, text, uid, unobserved, words_of};
use super::pod;
use super::related::{Query, Related, Source};
use super::verdict::{Doom, Patience, Standing, Verdict};

/// What the verdict looks up once a Deployment is found not ready.
pub fn wants(deployment: &Value, related: Option<&Related>, patience: &Patience) -> Vec<Query> {
    let labels = selector(deployment, "/spec/selector");
    let space = namespace(deployment);
    let mut queries =
        vec![Source::ReplicaSets.of(space).with(labels.clone()), Source::TroubledPods.of(space).with(labels)];
    if patience.waited() > super::EVENTS_AFTER
        && related.is_some_and(|related| pod::vague(new_pods(deployment, related)))
    {
        queries.push(pod::events_in(space));
    }
    queries
}

/// The pods of the newest ReplicaSet; those of older ones say nothing about the rollout.
fn new_pods<'a>(deployment: &Value, related: &'a Related) -> impl Iterator<Item = &'a pod::PodState> + use<'a> {
    related.newest(uid(deployment)).into_iter().flat_map(|newest| related.pods(&newest.uid))
}

/// The verdict on a Deployment.
pub fn verdict(deployment: &Value, related: Option<&Related>, patience: &Patience) -> Verdict {
    if let Some(reason) = unobserved(deployment) {
        return Verdict::because(reason);
    }
    let Some(progress) = progress(deployment) else { return Verdict::Ready };
    let mut standing = Standing { progress, reasons: Vec::new() };
    if flag(deployment, "/spec/paused") {
        standing.reasons.push("it is paused: nothing is rolled out before it is resumed".to_owned());
    }
    let mut doom = refused(deployment, "ReplicaFailure", &mut standing);
    if let Some(late) = condition(deployment, "Progressing").filter(|it| text(it, "/status") == "False")
        && text(late, "/reason") == "ProgressDeadlineExceeded"
    {
        let message = text(late, "/message");
        doom = doom.or_else(|| Some(Doom::new("its progress deadline is exceeded").seen(message)));
    }
    let verdict = match related {
        Some(related) => pod::gathered(standing, new_pods(deployment, related), related, patience),
        None => Verdict::NotReady(standing),
    };
    match (verdict, doom) {
        // What the pods say is more specific than a deadline.
        (Verdict::NotReady(standing), Some(mut doom)) => {
            doom.evidence.extend(standing.reasons.iter().cloned());
            Verdict::Doomed(standing, doom)
        }
        (verdict, _) => verdict,
    }
}

/// How far a rollout is, in the order in which it goes; `None` where it is through.
fn progress(deployment: &Value) -> Option<String> {
    let desired = number(deployment, "/spec/replicas").unwrap_or(1);
    let status = |field: &str| count(deployment, &format!("/status/{field}"));
    let (updated, total) = (status("updatedReplicas"), status("replicas"));
    let (ready, available) = (status("readyReplicas"), status("availableReplicas"));
    if updated < desired {
        Some(format!("{updated} of {desired} replicas updated"))
    } else if available < updated {
        // Old replicas may be the available ones while the new ones come.
        Some(format!("{} of {desired} replicas available", available.min(ready)))
    } else if total > updated {
        Some(format!("{desired} of {desired} replicas updated, {} old still there", total - updated))
    } else if updated > desired {
        Some(format!("{desired} of {desired} replicas available, {} too many", updated - desired))
    } else if ready < desired {
        Some(format!("{ready} of {desired} replicas ready"))
    } else {
        None
    }
}

/// What a workload says about pods that it may not make. Doom where the server's answer will stay the same.
fn refused(workload: &Value, kind: &str, standing: &mut Standing) -> Option<Doom> {
    let failure = condition(workload, kind).filter(|_| holds(workload, kind))?;
    let words = words_of(failure);
    standing.reasons.push(words.clone());
    super::creation::is_final(text(failure, "/message")).then(|| super::creation::doom(&words))
}

/// The verdict on a ReplicaSet or its older kind.
pub fn replicas(workload: &Value) -> Verdict {
    if let Some(reason) = unobserved(workload) {
        return Verdict::because(reason);
    }
    let desired = number(workload, "/spec/replicas").unwrap_or(1);
    let available = count(workload, "/status/availableReplicas");
    if available >= desired && count(workload, "/status/replicas") == desired {
        return Verdict::Ready;
    }
    let mut standing =
        Standing { progress: format!("{available} of {desired} replicas available"), reasons: Vec::new() };
    match refused(workload, "ReplicaFailure", &mut standing) {
        Some(doom) => Verdict::Doomed(standing, doom),
        None => Verdict::NotReady(standing),
    }
}
