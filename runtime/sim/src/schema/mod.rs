//! What an object of a kind may hold: read once from the server's own OpenAPI or from a CRD, then asked by everything that
//! defaults, prunes, validates, patches and applies.
//!
//! Not known here: where schemas are recorded, which kinds exist, what a request is.

mod crd;
mod default;
mod error;
mod format;
mod limit;
mod node;
mod prune;
mod read;
mod validate;

use std::sync::Arc;

use serde_json::Value;

pub(crate) use error::{FieldError, FieldErrorKind, go_json, go_number, plain, quote};
pub(crate) use node::{Additional, Document, Edge, ListType, MapType, Node, Opaque, Origin, Patch, Type};

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

    /// Fills in what the schema has defaults for.
    pub(crate) fn default(&self, object: &mut Value) {
        if self.document.origin == Origin::Custom {
            default::fill(&self.document, &self.root, object);
        }
    }

    /// Takes out what the schema does not know, and says where that was.
    pub(crate) fn prune(&self, object: &mut Value) -> Vec<String> {
        prune::prune(&self.document, &self.root, object)
    }

    /// What is wrong with an object that is to be created, or to take the place of `old`.
    pub(crate) fn validate(&self, new: &Value, old: Option<&Value>) -> Vec<FieldError> {
        let _ = old;
        validate::validate(&self.document, &self.root, new)
    }

    pub(crate) fn document(&self) -> &Document {
        &self.document
    }

    pub(crate) fn root(&self) -> &Edge {
        &self.root
    }
}
