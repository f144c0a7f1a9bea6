//! Asks the live API server what it would say to a write, with its own dry run: admission, quota, rights, conflicts.
//!
//! Only of objects that stand in the live cluster as the run sees them: of any other the server would judge something else. Not
//! known here: what the write does in the plan.

use axum::body::Bytes;
use http::{Method, Request, header};
use serde_json::{Value, json};

use super::{
    around::{MUTATING, VALIDATING},
    beneath::Beneath,
    book::Check,
    door::{Door, Visit},
    gate::Shut,
    scope::{Base, Place as Spot},
};
use crate::{
    resource::GroupResource,
    server::{Answer, Place, body_of, media},
    status::Status,
};

/// What comes of asking.
pub(crate) enum Verdict {
    /// The plan may take the write in. Where the live API server accepts it, it would make this of it.
    Goes(Check, Option<Value>),
    /// The live API server refuses it, in these words.
    Stops(u16, Bytes),
}

impl Verdict {
    /// The live API server was not asked, or its answer does not count, for this reason.
    pub(crate) fn unasked(why: impl Into<String>) -> Self {
        Self::Goes(Check::Unasked(why.into()), None)
    }
}

/// Asks, where that is wanted and says something.
pub(crate) async fn judge(door: &Door, visit: &Visit<'_>, spot: &Spot) -> Result<Verdict, Answer> {
    let beneath = door.beneath();
    if let Some(why) = idle(beneath, visit, spot) {
        return Ok(Verdict::unasked(why));
    }
    let request = request(visit)?;
    Ok(match beneath.gate.send(request).await {
        Err(Shut::Refused(why) | Shut::Lost(why)) => Verdict::unasked(why),
        Ok(reply) if reply.code < 300 => {
            Verdict::Goes(Check::Accepted, Some(serde_json::from_slice(&reply.body).unwrap_or_default()))
        }
        Ok(reply) => {
            let said: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
            let message = said["message"].as_str().unwrap_or_default();
            match weigh(reply.code, message) {
                Weight::None(why) => Verdict::unasked(format!("{why}: {message}")),
                Weight::Full if reply.code != 409 && plan_decides(beneath, &visit.place) => {
                    let why =
                        format!("it refuses this as things stand now, and the plan changes what decides: {message}");
                    beneath.book.unknown(format!("whether {} {} is accepted", spot.0.words(), spot.1), why.clone());
                    Verdict::unasked(why)
                }
                Weight::Full => Verdict::Stops(reply.code, reply.body),
            }
        }
    })
}

/// Why the live API server is not asked about a write; none where it is.
fn idle(beneath: &Beneath, visit: &Visit<'_>, spot: &Spot) -> Option<&'static str> {
    if !beneath.gate.validates() {
        return Some("nothing is sent to the live API server to be judged");
    }
    if spot.1.is_empty() || !["update", "patch", "delete"].contains(&visit.verb) {
        return Some("the object is new");
    }
    if !["", "status", "scale"].contains(&visit.place.below.as_str()) {
        return Some("it is no write of the object itself");
    }
    match beneath.base(spot) {
        Some(Base::Live(_)) if beneath.is_touched(spot) => Some("the plan has changed the object already"),
        Some(Base::Live(_)) => None,
        _ => Some("the object is new"),
    }
}

/// The same write, with a word that nothing is to be kept of it wherever the server looks for one.
fn request(visit: &Visit<'_>) -> Result<Request<Bytes>, Answer> {
    let (head, asked) = (visit.head, &visit.asked);
    let mut query: Vec<&str> =
        head.uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty()).collect();
    query.push("dryRun=All");
    let mut body = asked.body.clone();
    if head.method == Method::DELETE {
        let sent = body_of(media(&asked.headers), &body)?;
        // Options in a body are the only ones that count, so there is always one.
        let mut options = sent.unwrap_or_else(|| json!({ "kind": "DeleteOptions", "apiVersion": "v1" }));
        options["dryRun"] = json!(["All"]);
        body = options.to_string().into();
    }
    let mut request =
        Request::builder().method(head.method.clone()).uri(format!("{}?{}", head.uri.path(), query.join("&")));
    request = match head.headers.get(header::CONTENT_TYPE).filter(|_| head.method != Method::DELETE) {
        Some(media) => request.header(header::CONTENT_TYPE, media),
        None => request.header(header::CONTENT_TYPE, "application/json"),
    };
    let request = request.header(header::ACCEPT, "application/json").body(body);
    request.map_err(|why| Status::bad_request(why.to_string()).into())
}

/// What the live API server's answer says about what the plan made of the same write.
pub(crate) fn compared(door: &Door, visit: &Visit<'_>, spot: &Spot, answer: &Value, after: Option<&Value>) -> Check {
    // The answer to a deletion is not the object that is left.
    let Some(after) = after.filter(|_| visit.verb != "delete") else { return Check::Accepted };
    let mut fields = Vec::new();
    differing("", answer, after, &mut fields);
    if fields.is_empty() {
        return Check::Accepted;
    }
    let what = format!("what becomes of {} {}", spot.0.words(), spot.1);
    let because = format!("the live API server would make something else of {}", fields.join(", "));
    door.beneath().book.unknown(what, because);
    Check::Otherwise(fields)
}

/// The fields in which two objects differ, without what says only when something was written. A kind that one of them does not name is
/// no difference.
fn differing(path: &str, one: &Value, other: &Value, found: &mut Vec<String>) {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let keys: std::collections::BTreeSet<&String> = one.keys().chain(other.keys()).collect();
            for key in keys {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                if TIDE.contains(&path.as_str()) {
                    continue;
                }
                match (one.get(key), other.get(key)) {
                    (Some(one), Some(other)) => differing(&path, one, other, found),
                    _ => found.push(path),
                }
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (index, (one, other)) in one.iter().zip(other).enumerate() {
                differing(&format!("{path}[{index}]"), one, other, found);
            }
        }
        _ if one == other => {}
        _ => found.push(path.to_owned()),
    }
}

/// What comes and goes with every write.
const TIDE: [&str; 6] =
    ["apiVersion", "kind", "metadata.generation", "metadata.managedFields", "metadata.resourceVersion", "status"];

/// What a refusal says about the real write.
enum Weight {
    /// The same would be said to it.
    Full,
    /// Nothing, for this reason.
    None(&'static str),
}

fn weigh(code: u16, message: &str) -> Weight {
    match code {
        403 if message.contains("is forbidden: User ") => Weight::None("it may not be asked"),
        400 if message.contains("does not support dry run") => {
            Weight::None("not everybody who is asked there supports that")
        }
        500 if message.contains("failed calling webhook") => Weight::Full,
        429 | 500.. => Weight::None("it cannot say"),
        _ => Weight::Full,
    }
}

/// Does the plan change who has a say in it: its kind, its namespace, a webhook?
fn plan_decides(beneath: &Beneath, place: &Place) -> bool {
    let definition = format!("{}.{}", place.kind.plural, place.kind.group);
    let definitions = GroupResource::new("apiextensions.k8s.io", "customresourcedefinitions");
    let namespaces = GroupResource::new("", "namespaces");
    let webhooks = [GroupResource::from(MUTATING), GroupResource::from(VALIDATING)];
    beneath.is_touched(&(definitions, definition.into()))
        || beneath.is_touched(&(namespaces, place.namespace.as_str().into()))
        || beneath
            .touched()
            .iter()
            .any(|spot| webhooks.contains(&spot.0) && matches!(beneath.base(spot), Some(Base::Live(_))))
}
