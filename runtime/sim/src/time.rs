//! The simulated clock: it moves when it is told, and never by itself.
//!
//! Three sorts of sleepers: the run, which has nothing to do until then; work of the cluster, such as a pod that becomes
//! ready; and alarms, which ring when time gets there and for whose sake it does not move. [`Clock::drive`] moves time on once
//! somebody waits for it and nobody is at work. Not known here: what anybody waits for, nor the machine's time: whoever drives
//! the clock brings a way to pause for a moment.

use std::{
    any::Any,
    collections::BTreeMap,
    future::Future,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures::future::BoxFuture;
use jiff::Timestamp;
use tokio::sync::{Notify, oneshot};

use crate::actor::Pace;

/// How long it has to be quiet before time moves on: actors need a moment to see what changed.
const QUIET: Duration = Duration::from_micros(300);

/// A leap over more than this has to be quiet for longer: what is left behind by it is lost, where a step is soon made up for.
const LEAP: Duration = Duration::from_secs(10);

/// How many moments of quiet go before a leap.
const BEFORE_LEAP: u32 = 8;

/// The same while something outside is at work, such as a child process between two of its requests.
const QUIET_BESIDE_OTHERS: Duration = Duration::from_millis(4);

/// How far time moves at once for an alarm while something outside is at work.
const STEP_BESIDE_OTHERS: Duration = Duration::from_secs(5);

/// A clock, shared by all who hold it.
#[derive(Clone)]
pub struct Clock {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    /// Counts whatever happens: as long as it changes, it is not quiet.
    activity: AtomicU64,
    /// Rings where the clock may have to move.
    bell: Notify,
}

struct State {
    now: Timestamp,
    sleepers: BTreeMap<(Timestamp, u64), Sleeper>,
    sequence: u64,
    /// Of the sleepers, those of the run.
    waiting: usize,
    busy: usize,
    outside: usize,
}

struct Sleeper {
    sort: Sort,
    wake: oneshot::Sender<()>,
}

/// Why somebody sleeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    Run,
    Work,
    Alarm,
}

impl Clock {
    /// A clock that shows `start`.
    pub fn new(start: Timestamp) -> Self {
        let state = State { now: start, sleepers: BTreeMap::new(), sequence: 0, waiting: 0, busy: 0, outside: 0 };
        Self { shared: Arc::new(Shared { state: Mutex::new(state), activity: AtomicU64::new(0), bell: Notify::new() }) }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        self.state().now
    }

    /// Moves on by `span`, and wakes whoever waits for what is then over.
    pub fn advance(&self, span: Duration) {
        let mut state = self.state();
        let now = state.now + span;
        self.move_to(&mut state, now);
    }

    fn move_to(&self, state: &mut State, now: Timestamp) {
        state.now = state.now.max(now);
        while let Some(first) = state.sleepers.first_entry().filter(|first| first.key().0 <= now) {
            let sleeper = first.remove();
            state.waiting -= usize::from(sleeper.sort == Sort::Run);
            // Whoever does not sleep any more need not be woken.
            let _ = sleeper.wake.send(());
        }
        self.stir();
    }

    /// Says that something happens: a moment of quiet begins anew.
    fn stir(&self) {
        self.shared.activity.fetch_add(1, Ordering::AcqRel);
        self.shared.bell.notify_one();
    }

    /// Completes once the clock shows `at`: work of the cluster, for which time moves.
    pub async fn sleep_until(&self, at: Timestamp) {
        self.until(at, Sort::Work).await;
    }

    /// Completes once the clock shows `at`, for whoever wants to know then and not sooner: time does not move for it.
    pub async fn alarm_at(&self, at: Timestamp) {
        self.until(at, Sort::Alarm).await;
    }

    /// Completes once `span` has passed, for the run: time moves for it.
    pub fn wait(&self, span: Duration) -> impl Future<Output = ()> + Send + use<> {
        let clock = self.clone();
        async move { clock.until(clock.now() + span, Sort::Run).await }
    }

    /// Completes once `span` has passed, for whoever lives beside the run: time does not move for it.
    pub async fn sleep(&self, span: Duration) {
        self.until(self.now() + span, Sort::Alarm).await;
    }

    async fn until(&self, at: Timestamp, sort: Sort) {
        let (place, woken) = {
            let mut state = self.state();
            if at <= state.now {
                return;
            }
            let (wake, woken) = oneshot::channel();
            state.sequence += 1;
            let place = (at, state.sequence);
            state.waiting += usize::from(sort == Sort::Run);
            state.sleepers.insert(place, Sleeper { sort, wake });
            (Place { clock: self, place }, woken)
        };
        self.stir();
        let _ = woken.await;
        drop(place);
    }

    /// Somebody is at work: as long as this lives, time does not jump.
    pub fn busy(&self) -> Busy {
        self.state().busy += 1;
        Busy { clock: self.clone() }
    }

    /// Something outside of this clock's world is at work, such as a child process: the cluster's own time may go on as long as
    /// this lives, though nobody inside waits for it.
    pub fn outside(&self) -> Outside {
        self.state().outside += 1;
        self.stir();
        Outside { clock: self.clone() }
    }

