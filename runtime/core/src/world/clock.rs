//! Time as a run sees it.

use std::time::Duration;

use futures::future::BoxFuture;
use jiff::Timestamp;

/// The clock of a run: the machine's, or a simulated one in which waiting costs nothing.
pub trait Clock: Send + Sync {
    /// The present time, in UTC.
    fn now(&self) -> Timestamp;

    /// Time since some fixed point; never goes back.
    fn elapsed(&self) -> Duration;

    /// Comes back after that much time of this clock.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
}
