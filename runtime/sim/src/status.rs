//! What the API server answers instead of an object, in its own words.
//!
//! Not known here: requests, or when which answer is due.

use serde_json::{Map, Value, json};

use crate::{resource::GroupResource, scenario::Ailment};

/// A refusal, or the bare word that something was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The HTTP status code.
    pub code: u16,
    /// The API server's one word for the situation, such as `NotFound`.
    pub reason: &'static str,
    /// The sentence.
    pub message: String,
    /// What it is about: name, group, kind, causes.
    pub details: Option<Value>,
    /// Seconds after which a client may ask again.
    pub retry_after: Option<u32>,
    /// A continue token to go on with, where the one that was given is too old.
    pub go_on: Option<String>,
}

/// The reason of an answer that is no `Status` on the wire.
const PLAIN: &str = "plain";

/// One of the causes of a refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cause {
    pub(crate) reason: String,
    pub(crate) message: String,
    pub(crate) field: String,
}

impl Status {
    fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self { code, reason, message: message.into(), details: None, retry_after: None, go_on: None }
    }

    fn about(mut self, of: &GroupResource, name: &str) -> Self {
        self.details = Some(details(&of.group, &of.plural, name));
        self
    }

    pub(crate) fn not_found(of: &GroupResource, name: &str) -> Self {
        Self::new(404, "NotFound", format!("{} \"{name}\" not found", of.words())).about(of, name)
    }

    /// No such path at all: what is below the API server's own handlers answers in plain text.
    pub(crate) fn no_such_path() -> Self {
        Self::new(404, PLAIN, "404 page not found\n")
    }

    /// A group of the server's own that has no such version, kind or part.
    pub(crate) fn no_such_resource() -> Self {
        let mut status = Self::new(404, "NotFound", "the server could not find the requested resource");
        status.details = Some(json!({}));
        status
    }

    /// Is it told in plain text, without an object around it?
    pub(crate) fn is_plain(&self) -> bool {
        self.reason == PLAIN
    }

    pub(crate) fn already_exists(of: &GroupResource, name: &str) -> Self {
        Self::new(409, "AlreadyExists", format!("{} \"{name}\" already exists", of.words())).about(of, name)
    }

    pub(crate) fn conflict(of: &GroupResource, name: &str, because: &str) -> Self {
        let message = format!("Operation cannot be fulfilled on {} \"{name}\": {because}", of.words());
        Self::new(409, "Conflict", message).about(of, name)
    }

    pub(crate) fn stale(of: &GroupResource, name: &str) -> Self {
        let because = "the object has been modified; please apply your changes to the latest version and try again";
        Self::conflict(of, name, because)
    }

    /// Conflicts of server-side apply, each with the field it is about.
    pub(crate) fn apply_conflict(message: String, causes: &[Cause]) -> Self {
        let mut status = Self::new(409, "Conflict", message);
        status.details = Some(json!({ "causes": spelt(causes) }));
        status
    }

    pub(crate) fn forbidden(of: &GroupResource, name: &str, because: &str) -> Self {
        let message = match name {
            "" => format!("{} is forbidden: {because}", of.words()),
            _ => format!("{} \"{name}\" is forbidden: {because}", of.words()),
        };
        Self::new(403, "Forbidden", message).about(of, name)
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    /// `Deployment.apps "web" is invalid: [..]`.
    pub(crate) fn invalid(group: &str, kind: &str, name: &str, causes: &[Cause]) -> Self {
        let whose = if group.is_empty() { kind.to_owned() } else { format!("{kind}.{group}") };
        let mut words: Vec<String> = causes
            .iter()
            .map(|cause| match cause.field.as_str() {
                "" => cause.message.clone(),
                field => format!("{field}: {}", cause.message),
            })
            .collect();
        words.dedup();
        let words = if words.len() == 1 { words.concat() } else { format!("[{}]", words.join(", ")) };
        let mut status = Self::new(422, "Invalid", format!("{whose} \"{name}\" is invalid: {words}"));
        let mut about = details(group, kind, name);
        if !causes.is_empty() {
            about["causes"] = spelt(causes);
        }
        status.details = Some(about);
        status
    }

    pub(crate) fn method_not_allowed() -> Self {
        let mut status =
            Self::new(405, "MethodNotAllowed", "the server does not allow this method on the requested resource");
        status.details = Some(json!({}));
        status
    }

    pub(crate) fn unsupported_media_type(message: impl Into<String>) -> Self {
        Self::new(415, "UnsupportedMediaType", message)
    }

    pub(crate) fn not_acceptable(message: impl Into<String>) -> Self {
        let mut status = Self::new(406, "NotAcceptable", message);
        status.details = Some(json!({}));
        status
    }

    pub(crate) fn too_large(message: impl Into<String>) -> Self {
        Self::new(413, "RequestEntityTooLarge", message)
    }

    /// The version or the continue token is older than what is kept.
    pub(crate) fn expired(message: impl Into<String>) -> Self {
        Self::new(410, "Expired", message)
    }

    pub(crate) fn too_many_requests(message: impl Into<String>, retry_after: u32, causes: &[Cause]) -> Self {
        let mut status = Self::new(429, "TooManyRequests", message);
        let mut about = json!({});
        if !causes.is_empty() {
            about["causes"] = spelt(causes);
        }
        if retry_after > 0 {
            about["retryAfterSeconds"] = retry_after.into();
            status.retry_after = Some(retry_after);
        }
        status.details = Some(about);
        status
    }

    /// What a scenario lets a request be answered with.
    pub(crate) fn ailment(ailment: Ailment, of: &GroupResource, name: &str) -> Self {
        match ailment {
            Ailment::Forbidden => Self::forbidden(of, name, "User \"kubernetes-admin\" cannot do that here"),
            Ailment::Expired => Self::expired("The resourceVersion for the provided list is too old."),
            Ailment::TooManyRequests => Self::too_many_requests(
                "the server has received too many requests and has asked us to try again later",
                1,
                &[],
            ),
            Ailment::Internal | Ailment::Reset => Self::internal("the scenario says so"),
            Ailment::Unavailable => {
                Self::new(503, "ServiceUnavailable", "the server is currently unable to handle the request")
            }
        }
    }

    pub(crate) fn internal(message: impl AsRef<str>) -> Self {
        let mut status = Self::new(500, "InternalError", format!("Internal error occurred: {}", message.as_ref()));
        status.details = Some(json!({ "causes": [{ "message": message.as_ref() }] }));
        status
    }

    pub(crate) fn timeout(message: impl Into<String>) -> Self {
        Self::new(504, "Timeout", message)
    }

    /// What a real API server would answer is not known to the simulation: it says so and makes nothing up.
    pub(crate) fn beyond_simulation(what: impl AsRef<str>) -> Self {
        Self::new(501, "NotImplemented", format!("the simulation cannot answer this truly: {}", what.as_ref()))
    }

    /// What cannot be planned over a live cluster: it says so, and what it rests on is not made up.
    pub(crate) fn beyond_overlay(what: impl AsRef<str>) -> Self {
        Self::new(501, "NotImplemented", format!("a dry run cannot answer this truly: {}", what.as_ref()))
    }

    /// A patch that is well-formed and does not fit: the API server says no more than this.
    pub(crate) fn unprocessable() -> Self {
        let message = "the server rejected our request due to an error in our request";
        let mut status = Self::new(422, "Invalid", message);
        status.details = Some(json!({}));
        status
    }

    /// Adds a cause.
    pub(crate) fn add_cause(&mut self, cause: &Cause) {
        let about = self.details.get_or_insert_with(|| json!({}));
        match about["causes"].as_array_mut() {
            Some(causes) => causes.extend(spelt(std::slice::from_ref(cause)).as_array().cloned().unwrap_or_default()),
            None => about["causes"] = spelt(std::slice::from_ref(cause)),
        }
    }

    /// Any answer, for those who pass on another's words.
    pub(crate) fn other(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(code, reason, message)
    }

    /// Is this the answer that an object is not there?
    pub(crate) fn is_not_found(&self) -> bool {
        self.code == 404
    }

    /// Is this the answer that an object was changed, or is there already?
    pub(crate) fn is_conflict(&self) -> bool {
        self.code == 409
    }

    /// As it goes over the wire.
    pub fn body(&self) -> Value {
        let mut body = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": self.message,
        });
        if let Some(token) = &self.go_on {
            body["metadata"] = json!({ "continue": token });
        }
        if !self.reason.is_empty() {
            body["reason"] = self.reason.into();
        }
        if let Some(about) = &self.details {
            body["details"] = about.clone();
        }
        body["code"] = self.code.into();
        body
    }
}

