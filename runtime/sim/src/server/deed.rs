//! The writes of controllers, by the road of every request.
//!
//! Not known here: HTTP.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Server;
use crate::{
    actor::json::{as_map, map_at, name, namespace},
    resource::{GroupResource, Resource},
    status::Status,
    store::{Expect, Miss},
};

/// What becomes of the dependents of a deleted object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Propagation {
    /// They go after it.
    Background,
    /// They go before it.
    Foreground,
    /// They stay, without their owner.
    Orphan,
}

/// How an object is to be deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Deletion {
    /// What becomes of its dependents; the kind's own default where none is said.
    pub(crate) propagation: Option<Propagation>,
    /// Seconds that a pod is given to end; the pod's own where none is said.
    pub(crate) grace: Option<u64>,
    /// Only if the object still has this uid.
    pub(crate) uid: Option<String>,
    /// Only if the object still is at this version.
    pub(crate) version: Option<String>,
}

impl Server {
    pub(crate) async fn hand_create(
        self: &Arc<Self>,
        resource: &GroupResource,
        _manager: &str,
        mut object: Value,
    ) -> Result<Value, Status> {
        let metadata = map_at(&mut object, "metadata");
        metadata.insert("uid".to_owned(), self.uid().into());
        metadata
            .insert("creationTimestamp".to_owned(), self.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string().into());
        metadata.insert("generation".to_owned(), 1.into());
        match self.store.put(resource, &mut object, Expect::Absent) {
            Ok(_) => Ok(object),
            Err(_) => Err(Status::already_exists(resource, name(&object))),
        }
    }

    pub(crate) async fn hand_update(
        self: &Arc<Self>,
        resource: &GroupResource,
        _manager: &str,
        part: &str,
        mut object: Value,
    ) -> Result<Value, Status> {
        let (space, named) = (namespace(&object).to_owned(), name(&object).to_owned());
        let present = self.store.get(resource, &space, &named).ok_or_else(|| Status::not_found(resource, &named))?;
        if object["metadata"]["resourceVersion"].as_str() != Some(&present.version.to_string()) {
            return Err(Status::stale(resource, &named));
        }
        let mut old = present.value();
        if part == "status" {
            as_map(&mut old).insert("status".to_owned(), object["status"].take());
            object = old;
        } else {
            if old["spec"] != object["spec"] {
                let generation = old["metadata"]["generation"].as_u64().unwrap_or(0) + 1;
                map_at(&mut object, "metadata").insert("generation".to_owned(), generation.into());
            }
            as_map(&mut object).insert("status".to_owned(), old["status"].take());
        }
        match self.store.put(resource, &mut object, Expect::Version(present.version)) {
            Ok(_) => Ok(object),
            Err(Miss::Gone) => Err(Status::not_found(resource, &named)),
            Err(_) => Err(Status::stale(resource, &named)),
        }
    }

    pub(crate) async fn hand_merge(
        self: &Arc<Self>,
        resource: &GroupResource,
        manager: &str,
        part: &str,
        (namespace, name): (&str, &str),
        patch: Value,
    ) -> Result<Value, Status> {
        let present = self.store.get(resource, namespace, name).ok_or_else(|| Status::not_found(resource, name))?;
        let mut object = present.value();
        json_patch::merge(&mut object, &patch);
        self.hand_update(resource, manager, part, object).await
    }

    pub(crate) async fn hand_delete(
        self: &Arc<Self>,
        resource: &GroupResource,
        _manager: &str,
        (namespace, name): (&str, &str),
        _how: Deletion,
    ) -> Result<(), Status> {
        let present = self.store.get(resource, namespace, name).ok_or_else(|| Status::not_found(resource, name))?;
        match self.store.remove(resource, namespace, name, present.version) {
            Ok(_) => Ok(()),
            Err(_) => Err(Status::stale(resource, name)),
        }
    }

    pub(crate) async fn hand_bind(self: &Arc<Self>, manager: &str, at: (&str, &str), node: &str) -> Result<(), Status> {
        let pods = GroupResource::from(Resource::core("pods"));
        self.hand_merge(&pods, manager, "", at, json!({ "spec": { "nodeName": node } })).await.map(|_| ())
    }
}
