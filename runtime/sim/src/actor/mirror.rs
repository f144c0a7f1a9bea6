//! A copy of one collection that follows the API server: one list, then one watch.
//!
//! Objects are kept without their managed fields. Not known here: what anybody wants with the copy.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use futures::StreamExt;
use kube::core::WatchEvent;
use serde_json::Value;
use tokio::sync::{Notify, watch};

use super::{
    Pace,
    api::{Api, Fault, Resource, Selection, has_code},
    json::{map_at, name, namespace},
};

type Key = (String, String);

/// The copy. Reading it never waits for the API server.
pub(crate) struct Mirror {
    resource: Resource,
    wanted: Selection,
    /// Cuts an object down to what its readers need.
    trim: fn(&mut Value),
    objects: RwLock<BTreeMap<Key, Arc<Value>>>,
    /// What has come or changed since somebody last asked.
    news: Mutex<BTreeSet<Key>>,
    complete: watch::Sender<bool>,
    served: AtomicBool,
    /// Counts what has changed.
    changes: AtomicU64,
}

impl Mirror {
    /// A copy of `resource`, empty until [`Mirror::follow`] runs.
    pub(crate) fn new(resource: Resource, labels: Option<&'static str>) -> Self {
        Self {
            resource,
            wanted: Selection { labels },
            trim: |_| (),
            objects: RwLock::default(),
            news: Mutex::default(),
            complete: watch::Sender::new(false),
            served: AtomicBool::new(false),
            changes: AtomicU64::new(0),
        }
    }

    /// The same copy with objects cut down to what is needed of them.
    pub(crate) fn trimmed(mut self, trim: fn(&mut Value)) -> Self {
        self.trim = trim;
        self
    }

    /// The resource that is copied.
    pub(crate) const fn resource(&self) -> Resource {
        self.resource
    }

    /// Has the collection been read once, or found to be no part of this cluster?
    pub(crate) fn is_complete(&self) -> bool {
        *self.complete.borrow()
    }

    /// Completes once it is complete.
    pub(crate) async fn completed(&self) {
        // The sender lives as long as this copy.
        let _ = self.complete.subscribe().wait_for(|complete| *complete).await;
    }

    /// Does the API server have this collection? No, as long as its custom resource is not installed.
    pub(crate) fn is_served(&self) -> bool {
        self.served.load(Ordering::Acquire)
    }

    /// One object.
    pub(crate) fn get(&self, namespace: &str, name: &str) -> Option<Arc<Value>> {
        let objects = self.objects.read().unwrap_or_else(PoisonError::into_inner);
        objects.get(&(namespace.to_owned(), name.to_owned())).cloned()
    }

    /// Every object, by namespace and name.
    pub(crate) fn all(&self) -> Vec<Arc<Value>> {
        self.objects.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// The objects that have come or changed since this was last asked, as they are now.
    pub(crate) fn news(&self) -> Vec<Arc<Value>> {
        let news = std::mem::take(&mut *self.news.lock().unwrap_or_else(PoisonError::into_inner));
        let objects = self.objects.read().unwrap_or_else(PoisonError::into_inner);
        news.iter().filter_map(|key| objects.get(key)).cloned().collect()
    }

    /// A number that is another one whenever something has changed.
    pub(crate) fn state(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// Takes in what a write of our own has made, without waiting for the watch.
    pub(crate) fn put(&self, object: Value) {
        self.lay(self.kept(object));
    }

    /// What is kept of an object.
    fn kept(&self, mut object: Value) -> Value {
        map_at(&mut object, "metadata").shift_remove("managedFields");
        (self.trim)(&mut object);
        object
    }

    fn lay(&self, object: Value) {
        let key = (namespace(&object).to_owned(), name(&object).to_owned());
        let mut objects = self.objects.write().unwrap_or_else(PoisonError::into_inner);
        if objects.get(&key).is_none_or(|known| version(known) <= version(&object)) {
            self.news.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone());
            objects.insert(key, Arc::new(object));
            self.changes.fetch_add(1, Ordering::AcqRel);
        }
    }

    fn remove(&self, object: &Value) {
        let key = (namespace(object).to_owned(), name(object).to_owned());
        let mut objects = self.objects.write().unwrap_or_else(PoisonError::into_inner);
        if objects.get(&key).is_some_and(|known| version(known) <= version(object)) {
            self.news.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
            objects.remove(&key);
            self.changes.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// Takes in a whole collection, of whose objects no more is left than is kept.
    fn replace(&self, listed: Vec<Value>) {
        self.objects.write().unwrap_or_else(PoisonError::into_inner).clear();
        self.changes.fetch_add(1, Ordering::AcqRel);
        for object in listed {
            self.lay(object);
        }
    }

    /// Follows the collection for ever and tells `changed` of every change. A collection that the cluster does not have
    /// counts as empty and is asked for again every second.
    pub(crate) async fn follow(&self, api: &Api, pace: &dyn Pace, changed: &Notify) {
        loop {
            if let Err(fault) = self.follow_once(api, changed).await {
                if has_code(&fault, 404) {
                    let news = self.is_served() || !self.is_complete();
                    self.replace(Vec::new());
                    self.served.store(false, Ordering::Release);
                    self.complete.send_replace(true);
                    if news {
                        changed.notify_one();
                    }
                } else {
                    tracing::debug!(resource = self.resource.plural, %fault, "watch ended");
                }
                pace.pause(Duration::from_secs(1)).await;
            }
        }
    }

    async fn follow_once(&self, api: &Api, changed: &Notify) -> Result<(), Fault> {
        let (objects, mut from) = api.list(self.resource, self.wanted, |object| self.kept(object)).await?;
        self.replace(objects);
        self.served.store(true, Ordering::Release);
        self.complete.send_replace(true);
        changed.notify_one();
        loop {
            let mut events = Box::pin(api.watch(self.resource, self.wanted, &from).await?);
            while let Some(event) = events.next().await {
                match event? {
                    WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                        from = text_version(&object);
                        self.put(object);
                        changed.notify_one();
                    }
                    WatchEvent::Deleted(object) => {
                        from = text_version(&object);
                        self.remove(&object);
                        changed.notify_one();
                    }
                    WatchEvent::Bookmark(mark) => from = mark.metadata.resource_version,
                    WatchEvent::Error(status) => return Err(Fault::Api(status)),
                }
            }
        }
    }
}

fn text_version(object: &Value) -> String {
    object["metadata"]["resourceVersion"].as_str().unwrap_or("0").to_owned()
}

/// The resource version as a number, by which two states of one object are told apart.
pub(crate) fn version(object: &Value) -> u64 {
    object["metadata"]["resourceVersion"].as_str().and_then(|version| version.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(version: &str) -> Value {
        json!({ "metadata": { "name": "a", "resourceVersion": version, "managedFields": [] } })
    }

    #[test]
    fn an_event_older_than_our_own_write_changes_nothing() {
        let mirror = Mirror::new(Resource::core("services"), None);
        mirror.put(object("12"));
        assert_eq!(mirror.news().len(), 1);
        mirror.put(object("9"));
        assert_eq!(mirror.get("", "a").unwrap()["metadata"]["resourceVersion"], "12");
        assert!(mirror.news().is_empty());
        mirror.remove(&object("10"));
        assert!(mirror.get("", "a").is_some());
        mirror.remove(&object("13"));
        assert!(mirror.get("", "a").is_none());
    }
}
