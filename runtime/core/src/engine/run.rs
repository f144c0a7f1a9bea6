//! One run of a script, as the script's side sees it: its session, its parameters, and the fault that ends it.
//!
//! Does not know the language.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};

use rhai::Dynamic;
use serde_json::{Map, Value};

use super::modules::Modules;
use super::words::Names;
use crate::fault::{Fault, Place};
use crate::primitive::Primitive;
use crate::record::{Entry, Level, Log};
use crate::session::Session;

/// One run of a script.
pub(super) struct Run {
    pub(super) session: Arc<Session>,
    pub(super) parameters: Map<String, Value>,
    pub(super) primitives: Arc<[&'static Primitive]>,
    pub(super) modules: Arc<Modules>,
    poisoned: AtomicBool,
    poison: Mutex<Option<Fault>>,
    /// How often it was asked whether to stop.
    asked: AtomicU64,
}

/// How a run is found from within its script. Weak, because functions that the session keeps hold it.
pub(super) type Tag = Weak<Run>;

impl Run {
    pub(super) fn new(
        session: Arc<Session>,
        parameters: Map<String, Value>,
        primitives: Arc<[&'static Primitive]>,
        modules: Arc<Modules>,
    ) -> Arc<Self> {
        Arc::new(Self {
            session,
            parameters,
            primitives,
            modules,
            poisoned: AtomicBool::new(false),
            poison: Mutex::default(),
            asked: AtomicU64::new(0),
        })
    }

    /// The run that a script belongs to.
    pub(super) fn of(tag: Option<&Dynamic>) -> Arc<Self> {
        tag.and_then(|tag| tag.read_lock::<Tag>().and_then(|tag| tag.upgrade())).expect("a run outlives its script")
    }

    /// Sees to it that the script ends with this fault, even where a `catch` takes it. The first one stays.
    pub(super) fn poison(&self, fault: &Fault) {
        let mut poison = self.poison.lock().expect("no thread panics while it holds this lock");
        poison.get_or_insert_with(|| fault.clone());
        self.poisoned.store(true, Ordering::Release);
    }

    /// The fault with which the script ends, where there is one.
    pub(super) fn poisoned(&self) -> Option<Fault> {
        if !self.poisoned.load(Ordering::Acquire) {
            return None;
        }
        self.poison.lock().expect("no thread panics while it holds this lock").clone()
    }

    /// Whether the script must stop before its next operation.
    pub(super) fn must_stop(&self) -> bool {
        // Asking the token takes a lock, so not each time that we are asked. Operations cannot be counted for that: some count several.
        self.poisoned.load(Ordering::Relaxed)
            || (self.asked.fetch_add(1, Ordering::Relaxed).is_multiple_of(16)
                && self.session.world.interrupt.soft.is_cancelled())
    }

    /// Names that hints about a place in a script may suggest.
    pub(super) fn names(&self, source: &str) -> Names<'_> {
        self.modules.names(source, &self.primitives)
    }

    /// A line for people, from `print` and `debug`.
    pub(super) fn log(&self, message: &str) {
        let step = self.session.scopes.path();
        let written = self.session.record(Entry::Log(Log { step, level: Level::Info, message: message.to_owned() }));
        if let Err(fault) = written {
            self.poison(&fault);
        }
    }

    /// The places of the poison, where they say more than the error that came up.
    pub(super) fn merge(&self, mut fault: Fault) -> Fault {
        let Some(poison) = self.poisoned() else { return fault };
        if poison.code == fault.code && poison.message == fault.message {
            return fault;
        }
        let outer: Vec<Place> = std::mem::take(&mut fault.stack);
        let mut poison = poison;
        poison.stack.extend(outer.into_iter().filter(|place| poison.stack.last() != Some(place)).collect::<Vec<_>>());
        poison
    }
}
