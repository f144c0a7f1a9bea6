//! What an object of a kind may hold: read once from the server's own OpenAPI or from a CRD, then asked by everything that
//! defaults, prunes, validates, patches and applies.
//!
//! Not known here: where schemas are recorded, which kinds exist, what a request is.

mod correlate;
mod crd;
mod default;
mod error;
mod format;
mod limit;
mod list;
mod node;
mod prune;
mod read;
mod rule;
mod validate;

#[cfg(test)]
pub(crate) mod tests;

use std::sync::Arc;

use serde_json::Value;

pub(crate) use error::{FieldError, FieldErrorKind, go_json, go_number, plain, quote};
pub(crate) use format::is_known as is_format;
pub(crate) use node::{Additional, Document, Edge, ListType, MapType, Node, Opaque, Origin, Patch, Type};

const RULES_NOT_CHECKED: &str = "some validation rules were not checked because the object was invalid; \
     correct the existing errors to complete validation";

/// Whether an error leaves an object that rules could not be asked about.
fn blocks_rules(error: &FieldError) -> bool {
    use FieldErrorKind::{NotSupported, Required, TooLong, TooMany, TypeInvalid};
    matches!(error.kind, NotSupported | Required | TooLong | TooMany | TypeInvalid)
}

/// The schema of one kind. A cheap clone: all kinds of a document share its nodes.
#[derive(Clone, Debug)]
pub(crate) struct Schema {
    document: Arc<Document>,
    root: Edge,
}

impl Schema {
    /// The schema of a kind that a recorded document describes.
    pub(crate) fn of_record(document: &Arc<Document>, group: &str, version: &str, kind: &str) -> Option<Self> {
        let root = document.kind(group, version, kind)?;
        Some(Self { document: Arc::clone(document), root: Edge::to(root) })
    }

    /// The schema that a version of a CRD holds as `schema.openAPIV3Schema`.
    pub(crate) fn of_crd(schema: &Value) -> Result<Self, Vec<FieldError>> {
        let (document, root) = crd::read(schema)?;
        Ok(Self { document: Arc::new(document), root: Edge::to(root) })
    }

    /// Fills in what a CRD's schema has defaults for; the defaults of built-in kinds are code elsewhere.
    pub(crate) fn default(&self, object: &mut Value) {
        if self.is_custom() {
            default::fill(&self.document, &self.root, object);
        }
    }

    /// Takes out what the schema does not know, and says where that was.
    pub(crate) fn prune(&self, object: &mut Value) -> Vec<String> {
        prune::prune(&self.document, &self.root, object)
    }

    /// What is wrong with an object that is to be created, or to take the place of `old`.
    pub(crate) fn validate(&self, new: &Value, old: Option<&Value>) -> Vec<FieldError> {
        let mut errors = validate::validate(&self.document, &self.root, new, old);
        if !self.is_custom() {
            return errors;
        }
        let lists = |object| list::check(&self.document, &self.root, object);
        // Lists that had duplicates already may keep them, or nothing else could be changed.
        if old.is_none_or(|old| lists(old).is_empty()) {
            errors.extend(lists(new));
        }
        if errors.iter().any(blocks_rules) {
            errors.push(FieldError::invalid("<nil>", Value::Null, RULES_NOT_CHECKED));
        } else {
            errors.extend(rule::check(&self.document, &self.root, new, old));
        }
        errors
    }

    /// Whether the author of a CRD wrote it.
    pub(crate) fn is_custom(&self) -> bool {
        self.document.origin == Origin::Custom
    }

    pub(crate) fn document(&self) -> &Document {
        &self.document
    }

    pub(crate) fn root(&self) -> &Edge {
        &self.root
    }
}
