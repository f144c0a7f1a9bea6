//! The one door to the live cluster: what may pass, and what has passed.
//!
//! Reads, watches and questions about one's own rights; and, where that is wanted, writes that the API server itself is told not to
//! carry out. Nothing else leaves, whatever anybody beyond this file believes. Not known here: what answers are good for.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use axum::body::Bytes;
use http::{HeaderMap, Method, Request, Response, header};
use http_body_util::BodyExt as _;
use kube::{Client, client::Body};
use serde_json::Value;

use crate::server::Query;

/// Whether the live API server is asked what it would say to a write, with its own dry run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Validation {
    /// Where an object exists and the plan has not changed it.
    #[default]
    Ask,
    /// Never.
    Skip,
}

/// What was asked of the live cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Passage {
    /// `get`, `list`, `watch`, `review`, or the verb of a write with ` (dry run)` behind it.
    pub verb: String,
    /// The API group, empty for the core one.
    pub group: String,
    /// The resource, with a slash and the subresource where one was asked for; the path where no resource was.
    pub resource: String,
    /// The namespace, empty for none or all.
    pub namespace: String,
}

/// Why there is no answer.
#[derive(Clone, Debug)]
pub(crate) enum Shut {
    /// It may not pass.
    Refused(String),
    /// It left, and nothing came back.
    Lost(String),
}

/// An answer that was read to its end.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) code: u16,
    pub(crate) body: Bytes,
}

/// The door.
pub(crate) struct Gate {
    live: Client,
    validation: Validation,
    passed: Mutex<BTreeMap<Passage, u64>>,
}

impl Gate {
    pub(crate) fn new(live: Client, validation: Validation) -> Self {
        Self { live, validation, passed: Mutex::default() }
    }

    /// Are writes sent to be judged?
    pub(crate) fn validates(&self) -> bool {
        self.validation == Validation::Ask
    }

    /// What has passed, and how often.
    pub(crate) fn passed(&self) -> Vec<(Passage, u64)> {
        let passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
        passed.iter().map(|(request, times)| (request.clone(), *times)).collect()
    }

    /// Reads a path to its end.
    pub(crate) async fn read(&self, uri: &str, accept: &str) -> Result<Reply, Shut> {
        let request = Request::get(uri).header(header::ACCEPT, accept).body(Bytes::new());
        self.send(request.map_err(|why| Shut::Refused(why.to_string()))?).await
    }

    /// Sends a request, if it may pass, and reads the answer to its end.
    pub(crate) async fn send(&self, request: Request<Bytes>) -> Result<Reply, Shut> {
        let (head, body) = self.pass(request).await?.into_parts();
        let body = body.collect().await.map_err(|why| Shut::Lost(why.to_string()))?.to_bytes();
        Ok(Reply { code: head.status.as_u16(), body })
    }

    /// Sends a request, if it may pass. Every request to the live cluster goes through here.
    pub(crate) async fn pass(&self, request: Request<Bytes>) -> Result<Response<Body>, Shut> {
        let verb = self.verb(&request).map_err(Shut::Refused)?;
        let asked = asked(verb, request.uri().path());
        *self.passed.lock().unwrap_or_else(PoisonError::into_inner).entry(asked).or_default() += 1;
        let request = request.map(|body| Body::from(body.to_vec()));
        self.live.send(request).await.map_err(|why| Shut::Lost(in_words(&why)))
    }

