//! What came back: the status, the headers that mean something, and the body.
//!
//! Not known here: which of the two servers it came from.

use serde_json::{Value, json};

/// An answer, normalised.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) warnings: Vec<String>,
    pub(crate) body: Value,
}

impl Answer {
    /// As one value, so that it is compared like any other.
    pub(crate) fn as_value(&self) -> Value {
        json!({
            "status": self.status,
            "content-type": self.content_type,
            "warnings": self.warnings,
            "body": self.body,
        })
    }
}
