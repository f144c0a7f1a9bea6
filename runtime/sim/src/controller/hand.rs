//! What a controller acts with: reads from the store, writes by the road of every request.
//!
//! Not known here: what the controllers want.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Diary, Habits};
use crate::{
    actor::json::{name, namespace, text},
    resource::{GroupResource, Resource},
    server::{Deletion, Server},
    status::Status,
    store::{Event, Stored},
};

const EVENTS: Resource = Resource::core("events");

/// A controller's hand. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Hand {
    server: Arc<Server>,
    manager: &'static str,
    diary: Arc<Diary>,
}

/// How serious an Event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gravity {
    /// As it should be.
    Normal,
    /// Something is wrong.
    Warning,
}

/// An object of a kind that is not known when the program is built.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) resource: GroupResource,
    pub(crate) object: Value,
}

impl Hand {
    pub(crate) fn new(server: Arc<Server>, manager: &'static str) -> Self {
        Self { server, manager, diary: Arc::default() }
    }

    /// The same hand under another field manager's name.
    pub(crate) fn under(&self, manager: &'static str) -> Self {
        Self { server: self.server.clone(), manager, diary: self.diary.clone() }
    }

    /// Is everything known that anybody looks at after an event? Over a live cluster it is read now. Where it may not be read
    /// nobody acts: what comes of the event is then written down as unknown.
    pub(crate) async fn sees_around(&self, resource: &GroupResource, event: &Event) -> bool {
        let Some(beneath) = self.server.beneath() else { return true };
        let _busy = self.server.clock.busy();
        match crate::overlay::surround(&self.server, resource, event).await {
            Ok(()) => true,
            Err(missing) => {
                let place = (resource.clone(), event.new.key().into());
                beneath.undecided(&place, format!("{} cannot be read: {}", missing.what, missing.miss.words()));
                false
            }
        }
    }

    /// What is remembered beside the objects.
    pub(crate) fn diary(&self) -> &Diary {
        &self.diary
    }

    /// The present moment.
    pub(crate) fn now(&self) -> Timestamp {
        self.server.clock.now()
    }

    /// How this cluster's machines behave.
    pub(crate) fn habits(&self) -> Arc<Habits> {
        self.server.habits()
    }

    /// One object.
    pub(crate) fn get(&self, resource: Resource, namespace: &str, name: &str) -> Option<Value> {
        self.server.store.get(&resource.into(), namespace, name).map(|stored| stored.value())
    }

    /// All objects of a resource, or those in one namespace.
    pub(crate) fn list(&self, resource: Resource, namespace: Option<&str>) -> Vec<Value> {
        values(self.server.store.all(&resource.into(), namespace))
    }

    /// The objects as they are stored, for those who need no more than names and labels.
    pub(crate) fn stored(&self, resource: Resource, namespace: Option<&str>) -> Vec<Arc<Stored>> {
        self.server.store.all(&resource.into(), namespace)
    }

    /// One object as it is stored.
    pub(crate) fn stored_one(&self, resource: Resource, namespace: &str, name: &str) -> Option<Arc<Stored>> {
        self.server.store.get(&resource.into(), namespace, name)
    }

    /// How many objects of a resource there are, or in one namespace.
    pub(crate) fn count(&self, resource: Resource, namespace: Option<&str>) -> usize {
        self.server.store.count(&resource.into(), namespace)
    }

    /// The objects of a resource that name this owner.
    pub(crate) fn owned_by(&self, resource: Resource, uid: &str) -> Vec<Value> {
        values(self.stored_of(resource, uid))
    }

    /// The same as they are stored.
    pub(crate) fn stored_of(&self, resource: Resource, uid: &str) -> Vec<Arc<Stored>> {
        self.server.store.owned_of(uid, &resource.into())
    }

    /// The pods that are bound to a node, as they are stored; those that are bound to none where it is empty.
    pub(crate) fn stored_on(&self, node: &str) -> Vec<Arc<Stored>> {
        self.server.store.by_field(&Resource::core("pods").into(), node)
    }

