//! A clock in which waiting costs nothing: where nothing happens for a moment, it goes on to the next time that matters.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use runbook_core::world::Clock;

/// How often to look whether anything happens, and how many looks in a row must find nothing. Several, because on a busy
/// machine whoever is at work gets a turn between two looks.
const LOOK: Duration = Duration::from_millis(4);
const LOOKS: u32 = 6;

/// The clock.
#[derive(Clone, Default)]
pub(super) struct SimClock(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    now: Duration,
    next: u64,
    sleepers: BTreeMap<(Duration, u64), Option<Waker>>,
    /// Goes up with everything that happens.
    stirred: u64,
    /// How many of the sleepers are the program's: as long as none is, it is at work.
    asleep: usize,
}

impl SimClock {
    /// Begins now, and goes on for as long as someone holds it.
    pub(super) fn start() -> Self {
        let clock = Self::default();
        let weak = Arc::downgrade(&clock.0);
        std::thread::spawn(move || drive(&weak));
        clock
    }

    /// Something happened: whoever reacts to it gets the time to do so.
    pub(super) fn stir(&self) {
        self.lock().stirred += 1;
    }

    /// A time in the scenario.
    pub(super) fn at(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static {
        self.enqueue(duration, Whose::Scenario)
    }

    fn enqueue(&self, duration: Duration, whose: Whose) -> Sleep {
        let mut state = self.lock();
        let key = (state.now + duration, state.next);
        state.next += 1;
        state.stirred += 1;
        state.asleep += usize::from(whose == Whose::Program);
        state.sleepers.insert(key, None);
        Sleep { clock: self.clone(), key, whose }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

#[expect(clippy::disallowed_methods, reason = "a simulated clock needs a real one to see that nothing happens")]
fn drive(clock: &Weak<Mutex<State>>) {
    let (mut seen, mut quiet) = (0, 0);
    loop {
        std::thread::sleep(LOOK);
        let Some(clock) = clock.upgrade() else { return };
        let mut state = clock.lock().unwrap();
        quiet = if state.stirred == seen && state.asleep > 0 { quiet + 1 } else { 0 };
        seen = state.stirred;
        if quiet < LOOKS {
            continue;
        }
        if let Some(((due, _), waker)) = state.sleepers.pop_first() {
            state.now = state.now.max(due);
            state.stirred += 1;
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        let start: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        start + SignedDuration::try_from(self.elapsed()).unwrap()
    }

    fn elapsed(&self) -> Duration {
        self.lock().now
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(self.enqueue(duration, Whose::Program))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    Program,
    Scenario,
}

struct Sleep {
    clock: SimClock,
    key: (Duration, u64),
    whose: Whose,
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.clock.lock();
        match state.sleepers.get_mut(&self.key) {
            None => Poll::Ready(()),
            Some(waker) => {
                *waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        let mut state = self.clock.lock();
        state.sleepers.remove(&self.key);
        state.asleep -= usize::from(self.whose == Whose::Program);
    }
}
