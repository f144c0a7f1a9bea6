//! A whole dry run in numbers.
//!
//! Does not know how it is shown.

use std::collections::BTreeMap;

use serde::Serialize;

use super::grade::Grade;
use super::trace::{Call, Outcome, Statement, Step};
use super::view::{Fate, View};

/// A whole dry run in numbers. An object that several calls change counts once.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Total {
    pub(crate) reads: usize,
    pub(crate) waits: usize,
    /// Writes that change something, and those that find everything as wanted.
    pub(crate) writes: usize,
    pub(crate) idle_writes: usize,
    pub(crate) created: usize,
    pub(crate) changed: usize,
    pub(crate) deleted: usize,
    /// Fields left out that only the server writes, and records of helm.
    pub(crate) hidden: usize,
    pub(crate) records: usize,
    /// Requests that write, which the live API server's own dry run accepts and makes the same of.
    pub(crate) accepted: usize,
    /// Answers that were assumed.
    pub(crate) assumed: usize,
    /// Calls that could not be made, and how many of them write.
    pub(crate) not_run: usize,
    pub(crate) writes_not_run: usize,
}

impl Total {
    /// Adds up what steps hold.
    pub(super) fn of(steps: &[Step]) -> Self {
        let mut total = Self::default();
        let mut objects: BTreeMap<(String, String, String), Option<Fate>> = BTreeMap::new();
        for statement in steps.iter().flat_map(every) {
            match statement {
                Statement::Call(call) => total.add(call, &mut objects),
                Statement::Question(question) if question.grade == Grade::Assumed => total.assumed += 1,
                _ => {}
            }
        }
        for fate in objects.into_values().flatten() {
            match fate {
                Fate::Created => total.created += 1,
                Fate::Changed | Fate::Replaced => total.changed += 1,
                Fate::Deleted => total.deleted += 1,
            }
        }
        total
    }

    fn add(&mut self, call: &Call, objects: &mut BTreeMap<(String, String, String), Option<Fate>>) {
        match (call.effect, call.outcome) {
            (effect, outcome) if outcome.is_unknown() => {
                self.not_run += 1;
                self.writes_not_run += usize::from(effect == "write");
            }
            ("read", _) => self.reads += 1,
            ("wait", _) => self.waits += 1,
            (_, Outcome::Unchanged) => self.idle_writes += 1,
            _ => self.writes += 1,
        }
        self.hidden += call.hidden;
        self.records += call.records;
        self.accepted += call.accepted;
        for View { object, namespace, group, fate, .. } in &call.changes {
            let now = objects.entry((group.clone(), namespace.clone(), object.clone())).or_insert(Some(*fate));
            *now = match (*now, fate) {
                // What comes and goes within the run leaves nothing.
                (Some(Fate::Created), Fate::Deleted) => None,
                (Some(Fate::Created), _) | (None, Fate::Created) => Some(Fate::Created),
                (Some(Fate::Deleted), Fate::Created) => Some(Fate::Replaced),
                (_, fate) => Some(*fate),
            };
        }
    }

    /// Whether anything would change, or may: a write that finds everything as wanted changes nothing.
    pub(super) fn changes(&self) -> bool {
        self.created + self.changed + self.deleted + self.records + self.writes_not_run > 0
    }
}

/// Every statement of a step and of those inside it.
pub(super) fn every(step: &Step) -> Vec<&Statement> {
    let mut found = Vec::new();
    for statement in &step.statements {
        match statement {
            Statement::Step(step) => found.extend(every(step)),
            other => found.push(other),
        }
    }
    found
}
