//! What happened to one resource lately, for watches and for lists of a moment gone by.
//!
//! Not known here: who watches.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use super::Stored;

/// How many events of one resource are kept.
const KEPT: usize = 20_000;

/// One change of one object.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) version: u64,
    /// What it was before, none where it was made.
    pub(crate) old: Option<Arc<Stored>>,
    /// What it is now. Where it was deleted: its last state, under the version of the deletion.
    pub(crate) new: Arc<Stored>,
    pub(crate) is_deletion: bool,
}

/// The latest events of one resource, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Log {
    events: VecDeque<Arc<Event>>,
    /// Everything up to this version has been forgotten.
    forgotten: u64,
}

impl Log {
    pub(crate) fn push(&mut self, event: Event) -> Arc<Event> {
        let event = Arc::new(event);
        self.events.push_back(event.clone());
        if self.events.len() > KEPT
            && let Some(oldest) = self.events.pop_front()
        {
            self.forgotten = oldest.version;
        }
        event
    }

    /// Forgets what happened up to `version`, as compaction does.
    pub(crate) fn forget(&mut self, version: u64) {
        while self.events.front().is_some_and(|event| event.version <= version) {
            self.events.pop_front();
        }
        self.forgotten = self.forgotten.max(version);
    }

    /// The oldest version that can still be told about.
    pub(crate) fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// At most `limit` events after `version`; none where some of them are forgotten.
    pub(crate) fn after(&self, version: u64, limit: usize) -> Option<Vec<Arc<Event>>> {
        if version < self.forgotten {
            return None;
        }
        let from = self.events.partition_point(|event| event.version <= version);
        Some(self.events.range(from..).take(limit).cloned().collect())
    }

    /// What differs between `version` and the present: each changed key with the state it had then.
    pub(crate) fn undone(&self, version: u64) -> Option<BTreeMap<&str, Option<&Arc<Stored>>>> {
        if version < self.forgotten {
            return None;
        }
        let from = self.events.partition_point(|event| event.version <= version);
        let mut then = BTreeMap::new();
        for event in self.events.range(from..) {
            then.entry(event.new.key()).or_insert(event.old.as_ref());
        }
        Some(then)
    }
}
