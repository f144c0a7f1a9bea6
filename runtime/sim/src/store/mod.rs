//! The objects of the cluster: one version counter, one order of changes.
//!
//! Not known here: requests, kinds, who may write what. An object comes in finished and is kept as bytes.

mod log;
mod page;
mod stored;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::Bound,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use serde_json::Value;
use tokio::sync::watch;

use self::log::Log;
pub(crate) use self::{
    log::Event,
    page::{Page, Span},
    stored::{Stored, indexed, key},
};
use crate::{actor::json::map_at, resource::GroupResource};

/// Who is told of every change, in order and at once.
pub(crate) type Listener = Box<dyn Fn(&GroupResource, &Arc<Event>) + Send + Sync>;

/// What has to be true of the present state for a write to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expect {
    /// There is no such object.
    Absent,
    /// The object is at this version.
    Version(u64),
}

/// Why a write did not happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Miss {
    /// There is such an object already.
    Exists,
    /// There is no such object.
    Gone,
    /// The object is at another version.
    Moved,
}

/// The objects.
pub(crate) struct Store {
    inner: RwLock<Inner>,
    listener: Option<Listener>,
}

struct Inner {
    version: u64,
    racks: HashMap<GroupResource, Rack>,
    /// Which objects name an owner, by its uid.
    owned: HashMap<Box<str>, BTreeSet<(GroupResource, Box<str>)>>,
}

/// The objects of one resource.
struct Rack {
    objects: BTreeMap<Box<str>, Arc<Stored>>,
    /// Keys by the first field of its kind's fields: pods by node.
    by_field: HashMap<Box<str>, BTreeSet<Box<str>>>,
    log: Log,
    /// Tells watches that there is something new.
    bell: watch::Sender<u64>,
}

impl Default for Rack {
    fn default() -> Self {
        let bell = watch::Sender::new(0);
        Self { objects: BTreeMap::new(), by_field: HashMap::new(), log: Log::default(), bell }
    }
}

impl Store {
    /// An empty store.
    pub(crate) fn new(listener: Option<Listener>) -> Self {
        let inner = Inner { version: 1, racks: HashMap::new(), owned: HashMap::new() };
        Self { inner: RwLock::new(inner), listener }
    }

    fn read(&self) -> RwLockReadGuard<'_, Inner> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Inner> {
        self.inner.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The present version.
    pub(crate) fn version(&self) -> u64 {
        self.read().version
    }

    /// One object.
    pub(crate) fn get(&self, resource: &GroupResource, namespace: &str, name: &str) -> Option<Arc<Stored>> {
        self.read().racks.get(resource)?.objects.get(key(namespace, name).as_str()).cloned()
    }

    /// All objects of a resource, or those in one namespace.
    pub(crate) fn all(&self, resource: &GroupResource, namespace: Option<&str>) -> Vec<Arc<Stored>> {
        let inner = self.read();
        let Some(rack) = inner.racks.get(resource) else { return Vec::new() };
        rack.within(namespace).cloned().collect()
    }

    /// How many objects of a resource there are, or in one namespace.
    pub(crate) fn count(&self, resource: &GroupResource, namespace: Option<&str>) -> usize {
        let inner = self.read();
        inner.racks.get(resource).map_or(0, |rack| match namespace {
            None => rack.objects.len(),
            some => rack.within(some).count(),
        })
    }

    /// The objects whose first indexed field has a value: the pods of a node.
    pub(crate) fn by_field(&self, resource: &GroupResource, value: &str) -> Vec<Arc<Stored>> {
        let inner = self.read();
        let Some(rack) = inner.racks.get(resource) else { return Vec::new() };
        let keys = rack.by_field.get(value).into_iter().flatten();
        keys.filter_map(|key| rack.objects.get(key)).cloned().collect()
    }

    /// Does any object name this owner?
    pub(crate) fn has_owned(&self, uid: &str) -> bool {
        self.read().owned.contains_key(uid)
    }

    /// The objects of one resource that name an owner.
    pub(crate) fn owned_of(&self, uid: &str, resource: &GroupResource) -> Vec<Arc<Stored>> {
        let inner = self.read();
        let (Some(keys), Some(rack)) = (inner.owned.get(uid), inner.racks.get(resource)) else { return Vec::new() };
        let first = (resource.clone(), Box::from(""));
        let keys = keys.range(first..).take_while(|(of, _)| of == resource);
        keys.filter_map(|(_, key)| rack.objects.get(key).cloned()).collect()
    }

