//! One object as it is kept: its JSON, and beside it what selectors and indices ask for.
//!
//! Kept as bytes an object takes an eighth of the memory of a tree. Not known here: what kinds mean, beyond the few fields
//! that the API server indexes.

use std::{
    any::Any,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use axum::body::Bytes;
use serde_json::Value;

use crate::{
    actor::json::{items, name, namespace, selects_by, text},
    resource::GroupResource,
};

/// Who owns an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) uid: Box<str>,
    pub(crate) kind: Box<str>,
    pub(crate) name: Box<str>,
    pub(crate) api_version: Box<str>,
    pub(crate) is_controller: bool,
}

/// An object at one version.
#[derive(Debug)]
pub(crate) struct Stored {
    /// `namespace/name`, or the bare name: the order of lists is the order of these.
    key: Box<str>,
    /// Length of the namespace in the key.
    namespace: usize,
    bytes: Bytes,
    /// Where in the bytes kind and version end: `{"kind":..,"apiVersion":..,`.
    head: usize,
    pub(crate) version: u64,
    pub(crate) uid: Box<str>,
    pub(crate) labels: Box<[(Box<str>, Box<str>)]>,
    pub(crate) owners: Box<[Owner]>,
    /// The fields that field selectors of its kind may name, in the order of [`indexed`].
    pub(crate) fields: Box<[Box<str>]>,
    tree: OnceLock<Box<Value>>,
    /// What readers have made of it so far, each of a type of its own.
    parts: Mutex<Vec<Arc<dyn Any + Send + Sync>>>,
}

/// The key of an object.
pub(crate) fn key(namespace: &str, name: &str) -> String {
    if namespace.is_empty() { name.to_owned() } else { format!("{namespace}/{name}") }
}

impl Stored {
    /// Keeps an object, whose version has been written into it already.
    pub(crate) fn of(resource: &GroupResource, object: &Value, version: u64) -> Self {
        let pair = |(key, value): (&String, &Value)| -> (Box<str>, Box<str>) {
            (key.as_str().into(), value.as_str().unwrap_or_default().into())
        };
        let labels = object["metadata"]["labels"].as_object();
        let bytes = object.to_string();
        let head = format!("{{\"kind\":{},\"apiVersion\":{},", object["kind"], object["apiVersion"]);
        Self {
            key: key(namespace(object), name(object)).into(),
            namespace: namespace(object).len(),
            head: if bytes.starts_with(&head) { head.len() } else { 1 },
            // Without the room that the text did not need.
            bytes: bytes.into_boxed_str().into_boxed_bytes().into(),
            version,
            uid: text(object, "/metadata/uid").into(),
            labels: labels.into_iter().flatten().map(pair).collect(),
            owners: items(object, "/metadata/ownerReferences").iter().map(owner).collect(),
            fields: indexed(resource).iter().map(|field| (field.read)(object).into()).collect(),
            tree: OnceLock::new(),
            parts: Mutex::default(),
        }
    }

    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    pub(crate) fn namespace(&self) -> &str {
        &self.key[..self.namespace]
    }

    pub(crate) fn name(&self) -> &str {
        if self.namespace == 0 { &self.key } else { &self.key[self.namespace + 1..] }
    }

    /// The whole object as JSON.
    pub(crate) fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Where in the bytes kind and version end.
    pub(crate) fn head(&self) -> usize {
        self.head
    }

    /// The whole object as a tree.
    pub(crate) fn value(&self) -> Value {
        serde_json::from_slice(&self.bytes).expect("it was written by `Stored::of`")
    }

    /// The whole object as a tree that stays with it: for kinds that are few and read by everyone, such as namespaces.
    pub(crate) fn tree(&self) -> &Value {
        self.tree.get_or_init(|| Box::new(self.value()))
    }

    /// What `read` makes of it. It is made once for each type and stays with the object: for kinds that are many, and
    /// readers who need a few of their fields again and again.
    pub(crate) fn part<T: Send + Sync + 'static>(&self, read: impl FnOnce(&Self) -> T) -> Arc<T> {
        let parts = || self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        let known = parts().iter().find_map(|part| part.clone().downcast().ok());
        known.unwrap_or_else(|| {
            let part = Arc::new(read(self));
            parts().push(part.clone());
            part
        })
    }

    pub(crate) fn label(&self, key: &str) -> Option<&str> {
        self.labels.iter().find(|(held, _)| &**held == key).map(|(_, value)| &**value)
    }

    /// Does a `LabelSelector` mean it?
    pub(crate) fn is_selected(&self, selector: &Value) -> bool {
        selects_by(selector, |key| self.label(key))
    }

    /// The value of the field that its resource is indexed by.
    pub(crate) fn first_field(&self) -> Option<&str> {
        self.fields.first().map(|value| &**value)
    }

    /// The owner that controls it.
    pub(crate) fn controller(&self) -> Option<&Owner> {
        self.owners.iter().find(|owner| owner.is_controller)
    }

    /// The value of a field that is kept for selectors, none where this kind has no such field.
    pub(crate) fn field(&self, resource: &GroupResource, path: &str) -> Option<&str> {
        let at = indexed(resource).iter().position(|field| field.path == path)?;
        self.fields.get(at).map(|value| &**value)
    }
}

