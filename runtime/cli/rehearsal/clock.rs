//! The clock of a rehearsal, as the world takes it: simulated, but for patience with child processes.
//!
//! Does not know when time moves.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use jiff::Timestamp;
use runbook_core::world::Clock;
use runbook_sim::time;

use crate::clock::RealClock;

/// A simulated clock.
pub(crate) struct SimulatedClock {
    clock: time::Clock,
    began: Timestamp,
    real: Arc<RealClock>,
}

impl SimulatedClock {
    /// Shows what the simulation's clock shows.
    pub(crate) fn new(clock: time::Clock, real: Arc<RealClock>) -> Self {
        let began = clock.now();
        Self { clock, began, real }
    }
}

impl Clock for SimulatedClock {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn elapsed(&self) -> Duration {
        self.clock.now().duration_since(self.began).unsigned_abs()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(self.clock.wait(duration))
    }

    fn alarm(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let clock = self.clock.clone();
        Box::pin(async move { clock.sleep(duration).await })
    }

    fn patience(&self, duration: Duration) -> BoxFuture<'static, ()> {
        // Whoever has patience waits for a child process: as long as that is so, something outside is at work.
        let (outside, sleep) = (self.clock.outside(), self.real.sleep(duration));
        Box::pin(async move {
            sleep.await;
            drop(outside);
        })
    }
}
