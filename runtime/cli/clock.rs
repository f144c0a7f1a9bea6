//! The machine's clock.

use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use jiff::Timestamp;
use runbook_core::world::Clock;

/// The machine's clock, and the moment the program began.
#[derive(Debug)]
pub(crate) struct RealClock {
    began: Instant,
}

impl RealClock {
    /// Begins to count.
    #[expect(clippy::disallowed_methods, reason = "this is the real clock that the world is given")]
    pub(crate) fn start() -> Self {
        Self { began: Instant::now() }
    }
}

impl Clock for RealClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the real clock that the world is given")]
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(async move { tokio::time::sleep(duration).await })
    }
}
