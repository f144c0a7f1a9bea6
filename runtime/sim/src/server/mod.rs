//! The API server: what is asked for over HTTP, and what comes back.
//!
//! Not known here: how objects are kept, and who else acts on them.

mod deed;

use std::{
    fmt::Write as _,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use axum::{Router, extract::Request, response::Response};
use rand::{RngCore, SeedableRng, rngs::StdRng};
use sha2::{Digest, Sha256};

pub(crate) use self::deed::{Deletion, Propagation};
use crate::{
    controller::{Habits, Queue},
    resource::GroupResource,
    store::Store,
    time::Clock,
};

/// The API server's state.
pub(crate) struct Server {
    pub(crate) clock: Clock,
    pub(crate) store: Store,
    pub(crate) queue: Arc<Queue>,
    habits: RwLock<Arc<Habits>>,
    dice: Mutex<StdRng>,
}

impl Server {
    pub(crate) fn new(clock: Clock, seed: u64, habits: Habits) -> Arc<Self> {
        let queue = Arc::new(Queue::default());
        let (told, time) = (queue.clone(), clock.clone());
        let store = Store::new(Some(Box::new(move |resource, event| told.push(time.now(), resource, event))));
        let dice = Mutex::new(StdRng::seed_from_u64(seed));
        Arc::new(Self { clock, store, queue, habits: RwLock::new(Arc::new(habits)), dice })
    }

    /// How this cluster's machines behave.
    pub(crate) fn habits(&self) -> Arc<Habits> {
        self.habits.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes how machines behave from now on.
    pub(crate) fn set_habits(&self, habits: Habits) {
        *self.habits.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(habits);
    }

    /// A new uid, from the seed.
    pub(crate) fn uid(&self) -> String {
        let mut bytes = [0; 16];
        self.dice.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(&mut bytes);
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let hex = hex(&bytes);
        format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }

    /// The resource that a kind is served as, and whether it has namespaces.
    pub(crate) fn resource_of(&self, _api_version: &str, _kind: &str) -> Option<(GroupResource, bool)> {
        None
    }

    /// The way in, for the in-process client and the listener alike.
    pub(crate) fn router(self: &Arc<Self>) -> Router {
        let server = self.clone();
        Router::new().fallback(move |request: Request| {
            let server = server.clone();
            async move { server.answer(request).await }
        })
    }

    async fn answer(self: Arc<Self>, _request: Request) -> Response {
        let status = crate::status::Status::no_such_path();
        let mut response = Response::new(status.body().to_string().into());
        *response.status_mut() = http::StatusCode::NOT_FOUND;
        response
    }
}

/// Sixteen hexadecimal digits that stand for all of `parts`.
pub(crate) fn short_digest(parts: &[&str]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part.as_bytes());
        digest.update([0]);
    }
    hex(&digest.finalize()[..8])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
