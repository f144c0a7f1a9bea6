//! Reading schemas out of their JSON.
//!
//! Not known here: whether a schema is one that a CRD may have (`schema/crd.rs`), and what schemas are used for.

use std::collections::HashMap;
use std::sync::{LazyLock, OnceLock};

use serde_json::{Map, Value};

use super::limit::{Bound, Limits, Pattern};
use super::node::{
    Additional, Document, Edge, ListType, MapType, Node, Nodes, Opaque, Origin, PART, Part, Patch, Type,
};
use crate::kind;

const COMPONENTS: &str = "#/components/schemas/";

/// The numbers of the schemas of the record, by their names.
static RECORDED: LazyLock<HashMap<&'static str, usize>> =
    LazyLock::new(|| kind::schema_names().enumerate().map(|(at, name)| (name, at << PART)).collect());

impl Document {
    /// All schemas that were recorded.
    pub(crate) fn recorded() -> Self {
        let parts = kind::schema_names().map(|name| Part { name, read: OnceLock::new() }).collect();
        let kinds = kind::schemas_of_kinds().filter_map(|(kind, name)| Some((kind.clone(), *RECORDED.get(name)?)));
        Self { origin: Origin::Recorded, kinds: kinds.collect(), nodes: Nodes::Recorded(parts), rules: OnceLock::new() }
    }

    /// Reads an OpenAPI v3 document as the API server serves it, or many of them put together: `components.schemas`.
    pub(crate) fn of_openapi(document: &Value) -> Self {
        let empty = Map::new();
        let schemas = document.pointer("/components/schemas").and_then(Value::as_object).unwrap_or(&empty);
        Self::of_schemas(schemas)
    }

    /// Reads schemas by their names.
    pub(crate) fn of_schemas(schemas: &Map<String, Value>) -> Self {
        let names: HashMap<&str, usize> = schemas.keys().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
        let nodes = vec![Node::default(); schemas.len()];
        let mut reader = Reader { nodes, first: 0, names: &names, origin: Origin::Recorded };
        let mut kinds = HashMap::new();
        for (at, (name, schema)) in schemas.iter().enumerate() {
            reader.nodes[at] = reader.named(name, schema);
            for kind in schema["x-kubernetes-group-version-kind"].as_array().into_iter().flatten() {
                let part = |key: &str| kind[key].as_str().unwrap_or_default().to_owned();
                kinds.insert([part("group"), part("version"), part("kind")], at);
            }
        }
        Self { origin: Origin::Recorded, nodes: Nodes::Read(reader.nodes), kinds, rules: OnceLock::new() }
    }
}

impl Part {
    /// The nodes of the schema, which is the one `at` this place in the record.
    pub(super) fn nodes(&self, at: usize) -> &[Node] {
        self.read.get_or_init(|| {
            let (nodes, first) = (vec![Node::default()], at << PART);
            let mut reader = Reader { nodes, first, names: &RECORDED, origin: Origin::Recorded };
            if let Some(schema) = kind::recorded_schema(self.name) {
                reader.nodes[0] = reader.named(self.name, &schema);
            }
            reader.nodes
        })
    }
}

/// What the server's ownership tracking knows by name.
fn opaque(name: &str) -> Option<Opaque> {
    match name {
        "io.k8s.apimachinery.pkg.api.resource.Quantity" => Some(Opaque::Scalar),
        "io.k8s.apimachinery.pkg.runtime.RawExtension" => Some(Opaque::Anything),
        _ => None,
    }
}

/// Nodes read so far, and the names that may be referred to.
pub(super) struct Reader<'a> {
    pub(super) nodes: Vec<Node>,
    /// The number of the first of them.
    pub(super) first: usize,
    pub(super) names: &'a HashMap<&'a str, usize>,
    pub(super) origin: Origin,
}

