//! What a CRD's schema asks of a value beyond its type.
//!
//! Not known here: how a value is held to it.

use std::sync::{Arc, OnceLock};

use regex::Regex;
use serde_json::Value;

/// The rare part of a node: absent where a type says it all.
#[derive(Clone, Debug, Default)]
pub(crate) struct Limits {
    pub(crate) required: Vec<String>,
    pub(crate) enumeration: Vec<Value>,
    pub(crate) pattern: Option<Pattern>,
    pub(crate) min_length: Option<u64>,
    pub(crate) max_length: Option<u64>,
    pub(crate) min_items: Option<u64>,
    pub(crate) max_items: Option<u64>,
    pub(crate) min_properties: Option<u64>,
    pub(crate) max_properties: Option<u64>,
    pub(crate) minimum: Option<Bound>,
    pub(crate) maximum: Option<Bound>,
    pub(crate) multiple_of: Option<serde_json::Number>,
    pub(crate) unique_items: bool,
    pub(crate) all_of: Vec<usize>,
    pub(crate) any_of: Vec<usize>,
    pub(crate) one_of: Vec<usize>,
    pub(crate) not: Option<usize>,
    /// What a CRD asks of `metadata` on top of what every object has.
    pub(crate) metadata: Option<usize>,
    /// `x-kubernetes-validations`, as they stand in the CRD.
    pub(crate) rules: Vec<Value>,
}

/// The least or the greatest number that is allowed, or the first that is not.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bound {
    pub(crate) number: serde_json::Number,
    pub(crate) exclusive: bool,
}

/// A regular expression, compiled when it is first needed.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    pub(crate) text: String,
    compiled: Arc<OnceLock<Option<Regex>>>,
}

impl Pattern {
    pub(super) fn new(text: &str) -> Self {
        Self { text: text.to_owned(), compiled: Arc::default() }
    }

    /// Whether a text matches; none where the expression is none that can be compiled.
    pub(crate) fn matches(&self, text: &str) -> Option<bool> {
        self.compiled.get_or_init(|| Regex::new(&self.text).ok()).as_ref().map(|regex| regex.is_match(text))
    }
}