    /// The objects that name an owner.
    pub(crate) fn owned(&self, uid: &str) -> Vec<(GroupResource, Arc<Stored>)> {
        let inner = self.read();
        let keys = inner.owned.get(uid).into_iter().flatten();
        keys.filter_map(|(resource, key)| {
            Some((resource.clone(), inner.racks.get(resource)?.objects.get(key)?.clone()))
        })
        .collect()
    }

    /// Which resources have objects in a namespace.
    pub(crate) fn within(&self, namespace: &str) -> Vec<GroupResource> {
        let inner = self.read();
        let holds = |rack: &Rack| rack.within(Some(namespace)).next().is_some();
        let mut found: Vec<_> =
            inner.racks.iter().filter(|(_, rack)| holds(rack)).map(|(resource, _)| resource.clone()).collect();
        found.sort();
        found
    }

    /// All objects, in the order in which they were last written.
    pub(crate) fn everything(&self) -> Vec<(GroupResource, Arc<Stored>)> {
        let inner = self.read();
        let of = |(resource, rack): (&GroupResource, &Rack)| {
            rack.objects.values().map(|stored| (resource.clone(), stored.clone())).collect::<Vec<_>>()
        };
        let mut all: Vec<_> = inner.racks.iter().flat_map(of).collect();
        all.sort_by_key(|(_, stored)| stored.version);
        all
    }

    /// Puts a new state of an object in its place. Its version is written into `object`.
    pub(crate) fn put(
        &self,
        resource: &GroupResource,
        object: &mut Value,
        expect: Expect,
    ) -> Result<Arc<Stored>, Miss> {
        let mut inner = self.write();
        let inner = &mut *inner;
        let rack = inner.racks.entry(resource.clone()).or_default();
        let at = key(crate::actor::json::namespace(object), crate::actor::json::name(object));
        let old = rack.objects.get(at.as_str()).cloned();
        match (expect, &old) {
            (Expect::Absent, Some(_)) => return Err(Miss::Exists),
            (Expect::Version(_), None) => return Err(Miss::Gone),
            (Expect::Version(version), Some(old)) if old.version != version => return Err(Miss::Moved),
            _ => {}
        }
        inner.version += 1;
        map_at(object, "metadata").insert("resourceVersion".to_owned(), inner.version.to_string().into());
        let new = Arc::new(Stored::of(resource, object, inner.version));
        rack.objects.insert(new.key().into(), new.clone());
        let event = Event { version: inner.version, old, new: new.clone(), is_deletion: false };
        inner.happened(resource, event, self.listener.as_ref());
        Ok(new)
    }

    /// Lays an object beneath all that happens here: it has been there all along, at the version that it came with, and nobody is
    /// told. Whatever is written afterwards has a higher version. False where there is such an object already.
    pub(crate) fn lay(&self, resource: &GroupResource, object: &Arc<Stored>) -> bool {
        let mut inner = self.write();
        let inner = &mut *inner;
        let rack = inner.racks.entry(resource.clone()).or_default();
        if rack.objects.contains_key(object.key()) {
            return false;
        }
        inner.version = inner.version.max(object.version);
        rack.objects.insert(object.key().into(), object.clone());
        rack.index(object.key(), None, object.first_field());
        for owner in &object.owners {
            inner.owned.entry(owner.uid.clone()).or_default().insert((resource.clone(), object.key().into()));
        }
        true
    }

    /// Takes an object away. Returns its last state, under the version of the deletion.
    pub(crate) fn remove(
        &self,
        resource: &GroupResource,
        namespace: &str,
        name: &str,
        version: u64,
    ) -> Result<Arc<Stored>, Miss> {
        let mut inner = self.write();
        let inner = &mut *inner;
        let rack = inner.racks.get_mut(resource).ok_or(Miss::Gone)?;
        let at = key(namespace, name);
        let old = rack.objects.get(at.as_str()).ok_or(Miss::Gone)?;
        if old.version != version {
            return Err(Miss::Moved);
        }
        let old = rack.objects.remove(at.as_str()).ok_or(Miss::Gone)?;
        inner.version += 1;
        let mut last = old.value();
        map_at(&mut last, "metadata").insert("resourceVersion".to_owned(), inner.version.to_string().into());
        let new = Arc::new(Stored::of(resource, &last, inner.version));
        let event = Event { version: inner.version, old: Some(old), new: new.clone(), is_deletion: true };
        inner.happened(resource, event, self.listener.as_ref());
        Ok(new)
    }

