//! The time an actor is given.
//!
//! Not known here: whether a second lasts a second.

use std::time::Duration;

use futures::future::BoxFuture;
use jiff::Timestamp;

/// A clock that an actor may read and wait on.
pub trait Pace: Send + Sync + 'static {
    /// The present moment.
    fn now(&self) -> Timestamp;

    /// A future that completes once `span` has passed.
    fn pause(&self, span: Duration) -> BoxFuture<'static, ()>;
}
