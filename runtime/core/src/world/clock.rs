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

    /// Comes back after that much time of this clock: the run has nothing else to do meanwhile.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;

    /// The same for what goes on beside the run, such as renewing a lease. In a simulation nobody waits for it: time does not
    /// move on its account.
    fn alarm(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.sleep(duration)
    }

    /// Patience with what has a clock of its own, such as a child process: always the machine's time.
    fn patience(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.sleep(duration)
    }
}
