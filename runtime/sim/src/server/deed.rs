//! The writes of controllers, by the road of every request.
//!
//! Not known here: HTTP.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    Deletion, Server,
    modify::{Basis, Book},
    order::Order,
    path::Place,
};
use crate::{
    actor::json::{map_at, name, namespace},
    patch,
    resource::{GroupResource, Resource},
    status::Status,
};

impl Server {
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
        Ok(self.create(&Order::own(place, manager), object).await?.object)
    }

    pub(crate) async fn hand_update(
        self: &Arc<Self>,
        resource: &GroupResource,
        manager: &str,
        part: &str,
        mut object: Value,
    ) -> Result<Value, Status> {
        let place = self.place(resource, namespace(&object), name(&object), part)?;
        told(&place, &mut object);
        Ok(self.replace(&Order::own(place, manager), object).await?.object)
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
        let order = Order::own(place, manager);
        Ok(self.modify(&order, Basis::Any, Book::Open, |live| Ok(patch::merge(live, &merged))).await?.object)
    }

    pub(crate) async fn hand_delete(
        self: &Arc<Self>,
        resource: &GroupResource,
        manager: &str,
        (namespace, name): (&str, &str),
        how: Deletion,
    ) -> Result<(), Status> {
        let place = self.place(resource, namespace, name, "")?;
        self.delete(&Order::own(place, manager), &how).await.map(|_| ())
    }

    pub(crate) async fn hand_bind(
        self: &Arc<Self>,
        manager: &str,
        (namespace, name): (&str, &str),
        node: &str,
    ) -> Result<(), Status> {
        let pods = GroupResource::from(Resource::core("pods"));
        let place = self.place(&pods, namespace, name, "")?;
        self.bind(Order::own(place, manager), node).await
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
