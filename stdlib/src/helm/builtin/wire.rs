//! Requests about objects, with the API server's own words where it refuses: helm quotes them, and so do we.
//!
//! Does not know releases.

use std::sync::Arc;

use http::Request;
use http::request::Builder;
use kube::client::Body;
use runbook_core::Value;
use runbook_core::world::Cluster;
use serde_json::json;

use super::trouble::Trouble;
use crate::kubectl::kind::{self, Resource};
use crate::kubectl::name::encode;
use crate::kubectl::refusal;
use crate::kubectl::request::Asked;

/// Who writes. Helm names itself after its program.
pub(super) const MANAGER: &str = "helm";

/// Objects on a page of a list.
const PAGE: usize = 50;

/// How often a write is sent again that another one came before.
const TRIES: usize = 5;

/// What came of a request.
#[derive(Debug)]
pub(super) enum Answer {
    /// It was done.
    Done(Value),
    /// It was refused.
    Refused(Refusal),
}

/// What the API server says where it refuses.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    /// `AlreadyExists`.
    pub(super) reason: String,
    /// Its sentence.
    pub(super) message: String,
}

impl Refusal {
    /// The object is not there.
    pub(super) fn is_absence(&self) -> bool {
        self.reason == "NotFound"
    }

    /// Another write came before, or fields belong to another.
    pub(super) fn is_conflict(&self) -> bool {
        self.reason == "Conflict"
    }
}

/// A cluster as an operation sees it.
#[derive(Clone)]
pub(super) struct Wire {
    pub(super) cluster: Arc<Cluster>,
    /// Namespace of the release: objects that name none live there.
    pub(super) namespace: String,
}

/// Where an object is.
#[derive(Debug, Clone)]
pub(super) struct Spot {
    pub(super) resource: Arc<Resource>,
    /// Empty for kinds without namespaces.
    pub(super) namespace: String,
    pub(super) name: String,
}

impl Spot {
    /// A place of a kind that every cluster has.
    pub(super) fn builtin(plural: &str, namespace: &str, name: &str) -> Self {
        Self { resource: kind::builtin(plural), namespace: namespace.to_owned(), name: name.to_owned() }
    }

    fn path(&self, name: &str) -> String {
        let place =
            if self.namespace.is_empty() { String::new() } else { format!("/namespaces/{}", encode(&self.namespace)) };
        let name = if name.is_empty() { String::new() } else { format!("/{}", encode(name)) };
        format!("{}{place}/{}{name}", self.resource.root(), self.resource.plural)
    }

    /// `shop/web apps/v1, Kind=Deployment`, `shop/web /v1, Kind=Service`, as helm writes it.
    pub(super) fn in_words(&self) -> String {
        let resource = &self.resource;
        let (group, version, kind) = (&resource.group, &resource.version, &resource.kind);
        format!("{}/{} {group}/{version}, Kind={kind}", self.namespace, self.name)
    }

    fn asked(&self, verb: &'static str) -> Asked {
        Asked {
            verb,
            object: self.resource.title(&self.name),
            plural: self.resource.full_name(),
            namespace: Some(self.namespace.clone()).filter(|namespace| !namespace.is_empty()),
        }
    }
}

impl Wire {
    /// Where an object of a manifest is.
    ///
    /// In helm's words where the cluster does not know its kind.
    pub(super) async fn spot(&self, object: &Value) -> Result<Spot, Trouble> {
        let text = |path: &[&str]| super::super::object::text(object, path).to_owned();
        let (version, kind, name) = (text(&["apiVersion"]), text(&["kind"]), text(&["metadata", "name"]));
        let resource = kind::of_manifest(&self.cluster, object).await.map_err(|fault| {
            if !fault.detail.contains_key("unknown_kind") {
                return Trouble::from(fault);
            }
            Trouble::words(format!(
                "resource mapping not found for name: \"{name}\" namespace: \"{}\" from \"\": no matches for kind \"{kind}\" in version \"{version}\"\nensure CRDs are installed first",
                text(&["metadata", "namespace"])
            ))
        })?;
        let named = text(&["metadata", "namespace"]);
        let namespace = match (resource.namespaced, named.is_empty()) {
            (false, _) => String::new(),
            (true, true) => self.namespace.clone(),
            (true, false) => named,
        };
        Ok(Spot { resource, namespace, name })
    }

    /// The object, where it is there.
    pub(super) async fn get(&self, spot: &Spot) -> Result<Option<Value>, Trouble> {
        match self.send(Request::get(spot.path(&spot.name)), None, &spot.asked("get")).await? {
            Answer::Done(object) => Ok(Some(object)),
            Answer::Refused(refusal) if refusal.is_absence() => Ok(None),
            Answer::Refused(refusal) => Err(Trouble::words(refusal.message)),
        }
    }

