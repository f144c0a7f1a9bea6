//! What is said along with a request: selectors, patches, field managers, how to delete; and what comes back of many.
//!
//! Plain data and its form on the wire.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::fields::Fields;
use super::name::encode;

/// How much of an object is wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Detail {
    /// All of it.
    #[default]
    Whole,
    /// Its metadata.
    Metadata,
}

impl Detail {
    /// What to accept for a single object, and for each event of a watch.
    pub(super) fn of_object(self) -> &'static str {
        match self {
            Self::Whole => "application/json",
            Self::Metadata => "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json",
        }
    }

    /// What to accept for a list.
    pub(super) fn of_list(self) -> &'static str {
        match self {
            Self::Whole => "application/json",
            Self::Metadata => "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json",
        }
    }
}

/// Whether the record of who owns which field comes along. It is often the largest part of an object.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ManagedFields {
    /// It does not.
    #[default]
    Dropped,
    /// It does.
    Kept,
}

/// Which objects, and how much of each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// Label selector, as kubectl's `-l`.
    pub selector: Option<String>,
    /// Field selector, such as `metadata.name=web`.
    pub field_selector: Option<String>,
    /// Whole objects or their metadata alone.
    pub objects: Detail,
    /// Whether `managedFields` are kept.
    pub managed_fields: ManagedFields,
    /// Which fields are read of each; all where `None`. A watch reads all.
    pub fields: Option<Fields>,
}

impl Listing {
    /// Objects with these labels; all where `None`.
    pub fn labelled(selector: Option<String>) -> Self {
        Self { selector, ..Self::default() }
    }

    /// The one object of that name.
    pub fn named(name: &str) -> Self {
        let field_selector = Some(format!("metadata.name={name}"));
        Self { field_selector, ..Self::default() }
    }

    /// The same, but only the metadata of each object.
    #[must_use]
    pub fn metadata_only(self) -> Self {
        Self { objects: Detail::Metadata, ..self }
    }

    /// What is read of each object of a list.
    pub(super) fn read(&self) -> Fields {
        let fields = self.fields.clone().unwrap_or_else(Fields::all);
        match self.managed_fields {
            ManagedFields::Kept => fields,
            ManagedFields::Dropped => fields.without("metadata", "managedFields"),
        }
    }

    pub(super) fn query(&self) -> String {
        let mut query = String::new();
        for (key, value) in [("labelSelector", &self.selector), ("fieldSelector", &self.field_selector)] {
            if let Some(value) = value.as_ref().filter(|value| !value.is_empty()) {
                write!(query, "&{key}={}", encode(value)).expect("writing to a string cannot fail");
            }
        }
        query
    }
}

/// A complete list.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct List {
    /// The objects.
    pub items: Vec<Value>,
    /// The version from which a watch goes on.
    pub version: String,
}

/// What a watch tells, of an object or its metadata.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// It is there.
    Added(Value),
    /// It changed.
    Modified(Value),
    /// It is gone; its last state.
    Deleted(Value),
    /// Nothing happened up to this version.
    Bookmark(String),
    /// The version asked for is too old: list again.
    Expired,
}

impl Event {
    pub(super) fn map(self, change: impl FnOnce(Value) -> Value) -> Self {
        match self {
            Self::Added(object) => Self::Added(change(object)),
            Self::Modified(object) => Self::Modified(change(object)),
            Self::Deleted(object) => Self::Deleted(change(object)),
            other => other,
        }
    }
}

/// Whether a write is only tried.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mode {
    /// For real.
    #[default]
    Real,
    /// The server checks it and answers what would come of it.
    Trial,
}

/// What goes with a write.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Writing {
    /// Who owns the fields; the server's guess where absent.
    pub manager: Option<String>,
    /// Whether server-side apply takes over fields of others.
    pub ownership: Ownership,
    /// Whether it is only tried.
    pub mode: Mode,
}

/// What server-side apply does about fields of others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Ownership {
    /// It fails.
    #[default]
    Respected,
    /// It takes them over.
    Taken,
}

impl Writing {
    /// A write in the name of a field manager.
    pub fn by(manager: &str) -> Self {
        Self { manager: Some(manager.to_owned()), ..Self::default() }
    }

    /// The same, but only tried.
    #[must_use]
    pub fn trial(self) -> Self {
        Self { mode: Mode::Trial, ..self }
    }

    /// The same, but taking over fields of others.
    #[must_use]
    pub fn taking(self) -> Self {
        Self { ownership: Ownership::Taken, ..self }
    }

    pub(super) fn query(&self) -> String {
        let mut parts = Vec::new();
        if let Some(manager) = &self.manager {
            parts.push(format!("fieldManager={}", encode(manager)));
        }
        if self.ownership == Ownership::Taken {
            parts.push("force=true".to_owned());
        }
        if self.mode == Mode::Trial {
            parts.push("dryRun=All".to_owned());
        }
        if parts.is_empty() { String::new() } else { format!("?{}", parts.join("&")) }
    }
}

/// A change to an object.
#[derive(Debug, Clone, PartialEq)]
pub enum Patch {
    /// Server-side apply of a manifest; needs [`Writing::manager`].
    Apply(Value),
    /// RFC 7386.
    Merge(Value),
    /// RFC 6902: a list of operations.
    Json(Value),
    /// Kubernetes' own; built-in kinds only.
    Strategic(Value),
}

impl Patch {
    pub(super) fn content_type(&self) -> &'static str {
        match self {
            // JSON is YAML.
            Self::Apply(_) => "application/apply-patch+yaml",
            Self::Merge(_) => "application/merge-patch+json",
            Self::Json(_) => "application/json-patch+json",
            Self::Strategic(_) => "application/strategic-merge-patch+json",
        }
    }

    pub(super) fn verb(&self) -> &'static str {
        if matches!(self, Self::Apply(_)) { "apply" } else { "patch" }
    }

    pub(super) fn body(&self) -> &Value {
        match self {
            Self::Apply(body) | Self::Merge(body) | Self::Json(body) | Self::Strategic(body) => body,
        }
    }
}

/// What becomes of the objects that belong to a deleted one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Propagation {
    /// They go after it.
    #[default]
    Background,
    /// They go before it.
    Foreground,
    /// They stay.
    Orphan,
}

/// How to delete.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deletion {
    /// What becomes of the objects that belong to it.
    pub propagation: Propagation,
    /// Seconds for it to end by itself; the kind's own where absent.
    pub grace_period: Option<i64>,
    /// Only the object of that uid.
    pub uid: Option<String>,
    /// Only the object in that version.
    pub version: Option<String>,
    /// Whether it is only tried.
    pub mode: Mode,
}

impl Deletion {
    pub(super) fn body(&self) -> Value {
        let propagation = match self.propagation {
            Propagation::Background => "Background",
            Propagation::Foreground => "Foreground",
            Propagation::Orphan => "Orphan",
        };
        let mut body = json!({ "apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation });
        if let Some(seconds) = self.grace_period {
            body["gracePeriodSeconds"] = seconds.into();
        }
        if let Some(uid) = &self.uid {
            body["preconditions"]["uid"] = uid.clone().into();
        }
        if let Some(version) = &self.version {
            body["preconditions"]["resourceVersion"] = version.clone().into();
        }
        if self.mode == Mode::Trial {
            body["dryRun"] = json!(["All"]);
        }
        body
    }
}
