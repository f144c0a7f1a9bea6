//! How a stored object looks to who asks: in the version asked for, with its kind or, in lists of built-in kinds, without.
//!
//! Not known here: selection, tables.

use axum::body::Bytes;
use serde_json::{Map, Value, json};

use crate::{kind::Kind, store::Stored};

/// How the objects of one kind are shown. Stored objects begin with `{"kind":..,"apiVersion":..,`.
pub(crate) struct Dress {
    /// The beginning of an object in this version.
    head: Vec<u8>,
    /// Do items of lists say what kind they are?
    is_told: bool,
}

impl Dress {
    pub(crate) fn of(kind: &Kind) -> Self {
        Self { head: head(&kind.kind, &kind.api_version()).into_bytes(), is_told: kind.is_custom() }
    }

    /// The object alone.
    pub(crate) fn whole(&self, stored: &Stored) -> Bytes {
        if stored.bytes().starts_with(&self.head) {
            return stored.bytes().clone();
        }
        let mut bytes = self.head.clone();
        bytes.extend_from_slice(body(stored));
        bytes.into()
    }

    /// The object as an item of a list.
    pub(crate) fn in_list(&self, stored: &Stored, into: &mut Vec<u8>) {
        if self.is_told {
            into.extend_from_slice(&self.head);
        } else {
            into.push(b'{');
        }
        into.extend_from_slice(body(stored));
    }

    /// The object behind others' bytes.
    pub(crate) fn append(&self, stored: &Stored, into: &mut Vec<u8>) {
        into.extend_from_slice(&self.head);
        into.extend_from_slice(body(stored));
    }
}

fn head(kind: &str, api_version: &str) -> String {
    format!("{{\"kind\":{},\"apiVersion\":{},", Value::from(kind), Value::from(api_version))
}

/// What follows kind and version.
fn body(stored: &Stored) -> &[u8] {
    &stored.bytes()[stored.head()..]
}

/// Puts kind and version first, where stored objects have them.
pub(crate) fn arrange(kind: &str, api_version: &str, object: Value) -> Value {
    let mut arranged = Map::new();
    arranged.insert("kind".to_owned(), kind.into());
    arranged.insert("apiVersion".to_owned(), api_version.into());
    // The metadata comes next, so that there is always something behind the head.
    arranged.insert("metadata".to_owned(), json!({}));
    if let Value::Object(fields) = object {
        arranged.extend(fields.into_iter().filter(|(key, _)| key != "kind" && key != "apiVersion"));
    }
    Value::Object(arranged)
}

/// `PartialObjectMetadata` of an object.
pub(crate) fn metadata(object: &Value) -> Value {
    json!({ "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"] })
}

/// The same as an item of a list.
pub(crate) fn bare_metadata(object: &Value) -> Value {
    json!({ "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"] })
}
