//! Siblings of a pod that stands: while a cluster is prepared, all but the first pod of a large workload are copies of it.
//!
//! From its making until it is ready a pod takes some ten writes, and nobody sees those of a cluster that has stood for long
//! when the run begins. Whatever the first has been through, its copies have with them: defaults, webhooks, agents. Not known
//! here: who owns them.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::{
    Hand,
    member::{Availability, Member, PODS},
    pod,
    reading::later,
    scheduler::{Plan, fit::Wish},
};
use crate::{
    actor::json::{map_at, text},
    status::Status,
    store::Stored,
};

/// From so many on that are missing, pods come as copies.
const MANY: usize = 8;

/// How the pods come that a workload lacks.
pub(super) enum Way {
    /// All of them are made.
    Made,
    /// One is made, and the others wait for it.
    First,
    /// They wait until then.
    Later(Timestamp),
    /// As copies of this one.
    Copied(Box<Value>),
}

impl Way {
    /// How so many come beside the pods that are there, which are looked at only where that matters.
    pub(super) fn of<'a>(hand: &Hand, missing: usize, pods: impl Iterator<Item = &'a Member>) -> Self {
        if missing < MANY || !hand.habits().begins {
            return Self::Made;
        }
        // For a second after it is ready, agents still have their say.
        let now = hand.now();
        let mut way = Self::First;
        for pod in pods {
            match pod.availability(1, now) {
                Availability::No => way = Self::Later(later(now, 1)),
                Availability::At(at) => return Self::Later(at),
                Availability::Yes => {
                    let model = pod.stored.value();
                    return if minds_others(&model) { Self::Made } else { Self::Copied(Box::new(model)) };
                }
            }
        }
        way
    }
}

/// Does where it may be depend on where other pods are?
fn minds_others(pod: &Value) -> bool {
    let affinity = &pod["spec"]["affinity"];
    !affinity["podAffinity"].is_null()
        || !affinity["podAntiAffinity"].is_null()
        || !pod["spec"]["topologySpreadConstraints"].is_null()
}

/// Puts up to `count` copies of a pod on nodes that have room; says how many there was none for.
pub(super) fn spread(hand: &Hand, model: &Value, count: usize) -> Result<usize, Status> {
    let wish = Wish::of(model);
    let mut plan = Plan::of(hand, text(model, "/metadata/uid"));
    for done in 0..count {
        let Some(node) = plan.copy(&wish) else { return Ok(count - done) };
        wish.granted(&*copy(hand, model.clone(), &node)?);
    }
    Ok(0)
}

/// Puts a copy of a pod, whose affinity has been changed already, on the one node that it is meant for. False where that has
/// no room for it.
pub(super) fn put(hand: &Hand, copied: Value, plan: &mut Plan<'_>) -> Result<bool, Status> {
    let wish = Wish::of(&copied);
    let Some(node) = plan.copy(&wish) else { return Ok(false) };
    wish.granted(&*copy(hand, copied, &node)?);
    Ok(true)
}

fn copy(hand: &Hand, mut pod: Value, node: &Stored) -> Result<Arc<Stored>, Status> {
    map_at(&mut pod, "metadata").insert("uid".to_owned(), hand.uid().into());
    map_at(&mut pod, "spec").insert("nodeName".to_owned(), node.name().into());
    crate::server::stands_on(&mut pod, node);
    let addresses: Arc<Addresses> = node.part(Addresses::of);
    pod::moved(&mut pod, &addresses.0, &hand.diary().address());
    hand.copy(PODS, pod)
}

/// The addresses of a node among the others.
struct Addresses(Vec<Value>);

impl Addresses {
    fn of(node: &Stored) -> Self {
        Self(pod::internal(&node.value()).into_iter().cloned().collect())
    }
}