fn details(group: &str, kind: &str, name: &str) -> Value {
    let mut about = Map::new();
    for (key, value) in [("name", name), ("group", group), ("kind", kind)] {
        if !value.is_empty() {
            about.insert(key.to_owned(), value.into());
        }
    }
    Value::Object(about)
}

fn spelt(causes: &[Cause]) -> Value {
    let one = |cause: &Cause| {
        let mut spelt = Map::new();
        for (key, value) in [("reason", &cause.reason), ("message", &cause.message), ("field", &cause.field)] {
            if !value.is_empty() {
                spelt.insert(key.to_owned(), value.as_str().into());
            }
        }
        Value::Object(spelt)
    };
    causes.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_the_api_server() {
        let deployments = GroupResource::new("apps", "deployments");
        let body = Status::not_found(&deployments, "web").body();
        assert_eq!(body["message"], r#"deployments.apps "web" not found"#);
        assert_eq!(body["details"], json!({ "name": "web", "group": "apps", "kind": "deployments" }));
        let cause =
            Cause { reason: "FieldValueRequired".into(), message: "Required value".into(), field: "spec".into() };
        let invalid = Status::invalid("apps", "Deployment", "web", &[cause]);
        assert_eq!(invalid.message, r#"Deployment.apps "web" is invalid: spec: Required value"#);
    }
}
