//! Reads YAML into values, every number a `float64`, as a trip through JSON leaves them.

use std::collections::BTreeMap;
use std::rc::Rc;

use granit_parser::{Event, Options, Parser, ScalarStyle, Tag};

use super::resolve::{Resolved, resolve};
use crate::value::{Value, float_json};

/// How deep a document may nest.
const DEEPEST: usize = 500;
/// How many nodes aliases may add.
const MOST_NODES: usize = 2_000_000;

/// The first document of a text. An empty one is nil.
pub(crate) fn read(text: &str) -> Result<Value, String> {
    Reader::new(text).document()
}

struct Reader<'t> {
    parser: Parser<'t, granit_parser::StrInput<'t>>,
    line: usize,
    anchors: BTreeMap<usize, (Value, usize)>,
    nodes: usize,
}

/// A key keeps its spelling; a merge is told from one.
enum Key {
    Name(Rc<str>),
    Merge,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut options = Options::default();
        // Another crate of the program has them compiled in.
        options.set_emit_comments(false);
        let parser = Parser::new_from_str_with_options(text, options);
        Self { parser, line: 1, anchors: BTreeMap::new(), nodes: 0 }
    }

    fn next(&mut self) -> Result<Event<'t>, String> {
        match self.parser.next_event() {
            None => Ok(Event::StreamEnd),
            Some(Ok((event, span))) => {
                self.line = span.start.line();
                Ok(event)
            }
            Some(Err(error)) => Err(format!("yaml: line {}: {}", error.marker().line(), error.info())),
        }
    }

    fn document(&mut self) -> Result<Value, String> {
        loop {
            match self.next()? {
                Event::StreamStart | Event::DocumentStart(..) => {}
                Event::StreamEnd | Event::DocumentEnd => return Ok(Value::Nil),
                event => {
                    let value = self.node(event, 0)?;
                    return Ok(value);
                }
            }
        }
    }

    fn node(&mut self, event: Event<'t>, depth: usize) -> Result<Value, String> {
        if depth > DEEPEST {
            return Err("yaml: exceeded max depth of 10000".to_owned());
        }
        self.nodes += 1;
        if self.nodes > MOST_NODES {
            return Err("yaml: document contains excessive aliasing".to_owned());
        }
        let before = self.nodes;
        let (anchor, value) = match event {
            Event::Scalar(text, style, anchor, tag) => (anchor, self.scalar(&text, style, tag.as_deref())?),
            Event::SequenceStart(_, anchor, _) => {
                let mut items = Vec::new();
                loop {
                    match self.next()? {
                        Event::SequenceEnd => break,
                        event => items.push(self.node(event, depth + 1)?),
                    }
                }
                (anchor, Value::list(items))
            }
            Event::MappingStart(_, anchor, _) => (anchor, self.mapping(depth)?),
            Event::Alias(id) => {
                let Some((value, size)) = self.anchors.get(&id).cloned() else {
                    return Err("yaml: unknown anchor referenced".to_owned());
                };
                self.nodes += size;
                if self.nodes > MOST_NODES {
                    return Err("yaml: document contains excessive aliasing".to_owned());
                }
                // Later changes to one must not show in the other.
                return value.deep_copy(0).ok_or_else(|| "yaml: exceeded max depth of 10000".to_owned());
            }
            other => return Err(format!("yaml: unexpected {other:?}")),
        };
        if anchor != 0 {
            self.anchors.insert(anchor, (value.clone(), self.nodes - before + 1));
        }
        Ok(value)
    }

    fn mapping(&mut self, depth: usize) -> Result<Value, String> {
        let mut entries = BTreeMap::new();
        let mut merged = Vec::new();
        loop {
            let key = match self.next()? {
                Event::MappingEnd => break,
                event => self.key(event, depth)?,
            };
            let event = self.next()?;
            let value = self.node(event, depth + 1)?;
            match key {
                Key::Name(name) => {
                    entries.insert(name, value);
                }
                Key::Merge => merged.push(value),
            }
        }
        for value in merged {
            merge(&mut entries, &value)?;
        }
        Ok(Value::map(entries))
    }

    fn key(&mut self, event: Event<'t>, depth: usize) -> Result<Key, String> {
        if let Event::Scalar(text, ScalarStyle::Plain, _, None) = &event
            && resolve(text) == Resolved::Merge
        {
            return Ok(Key::Merge);
        }
        if let Event::Scalar(text, style, 0, tag) = &event
            && (*style != ScalarStyle::Plain || tag.is_some())
        {
            return Ok(Key::Name(Rc::from(&**text)));
        }
        let spelt = match &event {
            Event::Scalar(text, ..) => text.to_string(),
            _ => String::new(),
        };
        let name = match self.node(event, depth + 1)? {
            Value::Text(text) => text,
            Value::Bool(truth) => Rc::from(if truth { "true" } else { "false" }),
            Value::Float(number) => match resolve(&spelt) {
                Resolved::Int(whole) => Rc::from(whole.to_string()),
                _ => Rc::from(float_json(number).unwrap_or(spelt)),
            },
            Value::Nil => Rc::from("null"),
            other => {
                return Err(format!("error converting YAML to JSON: unsupported map key of type: {}", other.kind()));
            }
        };
        Ok(Key::Name(name))
    }

    fn scalar(&self, text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Value, String> {
        let core = tag.and_then(Tag::core_suffix);
        match core {
            Some("str") => return Ok(Value::text(text)),
            Some("binary") => {
                use base64::Engine as _;
                let bare: String = text.split_whitespace().collect();
                let bytes = base64::engine::general_purpose::STANDARD
                    .decode(bare)
                    .map_err(|error| format!("yaml: !!binary value contains invalid base64 data: {error}"))?;
                return Ok(Value::text(String::from_utf8_lossy(&bytes)));
            }
            _ => {}
        }
        let own = tag.is_some_and(|_| core.is_none());
        if (style != ScalarStyle::Plain && core.is_none()) || own {
            return Ok(Value::text(text));
        }
        Ok(match (resolve(text), core) {
            (Resolved::Null, None | Some("null")) => Value::Nil,
            (Resolved::Bool(truth), None | Some("bool")) => Value::Bool(truth),
            #[expect(clippy::cast_precision_loss, reason = "JSON numbers are floats to Go as well")]
            (Resolved::Int(whole), None | Some("int" | "float")) => Value::Float(whole as f64),
            #[expect(clippy::cast_precision_loss, reason = "JSON numbers are floats to Go as well")]
            (Resolved::Uint(whole), None | Some("int" | "float")) => Value::Float(whole as f64),
            (Resolved::Float(number), None | Some("float")) => Value::Float(number),
            (Resolved::Text | Resolved::Timestamp | Resolved::Merge, None | Some("timestamp")) => Value::text(text),
            (_, Some(wanted)) => {
                return Err(format!("yaml: line {}: cannot decode `{text}` as a !!{wanted}", self.line));
            }
        })
    }
}

/// `<<`: what is not there yet comes from the other map, or from each of a list, the first having the last word.
fn merge(entries: &mut BTreeMap<Rc<str>, Value>, from: &Value) -> Result<(), String> {
    match from {
        Value::Map(map) => {
            for (key, value) in map.entries.borrow().iter() {
                entries.entry(key.clone()).or_insert_with(|| value.clone());
            }
            Ok(())
        }
        Value::List(list) if list.items.iter().all(|item| matches!(item, Value::Map(_))) => {
            list.items.iter().try_for_each(|item| merge(entries, item))
        }
        _ => Err("yaml: map merge requires map or sequence of maps as the value".to_owned()),
    }
}