    /// Moves time on whenever somebody waits for it, nobody is at work and it has been quiet for a moment. `moment` pauses for a
    /// span of the machine's time. Never ends.
    pub async fn drive(&self, moment: impl Fn(Duration) -> BoxFuture<'static, ()>) {
        'quiet: loop {
            let before = self.shared.activity.load(Ordering::Acquire);
            let Some((quiet, times)) = self.quiet() else {
                self.shared.bell.notified().await;
                continue;
            };
            for _ in 0..times {
                moment(quiet).await;
                if self.shared.activity.load(Ordering::Acquire) != before {
                    continue 'quiet;
                }
            }
            if !self.jump() {
                self.shared.bell.notified().await;
            }
        }
    }

    /// How long a moment of quiet is, and how many have to pass until time may jump; none where it may not.
    fn quiet(&self) -> Option<(Duration, u32)> {
        let state = self.state();
        if state.busy > 0 {
            return None;
        }
        let ((next, _), _) = state.sleepers.first_key_value()?;
        if state.outside > 0 {
            return Some((QUIET_BESIDE_OTHERS, 1));
        }
        let times = if *next > state.now + LEAP { BEFORE_LEAP } else { 1 };
        (state.waiting > 0).then_some((QUIET, times))
    }

    /// Moves to the next moment that somebody waits for. False where there is none to move to now.
    fn jump(&self) -> bool {
        let mut state = self.state();
        if state.busy > 0 {
            return false;
        }
        let (now, beside_others) = (state.now, state.outside > 0);
        let next = state.sleepers.iter().next().map(|((at, _), sleeper)| (*at, sleeper.sort));
        let work = state.sleepers.iter().find(|(_, sleeper)| sleeper.sort == Sort::Work).map(|((at, _), _)| *at);
        let to = match next {
            Some((at, _)) if !beside_others || at <= now + STEP_BESIDE_OTHERS => at,
            _ => match work {
                Some(at) => at,
                None => return false,
            },
        };
        self.move_to(&mut state, to);
        true
    }

    /// Follows the machine's time: `elapsed` says how much of it has passed, `moment` pauses. Never ends.
    pub async fn follow(&self, elapsed: impl Fn() -> Duration, moment: impl Fn(Duration) -> BoxFuture<'static, ()>) {
        let mut before = elapsed();
        loop {
            moment(Duration::from_millis(5)).await;
            let now = elapsed();
            self.advance(now.saturating_sub(before));
            before = now;
        }
    }
}

/// A place among the sleepers, given up by whoever stops sleeping early.
struct Place<'a> {
    clock: &'a Clock,
    place: (Timestamp, u64),
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut state = self.clock.state();
        if let Some(sleeper) = state.sleepers.remove(&self.place) {
            state.waiting -= usize::from(sleeper.sort == Sort::Run);
        }
    }
}

/// Somebody at work.
pub struct Busy {
    clock: Clock,
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.clock.state().busy -= 1;
        self.clock.stir();
    }
}

/// Something outside at work.
pub struct Outside {
    clock: Clock,
}

impl Drop for Outside {
    fn drop(&mut self) {
        self.clock.state().outside -= 1;
        self.clock.stir();
    }
}

impl Pace for Clock {
    fn now(&self) -> Timestamp {
        Clock::now(self)
    }

    fn pause(&self, span: Duration) -> BoxFuture<'static, ()> {
        let clock = self.clone();
        Box::pin(async move { clock.sleep(span).await })
    }

    fn at_work(&self) -> Box<dyn Any + Send + Sync> {
        Box::new(self.busy())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(_: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::task::yield_now())
    }

    fn driven() -> Clock {
        let clock = Clock::new(Timestamp::UNIX_EPOCH);
        let driver = clock.clone();
        tokio::spawn(async move { driver.drive(moment).await });
        clock
    }

    fn shown(clock: &Clock) -> i64 {
        clock.now().as_second()
    }

    #[tokio::test]
    async fn who_sleeps_wakes_when_the_clock_gets_there() {
        let clock = Clock::new(Timestamp::UNIX_EPOCH);
        let other = clock.clone();
        let sleeper = tokio::spawn(async move { other.sleep(Duration::from_secs(5)).await });
        tokio::task::yield_now().await;
        clock.advance(Duration::from_secs(4));
        tokio::task::yield_now().await;
        assert!(!sleeper.is_finished());
        clock.advance(Duration::from_secs(1));
        sleeper.await.unwrap();
    }

    #[tokio::test]
    async fn time_jumps_for_the_run_and_rings_alarms_on_its_way() {
        let clock = driven();
        let other = clock.clone();
        let alarm = tokio::spawn(async move {
            other.sleep(Duration::from_secs(15)).await;
            shown(&other)
        });
        tokio::task::yield_now().await;
        assert_eq!(shown(&clock), 0, "nobody waits but an alarm");
        clock.wait(Duration::from_mins(5)).await;
        assert_eq!((shown(&clock), alarm.await.unwrap()), (300, 15));
    }

    #[tokio::test]
    async fn time_does_not_jump_over_who_is_at_work() {
        let clock = driven();
        let busy = clock.busy();
        let waiting = tokio::spawn(clock.wait(Duration::from_mins(1)));
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
        assert_eq!((shown(&clock), waiting.is_finished()), (0, false));
        drop(busy);
        waiting.await.unwrap();
        assert_eq!(shown(&clock), 60);
    }

    #[tokio::test]
    async fn work_of_the_cluster_goes_on_for_a_child_process_and_alarms_far_away_do_not_ring() {
        let clock = driven();
        let (pods, renewal) = (clock.clone(), clock.clone());
        let alarm = tokio::spawn(async move { renewal.sleep(Duration::from_mins(10)).await });
        let outside = clock.outside();
        pods.sleep_until(Timestamp::from_second(90).unwrap()).await;
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
        assert_eq!((shown(&clock), alarm.is_finished()), (90, false));
        drop(outside);
    }

    #[tokio::test]
    async fn who_stops_sleeping_is_not_waited_for() {
        let clock = driven();
        let waiting = tokio::spawn(clock.wait(Duration::from_secs(9)));
        waiting.abort();
        let _ = waiting.await;
        clock.wait(Duration::from_secs(1)).await;
        assert_eq!(shown(&clock), 1);
    }
}
