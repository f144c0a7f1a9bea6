//! Which node a pod comes to.
//!
//! Unscheduled pods are placed all together, one after the other: a node's room is read once for all of them. Of the nodes
//! that fit, the one with the most room left and the fewest of the pod's siblings is taken. Not known here: preemption,
//! topology spread, preferences; a pod that needs more than there is waits, and an event says why.

mod affinity;
pub(super) mod fit;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use futures::future::BoxFuture;
use serde_json::Value;

use self::fit::{Node, Room};
use super::{
    Controller, Gravity, Hand, Key, Next, Watch,
    condition::{self, Saying},
    member::PODS,
    node::NODES,
    reading::is_leaving,
};
use crate::{
    actor::json::{items, list_at, name, namespace, text},
    status::Status,
    store::Stored,
};

/// How many nodes that fit are compared, where there are many.
const ENOUGH: usize = 100;

/// The same for copies, of which each begins where the one before it ended.
const FEW: usize = 4;

pub(super) const SCHEDULER: Controller = Controller {
    name: "default-scheduler",
    watches: &[Watch::by(PODS, pods_changed), Watch::by(NODES, nodes_changed)],
    reconcile: |hand, key| boxed(hand, key),
};

fn boxed<'a>(hand: &'a Hand, key: &'a Key) -> BoxFuture<'a, Result<Next, Status>> {
    Box::pin(reconcile(hand, key))
}

fn pods_changed(hand: &Hand, event: &crate::store::Event) -> Vec<Key> {
    let is_unbound = event.new.fields.first().is_none_or(|node| node.is_empty());
    let is_new = event.old.is_none() && is_unbound;
    // One that is gone leaves room.
    let leaves_room = event.is_deletion && !is_unbound && !hand.stored_on("").is_empty();
    if is_new || leaves_room { vec![Key::new("", "")] } else { Vec::new() }
}

fn nodes_changed(hand: &Hand, event: &crate::store::Event) -> Vec<Key> {
    let is_news = event.old.as_ref().is_none_or(|old| Node::of(old) != Node::of(&event.new));
    if is_news && !hand.stored_on("").is_empty() { vec![Key::new("", "")] } else { Vec::new() }
}

async fn reconcile(hand: &Hand, _: &Key) -> Result<Next, Status> {
    let waiting = hand.stored_on("");
    if waiting.is_empty() {
        return Ok(Next::Done);
    }
    let mut plan = Plan::of(hand, "");
    let mut failed = None;
    for stored in waiting {
        let pod = stored.value();
        let is_ours = text(&pod, "/spec/schedulerName") == "default-scheduler";
        if !is_ours || is_leaving(&pod) || !items(&pod, "/spec/schedulingGates").is_empty() {
            continue;
        }
        let done = match plan.place(&pod) {
            Ok(node) => bind(hand, &pod, &node).await,
            Err(why) => refuse(hand, pod, &why).await,
        };
        failed = failed.or(done.err());
    }
    failed.map_or(Ok(Next::Done), Err)
}

async fn bind(hand: &Hand, pod: &Value, node: &str) -> Result<(), Status> {
    hand.bind((namespace(pod), name(pod)), node).await?;
    let message = format!("Successfully assigned {}/{} to {node}", namespace(pod), name(pod));
    hand.event(pod, Gravity::Normal, "Scheduled", &message).await;
    Ok(())
}

async fn refuse(hand: &Hand, mut pod: Value, why: &str) -> Result<(), Status> {
    let known = condition::find(&pod, "/status/conditions", "PodScheduled").is_some_and(|it| it["message"] == why);
    if known {
        return Ok(());
    }
    hand.event(&pod, Gravity::Warning, "FailedScheduling", why).await;
    let saying = Saying { kind: "PodScheduled", status: "False", reason: "Unschedulable", message: why };
    let now = hand.now();
    let conditions = list_at(&mut pod["status"], "conditions");
    condition::set(conditions, saying, now);
    if let Some(fields) = conditions.last_mut().and_then(Value::as_object_mut) {
        fields.entry("lastProbeTime").or_insert(Value::Null);
    }
    pod["status"]["phase"] = "Pending".into();
    hand.update_status(PODS, pod).await.map(|_| ())
}

/// The nodes in the order of their names, and what room is left on those that have been looked at.
pub(super) struct Plan<'a> {
    hand: &'a Hand,
    nodes: Vec<Arc<Stored>>,
    rooms: HashMap<usize, Room>,
    /// After the node that was looked at last.
    next: usize,
}

