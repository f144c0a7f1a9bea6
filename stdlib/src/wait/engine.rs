//! Waits: looks once, watches what is not there yet, and ends the moment it is, or as soon as it cannot come to be.
//!
//! One list and one watch for each kind and place, whatever the number of objects; what stands beside an object is looked up
//! only where it is not ready after the first look. Does not know scripts; it stops in between where one has to be asked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{BoxStream, SelectAll};
use futures::{FutureExt as _, StreamExt as _};
use jiff::Timestamp;
use runbook_core::Fault;
use runbook_core::record::Waiting;
use runbook_core::world::{Clock, Cluster, Interrupt};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::evidence;
use super::feed::{Delta, Feed};
use super::goal::{Goal, Names, Seen};
use super::lookup::{Found, Lookups};
use super::track::{Reach, Surroundings, Track};
use super::words::{self, Ending};
use crate::readiness::{Patience, Query, Related};

/// How long something may say nothing that any rule understands: a controller may not have come to it yet.
const UNDECIDED: Duration = Duration::from_secs(15);

/// Time-bound verdicts are looked at again at least so often.
const TICK: Duration = Duration::from_secs(5);

/// How many changes are taken in before anything is concluded from them.
const BATCH: usize = 4096;

/// How long and how patiently to wait.
#[derive(Debug, Clone)]
pub(super) struct Limits {
    /// After this it is over.
    pub(super) timeout: Duration,
    /// After this without any change it is over.
    pub(super) no_activity: Duration,
    /// Whether what is doomed ends it.
    pub(super) on_doom: OnDoom,
    /// How often a container may be restarted.
    pub(super) allow_restarts: i64,
    /// How often to ask where watches are refused.
    pub(super) interval: Duration,
}

/// What becomes of a wait for something that cannot come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OnDoom {
    /// It ends.
    Stop,
    /// It goes on.
    GoOn,
}

/// Of several goals, how many must be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// All, at the same time.
    All,
    /// One.
    Any,
}

/// Whether a script wants to see each object that is not as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Watchful {
    /// It does.
    Yes,
    /// It does not.
    No,
}

/// Who is told why it is not over.
pub(super) type Tell<'a> = &'a dyn Fn(Waiting);

/// Why the engine stops.
pub(super) enum Turn {
    /// The goal of that number is reached; all are, where all must be.
    Reached(usize),
    /// A script wants to look at an object of that goal.
    Ask(usize, Box<Value>),
}

enum Incoming {
    /// Of a feed, which knows its goals.
    Objects(usize, Delta<Vec<(usize, Seen)>>),
    Found(Query, Box<Delta<Found>>),
}

/// A wait in progress.
pub(super) struct Engine {
    clock: Arc<dyn Clock>,
    cluster: Arc<Cluster>,
    stop: CancellationToken,
    limits: Limits,
    mode: Mode,
    tracks: Vec<Track>,
    /// By number of the feed: the goals that look at it.
    sharing: Vec<Vec<usize>>,
    /// Opened once a first look has not been enough.
    gate: CancellationToken,
    streams: SelectAll<BoxStream<'static, Incoming>>,
    related: Related,
    lookups: Lookups,
    asks: Vec<(usize, Box<Value>)>,
    started: Duration,
    since: Timestamp,
    active: Duration,
    reach: Reach,
    said: Option<Waiting>,
}

impl Engine {
    /// Nothing is asked before the first turn. `watchful`: whether a script wants to see each object.
    pub(super) fn new(
        cluster: &Arc<Cluster>,
        clock: &Arc<dyn Clock>,
        stop: &CancellationToken,
        limits: Limits,
        mode: Mode,
        goals: Vec<Goal>,
        watchful: Watchful,
    ) -> Result<Self, Fault> {
        goals.iter().try_for_each(Goal::check)?;
        let (started, since) = (clock.elapsed(), clock.now());
        let mut engine = Self {
            clock: clock.clone(),
            cluster: cluster.clone(),
            stop: stop.clone(),
            limits,
            mode,
            tracks: goals.into_iter().map(Track::new).collect(),
            sharing: Vec::new(),
            gate: CancellationToken::new(),
            streams: SelectAll::new(),
            related: Related::default(),
            lookups: Lookups::default(),
            asks: Vec::new(),
            started,
            since,
            active: started,
            reach: Reach::All,
            said: None,
        };
        engine.open(watchful);
        Ok(engine)
    }

