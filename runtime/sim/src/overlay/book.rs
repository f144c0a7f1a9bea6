//! What a dry run keeps for whoever tells of it: the run's own writes in order, who else wrote what, what was read from the live
//! cluster, and what could not be known.
//!
//! Not known here: how any of it is told.

use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use serde_json::Value;

use crate::resource::GroupResource;

/// The name of one object.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    /// The API group, empty for the core one.
    pub group: String,
    /// The resource, such as `deployments`.
    pub resource: String,
    /// The namespace, empty for what lies in none.
    pub namespace: String,
    /// The name.
    pub name: String,
}

impl Subject {
    /// The resource with its group, as people name it: `pods`, `deployments.apps`.
    pub fn full_resource(&self) -> String {
        GroupResource::new(&self.group, &self.resource).words()
    }
}

/// What the live API server said to a write, with its own dry run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Check {
    /// It accepts it, and makes the same of it as the plan.
    Accepted,
    /// It accepts it, and would make something else of these fields.
    Otherwise(Vec<String>),
    /// It refuses it; so was the run.
    Refused,
    /// It was not asked, or its answer does not count, for this reason.
    Unasked(String),
}

/// A write of the run's own client.
#[derive(Clone, Debug)]
pub struct Write {
    /// When, in simulated time.
    pub at: Timestamp,
    /// `create`, `update`, `patch`, `delete` or `deletecollection`.
    pub verb: String,
    /// What was written. The name is empty where the server makes one, or where it is a collection.
    pub subject: Subject,
    /// The version of the group.
    pub version: String,
    /// The kind.
    pub kind: String,
    /// Empty for the object itself, else `status`, `scale`, `eviction`.
    pub subresource: String,
    /// The query, as it was sent.
    pub query: String,
    /// The media type of the body: which sort of patch.
    pub media: String,
    /// The body, as text.
    pub body: String,
    /// The answer's status code.
    pub code: u16,
    /// The object before; none where there was none.
    pub before: Option<Value>,
    /// The object afterwards; none where there is none any more, or the write was refused.
    pub after: Option<Value>,
    /// Whether the live API server was asked.
    pub check: Check,
}

impl Write {
    /// In a line: `patch apps/deployments/status shop/web`.
    pub fn summary(&self) -> String {
        let Subject { group, resource, namespace, name } = &self.subject;
        let is_namespace = group.is_empty() && resource == "namespaces" && self.verb != "create";
        // A namespace lies in itself, says the real one.
        let namespace = if is_namespace { name } else { namespace };
        crate::audit::in_a_line(&self.verb, (group, resource, &self.subresource), (namespace, name))
    }
}

/// A write of a simulated controller, or of a stand-in for what runs in the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    /// When, in simulated time.
    pub at: Timestamp,
    /// Who, by the name that managed fields carry.
    pub by: String,
    /// `create`, `update`, `patch`, `delete`, `bind`.
    pub verb: String,
    /// What was written.
    pub subject: Subject,
}

/// How far what is said of an object can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// As it stands in the live cluster.
    Exact,
    /// Planned by the run alone, and every write of it accepted by the live API server's own dry run.
    Checked,
    /// Planned, or written by what is simulated.
    Simulated,
}

/// An object that is not what it was.
#[derive(Clone, Debug)]
pub struct Change {
    /// Which.
    pub subject: Subject,
    /// As it stands in the live cluster; none where it is not there.
    pub before: Option<Value>,
    /// As planned; none where it is gone.
    pub after: Option<Value>,
    /// Who wrote it: `run`, or names of controllers.
    pub by: BTreeSet<String>,
    /// How far this can be trusted.
    pub grade: Grade,
}

impl Change {
    /// Whether the run wrote it itself.
    pub fn by_run(&self) -> bool {
        self.by.contains(RUN)
    }
}

/// An object that was read from the live cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Read {
    /// Which.
    pub subject: Subject,
    /// Its resource version; none where there is no such object.
    pub version: Option<String>,
}

/// Something that could not be known, so that nothing may rest on it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unknown {
    /// What.
    pub what: String,
    /// Why.
    pub because: String,
}

/// The run, among those who write.
pub(crate) const RUN: &str = "run";

/// The book.
#[derive(Default)]
pub(crate) struct Book {
    pages: Mutex<Pages>,
}

/// What is written down.
#[derive(Default)]
pub(crate) struct Pages {
    pub(crate) writes: Vec<Write>,
    pub(crate) deeds: Vec<Deed>,
    pub(crate) unknowns: BTreeSet<Unknown>,
    /// Objects that were written and on which nobody could act.
    pub(crate) undecided: BTreeSet<Subject>,
    pub(crate) notes: BTreeSet<(Subject, String)>,
}

impl Book {
    pub(crate) fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes down that something cannot be known.
    pub(crate) fn unknown(&self, what: impl Into<String>, because: impl Into<String>) {
        self.pages().unknowns.insert(Unknown { what: what.into(), because: because.into() });
    }
}
