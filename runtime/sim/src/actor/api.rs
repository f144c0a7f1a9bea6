//! Raw requests to the API server: objects go in and come out as JSON, whole.
//!
//! Not known here: what any object means.

use futures::Stream;
use http::{Method, Request};
use kube::{Client, core::WatchEvent};
use serde_json::Value;

pub(crate) use crate::resource::Resource;

/// How many objects one page of a list holds.
const PAGE: u32 = 500;

/// Which objects of a collection are wanted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Selection {
    /// A label selector, none for all.
    pub(crate) labels: Option<&'static str>,
}

impl Selection {
    fn query(self) -> String {
        self.labels.map_or_else(String::new, |labels| format!("&labelSelector={}", escaped(labels)))
    }
}

/// A connection to one API server.
#[derive(Clone)]
pub(crate) struct Api {
    client: Client,
    /// The workload whose part is played, as `namespace/name` of its Deployment.
    acting: Option<String>,
    /// What the deed rests on, as [`BECAUSE`] says it.
    because: Option<String>,
}

/// Says in a request whose part is played. No API server reads it; whoever lies between may.
pub(crate) const ACTING: &str = "x-acting-for";

/// Says in a request on which other objects it rests: `group/resource/namespace/name`, separated by commas.
pub(crate) const BECAUSE: &str = "x-acting-because";

/// What came back instead of the object.
pub(crate) type Fault = kube::Error;

/// Did the API server answer with this status code?
pub(crate) fn has_code(fault: &Fault, code: u16) -> bool {
    matches!(fault, Fault::Api(status) if status.code == code)
}

impl Api {
    pub(crate) fn new(client: Client) -> Self {
        Self { client, acting: None, because: None }
    }

    /// The same connection, used in the part of a Deployment.
    pub(crate) fn acting(&self, namespace: &str, deployment: &str) -> Self {
        let acting = Some(format!("{namespace}/{deployment}"));
        Self { client: self.client.clone(), acting, because: None }
    }

    /// The same connection for deeds that rest on other objects than those that they are about.
    pub(crate) fn because(&self, causes: &[String]) -> Self {
        Self { because: (!causes.is_empty()).then(|| causes.join(",")), ..self.clone() }
    }

    async fn send(&self, method: Method, uri: &str, kind: &str, body: Option<&Value>) -> Result<Value, Fault> {
        let body = body.map_or_else(Vec::new, |body| body.to_string().into_bytes());
        let mut request = Request::builder().method(method).uri(uri).header("content-type", kind);
        if let Some(acting) = &self.acting {
            request = request.header(ACTING, acting);
        }
        if let Some(because) = &self.because {
            request = request.header(BECAUSE, because);
        }
        self.client.request(request.body(body).map_err(Fault::HttpError)?).await
    }

    /// Reads any path, such as `/version`.
    pub(crate) async fn read(&self, path: &str) -> Result<Value, Fault> {
        self.send(Method::GET, path, "application/json", None).await
    }

    /// Reads one object, none where there is none.
    pub(crate) async fn get(&self, resource: Resource, namespace: &str, name: &str) -> Result<Option<Value>, Fault> {
        match self.read(&resource.path(namespace, name)).await {
            Ok(object) => Ok(Some(object)),
            Err(fault) if has_code(&fault, 404) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// Reads a whole collection, page by page: what is kept of each object, and the version from which to watch.
    pub(crate) async fn list(
        &self,
        resource: Resource,
        wanted: Selection,
        kept: impl Fn(Value) -> Value,
    ) -> Result<(Vec<Value>, String), Fault> {
        let mut objects = Vec::new();
        let mut from = String::new();
        loop {
            let uri = format!("{}?limit={PAGE}{}{from}", resource.path("", ""), wanted.query());
            let mut page = self.read(&uri).await?;
            if let Value::Array(items) = page["items"].take() {
                objects.extend(items.into_iter().map(&kept));
            }
            match page["metadata"]["continue"].as_str().filter(|token| !token.is_empty()) {
                Some(token) => from = format!("&continue={}", escaped(token)),
                None => return Ok((objects, page["metadata"]["resourceVersion"].as_str().unwrap_or("0").to_owned())),
            }
        }
    }

    /// Follows a collection from a version on. Deleted objects come with their last state.
    pub(crate) async fn watch(
        &self,
        resource: Resource,
        wanted: Selection,
        version: &str,
    ) -> Result<impl Stream<Item = Result<WatchEvent<Value>, Fault>> + use<>, Fault> {
        let path = resource.path("", "");
        let uri = format!("{path}?watch=1&allowWatchBookmarks=true&resourceVersion={version}{}", wanted.query());
        let request = Request::get(uri).body(Vec::new()).map_err(Fault::HttpError)?;
        self.client.request_events::<Value>(request).await
    }

    /// Creates an object under a field manager.
    pub(crate) async fn create(&self, resource: Resource, manager: &str, object: &Value) -> Result<Value, Fault> {
        let namespace = object["metadata"]["namespace"].as_str().unwrap_or_default();
        let uri = format!("{}?fieldManager={}", resource.path(namespace, ""), escaped(manager));
        self.send(Method::POST, &uri, "application/json", Some(object)).await
    }

    /// Asks what the API server would say to a creation, without one.
    pub(crate) async fn dry_run_create(&self, resource: Resource, object: &Value) -> Result<Value, Fault> {
        let namespace = object["metadata"]["namespace"].as_str().unwrap_or_default();
        let uri = format!("{}?dryRun=All", resource.path(namespace, ""));
        self.send(Method::POST, &uri, "application/json", Some(object)).await
    }

    /// Replaces an object, or its `status`; the version in it has to be the present one.
    pub(crate) async fn update(
        &self,
        resource: Resource,
        manager: &str,
        part: Part,
        object: &Value,
    ) -> Result<Value, Fault> {
        let (namespace, name) = (super::json::namespace(object), super::json::name(object));
        let uri = format!("{}{}?fieldManager={}", resource.path(namespace, name), part.suffix(), escaped(manager));
        self.send(Method::PUT, &uri, "application/json", Some(object)).await
    }

    /// Applies an object server-side, taking over every field it names.
    pub(crate) async fn apply(&self, resource: Resource, manager: &str, object: &Value) -> Result<Value, Fault> {
        let (namespace, name) = (super::json::namespace(object), super::json::name(object));
        let uri = format!("{}?force=true&fieldManager={}", resource.path(namespace, name), escaped(manager));
        self.send(Method::PATCH, &uri, "application/apply-patch+yaml", Some(object)).await
    }

    /// Merges a patch (RFC 7386) into an object or its `status`.
    pub(crate) async fn merge(
        &self,
        resource: Resource,
        manager: &str,
        part: Part,
        (namespace, name): (&str, &str),
        patch: &Value,
    ) -> Result<Value, Fault> {
        let uri = format!("{}{}?fieldManager={}", resource.path(namespace, name), part.suffix(), escaped(manager));
        self.send(Method::PATCH, &uri, "application/merge-patch+json", Some(patch)).await
    }
}

/// What of an object a request writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// The object without its status.
    Whole,
    /// The status alone.
    Status,
}

impl Part {
    const fn suffix(self) -> &'static str {
        match self {
            Self::Whole => "",
            Self::Status => "/status",
        }
    }
}

/// Percent-encodes what may not stand in a query.
pub(crate) fn escaped(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_are_escaped() {
        let wanted = Selection { labels: Some("istio.io/rev,!istio.io/tag") };
        assert_eq!(wanted.query(), "&labelSelector=istio.io%2Frev%2C%21istio.io%2Ftag");
    }
}
