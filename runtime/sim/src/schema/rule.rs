//! `x-kubernetes-validations`: the rules in CEL that a CRD's author wrote, and what they are given to look at.
//!
//! Not known here: the language itself. What a rule may cost is not counted, as the API server does before it takes a CRD.

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine;
use kube_cel::cel::objects::{Key, Map, OptionalValue};
use kube_cel::cel::{Context, ExecutionError, Program, Value as Cel};
use kube_cel::{CompilationError, CompilationResult, KubeCelExt};
use serde_json::{Value, json};

use super::correlate;
use super::error::{FieldError, FieldErrorKind};
use super::node::{Additional, Document, Edge, Node, Type};

type Compiled = Result<CompilationResult, CompilationError>;

/// The rules of one CRD, compiled once.
pub(super) struct Rules {
    of_nodes: HashMap<usize, Vec<Compiled>>,
    /// Whether there are rules at a node or below it.
    reach: Vec<bool>,
}

impl std::fmt::Debug for Rules {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Rules({})", self.of_nodes.len())
    }
}

impl Rules {
    pub(super) fn compile(nodes: &[Node]) -> Self {
        let mut of_nodes = HashMap::new();
        for (at, node) in nodes.iter().enumerate() {
            let Some(limits) = node.limits.as_ref().filter(|limits| !limits.rules.is_empty()) else { continue };
            let compiled = kube_cel::compile_schema(&json!({ "x-kubernetes-validations": limits.rules }));
            of_nodes.insert(at, compiled.validations);
        }
        let mut reach = vec![None; nodes.len()];
        for at in 0..nodes.len() {
            reaches(nodes, &of_nodes, at, &mut reach);
        }
        Self { of_nodes, reach: reach.into_iter().map(Option::unwrap_or_default).collect() }
    }
}

fn reaches(nodes: &[Node], rules: &HashMap<usize, Vec<Compiled>>, at: usize, known: &mut [Option<bool>]) -> bool {
    if let Some(answer) = known[at] {
        return answer;
    }
    known[at] = Some(false);
    let mut below: Vec<usize> = nodes[at].properties.values().map(|edge| edge.to).collect();
    below.extend(nodes[at].items.iter().map(|edge| edge.to));
    if let Additional::Of(edge) = &nodes[at].additional {
        below.push(edge.to);
    }
    below.extend(alternatives(&nodes[at]));
    let mut answer = rules.contains_key(&at);
    for other in below {
        answer |= reaches(nodes, rules, other, known);
    }
    known[at] = Some(answer);
    answer
}

/// The schemas that look at the same value as a node does.
fn alternatives(node: &Node) -> impl Iterator<Item = usize> {
    let limits = node.limits.as_deref();
    let lists = limits.into_iter().flat_map(|limits| [&limits.all_of, &limits.any_of, &limits.one_of]);
    lists.flatten().copied().chain(limits.and_then(|limits| limits.metadata))
}

thread_local! {
    /// What every rule may call; it takes longer to put together than most rules to evaluate.
    static FUNCTIONS: Context<'static> = Context::default().with_all();
}

/// What the rules say about an object.
pub(super) fn check(document: &Document, edge: &Edge, new: &Value, old: Option<&Value>) -> Vec<FieldError> {
    let rules = document.rules();
    let mut errors = Vec::new();
    FUNCTIONS.with(|functions| {
        Walk { document, rules, functions }.visit(edge.to, new, old, "", &mut errors);
    });
    errors
}

struct Walk<'a> {
    document: &'a Document,
    rules: &'a Rules,
    functions: &'a Context<'static>,
}

