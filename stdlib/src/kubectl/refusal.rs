//! Turns what an API server refuses, and answers that never came, into faults. The only place that does.
//!
//! Does not know what a primitive makes of it: whether a conflict may be overcome, or a lost answer read back.

use kube::Error;
use runbook_core::{Code, Fault};
use serde_json::{Value, json};

use super::request::Asked;
use crate::cluster::{Cause, Sent, WireError};

/// Key of [`Fault::detail`] that says what became of a write without an answer: `not done` or `unknown`.
const OUTCOME: &str = "outcome";

/// Whether nobody knows what became of a write: it must be read back, never sent again blindly.
pub fn outcome_unknown(fault: &Fault) -> bool {
    fault.detail.get(OUTCOME).is_some_and(|outcome| outcome == "unknown")
}

/// The HTTP status of a refusal; `None` where there was no answer.
pub fn status(fault: &Fault) -> Option<u64> {
    fault.detail.get("status").and_then(Value::as_u64)
}

/// Whether the object itself is not there, as opposed to its kind or its namespace.
pub fn object_absent(fault: &Fault) -> bool {
    fault.code == Code::NotFound && fault.detail.get("absent").is_some_and(|absent| absent == "object")
}

/// The fault for a request without an answer.
pub(crate) fn unanswered(error: &Error, asked: &Asked) -> Fault {
    let wire = match error {
        Error::Service(inner) => inner.downcast_ref::<WireError>(),
        _ => None,
    };
    let (cause, sent, tries, reason) = match wire {
        Some(wire) => (wire.cause, wire.sent, wire.tries, wire.reason.clone()),
        None => (Cause::Lost, Sent::Perhaps, 1, error.to_string()),
    };
    let times = if tries > 1 { format!(" after {tries} tries") } else { String::new() };
    let doing = doing(asked);
    let fault = match (cause, asked.writes(), sent) {
        (Cause::TooLarge, ..) => Fault::new(Code::TooLarge, format!("cannot {doing}: {reason}")),
        (Cause::Trust, ..) => Fault::new(Code::Network, format!("cannot {doing}: {reason}"))
            .hint("check the context's certificates and credentials; nothing was done"),
        (Cause::Lost, false, _) => Fault::new(Code::Network, format!("cannot {doing}{times}: {reason}")).retryable(),
        (Cause::Lost, true, Sent::No) => {
            Fault::new(Code::Network, format!("cannot {doing}{times}: {reason}; nothing was sent, nothing was done"))
                .retryable()
        }
        (Cause::Lost, true, Sent::Perhaps) => {
            Fault::new(Code::Network, format!("the answer was lost when asked to {doing}: {reason}"))
        }
    };
    let unknown = cause == Cause::Lost && asked.writes() && sent == Sent::Perhaps;
    let fault = if asked.writes() { fault.with(OUTCOME, if unknown { "unknown" } else { "not done" }) } else { fault };
    fault.about(asked.object.clone())
}

fn doing(asked: &Asked) -> String {
    match &asked.namespace {
        Some(namespace) => format!("{} {} in namespace `{namespace}`", asked.verb, asked.object),
        None => format!("{} {}", asked.verb, asked.object),
    }
}

/// The fault for an answer with an error's status.
pub(crate) fn refused(code: u16, body: &[u8], asked: &Asked) -> Fault {
    let status = serde_json::from_slice::<Value>(body).ok().filter(|status| status["kind"] == "Status");
    let plain = || String::from_utf8_lossy(&body[..body.len().min(300)]).trim().to_owned();
    let message = status.as_ref().and_then(|status| status["message"].as_str()).map_or_else(plain, str::to_owned);
    let status = status.unwrap_or_default();
    let reason = status["reason"].as_str().unwrap_or_default();
    let fault = match code {
        401 => {
            Fault::new(Code::Forbidden, format!("cannot {}: the cluster does not accept the credentials", doing(asked)))
                .hint("log in again, or choose another context")
        }
        403 => forbidden(&message, asked),
        404 => absent(&status, &message, asked),
        409 if reason == "AlreadyExists" => Fault::new(Code::Conflict, format!("{} exists already", asked.object)),
        409 => conflict(&status, &message, asked),
        410 => Fault::new(Code::Incomplete, format!("cannot {}: {message}", doing(asked)))
            .with("expired", true)
            .retryable(),
        413 => Fault::new(Code::TooLarge, format!("cannot {}: {message}", doing(asked))),
        429 => Fault::new(Code::Network, format!("cannot {}: {message}", doing(asked))).retryable(),
        400..=499 => rejected(&message, asked),
        // What does not fit a kind's schema: said with a 500, though it is a no.
        500 if message.contains("typed patch object") => rejected(&message, asked),
        _ => failed(code, &message, asked),
    };
    let causes = status["details"]["causes"].as_array().map_or(&[][..], Vec::as_slice);
    let fault = causes.iter().map(cause).fold(fault, Fault::seen);
    let reason = if reason.is_empty() { Value::Null } else { Value::from(reason) };
    fault.about(asked.object.clone()).with("status", code).with("reason", reason)
}

