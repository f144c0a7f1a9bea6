//! What a run without consequences does, call by call: collected while it goes on, from the calls themselves and from the
//! cluster that answers them.
//!
//! Does not know how any of it is shown, nor what it means.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard};

use runbook_core::Value;
use runbook_core::claim::BEFORE_WRITES;
use runbook_core::command::Command;
use runbook_core::effect::Effect;
use runbook_core::fault::Place;
use runbook_core::record::{CallId, Calling, Entry, Event, Observer, Settled, Settlement, Waiting};
use runbook_sim::{Asking, Author, Change, Onlooker, Subject};

use super::change::{Altered, Key};
use super::disguise::Disguise;
use super::right::Need;
use crate::plan;

/// A call as it was made.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) call: CallId,
    pub(super) words: String,
    /// Not masked.
    pub(super) arguments: Value,
    /// Not masked.
    pub(super) command: Option<Command>,
    pub(super) place: Option<Place>,
    /// Why it was not over at once, for a wait.
    pub(super) waiting: Option<Waiting>,
    /// How many requests it made about what nobody had touched, and about what the run had.
    pub(super) requests: Asked,
    /// How many of its requests write, and of how many the live API server said that it makes the same of them.
    pub(super) judged: Judged,
    /// Its answer or fault, once it is there.
    pub(super) outcome: Option<Settlement>,
    /// What it changed itself.
    pub(super) changes: Altered,
    /// What others changed from then on, until the next write.
    pub(super) followed: Altered,
}

/// What requests were about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) untouched: usize,
    pub(super) touched: usize,
}

/// Requests that write.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Judged {
    pub(super) writes: usize,
    pub(super) accepted: usize,
}

/// A change of something whose every state matters, not only the first and the last; after which call it came.
#[derive(Debug)]
pub(super) struct Moment {
    pub(super) call: usize,
    pub(super) change: Change,
}

/// Everything that was collected.
#[derive(Debug, Default)]
pub(super) struct Collected {
    pub(super) calls: Vec<Made>,
    /// Every verb on every resource that was asked for.
    pub(super) needs: HashSet<Need>,
    /// The changes of what webhooks depend on, in order.
    pub(super) moments: Vec<Moment>,
    by_id: HashMap<(String, u64), usize>,
    active: Vec<usize>,
    /// The call that wrote last.
    wrote: Option<usize>,
    /// A call that comes before the first write is made.
    claiming: bool,
    /// What the run claims for itself, and renews and lets go of while other calls are made.
    claimed: HashSet<Key>,
    touched: HashSet<Key>,
    touched_places: HashSet<(String, String, String)>,
    /// The run is over: what is asked from now on is about it.
    closed: bool,
}

/// Collects.
#[derive(Debug, Default)]
pub(crate) struct Collector {
    state: Mutex<Collected>,
}

impl Collector {
    /// The run is over: gives everything that was collected. What is asked from now on is about it and is not collected.
    pub(super) fn close(&self) -> Collected {
        std::mem::replace(&mut *self.collected(), Collected { closed: true, ..Collected::default() })
    }

    /// The calls so far, as a plan has them, with their arguments as they were.
    pub(super) fn planned(&self, disguise: &Disguise<'_>) -> Vec<(plan::Call, Value)> {
        let state = self.collected();
        // What a run claims for itself is its own book-keeping.
        let asked_for = state.calls.iter().filter(|made| made.call.step != BEFORE_WRITES);
        let planned = asked_for.map(|made| {
            let call = plan::Call {
                step: made.call.step.clone(),
                primitive: made.call.primitive.clone(),
                effect: made.call.effect,
                words: disguise.text(&made.words),
                arguments: disguise.arguments(made.arguments.clone()),
                digest: String::new(),
                loose: None,
            };
            (call, made.arguments.clone())
        });
        planned.collect()
    }

    fn collected(&self) -> MutexGuard<'_, Collected> {
        self.state.lock().expect("no thread panics while it holds this lock")
    }
}

impl Collected {
    /// The call of a step and ordinal.
    pub(super) fn find(&self, step: &str, ordinal: u64) -> Option<&Made> {
        let index = *self.by_id.get(&(step.to_owned(), ordinal))?;
        self.calls.get(index)
    }

