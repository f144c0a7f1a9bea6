//! What a kind may look like: unknown fields out, defaults in, faults named, owners noted.
//!
//! Not known here: where schemas come from, and the road of a request.

use std::sync::{Arc, LazyLock, PoisonError};

use base64::{DecodeError, Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde_json::Value;

use super::{
    Server, metadata,
    order::{Checking, Order},
    scale, strategy,
};
use crate::{
    actor::json::{as_map, name},
    apply, defaults,
    kind::{self, Kind, Source},
    schema::{Document, FieldError, FieldErrorKind, Schema},
    status::{Cause, Status},
};

/// A schema that has been read already, and of which kind exactly.
pub(crate) struct Known {
    kind: Arc<Kind>,
    schema: Option<Schema>,
}

/// All recorded kinds share their schemas.
static RECORDED: LazyLock<Arc<Document>> = LazyLock::new(|| Arc::new(Document::recorded()));

/// The schemas of all recorded kinds.
pub(crate) fn recorded() -> &'static Arc<Document> {
    &RECORDED
}

/// The schema of a kind, none where it has none that could be read.
pub(crate) fn schema(server: &Server, kind: &Arc<Kind>) -> Option<Schema> {
    let key = format!("{}/{}/{}", kind.group, kind.version, kind.kind);
    let mut schemas = server.schemas.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = schemas.get(&key)
        && Arc::ptr_eq(&known.kind, kind)
    {
        return known.schema.clone();
    }
    let schema = match &kind.source {
        Source::BuiltIn => Schema::of_record(recorded(), &kind.group, &kind.version, &kind.kind),
        Source::Custom(custom) => Schema::of_crd(custom.schema()).ok(),
    };
    schemas.insert(key, Known { kind: kind.clone(), schema: schema.clone() });
    schema
}

/// Takes out what the kind does not have; says what that was.
pub(crate) fn prune(server: &Server, kind: &Arc<Kind>, object: &mut Value) -> Vec<String> {
    let Some(schema) = schema(server, kind) else { return Vec::new() };
    let mut unknown = schema.prune(object);
    unknown.sort();
    unknown.into_iter().map(|path| format!("unknown field \"{path}\"")).collect()
}

/// Fills in what is left to the kind.
pub(crate) fn default(server: &Server, kind: &Arc<Kind>, object: &mut Value) {
    kind::as_go_writes(kind, object);
    if let Some(schema) = schema(server, kind) {
        schema.default(object);
    }
    if matches!(kind.source, Source::BuiltIn) {
        defaults::fill(&kind.group, &kind.plural, object);
        kind::as_go_writes(kind, object);
    }
}

/// Unknown fields of an object, and those that were sent twice, dealt with as the order says.
pub(crate) fn unknown(server: &Server, order: &Order, object: &mut Value) -> Result<Vec<String>, Status> {
    let mut found: Vec<_> = order.doubled.iter().map(|path| format!("duplicate field \"{path}\"")).collect();
    found.extend(prune(server, &order.place.kind, object));
    match order.checking {
        Checking::Ignore => Ok(Vec::new()),
        Checking::Strict if !found.is_empty() => {
            let kind = &order.place.kind;
            Err(Status::bad_request(format!(
                "{} in version \"{}\" cannot be handled as a {}: strict decoding error: {}",
                kind.kind,
                kind.version,
                kind.kind,
                found.join(", ")
            )))
        }
        _ => Ok(found),
    }
}

/// After a webhook has changed an object.
pub(crate) fn reread(server: &Server, kind: &Arc<Kind>, object: &mut Value) {
    prune(server, kind, object);
    strategy::convert(kind, object);
    default(server, kind, object);
}

/// Refuses what the kind does not allow.
pub(crate) fn check(server: &Server, kind: &Arc<Kind>, new: &Value, old: Option<&Value>) -> Result<(), Status> {
    let mut causes = old.map_or_else(|| metadata::faults(kind, new), |old| metadata::change_faults(old, new));
    if let Some(schema) = schema(server, kind) {
        let mut errors = schema.validate(new, old);
        errors.retain(|error| !is_nothing(kind, error));
        if let Some(wrong) = errors.iter().find(|error| !kind.is_custom() && is_of_wrong_type(error)) {
            return Err(undecodable(kind, new, wrong));
        }
        causes.extend(errors.iter().map(cause));
    }
    let errors = match &kind.source {
        Source::BuiltIn => defaults::check(&kind.group, &kind.plural, new, old),
        Source::Custom(custom) => scale::errors(custom, new),
    };
    causes.extend(errors.iter().map(cause));
    if causes.is_empty() {
        return Ok(());
    }
    Err(Status::invalid(&kind.group, &kind.kind, name(new), &causes))
}

/// What is said of an object that is taken nevertheless.
pub(crate) fn warnings(kind: &Kind, new: &Value, old: Option<&Value>) -> Vec<String> {
    match kind.source {
        Source::BuiltIn => defaults::warnings(&kind.group, &kind.plural, new, old),
        Source::Custom(_) => Vec::new(),
    }
}

fn is_of_wrong_type(error: &FieldError) -> bool {
    error.kind == FieldErrorKind::TypeInvalid
}

