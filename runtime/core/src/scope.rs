//! Where in the runbook each thread is: the step path, how many recorded calls it has made there, and until when it may go on.
//!
//! Does not know what a step contains, which clock ticks, nor the journal.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::thread::ThreadId;
use std::time::Duration;

/// Where each thread of a script is.
#[derive(Debug, Default)]
pub struct Scopes {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    threads: HashMap<ThreadId, Vec<Frame>>,
    /// Every path that was ever entered: a second entry gets a number.
    entered: HashMap<String, u64>,
    /// Ordinals count on where a path is left and entered by another thread.
    ordinals: HashMap<String, u64>,
    /// Ids that a script stated itself.
    stated: HashSet<String>,
}

/// One step a thread is in.
#[derive(Debug, Clone, Default)]
pub struct Frame {
    path: String,
    depth: usize,
    reading: bool,
    unrecorded: bool,
    deadline: Option<Duration>,
}

/// A path that was taken.
#[derive(Debug, PartialEq, Eq)]
pub struct Taken;

impl Scopes {
    /// The present thread's step path; empty outside of steps.
    pub fn path(&self) -> String {
        self.top().map(|frame| frame.path).unwrap_or_default()
    }

    /// How many steps are around the present thread.
    pub fn depth(&self) -> usize {
        self.top().map_or(0, |frame| frame.depth)
    }

    /// Whether only reads are allowed here.
    pub fn reading(&self) -> bool {
        self.top().is_some_and(|frame| frame.reading)
    }

    /// Whether what is called here is the work of another call, which is recorded as a whole.
    pub fn unrecorded(&self) -> bool {
        self.top().is_some_and(|frame| frame.unrecorded)
    }

    /// When the present step's time is over, as elapsed time of the world's clock; the earliest of all steps around.
    pub fn deadline(&self) -> Option<Duration> {
        self.top().and_then(|frame| frame.deadline)
    }

    /// Gives the present step an end of its time, unless one around it ends earlier.
    pub fn limit(&self, deadline: Duration) {
        let mut inner = self.lock();
        let frames = inner.threads.get_mut(&std::thread::current().id());
        if let Some(frame) = frames.and_then(|frames| frames.last_mut()) {
            frame.deadline = Some(frame.deadline.map_or(deadline, |around| around.min(deadline)));
        }
    }

    /// Where the present thread is, to be handed to [`Scopes::branch`] on another one.
    pub fn here(&self) -> Frame {
        self.top().unwrap_or_default()
    }

    /// The number of the next recorded call here, from 1.
    pub fn next_ordinal(&self) -> u64 {
        let path = self.path();
        let mut inner = self.lock();
        let ordinal = inner.ordinals.entry(path).or_default();
        *ordinal += 1;
        *ordinal
    }

    /// Enters a step on the present thread. A path entered before gets `-2`, `-3`, unless the script stated the id.
    pub fn enter(&self, id: &str, stated: Stated) -> Result<String, Taken> {
        let around = self.here();
        let wanted = below(&around.path, id);
        let mut inner = self.lock();
        if stated == Stated::ByScript && !inner.stated.insert(wanted.clone()) {
            return Err(Taken);
        }
        let path = inner.numbered(wanted);
        inner.push(Frame { path: path.clone(), depth: around.depth + 1, ..around });
        Ok(path)
    }

    /// Forgets which ids were stated below a path, because what is there runs again.
    pub fn again(&self, path: &str) {
        let below = format!("{path}/");
        self.lock().stated.retain(|stated| !stated.starts_with(&below));
    }

    /// Enters a part of the present step in which only reads are allowed.
    pub fn enter_reading(&self) {
        let around = self.here();
        self.lock().push(Frame { reading: true, ..around });
    }

    /// Enters the work of a call that is recorded as a whole: only reads are allowed, and they are not recorded themselves.
    pub fn enter_unrecorded(&self) {
        let around = self.here();
        self.lock().push(Frame { reading: true, unrecorded: true, ..around });
    }

    /// A number for one fan of branches below a place, so that a second one there is told from the first.
    pub fn fan(&self, around: &Frame) -> String {
        self.lock().numbered(below(&around.path, "each"))
    }

    /// Gives the present thread a branch of another thread's path, so that its calls are told apart whatever the timing.
    pub fn branch(&self, around: &Frame, fan: &str, index: usize) {
        self.lock().push(Frame { path: format!("{fan}[{index}]"), ..around.clone() });
    }

