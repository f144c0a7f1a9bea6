//! TOML, as `BurntSushi/toml` writes it, and as much of it as values need when read.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::{fixed, text};
use crate::execute::{Failure, Function, Param};
use crate::value::{DEEPEST, Map, Value, float_shortest, parse_int};

pub(super) fn functions() -> Vec<Function> {
    vec![
        fixed("toToml", &[Param::Any], |_, args| Ok(Value::text(write(&args[0]).unwrap_or_else(|words| words)))),
        fixed("mustToToml", &[Param::Any], |_, args| Ok(Value::text(write(&args[0]).map_err(Failure::plain)?))),
        fixed("fromToml", &[Param::Text], |world, args| {
            let source = text(args, 0);
            world.step(source.len() / 16)?;
            Ok(read(&source).unwrap_or_else(|words| Value::map([(Rc::from("Error"), Value::text(words))].into())))
        }),
    ]
}

fn write(value: &Value) -> Result<String, String> {
    let Value::Map(map) = value else {
        return Err("toml: top-level values must be Go maps or structs".to_owned());
    };
    let mut out = String::new();
    table(&mut out, map, &[], 0)?;
    Ok(out)
}

fn is_tables(value: &Value) -> bool {
    matches!(value, Value::List(list) if !list.items.is_empty() && list.items.iter().all(|one| matches!(one, Value::Map(_))))
}