impl Walk<'_> {
    fn visit(&self, at: usize, new: &Value, old: Option<&Value>, path: &str, errors: &mut Vec<FieldError>) {
        if new.is_null() || !self.rules.reach[at] {
            return;
        }
        let node = self.document.at(at);
        let old = old.filter(|old| !old.is_null());
        if let Some(rules) = self.rules.of_nodes.get(&at) {
            self.evaluate(node, rules, new, old, path, errors);
        }
        match new {
            Value::Object(object) => {
                for (key, value) in object {
                    let (edge, below) = match (node.properties.get(key), &node.additional) {
                        (Some(edge), _) => (edge, child(path, key)),
                        (None, Additional::Of(edge)) => (&**edge, format!("{path}[{key}]")),
                        _ => continue,
                    };
                    let old = old.and_then(|old| correlate::field(node, old, key));
                    self.visit(edge.to, value, old, &below, errors);
                }
            }
            Value::Array(list) => {
                let Some(items) = &node.items else { return };
                let old = correlate::Items::of(node, old);
                for (index, value) in list.iter().enumerate() {
                    self.visit(items.to, value, old.get(value), &format!("{path}[{index}]"), errors);
                }
            }
            _ => {}
        }
        for other in alternatives(node).filter(|other| Some(*other) != metadata(node)) {
            self.visit(other, new, old, path, errors);
        }
        if let (Some(at), Some(meta)) = (metadata(node), new.get("metadata")) {
            let old = old.and_then(|old| old.get("metadata"));
            self.visit(at, meta, old, &child(path, "metadata"), errors);
        }
    }

    fn evaluate(
        &self,
        node: &Node,
        rules: &[Compiled],
        new: &Value,
        old: Option<&Value>,
        path: &str,
        errors: &mut Vec<FieldError>,
    ) {
        let mut scope = self.functions.new_inner_scope();
        scope.add_variable_from_value("self", convert(self.document, node, new));
        let old_self = old.map(|old| convert(self.document, node, old));
        if let Some(old) = &old_self {
            scope.add_variable_from_value("oldSelf", old.clone());
        }
        let unchanged = old == Some(new);
        for compiled in rules {
            let compiled = match compiled {
                Ok(compiled) => compiled,
                Err(error) => {
                    errors.push(of_type(node, path, format!("rule compile error: {error}")));
                    continue;
                }
            };
            let optional = compiled.rule.optional_old_self == Some(true);
            if compiled.is_transition_rule && old.is_none() && !optional {
                continue;
            }
            let mut inner = scope.new_inner_scope();
            if optional {
                let old = old_self.clone().map_or_else(OptionalValue::none, OptionalValue::of);
                inner.add_variable_from_value("oldSelf", Cel::Opaque(Arc::new(old)));
            }
            match compiled.program.execute(&inner) {
                Ok(Cel::Bool(true)) => {}
                // What did not change was valid when it was written, or nobody would be able to change anything else.
                Ok(_) if unchanged && !compiled.is_transition_rule => {}
                Ok(_) => errors.push(violation(node, compiled, &inner, new, path)),
                Err(error) => {
                    let said = format!("{} evaluating rule: {}", in_words(&error), said(compiled));
                    errors.push(of_type(node, path, said));
                }
            }
        }
    }
}

fn metadata(node: &Node) -> Option<usize> {
    node.limits.as_ref()?.metadata
}