    fn begin(&mut self, calling: &Calling<'_>) {
        let index = self.calls.len();
        let call = calling.call.clone();
        self.by_id.insert((call.step.clone(), call.ordinal), index);
        self.active.push(index);
        if call.effect.writes() {
            self.wrote = Some(index);
        }
        self.calls.push(Made {
            call,
            words: calling.words.to_owned(),
            arguments: calling.arguments.to_value(),
            command: calling.command.clone(),
            place: calling.place.clone(),
            waiting: None,
            requests: Asked::default(),
            judged: Judged::default(),
            outcome: None,
            changes: Altered::default(),
            followed: Altered::default(),
        });
    }

    fn settle(&mut self, settled: &Settled) {
        let id = (settled.call.step.clone(), settled.call.ordinal);
        let Some(index) = self.by_id.get(&id).copied() else { return };
        self.active.retain(|active| *active != index);
        self.calls[index].outcome = Some(settled.outcome.clone());
    }

    fn is_touched(&self, asking: &Subject) -> bool {
        let Subject { group, plural, namespace, name, .. } = asking;
        if !name.is_empty() {
            return self.touched.contains(&Key::of(asking));
        }
        self.touched_places.contains(&(group.clone(), plural.clone(), namespace.clone()))
    }

    /// Is it a change of what the run claims for itself? No call asked for that.
    fn is_claim(&mut self, change: &Change) -> bool {
        let key = Key::of(&change.subject);
        if self.claiming && change.author == Author::Client {
            self.claimed.insert(key);
            return true;
        }
        self.claimed.contains(&key)
    }

    /// The call that a change belongs to: the write in hand, else the one before.
    fn writer(&self) -> Option<usize> {
        let writes = |index: &&usize| self.calls[**index].call.effect.writes();
        self.active.iter().rev().find(writes).copied().or(self.wrote)
    }
}

impl Observer for Collector {
    fn observe(&self, event: &Event<'_>) {
        match event {
            Event::Calling(calling) => self.collected().begin(calling),
            Event::Waiting { step, waiting } => {
                let mut state = self.collected();
                let waits = |made: &&mut Made| made.call.step == **step && made.call.effect == Effect::Wait;
                if let Some(made) = state.calls.iter_mut().rev().find(waits) {
                    made.waiting.get_or_insert_with(|| (*waiting).clone());
                }
            }
            Event::Recorded(record) => match &record.entry {
                Entry::Intent(intent) if intent.call.step == BEFORE_WRITES => self.collected().claiming = true,
                Entry::Settled(settled) if settled.call.step == BEFORE_WRITES => self.collected().claiming = false,
                Entry::Settled(settled) => self.collected().settle(settled),
                _ => {}
            },
        }
    }
}

impl Onlooker for Collector {
    fn asked(&self, asking: Asking) {
        let mut state = self.collected();
        if asking.author != Author::Client || state.closed {
            return;
        }
        let touched = state.is_touched(&asking.subject);
        if let Some(index) = state.active.last().copied() {
            let made = &mut state.calls[index];
            *if touched { &mut made.requests.touched } else { &mut made.requests.untouched } += 1;
            made.judged.writes += usize::from(asking.is_write());
        }
        state.needs.insert(Need::of(&asking));
    }

    fn reviewed(&self, asking: Asking) {
        let mut state = self.collected();
        // What a run makes sure of before it begins, it may need on its way back.
        if asking.author == Author::Client && !state.closed {
            state.needs.insert(Need::of(&asking));
        }
    }

    fn accepted(&self) {
        let mut state = self.collected();
        if let Some(index) = state.active.last().copied() {
            state.calls[index].judged.accepted += 1;
        }
    }

    fn changed(&self, change: Change) {
        let mut state = self.collected();
        if state.is_claim(&change) {
            return;
        }
        let Some(index) = state.writer().filter(|_| !state.closed) else { return };
        let Subject { group, plural, namespace, .. } = change.subject.clone();
        for place in [namespace, String::new()] {
            state.touched_places.insert((group.clone(), plural.clone(), place));
        }
        state.touched.insert(Key::of(&change.subject));
        if super::webhook::depends_on(&change.subject) {
            state.moments.push(Moment { call: index, change: change.clone() });
        }
        let made = &mut state.calls[index];
        if change.author == Author::Client { made.changes.take(change) } else { made.followed.take(change) }
    }
}