fn cause(cause: &Value) -> String {
    let text = |key: &str| cause[key].as_str().unwrap_or_default();
    if text("field").is_empty() {
        text("message").to_owned()
    } else {
        format!("{}: {}", text("field"), text("message"))
    }
}

fn forbidden(message: &str, asked: &Asked) -> Fault {
    // Authorization says who cannot do what; admission, which answers 403 too, does not.
    if !message.contains("forbidden: User ") {
        return rejected(message, asked);
    }
    let kind = if asked.plural.is_empty() { &asked.object } else { &asked.plural };
    Fault::new(Code::Forbidden, format!("not permitted to {}: {message}", doing(asked)))
        .hint(format!("the account needs a role that allows `{}` on `{kind}`", asked.verb))
}

fn absent(status: &Value, message: &str, asked: &Asked) -> Fault {
    let details = &status["details"];
    let (kind, name) = (details["kind"].as_str().unwrap_or_default(), details["name"].as_str().unwrap_or_default());
    if name.is_empty() {
        return Fault::new(
            Code::NotFound,
            format!("cannot {}: the cluster does not serve that kind there", doing(asked)),
        )
        .seen(message)
        .with("absent", "kind");
    }
    if kind == "namespaces" && asked.plural != "namespaces" {
        return Fault::new(Code::NotFound, format!("cannot {}: the namespace does not exist", doing(asked)))
            .with("absent", "namespace");
    }
    let place = asked.namespace.as_ref().map(|ns| format!(" in namespace `{ns}`")).unwrap_or_default();
    Fault::new(Code::NotFound, format!("{} does not exist{place}", asked.object)).with("absent", "object")
}

fn conflict(status: &Value, message: &str, asked: &Asked) -> Fault {
    let owners = field_owners(status);
    if owners.is_empty() {
        return Fault::new(Code::Conflict, format!("cannot {}: {message}", doing(asked)))
            .hint("it was changed meanwhile; read it again")
            .retryable();
    }
    let words: Vec<String> =
        owners.iter().map(|(manager, fields)| format!("`{manager}` owns {}", fields.join(", "))).collect();
    let detail: Vec<Value> =
        owners.iter().map(|(manager, fields)| json!({ "manager": manager, "fields": fields })).collect();
    Fault::new(Code::Conflict, format!("cannot {}: {}", doing(asked), words.join("; ")))
        .hint("`on_conflict: \"force\"` takes the fields over, `\"keep\"` leaves them as they are")
        .with("conflicts", detail)
}

/// Who owns which fields of a server-side apply that failed, in the server's order.
fn field_owners(status: &Value) -> Vec<(String, Vec<String>)> {
    let mut owners: Vec<(String, Vec<String>)> = Vec::new();
    for cause in status["details"]["causes"].as_array().map_or(&[][..], Vec::as_slice) {
        if cause["reason"] != "FieldManagerConflict" {
            continue;
        }
        let message = cause["message"].as_str().unwrap_or_default();
        let manager = message.split('"').nth(1).unwrap_or(message).to_owned();
        let field = cause["field"].as_str().unwrap_or_default().to_owned();
        match owners.iter_mut().find(|(known, _)| *known == manager) {
            Some((_, fields)) => fields.push(field),
            None => owners.push((manager, vec![field])),
        }
    }
    owners
}

fn rejected(message: &str, asked: &Asked) -> Fault {
    Fault::new(Code::Rejected, format!("cannot {}: {message}", doing(asked)))
}

fn failed(code: u16, message: &str, asked: &Asked) -> Fault {
    let fault = Fault::new(Code::Network, format!("cannot {}: the server answers {code}: {message}", doing(asked)));
    if !asked.writes() {
        return fault.retryable();
    }
    // Admission comes before storage: where a webhook could not be asked, nothing was stored.
    if message.contains("failed calling webhook") {
        return fault.with(OUTCOME, "not done").hint("the webhook's service does not answer: is it up?").retryable();
    }
    fault.with(OUTCOME, "unknown")
}