fn child(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// The server's name for what has no path.
fn shown(path: &str) -> String {
    if path.is_empty() { "<nil>".to_owned() } else { path.to_owned() }
}

fn of_type(node: &Node, path: &str, said: String) -> FieldError {
    FieldError::invalid(shown(path), Value::String(node.of.word().to_owned()), said)
}

/// What a rule says when it does not hold.
fn violation(node: &Node, compiled: &CompilationResult, scope: &Context<'_>, value: &Value, path: &str) -> FieldError {
    let path = match compiled.rule.field_path.as_deref().filter(|field| !field.is_empty()) {
        Some(field) => {
            let field = field.strip_prefix('.').unwrap_or(field);
            let field = field.replace("['", ".").replace("']", "");
            child(path, field.strip_prefix('.').unwrap_or(&field))
        }
        None => shown(path),
    };
    let detail = expressed(compiled.message_program.as_ref(), scope).unwrap_or_else(|| {
        let message = compiled.rule.message.as_deref().filter(|message| !message.is_empty());
        message.map_or_else(|| format!("failed rule: {}", said(compiled)), |message| message.trim().to_owned())
    });
    let value = (!matches!(node.of, Type::Object | Type::Array)).then(|| value.clone());
    match compiled.rule.reason.as_deref() {
        Some("FieldValueForbidden") => FieldError::forbidden(path, detail),
        Some("FieldValueRequired") => FieldError::required(path, detail),
        Some("FieldValueDuplicate") => FieldError::new(FieldErrorKind::Duplicate, path, value, ""),
        _ => FieldError::new(FieldErrorKind::Invalid, path, value, detail),
    }
}

/// What `messageExpression` comes to; none where that is nothing that could be shown.
fn expressed(program: Option<&Program>, scope: &Context<'_>) -> Option<String> {
    let Ok(Cel::String(text)) = program?.execute(scope) else { return None };
    let text = text.trim();
    (!text.is_empty() && text.len() <= 5 * 1024 && !text.contains('\n')).then(|| text.to_owned())
}

fn said(compiled: &CompilationResult) -> String {
    let message = compiled.rule.message.as_deref().filter(|message| !message.is_empty());
    message.unwrap_or(&compiled.rule.rule).trim().to_owned()
}

fn in_words(error: &ExecutionError) -> String {
    match error {
        ExecutionError::NoSuchKey(key) => format!("no such key: {key}"),
        other => other.to_string(),
    }
}

/// A value as rules see it: field names escaped, numbers, times and durations by what the schema says they are.
fn convert(document: &Document, node: &Node, value: &Value) -> Cel {
    match value {
        Value::Null => Cel::Null,
        Value::Bool(flag) => Cel::Bool(*flag),
        Value::Number(number) => match number.as_i64() {
            _ if node.of == Type::Number => Cel::Float(number.as_f64().unwrap_or_default()),
            Some(whole) => Cel::Int(whole),
            None => whole_or_float(node, number.as_f64().unwrap_or_default()),
        },
        Value::String(text) => convert_text(node, text),
        Value::Array(list) => {
            let items = node.items.as_ref().map(|edge| document.node(edge));
            let free = Node::default();
            Cel::List(Arc::new(list.iter().map(|one| convert(document, items.unwrap_or(&free), one)).collect()))
        }
        Value::Object(object) => {
            let is_map = matches!(node.additional, Additional::Of(_) | Additional::Allowed(true));
            let free = Node::default();
            let fields = object.iter().map(|(key, value)| {
                let below = match (node.properties.get(key), &node.additional) {
                    (Some(edge), _) => document.node(edge),
                    (None, Additional::Of(edge)) => document.node(edge),
                    _ => &free,
                };
                let key = if is_map { key.clone() } else { escaped(key) };
                (Key::String(Arc::new(key)), convert(document, below, value))
            });
            Cel::Map(Map { map: Arc::new(fields.collect()) })
        }
    }
}

fn whole_or_float(node: &Node, number: f64) -> Cel {
    #[expect(clippy::cast_possible_truncation, reason = "it is whole and of a size that fits")]
    if node.of == Type::Integer && number.fract() == 0.0 && number.abs() < 9e18 {
        return Cel::Int(number as i64);
    }
    Cel::Float(number)
}

fn convert_text(node: &Node, text: &str) -> Cel {
    let plain = || Cel::String(Arc::new(text.to_owned()));
    match node.format.replace('-', "").as_str() {
        _ if node.int_or_string => plain(),
        "datetime" => called("timestamp", text).unwrap_or_else(plain),
        "duration" => called("duration", text).unwrap_or_else(plain),
        "byte" => match base64::engine::general_purpose::STANDARD.decode(text) {
            Ok(bytes) => Cel::Bytes(Arc::new(bytes)),
            Err(_) => plain(),
        },
        _ => plain(),
    }
}

/// What the language's own function makes of a text.
fn called(function: &str, text: &str) -> Option<Cel> {
    let program = Program::compile(&format!("{function}(text)")).ok()?;
    let mut scope = Context::default();
    scope.add_variable_from_value("text", Cel::String(Arc::new(text.to_owned())));
    program.execute(&scope).ok()
}

/// What no field may be called in a rule.
const RESERVED: &[&str] = &[
    "true",
    "false",
    "null",
    "in",
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

/// A field's name as rules write it.
fn escaped(name: &str) -> String {
    if RESERVED.contains(&name) {
        return format!("__{name}__");
    }
    if !name.contains(['.', '-', '/']) && !name.contains("__") {
        return name.to_owned();
    }
    name.replace("__", "\u{0}")
        .replace('.', "__dot__")
        .replace('-', "__dash__")
        .replace('/', "__slash__")
        .replace('\u{0}', "__underscores__")
}