/// The place of a node among nodes in the order of their names.
fn find(nodes: &[Arc<Stored>], name: &str) -> Option<usize> {
    nodes.binary_search_by(|node| node.name().cmp(name)).ok()
}

impl<'a> Plan<'a> {
    /// All nodes, of which copies begin to look somewhere: `seed` says where.
    pub(super) fn of(hand: &'a Hand, seed: &str) -> Self {
        let nodes = hand.stored(NODES, None);
        let next = spread(seed) % nodes.len().max(1);
        Self { hand, nodes, rooms: HashMap::new(), next }
    }

    fn place(&mut self, pod: &Value) -> Result<String, String> {
        if self.nodes.is_empty() {
            return Err("no nodes available to schedule pods".to_owned());
        }
        let wish = fit::Wish::of(pod);
        let neighbours = affinity::Neighbours::of(self.hand, pod, &self.nodes);
        let start = spread(text(pod, "/metadata/uid")) % self.nodes.len();
        let mut refusals: BTreeMap<String, usize> = BTreeMap::new();
        let best = self.best(&wish, start, ENOUGH, |node, refusal| {
            let refusal = refusal.or_else(|| neighbours.refusal(node));
            for reason in refusal.iter().flatten() {
                *refusals.entry(reason.clone()).or_default() += 1;
            }
            refusal.is_some()
        });
        best.map(|node| node.name().to_owned()).ok_or_else(|| self.refused(&wish, refusals))
    }

    /// Where a copy of a pod comes to: one after the other, and what each is given is taken from its node's room. None where no node has any.
    pub(super) fn copy(&mut self, wish: &fit::Wish) -> Option<Arc<Stored>> {
        self.best(wish, self.next, FEW, |_, refusal| refusal.is_some())
    }

    /// The best of the first few nodes, from one of them on, that nobody objects to, or the one that is wished for. Whoever may object is told
    /// why the pod does not fit on a node, where it does not.
    fn best(
        &mut self,
        wish: &fit::Wish,
        start: usize,
        enough: usize,
        mut objects: impl FnMut(&Node, Option<Vec<String>>) -> bool,
    ) -> Option<Arc<Stored>> {
        let all = self.nodes.len();
        let candidates: Vec<usize> = match &wish.only_on {
            Some(node) => find(&self.nodes, node).into_iter().collect(),
            None => (start..all).chain(0..start).collect(),
        };
        let mut best: Option<(i128, usize)> = None;
        let mut fitting = 0;
        for at in candidates {
            let node = Node::of(&self.nodes[at]);
            let room = self.rooms.entry(at).or_insert_with(|| Room::of(self.hand, &node));
            if objects(&node, wish.refusal(&node, room)) {
                continue;
            }
            let score = wish.score(&node, room);
            if best.is_none_or(|(known, _)| score > known) {
                best = Some((score, at));
            }
            fitting += 1;
            self.next = (at + 1) % all;
            if fitting >= enough {
                break;
            }
        }
        let (_, at) = best?;
        if let Some(room) = self.rooms.get_mut(&at) {
            room.take(&wish.load);
        }
        Some(self.nodes[at].clone())
    }

    fn refused(&self, wish: &fit::Wish, mut refusals: BTreeMap<String, usize>) -> String {
        let all = self.nodes.len();
        let seen = usize::from(wish.only_on.as_ref().is_some_and(|node| find(&self.nodes, node).is_some()));
        if wish.only_on.is_some() && all > seen {
            *refusals.entry("node(s) didn't satisfy plugin(s) [NodeAffinity]".to_owned()).or_default() += all - seen;
        }
        let mut words: Vec<String> = refusals.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
        words.sort();
        let may_help = |reason: &str| {
            reason.starts_with("Insufficient") || reason.starts_with("Too many") || reason.contains("ports")
        };
        let hopeful =
            refusals.iter().filter(|(reason, _)| may_help(reason)).map(|(_, count)| *count).sum::<usize>().min(all);
        let mut preemption = Vec::new();
        if hopeful > 0 {
            preemption.push(format!("{hopeful} No preemption victims found for incoming pod"));
        }
        if all > hopeful {
            preemption.push(format!("{} Preemption is not helpful for scheduling", all - hopeful));
        }
        preemption.sort();
        format!(
            "0/{all} nodes are available: {}. preemption: 0/{all} nodes are available: {}.",
            words.join(", "),
            preemption.join(", ")
        )
    }
}

/// A number that stands for a text: pods begin to look at different nodes.
fn spread(text: &str) -> usize {
    text.bytes().fold(7_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(byte)))
}
