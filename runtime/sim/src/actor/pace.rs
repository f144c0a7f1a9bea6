//! The time an actor is given.
//!
//! Not known here: whether a second lasts a second.

use std::any::Any;
use std::time::Duration;

use futures::future::BoxFuture;
use jiff::Timestamp;

/// A clock that an actor may read and wait on.
pub trait Pace: Send + Sync + 'static {
    /// The present moment.
    fn now(&self) -> Timestamp;

    /// A future that completes once `span` has passed.
    fn pause(&self, span: Duration) -> BoxFuture<'static, ()>;

    /// Says that the actor is at work as long as the answer lives, and must not be left behind by the time meanwhile. A clock that goes by itself
    /// takes no notice.
    fn at_work(&self) -> Box<dyn Any + Send + Sync> {
        Box::new(())
    }
}