impl Reader<'_> {
    /// The edge to a schema where it is used: a reference, or written in place.
    pub(super) fn edge(&mut self, schema: &Value, within_preserve: bool) -> Edge {
        let default = schema.get("default").cloned();
        let patch = patch(schema);
        if let Some(to) = self.reference(schema) {
            return Edge { to, default, map_type: map_type(schema), patch };
        }
        let node = self.node(schema, within_preserve);
        Edge { to: self.push(node), default, map_type: None, patch }
    }

    pub(super) fn push(&mut self, node: Node) -> usize {
        self.nodes.push(node);
        self.first + self.nodes.len() - 1
    }

    fn reference(&self, schema: &Value) -> Option<usize> {
        let alone = schema["allOf"].as_array().filter(|all| all.len() == 1).map(|all| &all[0]["$ref"]);
        let text = schema.get("$ref").or(alone)?.as_str()?;
        self.names.get(text.strip_prefix(COMPONENTS).unwrap_or(text)).copied()
    }

    fn named(&mut self, name: &str, schema: &Value) -> Node {
        Node { opaque: opaque(name), ..self.node(schema, false) }
    }

    pub(super) fn node(&mut self, schema: &Value, within_preserve: bool) -> Node {
        let says = |key: &str| schema[key].as_bool().unwrap_or_default();
        let preserve = says("x-kubernetes-preserve-unknown-fields");
        let within_preserve = within_preserve || preserve;
        let properties = schema["properties"].as_object().into_iter().flatten();
        let additional = match schema.get("additionalProperties") {
            None | Some(Value::Null) => Additional::Unsaid,
            Some(Value::Bool(allowed)) => Additional::Allowed(*allowed),
            Some(of) => Additional::Of(Box::new(self.edge(of, within_preserve))),
        };
        Node {
            of: type_of(schema),
            format: schema["format"].as_str().unwrap_or_default().to_owned(),
            properties: properties.map(|(name, of)| (name.clone(), self.edge(of, within_preserve))).collect(),
            additional,
            items: schema.get("items").filter(|of| of.is_object()).map(|of| self.edge(of, within_preserve)),
            list_type: list_type(schema),
            map_type: map_type(schema),
            nullable: says("nullable"),
            int_or_string: says("x-kubernetes-int-or-string"),
            preserve,
            within_preserve,
            embedded: says("x-kubernetes-embedded-resource"),
            opaque: None,
            limits: if self.origin == Origin::Custom { self.limits(schema) } else { None },
        }
    }

    fn limits(&mut self, schema: &Value) -> Option<Box<Limits>> {
        const KEYS: &[&str] = &[
            "required",
            "enum",
            "pattern",
            "minLength",
            "maxLength",
            "minItems",
            "maxItems",
            "minProperties",
            "maxProperties",
            "minimum",
            "maximum",
            "multipleOf",
            "uniqueItems",
            "allOf",
            "anyOf",
            "oneOf",
            "not",
            "x-kubernetes-validations",
        ];
        let object = schema.as_object()?;
        if !KEYS.iter().any(|key| object.contains_key(*key)) {
            return None;
        }
        let size = |key: &str| schema[key].as_u64();
        let bound = |key: &str, exclusive: &str| {
            let number = schema[key].as_number()?.clone();
            Some(Bound { number, exclusive: schema[exclusive].as_bool().unwrap_or_default() })
        };
        let mut each = |key: &str| -> Vec<usize> {
            let schemas = schema[key].as_array().into_iter().flatten();
            schemas
                .map(|of| {
                    let node = self.node(of, false);
                    self.push(node)
                })
                .collect()
        };
        let (all_of, any_of, one_of) = (each("allOf"), each("anyOf"), each("oneOf"));
        let not = schema.get("not").filter(|of| of.is_object()).map(|of| {
            let node = self.node(of, false);
            self.push(node)
        });
        Some(Box::new(Limits {
            required: texts(&schema["required"]),
            enumeration: schema["enum"].as_array().cloned().unwrap_or_default(),
            pattern: schema["pattern"].as_str().filter(|text| !text.is_empty()).map(Pattern::new),
            min_length: size("minLength"),
            max_length: size("maxLength"),
            min_items: size("minItems"),
            max_items: size("maxItems"),
            min_properties: size("minProperties"),
            max_properties: size("maxProperties"),
            minimum: bound("minimum", "exclusiveMinimum"),
            maximum: bound("maximum", "exclusiveMaximum"),
            multiple_of: schema["multipleOf"].as_number().cloned(),
            unique_items: schema["uniqueItems"].as_bool().unwrap_or_default(),
            all_of,
            any_of,
            one_of,
            not,
            metadata: None,
            rules: schema["x-kubernetes-validations"].as_array().cloned().unwrap_or_default(),
        }))
    }
}

fn type_of(schema: &Value) -> Type {
    match schema["type"].as_str().unwrap_or_default() {
        "object" => Type::Object,
        "array" => Type::Array,
        "string" => Type::String,
        "integer" => Type::Integer,
        "number" => Type::Number,
        "boolean" => Type::Boolean,
        _ => Type::Any,
    }
}

fn map_type(schema: &Value) -> Option<MapType> {
    match schema["x-kubernetes-map-type"].as_str()? {
        "atomic" => Some(MapType::Atomic),
        "granular" => Some(MapType::Granular),
        _ => None,
    }
}

/// The list type, or what a patch strategy of older types says about it.
fn list_type(schema: &Value) -> ListType {
    match schema["x-kubernetes-list-type"].as_str() {
        Some("set") => return ListType::Set,
        Some("map") => return ListType::Map(texts(&schema["x-kubernetes-list-map-keys"])),
        Some(_) => return ListType::Atomic,
        None => {}
    }
    match schema["x-kubernetes-patch-strategy"].as_str() {
        Some("merge" | "merge,retainKeys") => match schema["x-kubernetes-patch-merge-key"].as_str() {
            Some(key) => ListType::Map(vec![key.to_owned()]),
            None => ListType::Set,
        },
        _ => ListType::Atomic,
    }
}

fn patch(schema: &Value) -> Option<Box<Patch>> {
    let strategies = schema["x-kubernetes-patch-strategy"].as_str();
    let merge_key = schema["x-kubernetes-patch-merge-key"].as_str();
    if strategies.is_none() && merge_key.is_none() {
        return None;
    }
    let strategy = strategies.unwrap_or_default().split(',').find(|one| *one != "retainKeys").unwrap_or_default();
    Some(Box::new(Patch { strategy: strategy.to_owned(), merge_key: merge_key.unwrap_or_default().to_owned() }))
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}
