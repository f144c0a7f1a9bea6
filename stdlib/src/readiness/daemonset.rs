//! DaemonSets: one ready pod of the current revision on every node that should have one, whatever the update strategy.
//!
//! The status of a DaemonSet counts pods without saying where; so the nodes themselves are gone through.
//! Does not know how nodes and pods are found.

use std::collections::HashMap;

use serde_json::Value;

use super::node::Demand;
use super::object::{count, namespace, selector, text, uid, unobserved};
use super::pod::{self, Life, PodState};
use super::related::{Query, Related, Source};
use super::verdict::{Patience, Standing, Verdict};
use super::{EVENTS_AFTER, creation};

/// What the verdict looks up.
pub fn wants(set: &Value, related: Option<&Related>, patience: &Patience) -> Vec<Query> {
    let (space, labels) = (namespace(set), selector(set, "/spec/selector"));
    let mut queries = vec![
        Source::Pods.of(space).with(labels.clone()),
        Source::ControllerRevisions.of(space).with(labels),
        Source::Nodes.everywhere(),
    ];
    if patience.waited() > EVENTS_AFTER && related.is_some_and(|related| unexplained(set, related)) {
        queries.push(pod::events_in(space));
    }
    queries
}

/// Whether events may say more. How many pods there should be is asked of the controller: whoever goes through the nodes for it does so at
/// every turn.
fn unexplained(set: &Value, related: &Related) -> bool {
    let wanted = usize::try_from(count(set, "/status/desiredNumberScheduled")).unwrap_or(0);
    related.pods(uid(set)).count() < wanted || pod::vague(related.pods(uid(set)))
}

/// The verdict on a DaemonSet.
pub fn verdict(set: &Value, related: Option<&Related>, patience: &Patience) -> Verdict {
    if let Some(reason) = unobserved(set) {
        return Verdict::because(reason);
    }
    let Some(related) = related else { return Verdict::Unknown };
    let Some(newest) = related.newest(uid(set)) else {
        return Verdict::because("its controller has not written a revision yet");
    };
    let mut survey = Survey::of(set, &newest.hash, related);
    if survey.done == survey.wanted && survey.reasons.is_empty() {
        return available(set, survey.wanted);
    }
    survey.reasons.sort();
    let progress = format!("{} of {} nodes have a ready pod of the current revision", survey.done, survey.wanted);
    let mut standing = Standing { progress, reasons: survey.reasons };
    if text(set, "/spec/updateStrategy/type") == "OnDelete" && survey.outdated > 0 {
        let left = survey.outdated;
        let pods = if left == 1 { "1 old pod stays".to_owned() } else { format!("{left} old pods stay") };
        standing.reasons.push(format!("its update strategy is OnDelete: {pods} until someone deletes them"));
    }
    let refused = creation::gathered(uid(set), related, patience, &mut standing);
    match (pod::gathered(standing, survey.current.into_iter(), related, patience), refused) {
        (Verdict::NotReady(standing), Some(doom)) => Verdict::Doomed(standing, doom),
        (verdict, _) => verdict,
    }
}

/// Every node is served. Its controller has to count as many: the newest revision comes by a watch of its own, perhaps later
/// than the set itself, and until then all pods look as if they were of it. Where pods must have been ready for a while, only
/// the controller has counted how long.
fn available(set: &Value, wanted: usize) -> Verdict {
    let counted = |field: &str| usize::try_from(count(set, field)).unwrap_or(0);
    let (updated, available) = (counted("/status/updatedNumberScheduled"), counted("/status/numberAvailable"));
    if updated < wanted {
        return Verdict::not_ready(format!("{updated} of {wanted} pods updated, as its controller counts"), Vec::new());
    }
    if count(set, "/spec/minReadySeconds") == 0 || available >= wanted {
        return Verdict::Ready;
    }
    Verdict::not_ready(format!("{available} of {wanted} pods available"), Vec::new())
}

/// What stands on the nodes that should have a pod.
#[derive(Default)]
struct Survey<'a> {
    wanted: usize,
    done: usize,
    outdated: usize,
    reasons: Vec<String>,
    /// Pods of the current revision that are not ready: their troubles are told by name.
    current: Vec<&'a PodState>,
}

impl<'a> Survey<'a> {
    fn of(set: &Value, hash: &str, related: &'a Related) -> Self {
        let mut by_node: HashMap<&str, Vec<&'a PodState>> = HashMap::new();
        for pod in related.pods(uid(set)) {
            by_node.entry(pod.node.as_deref().unwrap_or_default()).or_default().push(pod);
        }
        let mut survey = Self::default();
        let demand = Demand::of(set);
        for node in related.nodes().filter(|node| demand.as_ref().is_some_and(|demand| demand.wants(node))) {
            survey.wanted += 1;
            let pods = by_node.remove(node.name.as_str()).unwrap_or_default();
            survey.visit(&node.name, node.ready, hash, &pods);
        }
        survey
    }

    fn visit(&mut self, node: &str, node_ready: bool, hash: &str, pods: &[&'a PodState]) {
        let staying = || pods.iter().filter(|pod| pod.life != Life::Leaving);
        let of_hash = |pod: &PodState| pod.revision.as_deref() == Some(hash);
        let new: Vec<&PodState> = staying().filter(|pod| of_hash(pod)).copied().collect();
        let old: Vec<&PodState> = staying().filter(|pod| !of_hash(pod)).copied().collect();
        self.outdated += old.len();
        let ready = new.iter().filter(|pod| pod.life == Life::Ready).count();
        match (ready, old.first()) {
            (1, None) => {
                self.done += 1;
                return;
            }
            (0, Some(old)) if new.is_empty() => {
                self.reasons.push(format!("{}   {node}   still of the old revision", old.name));
            }
            (_, Some(old)) if ready > 0 => {
                self.reasons.push(format!("{}   {node}   old, not gone yet", old.name));
            }
            (0, None) if new.is_empty() => self.reasons.push(missing(node, node_ready, pods)),
            (2.., None) => self.reasons.push(format!("{}   {node}   is there {ready} times", new[0].name)),
            _ => {}
        }
        self.current.extend(new.into_iter().filter(|pod| pod.trouble().is_some()));
    }
}

fn missing(node: &str, node_ready: bool, pods: &[&PodState]) -> String {
    match pods.first() {
        _ if !node_ready => format!("-   {node}   no pod: the node is not ready"),
        Some(leaving) => format!("{}   {node}   is being deleted, its successor is not there yet", leaving.name),
        None => format!("-   {node}   no pod"),
    }
}
