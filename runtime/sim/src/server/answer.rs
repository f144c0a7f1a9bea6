//! What goes back over the wire.
//!
//! Not known here: what was asked.

use axum::{
    body::{Body, Bytes},
    response::Response,
};
use http::{HeaderValue, StatusCode, header};
use serde_json::Value;

use crate::status::Status;

/// An answer whose body is known, or one that goes on.
pub(crate) struct Answer {
    pub(crate) code: u16,
    pub(crate) body: Body,
    pub(crate) media: &'static str,
    pub(crate) warnings: Vec<String>,
    pub(crate) retry_after: Option<u32>,
}

/// Plain JSON.
pub(crate) const JSON: &str = "application/json";

impl Answer {
    pub(crate) fn of(code: u16, body: &Value) -> Self {
        Self::bytes(code, body.to_string().into())
    }

    pub(crate) fn bytes(code: u16, body: Bytes) -> Self {
        Self { code, body: Body::from(body), media: JSON, warnings: Vec::new(), retry_after: None }
    }

    pub(crate) fn stream(body: Body) -> Self {
        Self { code: 200, body, media: JSON, warnings: Vec::new(), retry_after: None }
    }

    pub(crate) fn warning(mut self, warnings: Vec<String>) -> Self {
        self.warnings.extend(warnings);
        self
    }

    pub(crate) fn response(self) -> Response {
        let mut response = Response::new(self.body);
        *response.status_mut() = StatusCode::from_u16(self.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.media));
        headers.insert("audit-id", HeaderValue::from_static("simulation"));
        for warning in &self.warnings {
            if let Ok(value) = HeaderValue::from_str(&format!("299 - \"{}\"", quoted(warning))) {
                headers.append(header::WARNING, value);
            }
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

impl From<Status> for Answer {
    fn from(status: Status) -> Self {
        if status.is_plain() {
            let mut answer = Self::bytes(status.code, status.message.into());
            answer.media = "text/plain; charset=utf-8";
            return answer;
        }
        let mut answer = Self::of(status.code, &status.body());
        answer.retry_after = status.retry_after;
        answer
    }
}

/// A warning as a quoted string: no control characters, quotes and backslashes escaped.
fn quoted(text: &str) -> String {
    let plain = text.chars().map(|character| if character.is_control() { ' ' } else { character });
    plain
        .flat_map(|character| match character {
            '"' | '\\' => vec!['\\', character],
            _ => vec![character],
        })
        .collect()
}
