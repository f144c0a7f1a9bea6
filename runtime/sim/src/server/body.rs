//! Reading the body of a request into an object.
//!
//! Not known here: what the object is for.

use axum::body::Bytes;
use http::HeaderMap;
use serde_json::Value;

use super::protobuf;
use crate::{kind::Kind, status::Status};

/// The largest body that is read, as with the real API server.
pub(crate) const LARGEST: usize = 3 * 1024 * 1024;

/// The media type of a body, without its parameters.
pub(crate) fn media(headers: &HeaderMap) -> &str {
    let whole = headers.get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    whole.split(';').next().unwrap_or_default().trim()
}

/// Is it JSON, of an object or of a patch?
pub(crate) fn is_json(media: &str) -> bool {
    media.is_empty() || media == "application/json" || media.ends_with("+json")
}

/// Reads an object of a kind from a body.
pub(crate) fn object(media: &str, bytes: &Bytes, kind: &str, api_version: &str) -> Result<Value, Status> {
    completed(any(media, bytes)?.unwrap_or_default(), kind, api_version)
}

/// An object that says what it is: where it does not, what the path says.
pub(crate) fn completed(mut value: Value, kind: &str, api_version: &str) -> Result<Value, Status> {
    let Value::Object(fields) = &mut value else {
        return Err(Status::bad_request(format!(
            "couldn't get version/kind; json parse error: json: cannot unmarshal {} into Go value of type struct {{ APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" }}",
            word(&value)
        )));
    };
    for (key, fallback) in [("kind", kind), ("apiVersion", api_version)] {
        let said = fields.get(key).and_then(Value::as_str).unwrap_or_default();
        if said.is_empty() {
            fields.insert(key.to_owned(), fallback.into());
        }
    }
    Ok(value)
}

/// Refuses an object of a custom kind that does not say of which: nothing but its own word tells. `bytes` are what it was read from.
pub(crate) fn names_its_kind(value: &Value, bytes: &Bytes, kind: &str) -> Result<(), Status> {
    if !value.is_object() || value["kind"].as_str().is_some_and(|said| !said.is_empty()) {
        return Ok(());
    }
    let whole = String::from_utf8_lossy(bytes);
    let begin: String = whole.chars().take(30).collect();
    Err(Status::bad_request(format!(
        "the object provided is unrecognized (must be of type {kind}): Object 'Kind' is missing in '{whole}' ({begin} ...)"
    )))
}

/// Reads any JSON, YAML or protobuf; none where the body is empty.
pub(crate) fn any(media: &str, bytes: &Bytes) -> Result<Option<Value>, Status> {
    if bytes.is_empty() {
        return Ok(None);
    }
    match media {
        "" | "application/json" => json(bytes).map(Some),
        "application/yaml" | "application/x-yaml" => yaml(bytes).map(Some),
        "application/vnd.kubernetes.protobuf" => protobuf::read(bytes).map(Some),
        _ => Err(Status::unsupported_media_type(
            "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf",
        )),
    }
}

/// Reads JSON.
pub(crate) fn json(bytes: &[u8]) -> Result<Value, Status> {
    serde_json::from_slice(bytes)
        .map_err(|why| Status::bad_request(format!("the body of the request is no JSON: {why}")))
}

/// Reads YAML as the API server does: one document, YAML 1.1 words, the last of two equal keys.
pub(crate) fn yaml(bytes: &[u8]) -> Result<Value, Status> {
    if let Ok(value) = serde_json::from_slice(bytes) {
        return Ok(value);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Status::bad_request("error decoding YAML: not UTF-8"))?;
    let options = serde_saphyr::options! {
        legacy_octal_numbers: true,
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::LastWins,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|why| {
        Status::bad_request(format!("error decoding YAML: {}", why.to_string().lines().next().unwrap_or_default()))
    })
}

/// How Go's decoder calls a JSON value.
pub(crate) fn word(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Is the object of the kind that the path is about?
pub(crate) fn is_of(kind: &Kind, object: &Value) -> Result<(), Status> {
    let api_version = object["apiVersion"].as_str().unwrap_or_default();
    let named = object["kind"].as_str().unwrap_or_default();
    if api_version != kind.api_version() {
        return Err(Status::bad_request(format!(
            "the API version in the data ({api_version}) does not match the expected API version ({})",
            kind.api_version()
        )));
    }
    if named != kind.kind {
        return Err(Status::bad_request(format!(
            "{named} in version \"{}\" cannot be handled as a {}: converting ({api_version}.{named}) to ({}.{}): unknown conversion",
            kind.version,
            kind.kind,
            kind.api_version(),
            kind.kind
        )));
    }
    Ok(())
}
