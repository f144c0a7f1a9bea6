//! The queue of the controllers, and the loop that works it off.
//!
//! Not known here: what the keys are worked off for.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use tokio::sync::Notify;

use super::{Controller, Hand, Key, Next, REACTION};
use crate::{resource::GroupResource, store::Event, time::Clock};

/// The longest that a controller waits after a failure.
const LONGEST: Duration = Duration::from_secs(30);

/// What changed and has not been looked at yet.
#[derive(Default)]
pub(crate) struct Queue {
    changes: Mutex<VecDeque<(Timestamp, GroupResource, Arc<Event>)>>,
    bell: Notify,
}

impl Queue {
    /// Takes in a change. Cheap: it is called while the store is locked.
    pub(crate) fn push(&self, now: Timestamp, resource: &GroupResource, event: &Arc<Event>) {
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        changes.push_back((now, resource.clone(), event.clone()));
        self.bell.notify_one();
    }

    fn take(&self) -> VecDeque<(Timestamp, GroupResource, Arc<Event>)> {
        std::mem::take(&mut self.changes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Works for ever on what changes.
    pub(crate) async fn work(&self, hand: &Hand, controllers: &'static [Controller], clock: &Clock) {
        let mut agenda = Agenda::default();
        let hands: Vec<_> = controllers.iter().map(|controller| hand.under(controller.name)).collect();
        loop {
            for (at, resource, event) in self.take() {
                if !hand.sees_around(&resource, &event).await {
                    continue;
                }
                agenda.note(&hands, controllers, at + REACTION, &resource, &event);
            }
            match agenda.due() {
                Some(at) if at <= clock.now() => {
                    let _busy = clock.busy();
                    if let Some((index, key)) = agenda.pop() {
                        let next = (controllers[index].reconcile)(&hands[index], &key).await;
                        agenda.settle(index, key, next, clock.now());
                    }
                }
                Some(at) => tokio::select! {
                    () = clock.sleep_until(at) => {}
                    () = self.bell.notified() => {}
                },
                None => self.bell.notified().await,
            }
        }
    }
}

type Place = (usize, Key);

/// Which keys are looked at when. Each stands in it once.
#[derive(Default)]
struct Agenda {
    order: BTreeSet<(Timestamp, u64, Place)>,
    places: BTreeMap<Place, (Timestamp, u64)>,
    failures: BTreeMap<Place, u32>,
    sequence: u64,
}

impl Agenda {
    fn note(
        &mut self,
        hands: &[Hand],
        controllers: &[Controller],
        at: Timestamp,
        resource: &GroupResource,
        event: &Event,
    ) {
        for (index, controller) in controllers.iter().enumerate() {
            for watch in controller.watches {
                if watch.is_about(resource) {
                    for key in watch.touched(&hands[index], event) {
                        self.schedule((index, key), at);
                    }
                }
            }
        }
    }

    fn schedule(&mut self, place: Place, at: Timestamp) {
        if let Some((earlier, sequence)) = self.places.get(&place).copied() {
            if earlier <= at {
                return;
            }
            self.order.remove(&(earlier, sequence, place.clone()));
        }
        self.sequence += 1;
        self.places.insert(place.clone(), (at, self.sequence));
        self.order.insert((at, self.sequence, place));
    }

    fn due(&self) -> Option<Timestamp> {
        self.order.first().map(|(at, _, _)| *at)
    }

    fn pop(&mut self) -> Option<Place> {
        let (_, _, place) = self.order.pop_first()?;
        self.places.remove(&place);
        Some(place)
    }

    fn settle(&mut self, index: usize, key: Key, next: Result<Next, crate::status::Status>, now: Timestamp) {
        let place = (index, key);
        match next {
            Ok(next) => {
                self.failures.remove(&place);
                if let Next::At(at) = next {
                    self.schedule(place, at.max(now));
                }
            }
            Err(status) => {
                tracing::debug!(key = ?place.1, message = status.message, "a controller tries again");
                let failures = self.failures.entry(place.clone()).or_default();
                *failures = failures.saturating_add(1);
                let pause = REACTION.saturating_mul(1 << (*failures).min(12)).min(LONGEST);
                self.schedule(place, now + pause);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millisecond: i64) -> Timestamp {
        Timestamp::from_millisecond(millisecond).unwrap()
    }

    #[test]
    fn a_key_stands_in_the_agenda_once_and_at_its_earliest_time() {
        let mut agenda = Agenda::default();
        let (a, b) = ((0, Key::new("n", "a")), (0, Key::new("n", "b")));
        agenda.schedule(a.clone(), at(30));
        agenda.schedule(b.clone(), at(20));
        agenda.schedule(a.clone(), at(40));
        agenda.schedule(a.clone(), at(10));
        assert_eq!(agenda.due(), Some(at(10)));
        assert_eq!([agenda.pop(), agenda.pop(), agenda.pop()], [Some(a), Some(b), None]);
    }

    #[test]
    fn who_fails_waits_longer_each_time() {
        let mut agenda = Agenda::default();
        let place = (0, Key::new("n", "a"));
        let failed = || Err(crate::status::Status::internal("no"));
        agenda.settle(0, place.1.clone(), failed(), at(0));
        let first = agenda.due().unwrap();
        agenda.pop();
        agenda.settle(0, place.1.clone(), failed(), at(0));
        assert!(agenda.due().unwrap() > first);
        agenda.pop();
        agenda.settle(0, place.1, Ok(Next::Done), at(0));
        assert_eq!(agenda.due(), None);
    }
}
