//! The API server: what is asked for over HTTP, and what comes back.
//!
//! Not known here: how objects are kept, and who else acts on them.

mod accept;
mod allot;
mod answer;
mod beginning;
mod below;
mod body;
mod deed;
mod delete;
mod door;
mod double;
mod metadata;
mod modify;
pub(crate) mod onlooker;
mod order;
mod other;
mod patch;
mod path;
mod protobuf;
mod query;
mod read;
mod render;
mod restore;
mod scale;
mod shape;
mod strategy;
mod table;
mod trouble;
mod virtual_kind;
mod watch;
mod write;

use std::{
    collections::HashMap,
    fmt::Write as _,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use rand::{Rng, RngCore, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

pub(crate) use self::{
    answer::Answer,
    below::stands_on,
    body::{LARGEST, any as body_of, media},
    delete::{Deletion, Propagation},
    door::{Asked, verb},
    metadata::generated,
    onlooker::Onlooker,
    order::Order,
    path::{Path, Place, read as read_path, without_watch},
    query::Query,
    render::arrange,
    shape::{recorded, reread},
};
use crate::{
    admission::Answerer,
    audit::Witness,
    controller::{Habits, Queue},
    kind::{Catalogue, Kind},
    overlay::Beneath,
    resource::GroupResource,
    store::{Expect, Miss, Store, Stored},
    time::Clock,
};

/// The API server's state.
pub(crate) struct Server {
    pub(crate) clock: Clock,
    pub(crate) store: Store,
    pub(crate) queue: Arc<Queue>,
    catalogue: RwLock<Catalogue>,
    schemas: Mutex<HashMap<String, shape::Known>>,
    habits: RwLock<Arc<Habits>>,
    answerer: RwLock<Option<Answerer>>,
    troubles: RwLock<Option<Arc<trouble::Troubles>>>,
    witness: RwLock<Option<Witness>>,
    dice: Mutex<StdRng>,
    /// The live cluster that this one is laid over; none where this one is all there is.
    beneath: Option<Arc<Beneath>>,
    onlooker: RwLock<Option<Arc<dyn Onlooker>>>,
}

const CRDS: (&str, &str) = ("apiextensions.k8s.io", "customresourcedefinitions");

impl Server {
    pub(crate) fn new(clock: Clock, seed: u64, habits: Habits) -> Arc<Self> {
        let server = Self::with(clock, seed, habits, None);
        server.begin();
        Arc::new(server)
    }

    /// One over a live cluster: it begins with nothing of its own.
    pub(crate) fn over(beneath: Arc<Beneath>, clock: Clock, seed: u64, habits: Habits) -> Arc<Self> {
        Arc::new(Self::with(clock, seed, habits, Some(beneath)))
    }

    fn with(clock: Clock, seed: u64, habits: Habits, beneath: Option<Arc<Beneath>>) -> Self {
        let queue = Arc::new(Queue::default());
        let (told, time, below) = (queue.clone(), clock.clone(), beneath.clone());
        let store = Store::new(Some(Box::new(move |resource, event| {
            if let Some(beneath) = &below {
                beneath.touch(resource, event);
            }
            told.push(time.now(), resource, event);
        })));
        Self {
            clock,
            store,
            queue,
            catalogue: RwLock::new(Catalogue::builtin()),
            schemas: Mutex::default(),
            habits: RwLock::new(Arc::new(habits)),
            answerer: RwLock::new(None),
            troubles: RwLock::new(None),
            witness: RwLock::new(None),
            dice: Mutex::new(StdRng::seed_from_u64(seed)),
            beneath,
            onlooker: RwLock::new(None),
        }
    }

    /// The live cluster beneath, where there is one.
    pub(crate) fn beneath(&self) -> Option<&Arc<Beneath>> {
        self.beneath.as_ref()
    }

    /// How this cluster's machines behave.
    pub(crate) fn habits(&self) -> Arc<Habits> {
        self.habits.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes how machines behave from now on.
    pub(crate) fn set_habits(&self, habits: Habits) {
        *self.habits.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(habits);
    }

    /// Who is told of requests and changes.
    fn onlooker(&self) -> Option<Arc<dyn Onlooker>> {
        self.onlooker.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Has `onlooker` told of requests and changes from now on.
    pub(crate) fn set_onlooker(&self, onlooker: Arc<dyn Onlooker>) {
        *self.onlooker.write().unwrap_or_else(PoisonError::into_inner) = Some(onlooker);
    }

    /// Who answers webhooks.
    pub(crate) fn answerer(&self) -> Option<Answerer> {
        self.answerer.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Has webhooks answered by `answerer` from now on.
    pub(crate) fn set_answerer(&self, answerer: Answerer) {
        *self.answerer.write().unwrap_or_else(PoisonError::into_inner) = Some(answerer);
    }

    /// All kinds that are served now.
    pub(crate) fn catalogue(&self) -> Catalogue {
        self.catalogue.read().unwrap_or_else(PoisonError::into_inner).clone()
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

    /// A letter for a generated name, from the seed.
    pub(crate) fn letter(&self) -> u8 {
        let mut dice = self.dice.lock().unwrap_or_else(PoisonError::into_inner);
        metadata::LETTERS[dice.random_range(0..metadata::LETTERS.len())]
    }

    /// The resource that a kind is served as, and whether it has namespaces.
    pub(crate) fn resource_of(&self, api_version: &str, kind: &str) -> Option<(GroupResource, bool)> {
        let catalogue = self.catalogue();
        let found = catalogue.by_kind(api_version, kind).or_else(|| {
            // An owner may be named in a version that is no longer served.
            let group = api_version.rsplit_once('/').map_or("", |(group, _)| group);
            catalogue.all().find(|known| known.group == group && known.kind == kind).cloned()
        })?;
        Some((GroupResource::new(&found.group, &found.plural), found.namespaced))
    }

    /// Keeps an object, and takes in what it says about kinds.
    fn keep(&self, kind: &Kind, object: &mut Value, expect: Expect) -> Result<Arc<Stored>, Miss> {
        let resource = GroupResource::new(&kind.group, &kind.plural);
        let (namespace, name) = (crate::actor::json::namespace(object), crate::actor::json::name(object));
        // Nobody else wants to know what was there.
        let before = self.onlooker().and_then(|_| self.store.get(&resource, namespace, name));
        let stored = self.store.put(&resource, object, expect)?;
        self.tell_changed(kind, before, Some(stored.clone()));
        if (kind.group.as_str(), kind.plural.as_str()) == CRDS {
            self.take_in(object);
        }
        if expect == Expect::Absent && kind.group.is_empty() && kind.kind == "Namespace" {
            self.furnish(crate::actor::json::name(object));
        }
        Ok(stored)
    }

    /// Takes an object away, and the kinds that it stood for.
    fn drop_object(&self, kind: &Kind, namespace: &str, name: &str, version: u64) -> Result<Arc<Stored>, Miss> {
        let last = self.store.remove(&GroupResource::new(&kind.group, &kind.plural), namespace, name, version)?;
        self.tell_changed(kind, Some(last.clone()), None);
        if (kind.group.as_str(), kind.plural.as_str()) == CRDS {
            let mut catalogue = self.catalogue.write().unwrap_or_else(PoisonError::into_inner);
            *catalogue = catalogue.without_crd(name);
        }
        Ok(last)
    }

    /// Serves what a definition says once it is established.
    pub(crate) fn take_in(&self, definition: &Value) {
        let mut conditions = definition["status"]["conditions"].as_array().into_iter().flatten();
        if conditions.any(|one| one["type"] == "Established" && one["status"] == "True") {
            let mut catalogue = self.catalogue.write().unwrap_or_else(PoisonError::into_inner);
            *catalogue = catalogue.with_crd(definition);
        }
    }
}

/// Who every client is.
pub(crate) const USER: &str = "kubernetes-admin";

/// Who a request comes from, as webhooks are told: clients are the administrator, controllers are themselves.
pub(crate) fn user(order: &Order) -> Value {
    if order.is_own {
        return json!({
            "username": format!("system:serviceaccount:kube-system:{}", order.manager),
            "groups": ["system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"],
        });
    }
    json!({ "username": USER, "groups": ["system:masters", "system:authenticated"] })
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
