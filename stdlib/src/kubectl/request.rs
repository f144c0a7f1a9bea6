//! One request to an API server and its answer, as plain values: nothing of an object is lost on the way.
//!
//! Does not know kinds; limits and retries are in the client already.

use http::header::{ACCEPT, CONTENT_TYPE};
use http::request::Builder;
use http::{Request, Response};
use kube::Client;
use kube::client::Body;
use runbook_core::{Code, Fault};
use serde_json::Value;

use super::refusal;

/// What an API server takes in at most; etcd's own limit.
const LARGEST: usize = 1_536 * 1024;

/// What a request is about, for the words of a fault.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// The API's verb, such as `get` or `patch`.
    pub(crate) verb: &'static str,
    /// The object in kubectl's form, such as `deployment/web`, or the kind.
    pub(crate) object: String,
    /// The plural name of the kind; empty where there is none.
    pub(crate) plural: String,
    /// The namespace, where there is one.
    pub(crate) namespace: Option<String>,
}

impl Asked {
    /// For requests that are about no kind.
    pub(crate) fn about(verb: &'static str, object: &str) -> Self {
        Self { verb, object: object.to_owned(), plural: String::new(), namespace: None }
    }

    /// Whether it changes something.
    pub(crate) fn writes(&self) -> bool {
        !matches!(self.verb, "get" | "list" | "watch" | "discover" | "ask" | "read")
    }
}

/// A GET.
pub(crate) fn get(path: &str) -> Builder {
    Request::get(path)
}

/// Sends a request and reads its answer as JSON.
///
/// Faults as [`refusal`] maps them; `RB028` for a body above 1.5 MiB, before it is sent.
pub(crate) async fn answer(client: &Client, request: Builder, body: Vec<u8>, asked: &Asked) -> Result<Value, Fault> {
    let bytes = bytes(client, request, body, asked).await?;
    let senseless = |reason: String| {
        Fault::new(Code::Network, format!("the answer about {} makes no sense: {reason}", asked.object))
            .about(asked.object.clone())
            .hint("is a proxy or a login page between here and the API server?")
    };
    let answer: Value = serde_json::from_slice(&bytes).map_err(|error| senseless(error.to_string()))?;
    if answer.is_object() { Ok(answer) } else { Err(senseless("it is no object".to_owned())) }
}

/// Sends a request and gives the answer's bytes.
pub(crate) async fn bytes(client: &Client, request: Builder, body: Vec<u8>, asked: &Asked) -> Result<Vec<u8>, Fault> {
    let response = open(client, request, body, asked).await?;
    let collected = response.into_body().collect_bytes().await;
    Ok(collected.map_err(|error| refusal::unanswered(&error, asked))?.to_vec())
}

/// Sends a request and gives the answer as soon as it begins; refusals are read to their end.
pub(crate) async fn open(
    client: &Client,
    request: Builder,
    body: Vec<u8>,
    asked: &Asked,
) -> Result<Response<Body>, Fault> {
    if body.len() > LARGEST {
        return Err(Fault::new(
            Code::TooLarge,
            format!(
                "{} is too large: {} bytes, an API server takes at most {LARGEST}; nothing was sent",
                asked.object,
                body.len()
            ),
        )
        .about(asked.object.clone()));
    }
    let mut request = request.body(body).map_err(|error| {
        Fault::new(Code::WrongArgument, format!("no request can be made for {}: {error}", asked.object))
    })?;
    let headers = request.headers_mut();
    headers.entry(ACCEPT).or_insert(http::HeaderValue::from_static("application/json"));
    if asked.writes() || !request.body().is_empty() {
        request.headers_mut().entry(CONTENT_TYPE).or_insert(http::HeaderValue::from_static("application/json"));
    }
    let response = client.send(request.map(Body::from)).await.map_err(|error| refusal::unanswered(&error, asked))?;
    let status = response.status().as_u16();
    if status < 400 {
        return Ok(response);
    }
    let body = response.into_body().collect_bytes().await.unwrap_or_default();
    Err(refusal::refused(status, &body, asked))
}
