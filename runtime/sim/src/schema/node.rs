//! The nodes of a schema, in one arena per document, so that types may refer to each other and to themselves.
//!
//! Not known here: the JSON they are read from, and what is done with them.

use std::collections::{BTreeMap, HashMap};
use std::sync::OnceLock;

use serde_json::Value;

use super::limit::Limits;
use super::rule::Rules;

/// All types that one OpenAPI document, or one CRD, describes.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) origin: Origin,
    pub(super) nodes: Nodes,
    pub(super) kinds: HashMap<[String; 3], usize>,
    pub(super) rules: OnceLock<Rules>,
}

/// The nodes of a document, by their numbers.
#[derive(Debug)]
pub(super) enum Nodes {
    /// All of them.
    Read(Vec<Node>),
    /// Those of each schema of the record, read when somebody first comes by: a run meets a tenth of them.
    Recorded(Vec<Part>),
}

/// The nodes of one schema of the record; the first is the schema itself.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) name: &'static str,
    pub(super) read: OnceLock<Vec<Node>>,
}

/// How many bits of a node's number say where it is in its part.
pub(super) const PART: u32 = 16;

/// Who wrote a document, which decides what its defaults and limits mean.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Origin {
    /// The API server, about its built-in kinds: their defaults and limits are code, not schema.
    Recorded,
    /// The author of a CRD.
    Custom,
}

impl Document {
    pub(super) fn kind(&self, group: &str, version: &str, kind: &str) -> Option<usize> {
        self.kinds.get(&[group.to_owned(), version.to_owned(), kind.to_owned()]).copied()
    }

    /// The rules in CEL, compiled when an object is first held against them.
    pub(super) fn rules(&self) -> &Rules {
        self.rules.get_or_init(|| match &self.nodes {
            Nodes::Read(nodes) => Rules::compile(nodes),
            // The limits of built-in kinds are code.
            Nodes::Recorded(_) => Rules::compile(&[]),
        })
    }

    /// The node that an edge leads to.
    pub(crate) fn node(&self, edge: &Edge) -> &Node {
        self.at(edge.to)
    }

    /// The node with a number.
    pub(super) fn at(&self, number: usize) -> &Node {
        match &self.nodes {
            Nodes::Read(nodes) => &nodes[number],
            Nodes::Recorded(parts) => &parts[number >> PART].nodes(number >> PART)[number & ((1 << PART) - 1)],
        }
    }
}

/// The way to a node from where it is used, with what is said there and not at the node.
#[derive(Clone, Debug, Default)]
pub(crate) struct Edge {
    pub(super) to: usize,
    pub(crate) default: Option<Value>,
    pub(crate) map_type: Option<MapType>,
    pub(crate) patch: Option<Box<Patch>>,
}

impl Edge {
    pub(super) fn to(node: usize) -> Self {
        Self { to: node, ..Self::default() }
    }
}

/// How a strategic merge patch treats a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Patch {
    /// `merge`, `replace` or nothing.
    pub(crate) strategy: String,
    /// What tells the elements of a list apart.
    pub(crate) merge_key: String,
}

/// One type.
#[expect(clippy::struct_excessive_bools, reason = "each is a mark that a schema may carry")]
#[derive(Clone, Debug, Default)]
pub(crate) struct Node {
    pub(crate) of: Type,
    pub(crate) format: String,
    pub(crate) properties: BTreeMap<String, Edge>,
    pub(crate) additional: Additional,
    pub(crate) items: Option<Edge>,
    pub(crate) list_type: ListType,
    pub(crate) map_type: Option<MapType>,
    pub(crate) nullable: bool,
    pub(crate) int_or_string: bool,
    /// `x-kubernetes-preserve-unknown-fields` on the node itself.
    pub(crate) preserve: bool,
    /// The same on the node or on one that it is written inside of.
    pub(crate) within_preserve: bool,
    pub(crate) embedded: bool,
    /// A type that ownership treats as one value whatever it holds.
    pub(crate) opaque: Option<Opaque>,
    pub(crate) limits: Option<Box<Limits>>,
}

/// Types that the server's ownership tracking knows by their name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Opaque {
    /// `Quantity`: a scalar.
    Scalar,
    /// `RawExtension`: anything, as a whole.
    Anything,
}

/// What JSON type a node allows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Type {
    #[default]
    Any,
    Object,
    Array,
    String,
    Integer,
    Number,
    Boolean,
}

impl Type {
    /// The word that a schema has for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Any => "",
            Self::Object => "object",
            Self::Array => "array",
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
        }
    }
}

/// Keys of an object that are no properties.
#[derive(Clone, Debug, Default)]
pub(crate) enum Additional {
    #[default]
    Unsaid,
    Allowed(bool),
    Of(Box<Edge>),
}

/// Who may own a part of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum ListType {
    #[default]
    Atomic,
    Set,
    Map(Vec<String>),
}

/// Who may own a part of a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MapType {
    Atomic,
    Granular,
}
