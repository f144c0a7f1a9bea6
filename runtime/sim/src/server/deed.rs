//! The writes of controllers, by the road of every request.
//!
//! Not known here: HTTP.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    Deletion, Server, metadata,
    modify::{Basis, Book},
    order::Order,
    path::Place,
};
use crate::{
    actor::json::{map_at, name, namespace, text},
    patch,
    resource::{GroupResource, Resource},
    status::Status,
    store::{Expect, Miss, Stored},
};

/// How often a name is made up anew that somebody has already.
const TRIES: usize = 8;

/// Kinds that a controller of a cluster over a live one leaves alone as long as they have nothing to do with the run.
const GUARDED: [(&str, &str); 8] = [
    ("", "pods"),
    ("", "namespaces"),
    ("", "nodes"),
    ("apps", "deployments"),
    ("apps", "replicasets"),
    ("apps", "statefulsets"),
    ("apps", "daemonsets"),
    ("batch", "jobs"),
];

impl Server {
    /// Has an object of the live cluster beneath to do with what was written here: was it written to itself, is one of its owners
    /// such an object, or its namespace?
    pub(crate) fn concerns(&self, spot: &(GroupResource, Box<str>)) -> bool {
        let Some(beneath) = &self.beneath else { return true };
        let (namespace, name) = spot.1.split_once('/').unwrap_or(("", &spot.1));
        if beneath.is_touched(spot)
            || (!namespace.is_empty() && beneath.is_touched(&(GroupResource::new("", "namespaces"), namespace.into())))
        {
            return true;
        }
        let Some(stored) = self.store.get(&spot.0, namespace, name) else { return true };
        stored.owners.iter().any(|owner| {
            let Some((resource, is_namespaced)) = self.resource_of(&owner.api_version, &owner.kind) else {
                return false;
            };
            let at = crate::store::key(if is_namespaced { namespace } else { "" }, &owner.name);
            let spot = (resource, at.into());
            // Owners of owners, as long as they are there at all.
            if self.store.get(&spot.0, if is_namespaced { namespace } else { "" }, &owner.name).is_none() {
                return beneath.is_touched(&spot);
            }
            self.concerns(&spot)
        })
    }

    /// The object, where a controller has to leave it as it is.
    fn left_alone(&self, resource: &GroupResource, namespace: &str, name: &str) -> Option<Value> {
        let beneath = self.beneath.as_ref()?;
        let spot = (resource.clone(), crate::store::key(namespace, name).into());
        let is_guarded = GUARDED.contains(&(&*resource.group, &*resource.plural));
        let is_alone = is_guarded && beneath.is_as_live(&spot) && !self.concerns(&spot);
        is_alone.then(|| self.store.get(resource, namespace, name).map(|stored| stored.value()))?
    }

    /// Writes down who did what, where somebody wants to know.
    fn told_of(&self, by: &str, verb: &str, resource: &GroupResource, namespace: &str, name: &str) {
        if let Some(beneath) = &self.beneath {
            let spot = (resource.clone(), crate::store::key(namespace, name).into());
            beneath.note(self.clock.now(), by, verb, &spot);
        }
    }

    /// The place of an object, in the version that is preferred.
    fn place(&self, resource: &GroupResource, namespace: &str, name: &str, below: &str) -> Result<Place, Status> {
        let versions = self.catalogue().versions(&resource.group, &resource.plural);
        let kind = versions.into_iter().find(|kind| !kind.verbs.is_empty()).ok_or_else(Status::no_such_path)?;
        let namespace = if kind.namespaced { namespace } else { "" };
        Ok(Place {
            kind,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            below: below.to_owned(),
            rest: String::new(),
        })
    }

    pub(crate) async fn hand_create(
        self: &Arc<Self>,
        resource: &GroupResource,
        manager: &str,
        mut object: Value,
    ) -> Result<Value, Status> {
        let place = self.place(resource, namespace(&object), "", "")?;
        told(&place, &mut object);
        let made = self.create(&Order::own(place, manager), object).await?.object;
        self.told_of(manager, "create", resource, namespace(&made), name(&made));
        Ok(made)
    }