    /// What a request does, in a word; why it may not pass, where it may not.
    fn verb(&self, request: &Request<Bytes>) -> Result<String, String> {
        let (method, uri) = (request.method(), request.uri());
        let refused = |why: &str| Err(format!("{method} {} does not leave for the live cluster: {why}", uri.path()));
        if request.headers().contains_key(header::UPGRADE) {
            return refused("it switches protocols, and what happens then nobody sees");
        }
        let aim = Aim::of(uri.path());
        if aim.as_ref().is_some_and(|aim| REACHES_IN.contains(&aim.below.as_str())) {
            return refused("it reaches into what runs there");
        }
        let query = Query::of(uri.query().unwrap_or_default());
        match *method {
            Method::GET | Method::HEAD => Ok(reads(aim.as_ref(), &query).to_owned()),
            Method::POST if REVIEWS.contains(&uri.path()) => Ok("review".to_owned()),
            _ if self.validation == Validation::Skip => refused("it is a write"),
            _ => match aim.and_then(|aim| judged(&aim, request, &query)) {
                Some(verb) => Ok(format!("{verb} (dry run)")),
                None => refused("it is a write, and not one that the server is told not to carry out"),
            },
        }
    }
}

/// The verb of a read.
pub(crate) fn reads(aim: Option<&Aim>, query: &Query) -> &'static str {
    match aim {
        _ if query.flag("watch") => "watch",
        Some(aim) if aim.name.is_empty() => "list",
        _ => "get",
    }
}

/// Questions about the rights of whoever asks.
const REVIEWS: [&str; 2] =
    ["/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"];

/// What lies below an object and acts, even when it is only read.
const REACHES_IN: [&str; 4] = ["exec", "attach", "portforward", "proxy"];

/// The verb of a write of one object that says of itself, in every place where the server looks, that it is a dry run.
fn judged(aim: &Aim, request: &Request<Bytes>, query: &Query) -> Option<&'static str> {
    let all: Vec<&str> = query.all("dryRun").collect();
    if all != ["All"] || !["", "status", "scale"].contains(&aim.below.as_str()) {
        return None;
    }
    match *request.method() {
        Method::PUT if !aim.name.is_empty() => Some("update"),
        Method::PATCH if !aim.name.is_empty() => Some("patch"),
        // Options in the body are the only ones that count.
        Method::DELETE if !aim.name.is_empty() => {
            let options: Value = serde_json::from_slice(request.body()).ok()?;
            (options["dryRun"] == serde_json::json!(["All"])).then_some("delete")
        }
        _ => None,
    }
}

/// What a path is about, whatever kinds there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Aim {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) namespace: String,
    pub(crate) plural: String,
    pub(crate) name: String,
    pub(crate) below: String,
}

impl Aim {
    /// Reads a path; none where it is about no resource.
    pub(crate) fn of(path: &str) -> Option<Self> {
        let words: Vec<&str> = path.split('/').filter(|word| !word.is_empty()).collect();
        let (group, version, rest) = match words.as_slice() {
            ["api", version, rest @ ..] => ("", *version, rest),
            ["apis", group, version, rest @ ..] => (*group, *version, rest),
            _ => return None,
        };
        let (namespace, rest) = match rest {
            ["namespaces", _] | ["namespaces", _, "status" | "finalize"] => ("", rest),
            ["namespaces", namespace, rest @ ..] => (*namespace, rest),
            _ => ("", rest),
        };
        let word = |at: usize| rest.get(at).copied().unwrap_or_default().to_owned();
        let plural = word(0);
        (!plural.is_empty()).then(|| Self {
            group: group.to_owned(),
            version: version.to_owned(),
            namespace: namespace.to_owned(),
            plural,
            name: word(1),
            below: word(2),
        })
    }
}

fn asked(verb: String, path: &str) -> Passage {
    match Aim::of(path) {
        None => Passage { verb, group: String::new(), resource: path.to_owned(), namespace: String::new() },
        Some(aim) => {
            let below = if aim.below.is_empty() { String::new() } else { format!("/{}", aim.below) };
            let resource = format!("{}{below}", aim.plural);
            Passage { verb, group: aim.group, resource, namespace: aim.namespace }
        }
    }
}

/// An error with what lies beneath it.
fn in_words(error: &(dyn std::error::Error + 'static)) -> String {
    let mut words = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let more = cause.to_string();
        if !words.contains(&more) {
            words = format!("{words}: {more}");
        }
        next = cause.source();
    }
    words
}
