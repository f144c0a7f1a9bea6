//! The door: every request comes in here, and every answer leaves here.
//!
//! Not known here: what is done about any of them.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use axum::{Router, body::Bytes, extract::Request, response::Response};
use futures::FutureExt;
use http::{HeaderMap, Method};
use serde_json::Value;

use super::{
    Server, accept,
    answer::Answer,
    body,
    delete::Deletion,
    modify::{Basis, Book},
    onlooker::{Author, in_the_name_of},
    order::{Earnest, Order},
    path::{self, Path, Place},
    query::Query,
    trouble,
    write::Written,
};
use crate::{audit::AuditEntry, status::Status};

/// What a request costs of simulated time.
const COST: Duration = Duration::from_millis(1);

/// A request, taken apart.
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) query: Query,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Asked {
    /// A header as text.
    pub(crate) fn header(&self, name: http::header::HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The media type of the body.
    pub(crate) fn media(&self) -> &str {
        body::media(&self.headers)
    }
}

impl Server {
    /// The way in, for the in-process client and the listener alike.
    pub(crate) fn router(self: &Arc<Self>) -> Router {
        let server = self.clone();
        Router::new().fallback(move |request: Request| {
            let server = server.clone();
            async move { server.answer(request).await }
        })
    }

    /// Answers one request.
    pub(crate) async fn answer(self: Arc<Self>, request: Request) -> Response {
        let _busy = self.clock.busy();
        self.clock.advance(COST);
        // A fault of ours ends this request, and nothing beside it.
        let author = request.extensions().get().copied().unwrap_or(Author::Client);
        let taken = AssertUnwindSafe(Box::pin(in_the_name_of(author, self.take(request)))).catch_unwind().await;
        let answer = taken.unwrap_or_else(|_| Err(Status::internal("the simulation could not finish this request")));
        answer.unwrap_or_else(Answer::from).response()
    }

    async fn take(self: &Arc<Self>, request: Request) -> Result<Answer, Status> {
        let (head, body) = request.into_parts();
        let body = axum::body::to_bytes(body, body::LARGEST)
            .await
            .map_err(|_| Status::too_large(format!("Request entity too large: limit is {}", body::LARGEST)))?;
        let mut query = Query::of(head.uri.query().unwrap_or_default());
        let path = path::without_watch(head.uri.path());
        if path.is_some() {
            query.set("watch", "true");
        }
        let asked = Asked { method: head.method, query, headers: head.headers, body };
        let found = path::read(&self.catalogue(), path.as_deref().unwrap_or(head.uri.path()))?;
        if let Path::Resource(place) = &found {
            self.tell_asked(verb(&asked, place).unwrap_or("create"), place);
        }
        match found {
            Path::Other(parts) => self.other(&asked, &parts),
            Path::Resource(place) if self.is_witnessed() => {
                let mut entry = self.entry(&asked, &place, head.uri.to_string());
                let answer = self.struck(&asked, &place, &entry).await;
                entry.code = answer.as_ref().map_or_else(|status| status.code, |answer| answer.code);
                entry.at = self.clock.now();
                self.testify(&entry);
                answer
            }
            Path::Resource(place) => self.warned(&asked, &place).await,
        }
    }

    /// Answers a request, with a warning where the version that it asks for is on its way out.
    async fn warned(self: &Arc<Self>, asked: &Asked, place: &Place) -> Result<Answer, Status> {
        let answer = self.resource(asked, place).await;
        match super::strategy::deprecation(&place.kind) {
            // A refusal carries it as well.
            Some(warning) => Ok(answer.unwrap_or_else(Answer::from).warning(vec![warning])),
            None => answer,
        }
    }

    /// Answers a request to which something may happen on its way.
    async fn struck(self: &Arc<Self>, asked: &Asked, place: &Place, entry: &AuditEntry) -> Result<Answer, Status> {
        match self.strike(entry, place).await? {
            None => self.warned(asked, place).await,
            // It was carried out, and nobody is told.
            Some(_) => self.resource(asked, place).await.map(|_| trouble::broken()),
        }
    }

    /// A request as the audit log has it, before it is answered.
    fn entry(&self, asked: &Asked, place: &Place, uri: String) -> AuditEntry {
        // What is sent to below an object, such as an eviction, is created there.
        let verb = verb(asked, place).unwrap_or("create");
        let body = || body::any(asked.media(), &asked.body).ok().flatten().unwrap_or_default();
        let mut name = place.name.clone();
        if name.is_empty() && verb == "create" {
            crate::actor::json::name(&body()).clone_into(&mut name);
        }
        let is_namespace = place.kind.group.is_empty() && place.kind.plural == "namespaces";
        let in_body = verb.starts_with("delete") && !crate::actor::json::items(&body(), "/dryRun").is_empty();
        AuditEntry {
            verb,
            group: place.kind.group.clone(),
            version: place.kind.version.clone(),
            resource: place.kind.plural.clone(),
            subresource: place.below.clone(),
            // A namespace lies in itself, says the real one.
            namespace: if is_namespace { place.name.clone() } else { place.namespace.clone() },
            name,
            client: asked.header(http::header::USER_AGENT).unwrap_or_default().to_owned(),
            uri,
            is_dry_run: in_body || asked.query.get("dryRun").is_some(),
            code: 0,
            at: self.clock.now(),
        }
    }

    async fn resource(self: &Arc<Self>, asked: &Asked, place: &Place) -> Result<Answer, Status> {
        beyond(place)?;
        if !place.below.is_empty() && place.below != "status" {
            return self.below(asked, place).await;
        }
        let (is_object, is_status) = (!place.name.is_empty(), place.below == "status");
        let verb = verb(asked, place).ok_or_else(Status::method_not_allowed)?;
        let is_allowed = match place.kind.subresource(&place.below) {
            Some(below) => below.verbs.iter().any(|known| known == verb),
            None => place.kind.allows(verb),
        };
        if !is_allowed {
            return Err(Status::method_not_allowed());
        }
        let shape = || accept::read(asked.header(http::header::ACCEPT));
        match verb {
            "watch" => self.watch(place, &asked.query, shape()?),
            "list" => self.list(place, &asked.query, shape()?),
            "get" => self.get(place, &asked.query, shape()?),
            "create" if !is_object => match self.virtual_kind(asked, place) {
                Some(answer) => answer,
                None => self.post(asked, place).await,
            },
            "update" if is_object || is_status => {
                let order = Order::sent(asked, place, "UpdateOptions")?;
                let object = self.sent(asked, place)?;
                self.shaped(asked, place, self.replace(&order, object).await?)
            }
            "patch" => {
                let order = Order::sent(asked, place, "PatchOptions")?;
                let written = self.patch(asked, &order).await?;
                self.shaped(asked, place, written)
            }
            "delete" => {
                let (order, how) = deletion(asked, place)?;
                let deleted = self.delete(&order, &how).await?;
                Ok(Answer::of(200, &deleted.body).warning(deleted.warnings))
            }
            "deletecollection" => {
                let (order, how) = deletion(asked, place)?;
                Ok(Answer::of(200, &self.delete_collection(&order, &asked.query, &how).await?))
            }
            _ => Err(Status::method_not_allowed()),
        }
    }

    async fn post(self: &Arc<Self>, asked: &Asked, place: &Place) -> Result<Answer, Status> {
        let order = Order::sent(asked, place, "CreateOptions")?;
        let object = self.sent(asked, place)?;
        let mut place = place.clone();
        if place.kind.namespaced && place.namespace.is_empty() {
            return Err(Status::method_not_allowed());
        }
        crate::actor::json::name(&object).clone_into(&mut place.name);
        self.shaped(asked, &place, self.create(&order, object).await?)
    }

    /// The object in the body of a request.
    pub(crate) fn sent(&self, asked: &Asked, place: &Place) -> Result<Value, Status> {
        let kind = &place.kind;
        let value = body::any(asked.media(), &asked.body)?.unwrap_or_default();
        if kind.is_custom() {
            body::names_its_kind(&value, &asked.body, &kind.kind)?;
        }
        body::completed(value, &kind.kind, &kind.api_version())
    }

    /// A written object in the shape that was asked for.
    pub(crate) fn shaped(&self, asked: &Asked, place: &Place, written: Written) -> Result<Answer, Status> {
        let body = match accept::read(asked.header(http::header::ACCEPT))? {
            accept::Shape::Whole => written.object,
            accept::Shape::Metadata => super::render::metadata(&written.object),
            accept::Shape::Table => {
                let resource = place.resource();
                let version = written.object["metadata"]["resourceVersion"].clone();
                let number = version.as_str().and_then(|text| text.parse().ok()).unwrap_or(0);
                let stored = Arc::new(crate::store::Stored::of(&resource, &written.object, number));
                super::table::of(
                    self,
                    place,
                    &asked.query,
                    &[stored],
                    &serde_json::json!({ "resourceVersion": version }),
                )
            }
        };
        Ok(Answer::of(written.code, &body).warning(written.warnings))
    }

    async fn patch(self: &Arc<Self>, asked: &Asked, order: &Order) -> Result<Written, Status> {
        let patch = super::patch::read(asked, order)?;
        match &patch {
            super::patch::Patch::Apply(applied) => self.apply(order, applied).await,
            other => self.modify(order, Basis::Any, Book::Open, |live| other.to(self, order, live)).await,
        }
    }
}

fn deletion(asked: &Asked, place: &Place) -> Result<(Order, Deletion), Status> {
    let body = body::any(asked.media(), &asked.body)?;
    let (how, is_dry) = Deletion::read(body.as_ref(), &asked.query)?;
    let mut order = Order::read(place, &asked.query, &asked.headers, "DeleteOptions")?;
    if is_dry {
        order.earnest = Earnest::DryRun;
    }
    Ok((order, how))
}

/// What a request asks for, in the word that rights are given for.
pub(crate) fn verb(asked: &Asked, place: &Place) -> Option<&'static str> {
    let is_object = !place.name.is_empty();
    Some(match asked.method {
        Method::GET | Method::HEAD if asked.query.flag("watch") => "watch",
        Method::GET | Method::HEAD if is_object => "get",
        Method::GET | Method::HEAD => "list",
        Method::POST if !is_object => "create",
        Method::PUT if is_object => "update",
        Method::PATCH if is_object => "patch",
        Method::DELETE if is_object => "delete",
        Method::DELETE if !place.kind.namespaced || !place.namespace.is_empty() => "deletecollection",
        _ => return None,
    })
}

/// Kinds of which the simulation keeps one version alone, because others are no mere change of name.
fn beyond(place: &Place) -> Result<(), Status> {
    let kind = &place.kind;
    match (kind.group.as_str(), kind.version.as_str(), kind.plural.as_str()) {
        ("autoscaling", "v1", "horizontalpodautoscalers") => {
            Err(Status::beyond_simulation("autoscalers are served as autoscaling/v2 alone"))
        }
        ("events.k8s.io", _, _) => Err(Status::beyond_simulation("events are served as v1 of the core group alone")),
        _ => Ok(()),
    }
}