    /// Puts a copy of an object in its place, under a name that is completed here and otherwise as it is.
    pub(crate) fn hand_copy(&self, resource: &GroupResource, mut object: Value) -> Result<Arc<Stored>, Status> {
        let place = self.place(resource, namespace(&object), "", "")?;
        let base = text(&object, "/metadata/generateName").to_owned();
        for _ in 0..TRIES {
            let named = metadata::generated(&base, || self.letter());
            map_at(&mut object, "metadata").insert("name".to_owned(), named.into());
            match self.keep(&place.kind, &mut object, Expect::Absent) {
                Err(Miss::Exists) => {}
                Err(_) => return Err(Status::internal("an object could be neither made nor found")),
                Ok(stored) => return Ok(stored),
            }
        }
        Err(Status::already_exists(resource, name(&object)))
    }

    pub(crate) async fn hand_update(
        self: &Arc<Self>,
        resource: &GroupResource,
        manager: &str,
        part: &str,
        mut object: Value,
    ) -> Result<Value, Status> {
        let place = self.place(resource, namespace(&object), name(&object), part)?;
        if let Some(present) = self.left_alone(resource, &place.namespace, &place.name) {
            return Ok(present);
        }
        told(&place, &mut object);
        let written = self.replace(&Order::own(place, manager), object).await?.object;
        self.told_of(manager, "update", resource, namespace(&written), name(&written));
        Ok(written)
    }

    pub(crate) async fn hand_merge(
        self: &Arc<Self>,
        resource: &GroupResource,
        manager: &str,
        part: &str,
        (namespace, name): (&str, &str),
        merged: Value,
    ) -> Result<Value, Status> {
        let place = self.place(resource, namespace, name, part)?;
        if let Some(present) = self.left_alone(resource, &place.namespace, name) {
            return Ok(present);
        }
        let order = Order::own(place, manager);
        let written = self.modify(&order, Basis::Any, Book::Open, |live| Ok(patch::merge(live, &merged))).await?.object;
        self.told_of(manager, "patch", resource, namespace, name);
        Ok(written)
    }

    pub(crate) async fn hand_delete(
        self: &Arc<Self>,
        resource: &GroupResource,
        manager: &str,
        (namespace, name): (&str, &str),
        how: Deletion,
    ) -> Result<(), Status> {
        let place = self.place(resource, namespace, name, "")?;
        if self.left_alone(resource, &place.namespace, name).is_some() {
            return Ok(());
        }
        self.delete(&Order::own(place, manager), &how).await?;
        self.told_of(manager, "delete", resource, namespace, name);
        Ok(())
    }

    pub(crate) async fn hand_bind(
        self: &Arc<Self>,
        manager: &str,
        (namespace, name): (&str, &str),
        node: &str,
    ) -> Result<(), Status> {
        let pods = GroupResource::from(Resource::core("pods"));
        let place = self.place(&pods, namespace, name, "")?;
        if self.left_alone(&pods, namespace, name).is_some() {
            return Ok(());
        }
        self.bind(Order::own(place, manager), node).await?;
        self.told_of(manager, "bind", &pods, namespace, name);
        Ok(())
    }

    /// Empties the finalizers of a namespace that has been emptied.
    pub(crate) async fn hand_finalize(self: &Arc<Self>, manager: &str, name: &str) -> Result<(), Status> {
        let namespaces = GroupResource::from(Resource::core("namespaces"));
        let order = Order { part: "finalize", ..Order::own(self.place(&namespaces, "", name, "")?, manager) };
        let changed = self.modify(&order, Basis::Any, Book::Open, |live| {
            let mut new = live.clone();
            map_at(&mut new, "spec").insert("finalizers".to_owned(), json!([]));
            Ok(new)
        });
        changed.await.map(|_| ())
    }
}

/// Says what kind an object is of, where a controller left that out.
fn told(place: &Place, object: &mut Value) {
    object["kind"] = place.kind.kind.as_str().into();
    object["apiVersion"] = place.kind.api_version().into();
}
