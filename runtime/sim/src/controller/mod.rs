//! The controllers of the cluster: who acts on what, and the one queue that they are worked off from.
//!
//! A controller is data: what it watches and one function that brings one object to where it should be. Keys wait in one
//! queue ordered by time and then by arrival, and are worked off one after the other: the same beginning has the same
//! end. Not known here: what any controller does.

mod autoscaler;
mod budget;
mod condition;
mod cron_job;
mod daemon_set;
mod definition;
mod deployment;
mod diary;
mod fingerprint;
mod garbage;
mod habit;
mod hand;
mod job;
mod member;
mod namespace;
mod node;
mod pod;
mod queue;
mod reading;
mod replica_set;
mod revision;
mod scheduler;
mod service;
mod sibling;
mod stateful_set;
#[cfg(test)]
mod tests;

use futures::future::BoxFuture;
use jiff::Timestamp;

pub use self::habit::{Failing, Failure, Habits};
pub(crate) use self::{
    diary::Diary,
    hand::{Gravity, Hand, Held},
    queue::Queue,
};
use crate::{
    resource::{GroupResource, Resource},
    status::Status,
    store::Event,
};

/// How long after a change those react who watch for it.
pub(crate) const REACTION: std::time::Duration = std::time::Duration::from_millis(10);

/// Every controller, in the order in which they react to one change.
pub(crate) const ALL: &[Controller] = &[
    definition::DEFINITION,
    node::NODE,
    deployment::DEPLOYMENT,
    replica_set::REPLICA_SET,
    stateful_set::STATEFUL_SET,
    daemon_set::DAEMON_SET,
    cron_job::CRON_JOB,
    job::JOB,
    scheduler::SCHEDULER,
    pod::POD,
    service::LOAD_BALANCER,
    service::ENDPOINT_SLICE,
    budget::BUDGET,
    autoscaler::AUTOSCALER,
    namespace::NAMESPACE,
    garbage::GARBAGE,
];

/// The object that a controller looks after next. Cluster-scoped objects have an empty namespace.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl Key {
    pub(crate) fn new(namespace: &str, name: &str) -> Self {
        Self { namespace: namespace.to_owned(), name: name.to_owned() }
    }
}

/// When a controller wants to look at a key again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// When something that it watches changes.
    Done,
    /// Then, whatever happens.
    At(Timestamp),
}

/// A controller: what it watches, and what it does about one key.
pub(crate) struct Controller {
    /// Its name, under which it writes as a field manager.
    pub(crate) name: &'static str,
    pub(crate) watches: &'static [Watch],
    /// `|hand, key| Box::pin(reconcile(hand, key))`
    pub(crate) reconcile: for<'a> fn(&'a Hand, &'a Key) -> BoxFuture<'a, Result<Next, Status>>,
}

/// A resource that a controller watches, and whose keys a change of it is about.
pub(crate) struct Watch {
    pub(crate) resource: Resource,
    pub(crate) keys: Keys,
}

/// Which keys a change is about.
pub(crate) enum Keys {
    /// The changed object itself.
    Itself,
    /// The owner that controls it, where that is of this kind.
    Owner(&'static str),
    /// The objects with these names: read from the cluster, by selector or by reference.
    By(fn(&Hand, &Event) -> Vec<Key>),
}

impl Next {
    /// The earlier of two.
    pub(crate) fn sooner(self, other: Self) -> Self {
        match (self, other) {
            (Self::At(a), Self::At(b)) => Self::At(a.min(b)),
            (Self::Done, at) | (at, Self::Done) => at,
        }
    }
}

impl Watch {
    pub(crate) const fn itself(resource: Resource) -> Self {
        Self { resource, keys: Keys::Itself }
    }

    pub(crate) const fn owner(resource: Resource, kind: &'static str) -> Self {
        Self { resource, keys: Keys::Owner(kind) }
    }

    pub(crate) const fn by(resource: Resource, keys: fn(&Hand, &Event) -> Vec<Key>) -> Self {
        Self { resource, keys: Keys::By(keys) }
    }

    /// Changes of any resource.
    pub(crate) const fn everything(keys: fn(&Hand, &Event) -> Vec<Key>) -> Self {
        Self { resource: Resource::core("*"), keys: Keys::By(keys) }
    }

    fn is_about(&self, resource: &GroupResource) -> bool {
        self.resource.plural == "*"
            || (self.resource.group == &*resource.group && self.resource.plural == &*resource.plural)
    }

    /// The keys that a change of this resource is about.
    fn touched(&self, hand: &Hand, event: &Event) -> Vec<Key> {
        let states = [event.old.as_deref(), Some(&*event.new)];
        match self.keys {
            Keys::Itself => vec![Key::new(event.new.namespace(), event.new.name())],
            Keys::Owner(kind) => {
                let owners = states.into_iter().flatten().filter_map(|state| {
                    let owner = state.controller().filter(|owner| &*owner.kind == kind)?;
                    Some(Key::new(state.namespace(), &owner.name))
                });
                let mut keys: Vec<_> = owners.collect();
                keys.dedup();
                keys
            }
            Keys::By(find) => find(hand, event),
        }
    }
}
