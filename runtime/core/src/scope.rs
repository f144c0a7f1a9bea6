//! Where in the runbook each thread is: the step path, and how many recorded calls it has made there.
//!
//! Does not know what a step contains, nor the journal.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::thread::ThreadId;

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
#[derive(Debug, Clone)]
struct Frame {
    path: String,
    reading: bool,
}

/// A path that was taken.
#[derive(Debug, PartialEq, Eq)]
pub struct Taken;

impl Scopes {
    /// The present thread's step path; empty outside of steps.
    pub fn path(&self) -> String {
        self.top().map(|frame| frame.path).unwrap_or_default()
    }

    /// How deep the present thread is nested.
    pub fn depth(&self) -> usize {
        self.lock().threads.get(&std::thread::current().id()).map_or(0, Vec::len)
    }

    /// Whether only reads are allowed here.
    pub fn reading(&self) -> bool {
        self.top().is_some_and(|frame| frame.reading)
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
        let parent = self.path();
        let wanted = if parent.is_empty() { id.to_owned() } else { format!("{parent}/{id}") };
        let reading = self.reading();
        let mut inner = self.lock();
        if stated == Stated::ByScript && !inner.stated.insert(wanted.clone()) {
            return Err(Taken);
        }
        let times = inner.entered.entry(wanted.clone()).or_default();
        *times += 1;
        let path = if *times == 1 { wanted } else { format!("{wanted}-{times}") };
        inner.push(Frame { path: path.clone(), reading });
        Ok(path)
    }

    /// Enters a part of the present step in which only reads are allowed.
    pub fn enter_reading(&self) {
        let path = self.path();
        self.lock().push(Frame { path, reading: true });
    }

    /// Gives the present thread a branch of another thread's path, so that its calls are told apart whatever the timing.
    pub fn branch(&self, parent: &str, index: usize, reading: bool) {
        let path = if parent.is_empty() { format!("[{index}]") } else { format!("{parent}/[{index}]") };
        let mut inner = self.lock();
        let times = inner.entered.entry(path.clone()).or_default();
        *times += 1;
        let path = if *times == 1 { path } else { format!("{path}-{times}") };
        inner.push(Frame { path, reading });
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

impl Inner {
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
    fn an_id_is_made_of_plain_characters() {
        assert_eq!(id_of("Upgrade the CRDs, and base!"), "upgrade-the-crds-and-base");
        assert_eq!(id_of("✋"), "step");
    }
}