/// Plain values first, then tables below them, each indented by its depth.
fn table(out: &mut String, map: &Map, path: &[String], depth: usize) -> Result<(), String> {
    if depth > DEEPEST {
        return Err("toml: a value holds itself".to_owned());
    }
    let indent = "  ".repeat(path.len());
    let entries = map.entries.borrow();
    for (key, value) in entries.iter().filter(|(_, value)| !matches!(value, Value::Map(_)) && !is_tables(value)) {
        if !value.is_nil() {
            out.push_str(&format!("{indent}{} = {}\n", name(key), inline(value, depth)?));
        }
    }
    for (key, value) in entries.iter() {
        let mut below = path.to_vec();
        below.push(name(key));
        let indent = "  ".repeat(path.len());
        match value {
            Value::Map(inner) => {
                if !out.is_empty() {
                    out.push('\n');
                }
                out.push_str(&format!("{indent}[{}]\n", below.join(".")));
                table(out, inner, &below, depth + 1)?;
            }
            Value::List(list) if is_tables(value) => {
                for item in &list.items {
                    if let Value::Map(inner) = item {
                        if !out.is_empty() {
                            out.push('\n');
                        }
                        out.push_str(&format!("{indent}[[{}]]\n", below.join(".")));
                        table(out, inner, &below, depth + 1)?;
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn name(key: &str) -> String {
    let bare = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    if bare { key.to_owned() } else { quoted(key) }
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn inline(value: &Value, depth: usize) -> Result<String, String> {
    if depth > DEEPEST {
        return Err("toml: a value holds itself".to_owned());
    }
    Ok(match value {
        Value::Bool(truth) => truth.to_string(),
        Value::Int(n) | Value::Int64(n) | Value::Duration(n) => n.to_string(),
        Value::Float(n) if n.is_nan() => "nan".to_owned(),
        Value::Float(n) if n.is_infinite() => if *n > 0.0 { "inf" } else { "-inf" }.to_owned(),
        Value::Float(n) => {
            let shown = float_shortest(*n);
            if shown.contains(['.', 'e']) { shown } else { format!("{shown}.0") }
        }
        Value::Text(text) => quoted(text),
        Value::List(list) => {
            if list.items.iter().any(Value::is_nil) {
                return Err("toml: cannot encode array with nil element".to_owned());
            }
            let items = list.items.iter().map(|item| inline(item, depth + 1)).collect::<Result<Vec<_>, _>>()?;
            format!("[{}]", items.join(", "))
        }
        Value::Map(map) => {
            let mut parts = Vec::new();
            for (key, value) in map.entries.borrow().iter() {
                parts.push(format!("{} = {}", name(key), inline(value, depth + 1)?));
            }
            format!("{{{}}}", parts.join(", "))
        }
        other => quoted(&super::string(other)),
    })
}

type Table = BTreeMap<Rc<str>, Value>;

fn read(source: &str) -> Result<Value, String> {
    let root = Map::new(Table::new(), crate::value::Of::Any);
    let mut here = root.clone();
    let mut reader = Reader { rest: source, line: 1, depth: 0 };
    loop {
        reader.skip(true);
        if reader.rest.is_empty() {
            return Ok(Value::Map(root));
        }
        if reader.rest.starts_with('[') {
            let many = reader.take("[[");
            if !many {
                reader.take("[");
            }
            let path = reader.path()?;
            reader.expect(if many { "]]" } else { "]" })?;
            here = descend(&root, &path, many).ok_or_else(|| reader.wrong("key is already defined"))?;
        } else {
            let path = reader.path()?;
            reader.expect("=")?;
            let value = reader.value()?;
            let (last, before) = path.split_last().ok_or_else(|| reader.wrong("a key is missing"))?;
            let into = descend(&here, before, false).ok_or_else(|| reader.wrong("key is already defined"))?;
            into.set(last, value);
        }
        reader.skip(false);
        if !reader.rest.is_empty() && !reader.rest.starts_with('\n') {
            return Err(reader.wrong("expected a new line"));
        }
    }
}

/// The table at a path, made on the way; of an array of tables the last, or a new one.
fn descend(root: &Rc<Map>, path: &[String], many: bool) -> Option<Rc<Map>> {
    let mut at = root.clone();
    for (index, key) in path.iter().enumerate() {
        let fresh = || Map::new(Table::new(), crate::value::Of::Any);
        let append = many && index + 1 == path.len();
        let next = match at.get(key) {
            None if append => {
                let made = fresh();
                at.set(key, Value::list(vec![Value::Map(made.clone())]));
                made
            }
            None => {
                let made = fresh();
                at.set(key, Value::Map(made.clone()));
                made
            }
            Some(Value::Map(known)) if !append => known,
            Some(Value::List(list)) => {
                if append {
                    let made = fresh();
                    let mut items = list.items.clone();
                    items.push(Value::Map(made.clone()));
                    at.set(key, Value::list(items));
                    made
                } else if let Some(Value::Map(last)) = list.items.last() {
                    last.clone()
                } else {
                    return None;
                }
            }
            Some(_) => return None,
        };
        at = next;
    }
    Some(at)
}

struct Reader<'s> {
    rest: &'s str,
    line: usize,
    depth: usize,
}

impl Reader<'_> {
    fn wrong(&self, words: &str) -> String {
        format!("toml: line {}: {words}", self.line)
    }

    fn take(&mut self, mark: &str) -> bool {
        let found = self.rest.strip_prefix(mark);
        self.rest = found.unwrap_or(self.rest);
        found.is_some()
    }

    fn expect(&mut self, mark: &str) -> Result<(), String> {
        self.skip(false);
        if self.take(mark) { Ok(()) } else { Err(self.wrong(&format!("expected `{mark}`"))) }
    }

    /// Blanks and comments, and new lines where they may be.
    fn skip(&mut self, lines: bool) {
        loop {
            self.rest = self.rest.trim_start_matches([' ', '\t', '\r']);
            if self.rest.starts_with('#') {
                self.rest = &self.rest[self.rest.find('\n').unwrap_or(self.rest.len())..];
            } else if lines && self.take("\n") {
                self.line += 1;
            } else {
                return;
            }
        }
    }

    fn path(&mut self) -> Result<Vec<String>, String> {
        let mut path = Vec::new();
        loop {
            self.skip(false);
            if self.rest.starts_with(['"', '\'']) {
                path.push(self.string()?);
            } else {
                let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
                let end = self.rest.find(|c| !fits(c)).unwrap_or(self.rest.len());
                if end == 0 {
                    return Err(self.wrong("expected a key"));
                }
                path.push(self.rest[..end].to_owned());
                self.rest = &self.rest[end..];
            }
            self.skip(false);
            if !self.take(".") {
                return Ok(path);
            }
        }
    }

    fn string(&mut self) -> Result<String, String> {
        for (mark, escapes, lines) in
            [("\"\"\"", true, true), ("'''", false, true), ("\"", true, false), ("'", false, false)]
        {
            if !self.take(mark) {
                continue;
            }
            if lines && self.take("\n") {
                self.line += 1;
            }
            let mut out = String::new();
            loop {
                if self.take(mark) {
                    return Ok(out);
                }
                let Some(c) = self.rest.chars().next() else { return Err(self.wrong("a string does not end")) };
                self.rest = &self.rest[c.len_utf8()..];
                if c == '\n' {
                    if !lines {
                        return Err(self.wrong("a string does not end"));
                    }
                    self.line += 1;
                }
                if c == '\\' && escapes { self.escape(&mut out)? } else { out.push(c) }
            }
        }
        Err(self.wrong("expected a string"))
    }

    fn escape(&mut self, out: &mut String) -> Result<(), String> {
        let c = self.rest.chars().next().ok_or_else(|| self.wrong("a string does not end"))?;
        self.rest = &self.rest[c.len_utf8()..];
        let digits = match c {
            'u' => 4,
            'U' => 8,
            _ => 0,
        };
        out.push(match c {
            'b' => '\u{8}',
            't' => '\t',
            'n' => '\n',
            'f' => '\u{c}',
            'r' => '\r',
            'e' => '\u{1b}',
            '"' | '\\' => c,
            'u' | 'U' => {
                let code = self.rest.get(..digits).and_then(|code| u32::from_str_radix(code, 16).ok());
                let made = code.and_then(char::from_u32).ok_or_else(|| self.wrong("invalid escape"))?;
                self.rest = &self.rest[digits..];
                made
            }
            '\n' => {
                self.rest = self.rest.trim_start();
                return Ok(());
            }
            _ => return Err(self.wrong("invalid escape")),
        });
        Ok(())
    }

    fn value(&mut self) -> Result<Value, String> {
        self.skip(false);
        self.depth += 1;
        if self.depth > 200 {
            return Err(self.wrong("nested too deeply"));
        }
        let value = if self.rest.starts_with(['"', '\'']) {
            Value::text(self.string()?)
        } else if self.take("[") {
            let mut items = Vec::new();
            loop {
                self.skip(true);
                if self.take("]") {
                    break;
                }
                items.push(self.value()?);
                self.skip(true);
                if !self.take(",") {
                    self.skip(true);
                    self.expect("]")?;
                    break;
                }
            }
            Value::list(items)
        } else if self.take("{") {
            self.table()?
        } else {
            self.bare()?
        };
        self.depth -= 1;
        Ok(value)
    }

    fn table(&mut self) -> Result<Value, String> {
        let table = Map::new(Table::new(), crate::value::Of::Any);
        self.skip(false);
        if self.take("}") {
            return Ok(Value::Map(table));
        }
        loop {
            let path = self.path()?;
            self.expect("=")?;
            let value = self.value()?;
            let (last, before) = path.split_last().ok_or_else(|| self.wrong("a key is missing"))?;
            descend(&table, before, false).ok_or_else(|| self.wrong("key is already defined"))?.set(last, value);
            self.skip(false);
            if !self.take(",") {
                self.expect("}")?;
                return Ok(Value::Map(table));
            }
        }
    }

    fn bare(&mut self) -> Result<Value, String> {
        let end = self.rest.find([',', ']', '}', '\n', '#']).unwrap_or(self.rest.len());
        let word = self.rest[..end].trim();
        self.rest = &self.rest[end..];
        Ok(match word {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            "inf" | "+inf" => Value::Float(f64::INFINITY),
            "-inf" => Value::Float(f64::NEG_INFINITY),
            "nan" | "+nan" | "-nan" => Value::Float(f64::NAN),
            _ => match (parse_int(word), word.replace('_', "").parse::<f64>()) {
                (Some(whole), _) => Value::Int64(whole),
                (None, Ok(number)) => Value::Float(number),
                _ if word.starts_with(|c: char| c.is_ascii_digit()) && word.contains(['-', ':']) => Value::text(word),
                _ => return Err(self.wrong(&format!("expected value but found {word:?} instead"))),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let read_once = read("a = 1\n[b]\nc = \"x\"\n[[d]]\ne = [1.5, 2.0]\n[[d]]\nf = {g = true}\n").unwrap();
        let written = write(&read_once).unwrap();
        assert!(read(&written).unwrap().deep_equal(&read_once), "{written}");
        assert!(read("a = ").is_err());
    }
}