/// What no Go type of a built-in kind could hold is refused by the decoder, before anybody looks at it.
fn undecodable(kind: &Kind, object: &Value, error: &FieldError) -> Status {
    let pointer = format!("/{}", error.path.replace(['.', '['], "/").replace(']', ""));
    let held = object.pointer(&pointer);
    let wanted = error.detail.rsplit_once("of type ").map_or("", |(_, wanted)| wanted);
    let wanted = wanted.split(':').next().unwrap_or_default();
    let why = match (wanted, held) {
        ("byte", Some(Value::String(text))) => format!("illegal base64 data at input byte {}", base64_fault(text)),
        ("date-time", Some(Value::String(text))) => time_fault(text, has_micros(kind)),
        ("quantity", Some(Value::String(_))) => {
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'".to_owned()
        }
        _ => {
            let field = error.path.split('[').next().unwrap_or_default();
            let wanted = match wanted {
                "integer" => "int32",
                "boolean" => "bool",
                other => other,
            };
            let held = held.map_or("value", super::body::word);
            let of = &kind.kind;
            format!("json: cannot unmarshal {held} into Go struct field {of}.{field} of type {wanted}")
        }
    };
    let (name, version) = (&kind.kind, &kind.version);
    Status::bad_request(format!("{name} in version \"{version}\" cannot be handled as a {name}: {why}"))
}

/// Kinds whose times are `MicroTime`.
fn has_micros(kind: &Kind) -> bool {
    matches!(kind.kind.as_str(), "Lease" | "Event")
}

/// What Go says of a text that is no time: the first part of its layout that the text does not have.
fn time_fault(text: &str, has_micros: bool) -> String {
    const PARTS: [&str; 11] = ["2006", "-", "01", "-", "02", "T", "15", ":", "04", ":", "05"];
    let layout = if has_micros { "2006-01-02T15:04:05.000000Z07:00" } else { "2006-01-02T15:04:05Z07:00" };
    let mut rest = text;
    let wrong = PARTS.into_iter().find(|part| {
        let begins =
            |given: &str| given == *part || (part.len() > 1 && given.bytes().all(|byte| byte.is_ascii_digit()));
        match rest.split_at_checked(part.len()) {
            Some((given, after)) if begins(given) => {
                rest = after;
                false
            }
            _ => true,
        }
    });
    format!("parsing time \"{text}\" as \"{layout}\": cannot parse \"{rest}\" as \"{}\"", wrong.unwrap_or("Z07:00"))
}

/// Where Go's decoder stumbles over a text that is no base64.
fn base64_fault(text: &str) -> usize {
    match STANDARD.decode(text) {
        Err(DecodeError::InvalidByte(at, _) | DecodeError::InvalidLastSymbol(at, _)) => at,
        // It goes back to the beginning of what it could not finish.
        _ => text.trim_end_matches('=').len() / 4 * 4,
    }
}

/// Go reads a list that is null as one that is not there, and writes some of its own that way.
fn is_nothing(kind: &Kind, error: &FieldError) -> bool {
    matches!(kind.source, Source::BuiltIn)
        && error.kind == FieldErrorKind::TypeInvalid
        && error.value.as_ref().is_some_and(|value| value.is_null() || *value == "null")
}

/// A fault of a field as a cause.
pub(crate) fn cause(error: &FieldError) -> Cause {
    Cause { reason: error.kind.reason().to_owned(), message: error.body(), field: error.path.clone() }
}

/// The order as the keeper of owners wants to know it.
pub(crate) fn tracking<'a>(order: &'a Order, api_version: &'a str, now: Timestamp) -> apply::Order<'a> {
    let below = order.place.below.as_str();
    let has_status = order.place.kind.subresource("status").is_some();
    apply::Order {
        manager: &order.manager,
        force: order.is_forced == Some(true),
        now,
        api_version,
        subresource: if order.part.is_empty() { below } else { order.part },
        resets: match below {
            "" if has_status => &[&["status"]],
            "status" => &[&["spec"], &["metadata", "labels"]],
            _ => &[],
        },
    }
}

/// Does an object fit its type, as the keeper of owners sees it?
pub(crate) fn is_typed(server: &Server, kind: &Arc<Kind>, object: &Value) -> bool {
    schema(server, kind).is_none_or(|schema| apply::is_typed(&schema, object))
}

/// Notes who owns what after an ordinary write.
pub(crate) fn note(server: &Server, order: &Order, old: Option<&Value>, new: &mut Value) {
    let Some(schema) = schema(server, &order.place.kind) else { return };
    let api_version = order.place.kind.api_version();
    // What is there of every object of a kind is nobody's doing.
    let nothing = kind::empty(&order.place.kind);
    let old = old.or_else(|| (!order.place.kind.is_custom()).then_some(&nothing));
    apply::track(&schema, old, new, &tracking(order, &api_version, server.clock.now()));
    let is_empty = new["metadata"]["managedFields"].as_array().is_some_and(Vec::is_empty);
    if is_empty {
        as_map(&mut new["metadata"]).shift_remove("managedFields");
    }
}
