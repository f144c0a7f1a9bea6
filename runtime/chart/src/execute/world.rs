//! What surrounds a run of templates: its bounds, what it was handed, and how it fails.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use crate::order::{Bounds, Dialect, Order};

/// An error in Go's words, with the one that it wraps.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) words: String,
    pub(crate) cause: Option<Box<Failure>>,
    /// Whether it arose in a template, and so names a place.
    pub(crate) placed: bool,
    /// Whether a bound of this renderer was reached, which no wrapping may hide.
    pub(crate) bound: bool,
}

impl Failure {
    pub(crate) fn plain(words: impl Into<String>) -> Self {
        Self { words: words.into(), cause: None, placed: false, bound: false }
    }

    pub(crate) fn bound(words: impl Into<String>) -> Self {
        Self { words: words.into(), cause: None, placed: false, bound: true }
    }

    /// The same error with words before it.
    pub(crate) fn wrapped(self, before: &str) -> Self {
        let bound = self.bound;
        Self { words: format!("{before}: {}", self.words), placed: false, bound, cause: Some(Box::new(self)) }
    }
}

impl From<String> for Failure {
    fn from(words: String) -> Self {
        Self::plain(words)
    }
}

impl From<&str> for Failure {
    fn from(words: &str) -> Self {
        Self::plain(words)
    }
}

/// One rendering.
pub(crate) struct World<'o> {
    pub(crate) order: &'o Order<'o>,
    bounds: Bounds,
    steps: Cell<u64>,
    bytes: Cell<usize>,
    depth: Cell<usize>,
    pub(crate) included: RefCell<HashMap<Rc<str>, usize>>,
    pub(crate) patterns: RefCell<HashMap<String, Rc<regex::Regex>>>,
}

impl<'o> World<'o> {
    pub(crate) fn new(order: &'o Order<'o>) -> Self {
        Self {
            order,
            bounds: order.bounds,
            steps: Cell::new(0),
            bytes: Cell::new(0),
            depth: Cell::new(0),
            included: RefCell::default(),
            patterns: RefCell::default(),
        }
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.order.dialect
    }

    /// Counts work.
    pub(crate) fn step(&self, count: usize) -> Result<(), Failure> {
        let steps = self.steps.get().saturating_add(count as u64);
        self.steps.set(steps);
        if steps > self.bounds.steps {
            return Err(Failure::bound(format!("the templates take more than {} steps", self.bounds.steps)));
        }
        Ok(())
    }

    /// Counts memory, before it is taken.
    pub(crate) fn take(&self, bytes: usize) -> Result<(), Failure> {
        let total = self.bytes.get().saturating_add(bytes);
        self.bytes.set(total);
        if total > self.bounds.bytes {
            return Err(Failure::bound(format!("the templates produce more than {} MiB", self.bounds.bytes >> 20)));
        }
        Ok(())
    }

    /// One level down; [`World::leave`] comes back up.
    pub(crate) fn enter(&self) -> Result<(), Failure> {
        let depth = self.depth.get() + 1;
        self.depth.set(depth);
        if depth > self.bounds.depth {
            return Err(Failure::bound(format!("the templates nest deeper than {} levels", self.bounds.depth)));
        }
        Ok(())
    }

    pub(crate) fn leave(&self) {
        self.depth.set(self.depth.get().saturating_sub(1));
    }
}
