//! Carries the requests of a case to one place, one after the other, and collects the answers.
//!
//! Not known here: what the other place said.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::TryStreamExt;
use http::{Method, Request, Response};
use http_body_util::BodyExt;
use kube::client::Body;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::case::{Case, Step};
use crate::normal::Normal;
use crate::place::{AGENT, Place};

/// How long a `WATCH` waits, of real time.
const WATCHED: Duration = Duration::from_millis(1500);

/// What earlier answers gave.
type Kept = BTreeMap<String, Value>;

/// The answers to all steps of a case.
pub(crate) async fn run(place: &Place, case: &Case) -> Vec<Answer> {
    let mut kept = Kept::from([("ns".to_owned(), case.namespace.as_str().into())]);
    let mut normal = Normal::default();
    let namespace = json!({ "metadata": { "name": case.namespace } });
    let begin = Step { request: "POST /api/v1/namespaces".to_owned(), body: Some(namespace), ..Step::default() };
    drop(send(place, &begin, &kept).await);
    let mut answers = Vec::new();
    for step in &case.steps {
        let raw = match step.parts().0 {
            "UNTIL" => until(place, step, &kept).await,
            _ => send(place, step, &kept).await,
        };
        if std::env::var("CONFORMANCE_SHOW").is_ok() {
            eprintln!("{} | {} | {}\n{:#}", case.title(), place.name(), step.request, raw.as_value());
        }
        for (name, pointer) in &step.keep {
            kept.insert(name.clone(), raw.body.pointer(pointer).cloned().unwrap_or_default());
        }
        answers.push(normal.of(step, raw));
    }
    answers
}

/// Asks again and again until the answer has what the step waits for, or patience ends.
async fn until(place: &Place, step: &Step, kept: &Kept) -> Answer {
    let begun = std::time::Instant::now();
    loop {
        let answer = send(place, step, kept).await;
        let holds = |(pointer, value): (&String, &Value)| {
            answer.as_value().pointer(pointer).unwrap_or(&Value::Null) == &filled(value, kept)
        };
        if step.has.iter().all(holds) || begun.elapsed() > place.patience() {
            return answer;
        }
        place.wait().await;
    }
}

async fn send(place: &Place, step: &Step, kept: &Kept) -> Answer {
    let (verb, path) = step.parts();
    let (method, kind) = match verb {
        "MERGE" => (Method::PATCH, "application/merge-patch+json"),
        "STRATEGIC" => (Method::PATCH, "application/strategic-merge-patch+json"),
        "JSON-PATCH" => (Method::PATCH, "application/json-patch+json"),
        "APPLY" => (Method::PATCH, "application/apply-patch+yaml"),
        "WATCH" | "UNTIL" => (Method::GET, "application/json"),
        other => (other.parse().unwrap(), "application/json"),
    };
    let path = filled_text(path, kept).replace(' ', "%20");
    let mut request = Request::builder().method(method).uri(path).header("user-agent", AGENT);
    request = request.header("accept", step.accept.as_deref().unwrap_or("application/json"));
    let body = match (&step.body, &step.raw) {
        (Some(body), _) => filled(body, kept).to_string(),
        (None, Some(raw)) => filled_text(raw, kept),
        (None, None) => String::new(),
    };
    if !body.is_empty() {
        request = request.header("content-type", step.content_type.as_deref().unwrap_or(kind));
    }
    let request = request.body(Body::from(body.into_bytes())).unwrap();
    match place.client.send(request).await {
        Ok(response) if verb == "WATCH" => watched(response, step.events.unwrap_or(1)).await,
        Ok(response) => whole(response).await,
        Err(error) => panic!("`{}` to {}: {error}", step.request, place.name()),
    }
}

async fn whole(response: Response<Body>) -> Answer {
    let (head, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    answer(&head, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// The events of a watch: as many as are waited for, or those that came in time.
async fn watched(response: Response<Body>, events: usize) -> Answer {
    let (head, body) = response.into_parts();
    if !head.status.is_success() {
        return whole(Response::from_parts(head, body)).await;
    }
    let (mut seen, mut rest) = (Vec::new(), Vec::new());
    let mut stream = body.into_data_stream();
    let end = tokio::time::Instant::now() + WATCHED;
    while seen.len() < events {
        let Ok(Ok(Some(bytes))) = tokio::time::timeout_at(end, stream.try_next()).await else { break };
        rest.extend_from_slice(&bytes);
        while let Some(line) = rest.iter().position(|byte| *byte == b'\n') {
            let event: Vec<u8> = rest.drain(..=line).collect();
            seen.push(serde_json::from_slice(&event).unwrap());
        }
    }
    // How many more came with the last of them is chance.
    seen.truncate(events);
    answer(&head, Value::Array(seen))
}

fn answer(head: &http::response::Parts, body: Value) -> Answer {
    let texts = |name: &str| {
        head.headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    Answer {
        status: head.status.as_u16(),
        content_type: texts("content-type").next().unwrap_or_default(),
        warnings: texts("warning").collect(),
        body,
    }
}

/// A value with what was kept in place of `$name`.
fn filled(value: &Value, kept: &Kept) -> Value {
    match value {
        Value::String(text) => match text.strip_prefix('$').and_then(|name| kept.get(name)) {
            Some(whole) => whole.clone(),
            None => filled_text(text, kept).into(),
        },
        Value::Array(items) => items.iter().map(|item| filled(item, kept)).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(key, value)| (filled_text(key, kept), filled(value, kept))).collect()
        }
        other => other.clone(),
    }
}

fn filled_text(text: &str, kept: &Kept) -> String {
    let mut text = text.to_owned();
    // The longest names first: `$uid2` is not `$uid` and a `2`.
    let mut names: Vec<_> = kept.iter().collect();
    names.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
    for (name, value) in names {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        text = text.replace(&format!("${name}"), &value);
    }
    text
}
