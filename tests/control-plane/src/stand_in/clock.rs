//! The time that the stand-in is given here: the real one.

use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use jiff::Timestamp;
use runbook_sim::actor::Pace;

/// A second lasts a second.
pub(super) struct RealClock;

impl Pace for RealClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn pause(&self, span: Duration) -> BoxFuture<'static, ()> {
        // Made inside the future: a sleep belongs to the runtime that it is made on.
        async move { tokio::time::sleep(span).await }.boxed()
    }
}
