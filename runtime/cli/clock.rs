//! The machine's clock, and pauses too short for its timers.

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

/// How often a moment is taken at most.
const TIMES: u32 = 16;

/// A pause of less than a millisecond, which is the least that timers of the runtime measure. Where it took twice as long, the machine is
/// loaded and others are as late as this: then it is taken again.
#[expect(clippy::disallowed_methods, reason = "this is a pause of the real clock that the world is given")]
pub(crate) fn moment(span: Duration) -> BoxFuture<'static, ()> {
    Box::pin(async move {
        for _ in 0..TIMES {
            let began = Instant::now();
            // Only a program that ends cancels it.
            let _ = tokio::task::spawn_blocking(move || std::thread::sleep(span)).await;
            if began.elapsed() < 2 * span {
                return;
            }
        }
    })
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
