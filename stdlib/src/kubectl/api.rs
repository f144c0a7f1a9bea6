//! The objects of one kind in one place, as plain values: read, listed, watched, written.
//!
//! Lists are complete or a fault. A write is sent once; what became of one without an answer is for `outcome` to find out.
//! Does not know scripts, options or what an object means.

use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, StreamExt as _, TryStreamExt as _};
use http::Request;
use http::request::Builder;
use runbook_core::world::Cluster;
use runbook_core::{Code, Fault};
use serde_json::Value;

use super::kind::{self, Resource};
use super::name::{check, encode};
use super::page::{self, Page};
use super::query::{Deletion, Detail, Event, List, Listing, ManagedFields, Patch, Writing};
use super::request::{self, Asked};
use super::{refusal, watch};

/// Objects on a page.
const PAGE: usize = 500;

/// How often a list begins anew because its pages expired while they were read.
const RESTARTS: usize = 3;

/// Where objects are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// In a namespace; the cluster's own where `None`. Means nothing for kinds without namespaces.
    Namespace(Option<String>),
    /// In all namespaces. Lists and watches only.
    All,
}

/// The objects of one kind in one place.
#[derive(Clone)]
pub struct Api {
    cluster: Arc<Cluster>,
    resource: Arc<Resource>,
    namespace: Option<String>,
    detail: Detail,
}

impl Api {
    /// The objects of the kind that a word means.
    ///
    /// Faults: `RB022` where the cluster has no such kind, `RB015` for an impossible name.
    pub async fn open(cluster: &Arc<Cluster>, kind: &str, scope: &Scope) -> Result<Self, Fault> {
        let resource = kind::resolve(cluster, kind).await?;
        Self::of(cluster, resource, scope)
    }

    /// The objects of a kind that is known.
    ///
    /// Faults: `RB015` for an impossible namespace.
    pub fn of(cluster: &Arc<Cluster>, resource: Arc<Resource>, scope: &Scope) -> Result<Self, Fault> {
        let namespace = match scope {
            Scope::Namespace(named) if resource.namespaced => {
                Some(named.as_ref().unwrap_or(&cluster.namespace).clone())
            }
            Scope::Namespace(_) | Scope::All => None,
        };
        if let Some(namespace) = &namespace {
            check("namespace", namespace)?;
        }
        Ok(Self { cluster: cluster.clone(), resource, namespace, detail: Detail::Whole })
    }

    /// The same, but of single objects only their metadata is asked for and answered, whatever is done to them.
    #[must_use]
    pub fn metadata_only(self) -> Self {
        Self { detail: Detail::Metadata, ..self }
    }

    /// The kind.
    pub fn resource(&self) -> &Arc<Resource> {
        &self.resource
    }

    /// The namespace, where the kind has them and one was chosen.
    pub fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    /// The cluster.
    pub fn cluster(&self) -> &Arc<Cluster> {
        &self.cluster
    }

    /// An object's name for people: `deployment/web`.
    pub fn title(&self, name: &str) -> String {
        self.resource.title(name)
    }

    /// An object. Faults: `RB022` where it does not exist.
    pub async fn get(&self, name: &str) -> Result<Value, Fault> {
        self.get_part(name, None).await
    }

    /// An object, or `None` where it does not exist. A missing namespace means that too; a missing kind does not.
    pub async fn find(&self, name: &str) -> Result<Option<Value>, Fault> {
        match self.get(name).await {
            Err(fault) if refusal::object_absent(&fault) => Ok(None),
            other => other.map(Some),
        }
    }

    /// A part of an object, such as `scale` or `status`.
    pub async fn get_part(&self, name: &str, part: Option<&str>) -> Result<Value, Fault> {
        let request = Request::get(self.path(Some(name), part)?).header(http::header::ACCEPT, self.detail.of_object());
        request::answer(&self.cluster.client, request, Vec::new(), &self.asked("get", Some(name))).await
    }