    /// Forgets all that happened so far: watches and continue tokens from before now are answered with 410.
    pub(crate) fn compact(&self) {
        let mut inner = self.write();
        let version = inner.version;
        for rack in inner.racks.values_mut() {
            rack.log.forget(version);
        }
    }

    /// At most `limit` events of a resource after a version. None where some of them are forgotten; then also the oldest
    /// version that is known.
    pub(crate) fn events(&self, resource: &GroupResource, version: u64, limit: usize) -> Result<News, u64> {
        let inner = self.read();
        let present = inner.version;
        let Some(rack) = inner.racks.get(resource) else { return Ok(News { events: Vec::new(), present }) };
        match rack.log.after(version, limit) {
            Some(events) => Ok(News { events, present }),
            None => Err(rack.log.forgotten() + 1),
        }
    }

    /// Rings whenever something happens to a resource.
    pub(crate) fn bell(&self, resource: &GroupResource) -> watch::Receiver<u64> {
        if let Some(rack) = self.read().racks.get(resource) {
            return rack.bell.subscribe();
        }
        self.write().racks.entry(resource.clone()).or_default().bell.subscribe()
    }
}

/// What happened, and up to when that is told.
pub(crate) struct News {
    pub(crate) events: Vec<Arc<Event>>,
    pub(crate) present: u64,
}

impl Inner {
    /// Takes an event into the indices, tells the listener and rings the bell.
    fn happened(&mut self, resource: &GroupResource, event: Event, listener: Option<&Listener>) {
        let key = event.new.key();
        let before = event.old.as_deref();
        let after = (!event.is_deletion).then_some(&*event.new);
        if before.map(|old| &old.owners) != after.map(|new| &new.owners) {
            for owner in before.iter().flat_map(|old| old.owners.iter()) {
                if let Some(keys) = self.owned.get_mut(&owner.uid) {
                    keys.remove(&(resource.clone(), key.into()));
                    if keys.is_empty() {
                        self.owned.remove(&owner.uid);
                    }
                }
            }
            for owner in after.iter().flat_map(|new| new.owners.iter()) {
                self.owned.entry(owner.uid.clone()).or_default().insert((resource.clone(), key.into()));
            }
        }
        let Some(rack) = self.racks.get_mut(resource) else { return };
        rack.index(key, before.and_then(Stored::first_field), after.and_then(Stored::first_field));
        let version = event.version;
        let event = rack.log.push(event);
        if let Some(listener) = listener {
            listener(resource, &event);
        }
        rack.bell.send_replace(version);
    }
}

impl Rack {
    fn index(&mut self, key: &str, before: Option<&str>, after: Option<&str>) {
        if before == after {
            return;
        }
        if let Some(before) = before
            && let Some(keys) = self.by_field.get_mut(before)
        {
            keys.remove(key);
            if keys.is_empty() {
                self.by_field.remove(before);
            }
        }
        if let Some(after) = after {
            self.by_field.entry(after.into()).or_default().insert(key.into());
        }
    }

    fn within(&self, namespace: Option<&str>) -> impl Iterator<Item = &Arc<Stored>> {
        let (from, to) = bounds(namespace);
        self.objects.range::<str, _>((as_ref(&from), as_ref(&to))).map(|(_, object)| object)
    }
}

fn as_ref(bound: &Bound<String>) -> Bound<&str> {
    bound.as_ref().map(String::as_str)
}

/// The keys of a namespace: from `shop/` to before `shop0`, the character after the slash.
fn bounds(namespace: Option<&str>) -> (Bound<String>, Bound<String>) {
    match namespace {
        None => (Bound::Unbounded, Bound::Unbounded),
        Some(namespace) => (Bound::Included(format!("{namespace}/")), Bound::Excluded(format!("{namespace}0"))),
    }
}

#[cfg(test)]
mod tests;