    /// One feed for each kind, place and selection, whatever the number of goals that look at it.
    fn open(&mut self, watchful: Watchful) {
        let patience = self.patience();
        let mut shared: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (index, track) in self.tracks.iter().enumerate() {
            let goal = &track.goal;
            let place = (goal.api.resource().root(), &goal.api.resource().plural, goal.api.namespace());
            shared.entry(format!("{place:?} {:?}", goal.listing)).or_default().push(index);
        }
        for goals in shared.into_values() {
            let first = &self.tracks[goals[0]].goal;
            let (api, listing) = (first.api.clone(), first.listing.clone());
            let single = match &first.names {
                Names::One(name) => Some(name.clone()),
                _ => None,
            };
            let number = self.sharing.len();
            self.sharing.push(goals.clone());
            let goals: Vec<(usize, Goal)> =
                goals.iter().map(|&index| (index, self.tracks[index].goal.clone())).collect();
            let keep = Arc::new(move |object: Value, _| {
                let see = |(index, goal): &(usize, Goal), object| {
                    goal.see(object, &patience, watchful == Watchful::Yes).map(|seen| (*index, seen))
                };
                match goals.as_slice() {
                    [only] => see(only, object).into_iter().collect::<Vec<_>>(),
                    several => several.iter().filter_map(|goal| see(goal, object.clone())).collect(),
                }
            });
            let (interval, clock) = (self.limits.interval, self.clock.clone());
            let gate = self.gate.clone();
            let feed = Feed { api, listing, single, interval, clock, keep, gate };
            self.streams.push(feed.open().map(move |delta| Incoming::Objects(number, delta)).boxed());
        }
    }

    /// Goes on until something has to be done outside.
    ///
    /// Faults: `RB030`, `RB031`, `RB032`, `RB033`, `RB080`, and whatever keeps it from looking.
    pub(super) async fn turn(&mut self, tell: Tell<'_>) -> Result<Turn, Fault> {
        loop {
            if let Some((index, object)) = self.asks.pop() {
                return Ok(Turn::Ask(index, object));
            }
            if let Some(index) = self.conclude().await? {
                return Ok(Turn::Reached(index));
            }
            self.look_around()?;
            if self.lookups.all_loaded() && self.tracks.iter().all(Track::is_complete) {
                self.gate.cancel();
            }
            self.say(tell);
            self.next().await?;
        }
    }

    /// Takes in what comes next, and all that is there already; or lets time pass.
    async fn next(&mut self) -> Result<(), Fault> {
        let wake = self.wake().saturating_sub(self.clock.elapsed());
        let sleep = self.clock.sleep(wake);
        tokio::select! {
            biased;
            () = self.stop.cancelled() => return Err(Interrupt::fault()),
            Some(first) = self.streams.next() => {
                self.take(first)?;
                for _ in 1..BATCH {
                    match self.streams.next().now_or_never().flatten() {
                        Some(more) => self.take(more)?,
                        None => break,
                    }
                }
            }
            () = sleep => {
                self.reach = Reach::All;
                // What stands beside the objects may be slow to come; the objects themselves go on meanwhile.
                if self.tracks.iter().all(Track::is_complete) {
                    self.gate.cancel();
                }
            }
        }
        Ok(())
    }

    fn take(&mut self, incoming: Incoming) -> Result<(), Fault> {
        match incoming {
            Incoming::Objects(feed, delta) => self.take_objects(feed, delta),
            Incoming::Found(query, delta) => {
                if self.lookups.apply(&query, *delta, &mut self.related)? {
                    self.active = self.clock.elapsed();
                }
                self.reach = Reach::All;
                Ok(())
            }
        }
    }

    fn take_objects(&mut self, feed: usize, delta: Delta<Vec<(usize, Seen)>>) -> Result<(), Fault> {
        let mut changed = false;
        match delta {
            Delta::Failed(fault) => return Err(*fault),
            Delta::Anew => self.pass_on(feed, || Delta::Anew),
            Delta::Complete => {
                self.pass_on(feed, || Delta::Complete);
                self.reach = Reach::All;
            }
            Delta::Listed(all) => {
                for (index, seen) in all.into_iter().flatten() {
                    self.give(index, seen, |seen| Delta::Listed(vec![seen]));
                }
            }
            Delta::Added(seen) => changed = self.give_each(seen, Delta::Added),
            Delta::Modified(seen) => changed = self.give_each(seen, Delta::Modified),
            Delta::Gone(seen) => changed = self.give_each(seen, Delta::Gone),
        }
        if changed {
            self.active = self.clock.elapsed();
        }
        Ok(())
    }

    fn pass_on(&mut self, feed: usize, delta: fn() -> Delta<Seen>) {
        for &index in &self.sharing[feed] {
            self.tracks[index].apply(delta());
        }
    }

    fn give_each(&mut self, all: Vec<(usize, Seen)>, form: fn(Seen) -> Delta<Seen>) -> bool {
        all.into_iter().fold(false, |changed, (index, seen)| self.give(index, seen, form) || changed)
    }

    fn give(&mut self, index: usize, mut seen: Seen, form: fn(Seen) -> Delta<Seen>) -> bool {
        if let Some(object) = seen.whole.take() {
            self.asks.push((index, object));
        }
        self.tracks[index].apply(form(seen))
    }