    /// All objects, page by page, complete or a fault. Each has its `kind` and `apiVersion`.
    ///
    /// Faults: `RB021` where listing is not permitted, `RB027` where the pages expire again and again.
    pub async fn list(&self, listing: &Listing) -> Result<List, Fault> {
        let mut restarts = 0;
        let mut size = PAGE;
        loop {
            match self.pages(listing, size).await {
                Err(fault) if fault.code == Code::TooLarge && size > 1 => size = (size / 10).max(1),
                Err(fault) if fault.detail.contains_key("expired") && restarts < RESTARTS => restarts += 1,
                Err(fault) if fault.detail.contains_key("expired") => {
                    let kind = self.resource.full_name();
                    return Err(Fault::new(
                        Code::Incomplete,
                        format!(
                            "no complete list of {kind}: its pages expired while they were read, {RESTARTS} times over"
                        ),
                    )
                    .about(kind)
                    .seen(fault.message)
                    .retryable());
                }
                other => return other,
            }
        }
    }

    async fn pages(&self, listing: &Listing, size: usize) -> Result<List, Fault> {
        let mut list = List::default();
        let mut next = None;
        loop {
            let page = self.page(listing, size, next.as_deref(), &mut |item| list.items.push(item)).await?;
            list.version = page.version;
            next = page.next;
            if next.is_none() {
                return Ok(list);
            }
        }
    }

    /// One page of a list, at most `size` objects, each handed over as it is read. `next` is what the page before gave.
    ///
    /// Faults as those of [`Api::list`]; one whose detail holds `expired` where the list has to begin anew.
    pub async fn page(
        &self,
        listing: &Listing,
        size: usize,
        next: Option<&str>,
        take: &mut (dyn FnMut(Value) + Send),
    ) -> Result<Page, Fault> {
        let next = next.map(|token| format!("&continue={}", encode(token))).unwrap_or_default();
        let path = format!("{}?limit={size}{}{next}", self.path(None, None)?, listing.query());
        let asked = self.asked("list", None);
        let request = Request::get(path).header(http::header::ACCEPT, listing.objects.of_list());
        let bytes = request::bytes(&self.cluster.client, request, Vec::new(), &asked).await?;
        page::read(&bytes, &listing.read(), &mut |item| take(self.dressed(item))).map_err(|error| {
            Fault::new(Code::Incomplete, format!("the answer to listing {} is no list: {error}", asked.object))
                .about(asked.object.clone())
        })
    }

    /// An item of a list lacks what the list says of all: its kind.
    fn dressed(&self, mut item: Value) -> Value {
        let Value::Object(fields) = &mut item else { return item };
        let mut whole = serde_json::Map::with_capacity(fields.len() + 2);
        whole.insert("apiVersion".to_owned(), self.resource.api_version().into());
        whole.insert("kind".to_owned(), self.resource.kind.clone().into());
        whole.extend(std::mem::take(fields).into_iter().filter(|(key, _)| key != "apiVersion" && key != "kind"));
        Value::Object(whole)
    }

    /// What happens to objects from a version on. Ends when the server closes it, as it does every few minutes.
    ///
    /// An expired version arrives as [`Event::Expired`]; whoever watches lists again then.
    pub async fn watch(
        &self,
        listing: &Listing,
        version: &str,
        at_most: Duration,
    ) -> Result<impl Stream<Item = Result<Event, Fault>> + Send + use<>, Fault> {
        let path = self.path(None, None)?;
        let query = format!(
            "{path}?watch=true&allowWatchBookmarks=true&timeoutSeconds={}&resourceVersion={}{}",
            at_most.as_secs().max(1),
            encode(version),
            listing.query()
        );
        let asked = self.asked("watch", None);
        let request = Request::get(query).header(http::header::ACCEPT, listing.objects.of_object());
        let response = match request::open(&self.cluster.client, request, Vec::new(), &asked).await {
            Err(fault) if fault.detail.contains_key("expired") => {
                return Ok(futures::stream::iter([Ok(Event::Expired)]).left_stream());
            }
            other => other?,
        };
        let (api, managed_fields) = (self.clone(), listing.managed_fields);
        let dressed = move |mut object: Value| {
            if managed_fields == ManagedFields::Dropped {
                without_managed_fields(&mut object);
            }
            api.dressed(object)
        };
        let events = watch::events(response, asked).map_ok(move |event| event.map(&dressed));
        Ok(events.right_stream())
    }

