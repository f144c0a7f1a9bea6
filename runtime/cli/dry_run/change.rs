//! What a call changes: each object once, from its first state before to its last state after.
//!
//! Does not know who wanted the change, nor how it is shown.

use std::collections::HashMap;

use runbook_core::Value;
use runbook_sim::{Change, Subject};

/// Which object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key {
    pub(super) group: String,
    pub(super) plural: String,
    pub(super) namespace: String,
    pub(super) name: String,
}

impl Key {
    pub(super) fn of(subject: &Subject) -> Self {
        let Subject { group, plural, namespace, name, .. } = subject.clone();
        Self { group, plural, namespace, name }
    }
}

/// Objects that were changed, in the order in which each was changed first.
#[derive(Debug, Default)]
pub(super) struct Altered {
    objects: Vec<Object>,
    places: HashMap<Key, usize>,
}

/// One object that was changed.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) subject: Subject,
    first: Change,
    last: Option<Change>,
    /// Whether it was taken away in between, to come back or not.
    pub(super) was_gone: bool,
}

impl Object {
    /// The object before all changes; `None` where it was not there.
    pub(super) fn before(&self) -> Option<Value> {
        self.first.before()
    }

    /// The object after all changes; `None` where it is gone.
    pub(super) fn after(&self) -> Option<Value> {
        self.last.as_ref().unwrap_or(&self.first).after()
    }
}

/// An object in a few words: `deployment/istiod`.
pub(super) fn title(subject: &Subject) -> String {
    format!("{}/{}", subject.kind.to_lowercase(), subject.name)
}

impl Altered {
    /// Takes a change in.
    pub(super) fn take(&mut self, change: Change) {
        let key = Key::of(&change.subject);
        let is_gone = change.is_deletion();
        if let Some(place) = self.places.get(&key) {
            let object = &mut self.objects[*place];
            object.was_gone |= is_gone;
            object.last = Some(change);
            return;
        }
        self.places.insert(key, self.objects.len());
        let subject = change.subject.clone();
        self.objects.push(Object { subject, first: change, last: None, was_gone: is_gone });
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Object> {
        self.objects.iter()
    }
}