    /// Looks at what changed: the number of a goal that is reached, where that ends it.
    async fn conclude(&mut self) -> Result<Option<usize>, Fault> {
        let (now, patience) = (self.clock.elapsed(), self.patience());
        let reach = std::mem::replace(&mut self.reach, Reach::Changed);
        let looked_up = |query: &Query| self.lookups.loaded(query);
        let around = Surroundings { related: &self.related, looked_up: &looked_up };
        let mut doomed = Vec::new();
        let mut reached = None;
        let mut open = Vec::new();
        for (index, track) in self.tracks.iter_mut().enumerate() {
            doomed.extend(track.review(reach, &around, &patience).map(|found| (index, found)));
            if track.holds(now, &around, &patience) {
                reached = reached.or(Some(index));
            } else {
                open.push(index);
            }
        }
        match (self.mode, reached) {
            (Mode::All, _) if open.is_empty() => return Ok(Some(0)),
            (Mode::Any, Some(index)) => return Ok(Some(index)),
            _ => {}
        }
        let final_doom = self.mode == Mode::All || doomed.len() == self.tracks.len();
        if self.limits.on_doom == OnDoom::Stop && final_doom && !doomed.is_empty() {
            let (index, mut found) = doomed.swap_remove(0);
            evidence::add(&mut found.doom, &self.cluster, &self.clock).await;
            return Err(words::doomed(&self.tracks[index].goal, found));
        }
        let open: Vec<&Track> = open.into_iter().map(|index| &self.tracks[index]).collect();
        if now.saturating_sub(self.started) > UNDECIDED
            && let Some(track) = open.iter().find(|track| track.undecided(&around, &patience))
        {
            return Err(words::no_rule(&track.goal));
        }
        self.may_go_on(now, &open, &around, &patience).map(|()| None)
    }

    fn may_go_on(
        &self,
        now: Duration,
        open: &[&Track],
        around: &Surroundings<'_>,
        patience: &Patience,
    ) -> Result<(), Fault> {
        let (lasted, quiet) = (now.saturating_sub(self.started), now.saturating_sub(self.active));
        if lasted >= self.limits.timeout {
            return Err(words::over(Ending::Timeout, self.limits.timeout, open, around, patience));
        }
        let holding = open.iter().any(|track| track.due(now).is_some());
        if quiet >= self.limits.no_activity && !holding {
            return Err(words::over(Ending::Standstill, quiet, open, around, patience));
        }
        Ok(())
    }

    /// Looks up beside the objects what is wanted by now.
    fn look_around(&mut self) -> Result<(), Fault> {
        let patience = self.patience();
        let wanted: BTreeSet<Query> =
            self.tracks.iter().flat_map(|track| track.wants(&self.related, &patience)).collect();
        let (cluster, clock, interval) = (&self.cluster, &self.clock, self.limits.interval);
        let new = self.lookups.adjust(&wanted, &mut self.related, cluster, clock, interval, &self.gate)?;
        for (query, stream) in new {
            self.streams.push(stream.map(move |delta| Incoming::Found(query.clone(), Box::new(delta))).boxed());
        }
        Ok(())
    }

    /// Says why it is not over, where the words are new; new words are a sign of life too.
    fn say(&mut self, tell: Tell<'_>) {
        let (now, patience) = (self.clock.elapsed(), self.patience());
        let looked_up = |query: &Query| self.lookups.loaded(query);
        let around = Surroundings { related: &self.related, looked_up: &looked_up };
        let open: Vec<&Track> = self.tracks.iter().filter(|track| track.is_open()).collect();
        if open.iter().all(|track| track.is_unseen()) {
            return;
        }
        let left = (self.started + self.limits.timeout).saturating_sub(now);
        let waiting = words::waiting(&open, &around, &patience, Some(left));
        let timeless = Some(Waiting { left_ms: None, ..waiting.clone() });
        if self.said != timeless {
            if self.said.is_some() {
                self.active = now;
            }
            self.said = timeless;
            tell(waiting);
        }
    }

    /// When to look again if nothing happens.
    fn wake(&self) -> Duration {
        let now = self.clock.elapsed();
        let ends = [self.started + self.limits.timeout, self.active + self.limits.no_activity];
        let tick = self.tracks.iter().any(Track::time_matters).then_some(now + TICK);
        let events = self.started + crate::readiness::EVENTS_AFTER + Duration::from_millis(1);
        let due = self.tracks.iter().filter_map(|track| track.due(now));
        ends.into_iter().chain(due).chain(tick).chain((events > now).then_some(events)).min().unwrap_or(now)
    }

    fn patience(&self) -> Patience {
        Patience {
            allow_restarts: self.limits.allow_restarts,
            unschedulable: self.limits.no_activity,
            since: self.since,
            now: self.clock.now(),
        }
    }

    /// The goals, with what is known of them.
    pub(super) fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    /// How long it has lasted.
    pub(super) fn lasted(&self) -> Duration {
        self.clock.elapsed().saturating_sub(self.started)
    }
}