fn owner(reference: &Value) -> Owner {
    Owner {
        uid: text(reference, "/uid").into(),
        kind: text(reference, "/kind").into(),
        name: text(reference, "/name").into(),
        api_version: text(reference, "/apiVersion").into(),
        is_controller: reference["controller"] == true,
    }
}

/// A field that selectors may name.
pub(crate) struct Field {
    pub(crate) path: &'static str,
    read: fn(&Value) -> String,
}

macro_rules! field {
    ($path:literal, $pointer:literal) => {
        Field { path: $path, read: |object| text(object, $pointer).to_owned() }
    };
}

fn truth(object: &Value, pointer: &str) -> String {
    object.pointer(pointer).and_then(Value::as_bool).unwrap_or(false).to_string()
}

const POD: &[Field] = &[
    field!("spec.nodeName", "/spec/nodeName"),
    field!("spec.restartPolicy", "/spec/restartPolicy"),
    field!("spec.schedulerName", "/spec/schedulerName"),
    field!("spec.serviceAccountName", "/spec/serviceAccountName"),
    Field { path: "spec.hostNetwork", read: |object| truth(object, "/spec/hostNetwork") },
    field!("status.phase", "/status/phase"),
    field!("status.podIP", "/status/podIP"),
    field!("status.nominatedNodeName", "/status/nominatedNodeName"),
];
const EVENT: &[Field] = &[
    field!("involvedObject.kind", "/involvedObject/kind"),
    field!("involvedObject.namespace", "/involvedObject/namespace"),
    field!("involvedObject.name", "/involvedObject/name"),
    field!("involvedObject.uid", "/involvedObject/uid"),
    field!("involvedObject.apiVersion", "/involvedObject/apiVersion"),
    field!("involvedObject.resourceVersion", "/involvedObject/resourceVersion"),
    field!("involvedObject.fieldPath", "/involvedObject/fieldPath"),
    field!("reason", "/reason"),
    field!("reportingComponent", "/reportingComponent"),
    Field {
        path: "source",
        read: |object| match text(object, "/source/component") {
            "" => text(object, "/reportingComponent").to_owned(),
            source => source.to_owned(),
        },
    },
    field!("type", "/type"),
];
const NODE: &[Field] = &[Field { path: "spec.unschedulable", read: |object| truth(object, "/spec/unschedulable") }];
const NAMESPACE: &[Field] = &[field!("status.phase", "/status/phase")];
const SECRET: &[Field] = &[field!("type", "/type")];
const SERVICE: &[Field] = &[field!("spec.clusterIP", "/spec/clusterIP"), field!("spec.type", "/spec/type")];
const REPLICAS: &[Field] =
    &[Field { path: "status.replicas", read: |object| object["status"]["replicas"].as_u64().unwrap_or(0).to_string() }];
const JOB: &[Field] = &[Field {
    path: "status.successful",
    read: |object| object["status"]["succeeded"].as_u64().unwrap_or(0).to_string(),
}];
const CERTIFICATE: &[Field] = &[field!("spec.signerName", "/spec/signerName")];

/// The fields beyond name and namespace that the API server lets selectors of a resource name.
pub(crate) fn indexed(resource: &GroupResource) -> &'static [Field] {
    match (&*resource.group, &*resource.plural) {
        ("", "pods") => POD,
        ("" | "events.k8s.io", "events") => EVENT,
        ("", "nodes") => NODE,
        ("", "namespaces") => NAMESPACE,
        ("", "secrets") => SECRET,
        ("", "services") => SERVICE,
        ("", "replicationcontrollers") | ("apps", "replicasets") => REPLICAS,
        ("batch", "jobs") => JOB,
        ("certificates.k8s.io", "certificatesigningrequests") => CERTIFICATE,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_asked_for_often_is_kept_beside_the_bytes() {
        let pods = GroupResource::new("", "pods");
        let object = json!({
            "kind": "Pod", "apiVersion": "v1",
            "metadata": { "name": "web-1", "namespace": "shop", "labels": { "app": "web" }, "uid": "u",
                "ownerReferences": [{ "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "o", "controller": true }] },
            "spec": { "nodeName": "n1" },
        });
        let stored = Stored::of(&pods, &object, 7);
        assert_eq!((stored.key(), stored.namespace(), stored.name()), ("shop/web-1", "shop", "web-1"));
        assert_eq!(stored.label("app"), Some("web"));
        assert!(stored.is_selected(&json!({ "matchLabels": { "app": "web" } })));
        assert!(
            !stored.is_selected(
                &json!({ "matchExpressions": [{ "key": "app", "operator": "NotIn", "values": ["web"] }] })
            )
        );
        assert_eq!(stored.field(&pods, "spec.nodeName"), Some("n1"));
        assert_eq!(stored.field(&pods, "spec.hostNetwork"), Some("false"));
        assert_eq!(stored.field(&pods, "spec.color"), None);
        assert_eq!(stored.controller().map(|owner| &*owner.name), Some("web"));
        assert_eq!(stored.value(), object);
        assert_eq!(stored.tree(), &object);
        let length = |stored: &Stored| stored.bytes().len();
        assert_eq!(*stored.part(length), object.to_string().len());
        assert_eq!(*stored.part(|_| 0_usize), object.to_string().len(), "it is made once");
        assert_eq!(*stored.part(|stored| stored.name().to_owned()), "web-1", "for each type");
    }
}