    /// The pods that are bound to a node.
    pub(crate) fn on_node(&self, node: &str) -> Vec<Value> {
        values(self.server.store.by_field(&Resource::core("pods").into(), node))
    }

    /// Everything of whatever kind that names this owner.
    pub(crate) fn dependents(&self, uid: &str) -> Vec<Held> {
        let owned = self.server.store.owned(uid).into_iter();
        owned.map(|(resource, stored)| Held { resource, object: stored.value() }).collect()
    }

    /// Everything of whatever kind that lies in a namespace.
    pub(crate) fn contents(&self, namespace: &str) -> Vec<Held> {
        let resources = self.server.store.within(namespace).into_iter();
        let objects = |resource: GroupResource| {
            let all = self.server.store.all(&resource, Some(namespace)).into_iter();
            all.map(|stored| Held { resource: resource.clone(), object: stored.value() }).collect::<Vec<_>>()
        };
        resources.flat_map(objects).collect()
    }

    /// All objects of a resource of whatever kind.
    pub(crate) fn all_of(&self, resource: &GroupResource) -> Vec<Held> {
        let all = self.server.store.all(resource, None).into_iter();
        all.map(|stored| Held { resource: resource.clone(), object: stored.value() }).collect()
    }

    /// Does anything name this owner?
    pub(crate) fn has_dependents(&self, uid: &str) -> bool {
        self.server.store.has_owned(uid)
    }

    /// The resource that a kind is served as, and whether it has namespaces.
    pub(crate) fn resource_of(&self, api_version: &str, kind: &str) -> Option<(GroupResource, bool)> {
        self.server.resource_of(api_version, kind)
    }

    /// One object of whatever kind.
    pub(crate) fn get_any(&self, resource: &GroupResource, namespace: &str, name: &str) -> Option<Held> {
        let object = self.server.store.get(resource, namespace, name)?.value();
        Some(Held { resource: resource.clone(), object })
    }

    /// Is the kind of an owner served at all?
    pub(crate) fn knows(&self, reference: &Value) -> bool {
        self.server.resource_of(text(reference, "/apiVersion"), text(reference, "/kind")).is_some()
    }

    /// The object that a reference without a uid means.
    pub(crate) fn named(&self, namespace: &str, reference: &Value) -> Option<Held> {
        let (resource, _) = self.server.resource_of(text(reference, "/apiVersion"), text(reference, "/kind"))?;
        let object = self.server.store.get(&resource, namespace, text(reference, "/name"))?.value();
        Some(Held { resource, object })
    }

    /// The object that an owner reference in `namespace` means, with its uid checked. None where it is gone.
    pub(crate) fn owner(&self, namespace: &str, reference: &Value) -> Option<Held> {
        let (api_version, kind) = (text(reference, "/apiVersion"), text(reference, "/kind"));
        let (resource, is_namespaced) = self.server.resource_of(api_version, kind)?;
        let namespace = if is_namespaced { namespace } else { "" };
        let object = self.server.store.get(&resource, namespace, text(reference, "/name"))?.value();
        (text(&object, "/metadata/uid") == text(reference, "/uid")).then_some(Held { resource, object })
    }

    /// Creates an object.
    pub(crate) async fn create(&self, resource: Resource, object: Value) -> Result<Value, Status> {
        self.server.hand_create(&resource.into(), self.manager, object).await
    }

    /// A uid that no object has.
    pub(crate) fn uid(&self) -> String {
        self.server.uid()
    }

    /// Puts a copy of an object in its place, under a name that the server completes and otherwise as it is.
    pub(crate) fn copy(&self, resource: Resource, object: Value) -> Result<Arc<Stored>, Status> {
        self.server.hand_copy(&resource.into(), object)
    }

    /// Replaces an object; the version in it has to be the present one.
    pub(crate) async fn update(&self, resource: Resource, object: Value) -> Result<Value, Status> {
        self.server.hand_update(&resource.into(), self.manager, "", object).await
    }