    /// Creates an object from its manifest. Faults: `RB023` where it exists already.
    pub async fn create(&self, manifest: &Value, writing: &Writing) -> Result<Value, Fault> {
        let name = manifest["metadata"]["name"].as_str();
        let path = self.path(None, None)? + writing.query().as_str();
        let request = Request::post(path);
        self.send("create", name, request, manifest).await
    }

    /// Creates a part of an object, such as its `eviction`.
    pub async fn create_part(&self, name: &str, part: &str, body: &Value) -> Result<Value, Fault> {
        self.send("create", Some(name), Request::post(self.path(Some(name), Some(part))?), body).await
    }

    /// Changes an object. Server-side apply creates it where it does not exist.
    ///
    /// Faults: `RB023` on conflicts, with manager and fields; `RB024` where the server does not accept the result.
    pub async fn patch(&self, name: &str, patch: &Patch, writing: &Writing) -> Result<Value, Fault> {
        self.patch_part(name, None, patch, writing).await
    }

    /// Changes a part of an object, such as `scale`.
    pub async fn patch_part(
        &self,
        name: &str,
        part: Option<&str>,
        patch: &Patch,
        writing: &Writing,
    ) -> Result<Value, Fault> {
        let whole = self.path(Some(name), part)? + writing.query().as_str();
        let request = Request::patch(whole)
            .header(http::header::CONTENT_TYPE, patch.content_type())
            .header(http::header::ACCEPT, self.detail.of_object());
        self.send(patch.verb(), Some(name), request, patch.body()).await
    }

    /// Replaces an object by its manifest, which holds the version it came from.
    pub async fn replace(&self, name: &str, manifest: &Value, writing: &Writing) -> Result<Value, Fault> {
        let path = self.path(Some(name), None)? + writing.query().as_str();
        self.send("update", Some(name), Request::put(path), manifest).await
    }

    /// Deletes an object; the answer is the object where it goes on for a while, else a status.
    pub async fn delete(&self, name: &str, deletion: &Deletion) -> Result<Value, Fault> {
        self.send("delete", Some(name), Request::delete(self.path(Some(name), None)?), &deletion.body()).await
    }

    /// Lines of a log, as they come.
    pub async fn log(
        &self,
        name: &str,
        query: &str,
    ) -> Result<impl Stream<Item = Result<String, Fault>> + Send + use<>, Fault> {
        let path = self.path(Some(name), Some("log"))?;
        let asked = self.asked("read", Some(name));
        let request = Request::get(format!("{path}?{query}")).header(http::header::ACCEPT, "*/*");
        let response = request::open(&self.cluster.client, request, Vec::new(), &asked).await?;
        Ok(watch::lines(response.into_body()).map_err(move |error| watch::cut_off(&error, &asked)))
    }

    async fn send(
        &self,
        verb: &'static str,
        name: Option<&str>,
        request: Builder,
        body: &Value,
    ) -> Result<Value, Fault> {
        let body = serde_json::to_vec(body).expect("a value is plain data");
        request::answer(&self.cluster.client, request, body, &self.asked(verb, name)).await
    }

    fn path(&self, name: Option<&str>, part: Option<&str>) -> Result<String, Fault> {
        let mut path = self.resource.root();
        if let Some(namespace) = &self.namespace {
            path = format!("{path}/namespaces/{}", encode(namespace));
        } else if name.is_some() && self.resource.namespaced {
            return Err(Fault::new(
                Code::WrongArgument,
                format!("which namespace? {} live in namespaces", self.resource.plural),
            ));
        }
        path = format!("{path}/{}", self.resource.plural);
        if let Some(name) = name {
            check(&self.resource.singular, name)?;
            path = format!("{path}/{}", encode(name));
        }
        Ok(part.map_or(path.clone(), |part| format!("{path}/{part}")))
    }

    fn asked(&self, verb: &'static str, name: Option<&str>) -> Asked {
        Asked {
            verb,
            object: name.map_or_else(|| self.resource.full_name(), |name| self.title(name)),
            plural: self.resource.full_name(),
            namespace: self.namespace.clone(),
        }
    }
}

/// Drops what only API servers read: who owns which field.
pub fn without_managed_fields(object: &mut Value) {
    if let Some(Value::Object(metadata)) = object.get_mut("metadata") {
        metadata.shift_remove("managedFields");
    }
}
