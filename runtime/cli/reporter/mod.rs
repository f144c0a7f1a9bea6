//! Whoever tells people and programs what happens while a run goes on.
//!
//! A reporter sees records as they are written and nothing else; it cannot steer the run.

mod human;
mod json;
mod live;
mod plain;
mod quiet;
mod tree;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use runbook_core::record::{Event, Observer};
use runbook_core::world::Clock;

pub(crate) use human::Human;
pub(crate) use json::Json;
pub(crate) use plain::Plain;
pub(crate) use quiet::{Loudness, Quiet};

use crate::screen::plan::Promise;
use crate::writer::Writer;

/// An observer that also does things of its own accord.
pub(crate) trait Reporter: Observer {
    /// A person is about to be asked: what the question rests on must be on the screen.
    fn asking(&self);

    /// Some time has passed.
    fn tick(&self);

    /// The run is over: nothing is redrawn any more.
    fn close(&self);
}

/// How often a reporter is told that time passes.
const TICK: Duration = Duration::from_millis(100);

/// What every reporter has at hand.
pub(crate) struct Desk {
    /// The door.
    pub(crate) writer: Arc<Writer>,
    /// The time.
    pub(crate) clock: Arc<dyn Clock>,
    /// What the script's header says about itself.
    pub(crate) promise: Promise,
    /// The helm that would be driven, where the script drives one.
    pub(crate) helm: Option<PathBuf>,
}

impl Desk {
    /// The present time in milliseconds since 1970.
    fn now(&self) -> u64 {
        u64::try_from(self.clock.now().as_millisecond()).unwrap_or_default()
    }
}

/// A reporter among a session's observers.
pub(crate) struct Listening(pub(crate) Arc<dyn Reporter>);

impl Observer for Listening {
    fn observe(&self, event: &Event<'_>) {
        self.0.observe(event);
    }
}

/// Tells a reporter that time passes, until the runtime ends.
pub(crate) fn keep_ticking(runtime: &tokio::runtime::Handle, clock: Arc<dyn Clock>, reporter: Arc<dyn Reporter>) {
    runtime.spawn(async move {
        loop {
            clock.sleep(TICK).await;
            reporter.tick();
        }
    });
}
