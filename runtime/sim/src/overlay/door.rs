//! The door of an overlay: sees to it that what a request is about is known, and lets the simulated API server answer.
//!
//! Not known here: how the live cluster is read, what a write does, and what comes of it.

use std::sync::Arc;

use axum::{Router, body::Body, extract::Request, response::Response};
use futures::FutureExt as _;
use http::{Method, header, request::Parts};
use http_body_util::BodyExt as _;

use super::{
    around,
    beneath::Miss,
    book::RUN,
    gate::{Aim, Shut, reads},
    scope::{Base, Place as Spot, Scope},
};
use crate::{
    resource::GroupResource,
    server::{Answer, Asked, LARGEST, Path, Place, Query, Server, onlooker::Author, read_path, verb, without_watch},
    status::Status,
    store::key,
};

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asker {
    /// The run's own client, and the tools that it starts.
    Run,
    /// A stand-in for what acts in the cluster.
    Actor,
}

/// The door.
#[derive(Clone)]
pub(crate) struct Door {
    pub(crate) server: Arc<Server>,
    pub(crate) asker: Asker,
}

/// What a request is, once it has been taken apart.
pub(crate) struct Visit<'a> {
    pub(crate) asked: Asked,
    pub(crate) place: Place,
    pub(crate) verb: &'static str,
    pub(crate) head: &'a Parts,
}

impl Door {
    /// The way in.
    pub(crate) fn router(self) -> Router {
        Router::new().fallback(move |request: Request| {
            let door = self.clone();
            async move { door.answer(request).await }
        })
    }

    async fn answer(self, request: Request) -> Response {
        // Reading the live cluster takes no simulated time.
        let _busy = self.server.clock.busy();
        let taken = std::panic::AssertUnwindSafe(self.take(request)).catch_unwind().await;
        taken
            .unwrap_or_else(|_| Err(Status::internal("the overlay could not finish this request").into()))
            .unwrap_or_else(Answer::response)
    }

    pub(crate) fn beneath(&self) -> &super::Beneath {
        self.server.beneath().expect("a door leads to an overlay")
    }

    async fn take(&self, request: Request) -> Result<Response, Answer> {
        let (head, body) = request.into_parts();
        let body = axum::body::to_bytes(body, LARGEST)
            .await
            .map_err(|_| Status::too_large(format!("Request entity too large: limit is {LARGEST}")))?;
        let mut query = Query::of(head.uri.query().unwrap_or_default());
        let unwatched = without_watch(head.uri.path());
        if unwatched.is_some() {
            query.set("watch", "true");
        }
        let path = unwatched.as_deref().unwrap_or(head.uri.path());
        let asked = Asked { method: head.method.clone(), query, headers: head.headers.clone(), body };
        match self.find(path).await? {
            None => self.through(&head, asked).await,
            Some(Path::Other(_)) => self.beside(&head, asked).await,
            Some(Path::Resource(place)) => {
                // What is sent below an object is made there: an eviction, a binding, a token.
                let verb = verb(&asked, &place).unwrap_or("create");
                self.visit(Visit { asked, place, verb, head: &head }).await
            }
        }
    }

    /// What a path is about; none where no kind is known that it could be about.
    async fn find(&self, path: &str) -> Result<Option<Path>, Answer> {
        if let Ok(found) = read_path(&self.server.catalogue(), path) {
            return Ok(Some(found));
        }
        let Some(aim) = Aim::of(path).filter(|aim| aim.group.contains('.')) else { return Ok(None) };
        let name = format!("{}.{}", aim.plural, aim.group);
        match around::definition(&self.server, &name).await {
            Ok(()) => {}
            // Without its definition the kind can be read, and no more.
            Err(Miss::Refused { code: 403 | 404, .. }) => return Ok(None),
            Err(miss) => return Err(miss.into()),
        }
        match read_path(&self.server.catalogue(), path) {
            Ok(found) => Ok(Some(found)),
            Err(status) if self.is_planned(&name) => Err(status.into()),
            Err(_) => Ok(None),
        }
    }

    /// Is a definition one that the plan makes or takes away?
    fn is_planned(&self, name: &str) -> bool {
        let spot: Spot = (GroupResource::new("apiextensions.k8s.io", "customresourcedefinitions"), name.into());
        self.beneath().is_touched(&spot) || matches!(self.beneath().base(&spot), Some(Base::Live(_)))
    }