    /// Leaves the innermost frame of the present thread.
    pub fn leave(&self) {
        let mut inner = self.lock();
        let thread = std::thread::current().id();
        if let Some(frames) = inner.threads.get_mut(&thread) {
            frames.pop();
            if frames.is_empty() {
                inner.threads.remove(&thread);
            }
        }
    }

    fn top(&self) -> Option<Frame> {
        self.lock().threads.get(&std::thread::current().id()).and_then(|frames| frames.last().cloned())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().expect("no thread panics while it holds this lock")
    }
}

fn below(path: &str, id: &str) -> String {
    if path.is_empty() { id.to_owned() } else { format!("{path}/{id}") }
}

impl Inner {
    fn numbered(&mut self, path: String) -> String {
        let times = self.entered.entry(path.clone()).or_default();
        *times += 1;
        if *times == 1 { path } else { format!("{path}-{times}") }
    }

    fn push(&mut self, frame: Frame) {
        self.threads.entry(std::thread::current().id()).or_default().push(frame);
    }
}

/// Who chose a step's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stated {
    /// The script: `with #{ id: "remove-old" }`. It must be unique.
    ByScript,
    /// Made from the title.
    FromTitle,
}

/// An id made from a title: lower case letters, digits and single dashes, at most 48.
pub fn id_of(title: &str) -> String {
    let mut id = String::new();
    for c in title.chars() {
        if c.is_ascii_alphanumeric() {
            id.push(c.to_ascii_lowercase());
        } else if !id.is_empty() && !id.ends_with('-') {
            id.push('-');
        }
        if id.len() >= 48 {
            break;
        }
    }
    let id = id.trim_end_matches('-');
    if id.is_empty() { "step".to_owned() } else { id.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinals_count_per_path_and_a_repeated_step_gets_a_number() {
        let scopes = Scopes::default();
        assert_eq!((scopes.path(), scopes.next_ordinal()), (String::new(), 1));
        assert_eq!(scopes.enter("move", Stated::FromTitle).unwrap(), "move");
        assert_eq!((scopes.next_ordinal(), scopes.next_ordinal()), (1, 2));
        scopes.leave();
        assert_eq!(scopes.enter("move", Stated::FromTitle).unwrap(), "move-2");
        assert_eq!(scopes.next_ordinal(), 1);
        assert_eq!(scopes.enter("inner", Stated::ByScript).unwrap(), "move-2/inner");
        scopes.leave();
        assert_eq!(scopes.enter("inner", Stated::ByScript), Err(Taken));
    }

    #[test]
    fn a_step_ends_no_later_than_the_one_around_it() {
        let scopes = Scopes::default();
        scopes.enter("outer", Stated::FromTitle).unwrap();
        scopes.limit(Duration::from_secs(10));
        scopes.enter("inner", Stated::FromTitle).unwrap();
        scopes.limit(Duration::from_mins(1));
        assert_eq!(scopes.deadline(), Some(Duration::from_secs(10)));
        scopes.leave();
        scopes.leave();
        assert_eq!(scopes.deadline(), None);
    }

    #[test]
    fn branches_are_named_by_item_and_not_by_time() {
        let scopes = Scopes::default();
        scopes.enter("move", Stated::FromTitle).unwrap();
        let (here, first) = (scopes.here(), scopes.fan(&scopes.here()));
        let second = scopes.fan(&here);
        scopes.branch(&here, &first, 2);
        assert_eq!(scopes.path(), "move/each[2]");
        scopes.leave();
        scopes.branch(&here, &second, 0);
        assert_eq!(scopes.path(), "move/each-2[0]");
    }

    #[test]
    fn what_runs_again_may_state_its_ids_again() {
        let scopes = Scopes::default();
        let outer = scopes.enter("outer", Stated::ByScript).unwrap();
        scopes.enter("inner", Stated::ByScript).unwrap();
        scopes.leave();
        scopes.again(&outer);
        assert_eq!(scopes.enter("inner", Stated::ByScript).unwrap(), "outer/inner-2");
    }

    #[test]
    fn an_id_is_made_of_plain_characters() {
        assert_eq!(id_of("Upgrade the CRDs, and base!"), "upgrade-the-crds-and-base");
        assert_eq!(id_of("✋"), "step");
    }
}
