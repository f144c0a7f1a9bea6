//! The simulated clock: it moves when it is told, and never by itself.
//!
//! Not known here: who moves it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures::future::BoxFuture;
use jiff::Timestamp;
use tokio::sync::watch;

use crate::actor::Pace;

/// A clock, shared by all who hold it.
#[derive(Clone)]
pub struct Clock {
    now: Arc<Mutex<watch::Sender<Timestamp>>>,
}

impl Clock {
    /// A clock that shows `start`.
    pub fn new(start: Timestamp) -> Self {
        Self { now: Arc::new(Mutex::new(watch::Sender::new(start))) }
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner).borrow()
    }

    /// Moves on by `span`.
    pub fn advance(&self, span: Duration) {
        self.now.lock().unwrap_or_else(PoisonError::into_inner).send_modify(|now| *now += span);
    }

    /// Completes once the clock shows `at`.
    pub async fn sleep_until(&self, at: Timestamp) {
        let mut seen = self.now.lock().unwrap_or_else(PoisonError::into_inner).subscribe();
        let _ = seen.wait_for(|now| *now >= at).await;
    }

    /// Completes once `span` has passed.
    pub async fn sleep(&self, span: Duration) {
        self.sleep_until(self.now() + span).await;
    }
}

impl Pace for Clock {
    fn now(&self) -> Timestamp {
        Clock::now(self)
    }

    fn pause(&self, span: Duration) -> BoxFuture<'static, ()> {
        let clock = self.clone();
        Box::pin(async move { clock.sleep(span).await })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_sleeps_wakes_when_the_clock_gets_there() {
        let clock = Clock::new(Timestamp::UNIX_EPOCH);
        let other = clock.clone();
        let sleeper = tokio::spawn(async move { other.sleep(Duration::from_secs(5)).await });
        tokio::task::yield_now().await;
        clock.advance(Duration::from_secs(4));
        tokio::task::yield_now().await;
        assert!(!sleeper.is_finished());
        clock.advance(Duration::from_secs(1));
        sleeper.await.unwrap();
    }
}
