//! What is going on at the present moment: calls that have begun and not ended, and why waits are not over.
//!
//! Does not know how it is shown.

use std::collections::BTreeMap;

use runbook_core::record::{Entry, Event, Waiting};

/// A call that has begun.
#[derive(Debug, Clone)]
pub(super) struct Ongoing {
    pub(super) words: String,
    /// When it began, in milliseconds.
    pub(super) since: u64,
    /// Why it is not over, and when that was said.
    pub(super) waiting: Option<(Waiting, u64)>,
}

/// The calls that go on, by step path: one thread of a script is in one path.
#[derive(Debug, Default)]
pub(super) struct Live {
    calls: BTreeMap<String, Vec<Ongoing>>,
}

impl Live {
    /// Takes note of an event.
    pub(super) fn observe(&mut self, event: &Event<'_>, now: u64) {
        match event {
            Event::Calling(calling) => {
                let ongoing = Ongoing { words: calling.words.to_owned(), since: now, waiting: None };
                self.calls.entry(calling.call.step.clone()).or_default().push(ongoing);
            }
            Event::Waiting { step, waiting } => {
                if let Some(call) = self.calls.get_mut(*step).and_then(|calls| calls.last_mut()) {
                    call.waiting = Some(((*waiting).clone(), now));
                }
            }
            Event::Recorded(record) => match &record.entry {
                Entry::Settled(settled) => self.end(&settled.call.step, &settled.words),
                Entry::StepFinished(step) => drop(self.calls.remove(&step.step)),
                _ => {}
            },
        }
    }

    fn end(&mut self, step: &str, words: &str) {
        let Some(calls) = self.calls.get_mut(step) else { return };
        if let Some(place) = calls.iter().rposition(|call| call.words == words) {
            calls.truncate(place);
        }
        if calls.is_empty() {
            self.calls.remove(step);
        }
    }

    /// The innermost call of each thread, with its path.
    pub(super) fn innermost(&self) -> impl Iterator<Item = (&str, &Ongoing)> {
        self.calls.iter().filter_map(|(step, calls)| Some((step.as_str(), calls.last()?)))
    }
}