    /// What a template looks up: an object, a list where it names none, and `null` for what is not there.
    pub(super) async fn look_up(
        &self,
        version: &str,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> Result<Value, Trouble> {
        let manifest = json!({ "apiVersion": version, "kind": kind });
        let resource = match kind::of_manifest(&self.cluster, &manifest).await {
            Ok(resource) => resource,
            Err(fault) if fault.detail.contains_key("unknown_kind") => return Ok(Value::Null),
            Err(fault) => return Err(fault.into()),
        };
        let namespace = if resource.namespaced { namespace.to_owned() } else { String::new() };
        let spot = Spot { resource, namespace, name: name.to_owned() };
        if !name.is_empty() {
            return Ok(self.get(&spot).await?.unwrap_or_default());
        }
        let items = self.list(&spot, "").await?;
        Ok(json!({ "apiVersion": version, "kind": format!("{kind}List"), "items": items }))
    }

    /// All objects of a kind with these labels, page by page, complete or a fault; in all namespaces where it names none.
    pub(super) async fn list(&self, spot: &Spot, labels: &str) -> Result<Vec<Value>, Trouble> {
        let mut items = Vec::new();
        let mut next = String::new();
        loop {
            let path = format!("{}?limit={PAGE}&labelSelector={}{next}", spot.path(""), encode(labels));
            let mut page = match self.send(Request::get(path), None, &spot.asked("list")).await? {
                Answer::Done(page) => page,
                Answer::Refused(refusal) => return Err(Trouble::words(refusal.message)),
            };
            if let Some(Value::Array(more)) = page.get_mut("items").map(Value::take) {
                items.extend(more);
            }
            match page.pointer("/metadata/continue").and_then(Value::as_str).filter(|token| !token.is_empty()) {
                Some(token) => next = format!("&continue={}", encode(token)),
                None => return Ok(items),
            }
        }
    }

    /// Creates an object.
    pub(super) async fn create(&self, spot: &Spot, object: &Value) -> Result<Answer, Trouble> {
        let path = format!("{}?fieldManager={MANAGER}", spot.path(""));
        self.send(Request::post(path), Some(object), &spot.asked("create")).await
    }

    /// Replaces an object.
    pub(super) async fn replace(&self, spot: &Spot, object: &Value) -> Result<Answer, Trouble> {
        let path = format!("{}?fieldManager={MANAGER}", spot.path(&spot.name));
        self.send(Request::put(path), Some(object), &spot.asked("update")).await
    }

    /// Patches an object.
    pub(super) async fn patch(&self, spot: &Spot, form: &str, body: &Value) -> Result<Answer, Trouble> {
        let path = format!("{}?fieldManager={MANAGER}", spot.path(&spot.name));
        let request = Request::patch(path).header(http::header::CONTENT_TYPE, form);
        self.send(request, Some(body), &spot.asked("patch")).await
    }

    /// Applies an object, by the server.
    pub(super) async fn apply(&self, spot: &Spot, object: &Value, force: bool) -> Result<Answer, Trouble> {
        let path = format!("{}?fieldManager={MANAGER}&fieldValidation=Strict&force={force}", spot.path(&spot.name));
        let request = Request::patch(path).header(http::header::CONTENT_TYPE, "application/apply-patch+yaml");
        self.send(request, Some(object), &spot.asked("apply")).await
    }

    /// Deletes an object; where it is not there, that is as good.
    pub(super) async fn delete(&self, spot: &Spot) -> Result<(), Trouble> {
        let body = json!({ "kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background" });
        for _ in 0..TRIES {
            match self.send(Request::delete(spot.path(&spot.name)), Some(&body), &spot.asked("delete")).await? {
                Answer::Done(_) => return Ok(()),
                Answer::Refused(refusal) if refusal.is_absence() => return Ok(()),
                Answer::Refused(refusal) if refusal.is_conflict() => {}
                Answer::Refused(refusal) => return Err(Trouble::words(refusal.message)),
            }
        }
        Err(Trouble::words(format!("{} changes faster than it can be deleted", spot.in_words())))
    }

    async fn send(&self, request: Builder, body: Option<&Value>, asked: &Asked) -> Result<Answer, Trouble> {
        let bytes = body.map(|body| serde_json::to_vec(body).expect("a value is plain data")).unwrap_or_default();
        let json = "application/json";
        let mut request = request
            .header(http::header::ACCEPT, json)
            .body(bytes)
            .map_err(|error| Trouble::words(error.to_string()))?;
        request.headers_mut().entry(http::header::CONTENT_TYPE).or_insert(http::HeaderValue::from_static(json));
        let unanswered = |error: &kube::Error| Trouble::from(refusal::unanswered(error, asked));
        let response = self.cluster.client.send(request.map(Body::from)).await.map_err(|error| unanswered(&error))?;
        let refused = response.status().as_u16() >= 400;
        let bytes = response.into_body().collect_bytes().await.map_err(|error| unanswered(&error))?;
        let answer: Value = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| json!({ "message": String::from_utf8_lossy(&bytes[..bytes.len().min(300)]) }));
        if !refused {
            return Ok(Answer::Done(answer));
        }
        let text = |key: &str| answer.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok(Answer::Refused(Refusal { reason: text("reason"), message: text("message") }))
    }
}