    async fn visit(&self, visit: Visit<'_>) -> Result<Response, Answer> {
        let kind = &visit.place.kind;
        match (kind.group.as_str(), visit.verb, self.asker) {
            ("authorization.k8s.io", "create", Asker::Run) => return self.through(visit.head, visit.asked).await,
            ("authentication.k8s.io", "create", Asker::Run) => {
                return Err(Status::beyond_overlay("who the client is, is not asked for it").into());
            }
            _ => {}
        }
        match visit.verb {
            "get" | "list" | "watch" => self.read(visit).await,
            _ => self.write(visit).await,
        }
    }

    async fn read(&self, visit: Visit<'_>) -> Result<Response, Answer> {
        let Visit { asked, place, head, .. } = visit;
        let spot: Spot = (place.resource(), key(&place.namespace, &place.name).into());
        let scope = match place.name.as_str() {
            "" => Scope::of(
                &place.kind,
                &place.namespace,
                asked.query.get("labelSelector").unwrap_or_default(),
                asked.query.get("fieldSelector").unwrap_or_default(),
            ),
            name => Scope::one(&place.kind, &place.namespace, name),
        };
        match self.beneath().load(&self.server, &place.kind, scope).await {
            Err(miss) if self.asker == Asker::Actor && !is_unserved(&miss) => {
                let what = format!("what stand-ins see of {} in {:?}", place.resource().words(), place.namespace);
                self.beneath().book.unknown(what, miss.words());
            }
            other => other?,
        }
        if !["", "status", "scale"].contains(&place.below.as_str()) && self.beneath().is_as_live(&spot) {
            return self.through(head, asked).await;
        }
        Ok(self.inner(head, &asked).await)
    }

    /// Lets the simulated API server answer.
    pub(crate) async fn inner(&self, head: &Parts, asked: &Asked) -> Response {
        let mut request = Request::new(Body::from(asked.body.clone()));
        request.method_mut().clone_from(&head.method);
        request.uri_mut().clone_from(&head.uri);
        request.headers_mut().clone_from(&head.headers);
        request.extensions_mut().clone_from(&head.extensions);
        self.server.clone().answer(request).await
    }

    /// Lets the live API server answer: a read of what the simulation knows nothing of, or a question about rights.
    pub(super) async fn through(&self, head: &Parts, asked: Asked) -> Result<Response, Answer> {
        let is_review =
            head.method == Method::POST && Aim::of(head.uri.path()).is_some_and(|it| it.plural.ends_with("reviews"));
        if !matches!(head.method, Method::GET | Method::HEAD) && !is_review {
            let what = format!("what a write to {} does: this kind cannot be simulated", head.uri.path());
            return Err(Status::beyond_overlay(what).into());
        }
        let server = &self.server;
        if is_review {
            server.tell_reviewed(Author::Client, &serde_json::from_slice(&asked.body).unwrap_or_default());
        } else if let Some(aim) = Aim::of(head.uri.path()) {
            server.tell_passed(reads(Some(&aim), &asked.query), aim);
        }
        let mut request = http::Request::new(asked.body);
        request.method_mut().clone_from(&head.method);
        *request.uri_mut() = head.uri.clone();
        for name in [header::ACCEPT, header::CONTENT_TYPE, header::UPGRADE] {
            if let Some(value) = head.headers.get(&name) {
                request.headers_mut().insert(name, value.clone());
            }
        }
        let goes_on = Query::of(head.uri.query().unwrap_or_default());
        let goes_on = goes_on.flag("watch") || goes_on.flag("follow");
        let (answer, body) = self.beneath().gate.pass(request).await.map_err(shut)?.into_parts();
        let body = if goes_on {
            Body::new(body)
        } else {
            // As long as somebody reads, no simulated time passes: what ends is read to its end here.
            let whole = body.collect().await.map_err(|why| Miss::Lost(why.to_string()))?;
            Body::from(whole.to_bytes())
        };
        let mut response = Response::new(body);
        *response.status_mut() = answer.status;
        if let Some(media) = answer.headers.get(header::CONTENT_TYPE) {
            response.headers_mut().insert(header::CONTENT_TYPE, media.clone());
        }
        Ok(response)
    }

    /// Who a writer is.
    pub(crate) fn writer(&self, asked: &Asked) -> String {
        match self.asker {
            Asker::Run => RUN.to_owned(),
            Asker::Actor => asked.query.get("fieldManager").unwrap_or("stand-in").to_owned(),
        }
    }
}

fn shut(shut: Shut) -> Answer {
    match shut {
        Shut::Refused(why) => Status::beyond_overlay(why).into(),
        Shut::Lost(why) => Miss::Lost(why).into(),
    }
}

/// The live server does not have such a kind.
fn is_unserved(miss: &Miss) -> bool {
    matches!(miss, Miss::Refused { code: 404, .. })
}
