//! What a scenario lets go wrong with requests, at the door.
//!
//! Not known here: why anybody wants that.

use std::sync::{
    Arc, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use axum::body::{Body, Bytes};
use serde_json::Value;

use super::{Server, answer::Answer, path::Place};
use crate::{
    audit::{AuditEntry, Witness},
    scenario::{Ailment, Trouble},
    status::Status,
};

/// Troubles, and how many requests each has seen.
pub(crate) struct Troubles {
    each: Vec<(Trouble, AtomicU64)>,
}

/// What happens to one request.
#[derive(Default)]
pub(crate) struct Struck {
    pub(crate) answer: Option<Ailment>,
    pub(crate) changes: Vec<Value>,
}

impl Troubles {
    pub(crate) fn new(troubles: Vec<Trouble>) -> Self {
        Self { each: troubles.into_iter().map(|trouble| (trouble, AtomicU64::new(0))).collect() }
    }

    /// Counts a request, and says what happens to it.
    fn strike(&self, entry: &AuditEntry) -> Struck {
        let mut struck = Struck::default();
        for (trouble, seen) in &self.each {
            if !trouble.is_about(entry) {
                continue;
            }
            if trouble.strikes(seen.fetch_add(1, Ordering::Relaxed) + 1) {
                struck.answer = struck.answer.or(trouble.answer);
                struck.changes.extend(trouble.change.clone());
            }
        }
        struck
    }
}

impl Server {
    /// Lets these things go wrong from now on.
    pub(crate) fn set_troubles(&self, troubles: Vec<Trouble>) {
        *self.troubles.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(Troubles::new(troubles)));
    }

    /// Tells somebody of every request from now on.
    pub(crate) fn set_witness(&self, witness: Witness) {
        *self.witness.write().unwrap_or_else(PoisonError::into_inner) = Some(witness);
    }

    /// Whether anybody wants to know of requests, or something may happen to one.
    pub(crate) fn is_witnessed(&self) -> bool {
        self.witness.read().unwrap_or_else(PoisonError::into_inner).is_some()
            || self.troubles.read().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Tells of a request.
    pub(crate) fn testify(&self, entry: &AuditEntry) {
        if let Some(witness) = &*self.witness.read().unwrap_or_else(PoisonError::into_inner) {
            witness(entry);
        }
    }

    /// What happens to a request before it is looked at; foreign changes are made here.
    pub(crate) async fn strike(self: &Arc<Self>, entry: &AuditEntry, place: &Place) -> Result<Option<Ailment>, Status> {
        let troubles = self.troubles.read().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(troubles) = troubles else { return Ok(None) };
        let struck = troubles.strike(entry);
        for change in struck.changes {
            // That the object is not there is no trouble of whoever would have changed it.
            let at = (place.namespace.as_str(), entry.name.as_str());
            drop(self.hand_merge(&place.resource(), "somebody-else", "", at, change).await);
        }
        match struck.answer {
            Some(Ailment::Reset) => Ok(Some(Ailment::Reset)),
            Some(ailment) => Err(Status::ailment(ailment, &place.resource(), &place.name)),
            None => Ok(None),
        }
    }
}

/// An answer that breaks off: the connection is closed in the middle of it.
pub(crate) fn broken() -> Answer {
    let torn = std::io::Error::new(std::io::ErrorKind::ConnectionReset, "connection reset by peer");
    Answer::stream(Body::from_stream(futures::stream::iter([Err::<Bytes, _>(torn)])))
}