    /// Replaces the status of an object; the version in it has to be the present one.
    pub(crate) async fn update_status(&self, resource: Resource, object: Value) -> Result<Value, Status> {
        self.server.hand_update(&resource.into(), self.manager, "status", object).await
    }

    /// Merges a patch (RFC 7386) into an object.
    pub(crate) async fn patch_merge(
        &self,
        resource: Resource,
        (namespace, name): (&str, &str),
        patch: Value,
    ) -> Result<Value, Status> {
        self.server.hand_merge(&resource.into(), self.manager, "", (namespace, name), patch).await
    }

    /// Merges a patch (RFC 7386) into the status of an object.
    pub(crate) async fn patch_status(
        &self,
        resource: Resource,
        (namespace, name): (&str, &str),
        patch: Value,
    ) -> Result<Value, Status> {
        self.server.hand_merge(&resource.into(), self.manager, "status", (namespace, name), patch).await
    }

    /// Merges a patch into an object of whatever kind.
    pub(crate) async fn patch_any(&self, held: &Held, patch: Value) -> Result<Value, Status> {
        let at = (namespace(&held.object), name(&held.object));
        self.server.hand_merge(&held.resource, self.manager, "", at, patch).await
    }

    /// Deletes an object, as far as its finalizers let it go at once.
    pub(crate) async fn delete(
        &self,
        resource: Resource,
        (namespace, name): (&str, &str),
        how: Deletion,
    ) -> Result<(), Status> {
        self.server.hand_delete(&resource.into(), self.manager, (namespace, name), how).await
    }

    /// Deletes an object of whatever kind.
    pub(crate) async fn delete_any(&self, held: &Held, how: Deletion) -> Result<(), Status> {
        let at = (namespace(&held.object), name(&held.object));
        self.server.hand_delete(&held.resource, self.manager, at, how).await
    }

    /// Binds a pod to a node.
    pub(crate) async fn bind(&self, (namespace, name): (&str, &str), node: &str) -> Result<(), Status> {
        self.server.hand_bind(self.manager, (namespace, name), node).await
    }

    /// Lets go of a namespace that has been emptied.
    pub(crate) async fn finalize(&self, namespace: &str) -> Result<(), Status> {
        self.server.hand_finalize(self.manager, namespace).await
    }

    /// Tells of something that happened to an object. The same again is counted up.
    pub(crate) async fn event(&self, about: &Value, gravity: Gravity, reason: &str, message: &str) {
        let space = if namespace(about).is_empty() { "default" } else { namespace(about) };
        let kind = match gravity {
            Gravity::Normal => "Normal",
            Gravity::Warning => "Warning",
        };
        let digest = crate::server::short_digest(&[text(about, "/metadata/uid"), reason, message, self.manager]);
        let named = format!("{}.{digest}", name(about));
        let now = self.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let written = if let Some(known) = self.get(EVENTS, space, &named) {
            let count = known["count"].as_u64().unwrap_or(1) + 1;
            self.patch_merge(EVENTS, (space, &named), json!({ "count": count, "lastTimestamp": now })).await
        } else {
            let event = json!({
                "kind": "Event", "apiVersion": "v1", "metadata": { "name": named, "namespace": space },
                "involvedObject": {
                    "kind": about["kind"], "apiVersion": about["apiVersion"], "namespace": about["metadata"]["namespace"],
                    "name": name(about), "uid": about["metadata"]["uid"], "resourceVersion": about["metadata"]["resourceVersion"],
                },
                "type": kind, "reason": reason, "message": message, "count": 1,
                "firstTimestamp": now, "lastTimestamp": now, "source": { "component": self.manager },
                "reportingComponent": self.manager, "reportingInstance": "", "eventTime": null,
            });
            self.create(EVENTS, event).await
        };
        if let Err(status) = written {
            tracing::debug!(message = status.message, "an Event was lost");
        }
    }
}

fn values(stored: Vec<Arc<Stored>>) -> Vec<Value> {
    stored.into_iter().map(|stored| stored.value()).collect()
}
