//! The syntax of `--set`, `--set-string`, `--set-json`, `--set-file` and `--set-literal`.

use serde_json::{Map, Value};

use crate::fault::Fault;
use crate::value::quote;

/// How what follows `=` is read.
#[derive(Clone, Copy)]
pub enum Set<'s> {
    /// `--set`: truth values, null and whole numbers are told from strings.
    Typed,
    /// `--set-string`: always a string.
    Text,
    /// `--set-json`: JSON.
    Json,
    /// `--set-literal`: a string up to the end, whatever is in it.
    Literal,
    /// `--set-file`: the contents of the file by that name, which is asked for.
    File(&'s dyn Fn(&str) -> Result<String, String>),
}

/// The largest index of a list.
const MOST_ITEMS: usize = 65_536;
/// How deep a key may reach.
const DEEPEST: usize = 30;

/// Reads a line such as `a.b[0]=c,d={x,y}` into values that are there already.
pub fn set(line: &str, how: Set<'_>, into: &mut Value) -> Result<(), Fault> {
    if !into.is_object() {
        *into = Value::Object(Map::new());
    }
    let Value::Object(table) = into else { return Ok(()) };
    if let (Set::Json, true) = (how, line.trim_start().starts_with('{')) {
        return whole(line, table);
    }
    let mut parser = Parser { chars: line.chars().collect(), at: 0, how, budget: 4 * MOST_ITEMS };
    let flag = match how {
        Set::Typed => "--set data",
        Set::Text => "--set-string data",
        Set::Json => "--set-json data",
        Set::Literal => "--set-literal data",
        Set::File(_) => "--set-file data",
    };
    loop {
        match parser.key(table, 0) {
            Ok(()) => {}
            Err(End::Done) => return Ok(()),
            Err(End::Wrong(words)) => return Err(Fault::new(format!("failed parsing {flag}: {words}"))),
        }
    }
}

/// `--set-json` of a whole object.
fn whole(line: &str, table: &mut Map<String, Value>) -> Result<(), Fault> {
    match serde_json::from_str::<Value>(line) {
        Ok(Value::Object(given)) => {
            let under = Value::Object(std::mem::take(table));
            if let Value::Object(merged) = super::merge(under, super::from_json(&Value::Object(given))) {
                *table = merged;
            }
            Ok(())
        }
        _ => Err(Fault::new(format!("failed parsing --set-json data JSON: {line}"))),
    }
}

enum End {
    Done,
    Wrong(String),
}

fn wrong<T>(words: impl Into<String>) -> Result<T, End> {
    Err(End::Wrong(words.into()))
}

struct Parser<'s> {
    chars: Vec<char>,
    at: usize,
    how: Set<'s>,
    /// How many empty places lists may be filled with, all together.
    budget: usize,
}

impl Parser<'_> {
    fn literal(&self) -> bool {
        matches!(self.how, Set::Literal)
    }

    fn next(&mut self) -> Option<char> {
        let c = self.chars.get(self.at).copied();
        self.at += usize::from(c.is_some());
        c
    }

    /// Characters up to one of `stops`; a backslash takes the next one as it is, except in a literal.
    fn until(&mut self, stops: &str) -> (String, Option<char>) {
        let mut text = String::new();
        while let Some(c) = self.next() {
            if stops.contains(c) {
                return (text, Some(c));
            }
            if c == '\\' && !self.literal() {
                match self.next() {
                    Some(c) => text.push(c),
                    None => return (text, None),
                }
            } else {
                text.push(c);
            }
        }
        (text, None)
    }

    fn key(&mut self, table: &mut Map<String, Value>, depth: usize) -> Result<(), End> {
        let stops = if self.literal() { "=[." } else { "=[,." };
        let (name, last) = self.until(stops);
        match last {
            None if name.is_empty() => Err(End::Done),
            None => wrong(format!("key {} has no value", quote(&name))),
            Some('[') => {
                let index = self.index()?;
                let mut list = match table.remove(&name) {
                    None => Vec::new(),
                    Some(Value::Array(list)) => list,
                    Some(other) => {
                        let words = conversion(&other, "[]interface {}");
                        table.insert(name, other);
                        return wrong(words);
                    }
                };
                let done = self.item(&mut list, index, depth);
                put(table, name, Value::Array(list));
                done
            }
            Some('=') => {
                let mut end = Ok(());
                let value = match self.value() {
                    Ok(value) => value,
                    Err((End::Done, value)) => {
                        end = Err(End::Done);
                        value
                    }
                    Err((wrong, _)) => return Err(wrong),
                };
                put(table, name, value);
                end
            }
            Some(',') => {
                put(table, name.clone(), Value::from(""));
                wrong(format!("key {} has no value (cannot end with ,)", quote(&name)))
            }
            Some(_) => {
                if depth + 1 > DEEPEST {
                    return wrong(format!(
                        "value name nested level is greater than maximum supported nested level of {DEEPEST}"
                    ));
                }
                let mut inner = match table.remove(&name) {
                    None => Map::new(),
                    Some(Value::Object(inner)) => inner,
                    Some(other) => {
                        let words = conversion(&other, "map[string]interface {}");
                        table.insert(name, other);
                        return wrong(words);
                    }
                };
                let done = self.key(&mut inner, depth + 1);
                let empty = inner.is_empty();
                if done.is_ok() && empty {
                    return wrong(format!("key map {} has no value", quote(&name)));
                }
                if !empty {
                    put(table, name, Value::Object(inner));
                }
                done
            }
        }
    }

    fn index(&mut self) -> Result<usize, End> {
        let (text, last) = self.until("]");
        if last.is_none() {
            return wrong("error parsing index: EOF");
        }
        match text.parse::<i64>() {
            Ok(index) => usize::try_from(index).or_else(|_| wrong(format!("negative {index} index not allowed"))),
            Err(_) => wrong(format!("error parsing index: strconv.Atoi: parsing {}: invalid syntax", quote(&text))),
        }
    }

    fn item(&mut self, list: &mut Vec<Value>, index: usize, depth: usize) -> Result<(), End> {
        let (text, last) = self.until("[.=");
        if !text.is_empty() {
            return wrong(format!("unexpected data at end of array index: {}", quote(&text)));
        }
        match last {
            None => Err(End::Done),
            Some('=') => match self.value() {
                Ok(value) | Err((End::Done, value)) => self.place(list, index, value),
                Err((wrong, _)) => Err(wrong),
            },
            Some('[') => {
                let inner_index = self.index()?;
                let mut inner = match list.get_mut(index).map(Value::take) {
                    Some(Value::Array(inner)) => inner,
                    None | Some(Value::Null) => Vec::new(),
                    Some(other) => return wrong(conversion(&other, "[]interface {}")),
                };
                self.item(&mut inner, inner_index, depth)?;
                self.place(list, index, Value::Array(inner))
            }
            Some(_) => {
                let mut inner = match list.get_mut(index).map(Value::take) {
                    Some(Value::Object(inner)) => inner,
                    _ => Map::new(),
                };
                let done = self.key(&mut inner, depth);
                done?;
                self.place(list, index, Value::Object(inner))
            }
        }
    }

    fn place(&mut self, list: &mut Vec<Value>, index: usize, value: Value) -> Result<(), End> {
        if index > MOST_ITEMS {
            return wrong(format!("index of {index} is greater than maximum supported index of {MOST_ITEMS}"));
        }
        if list.len() <= index {
            let more = index + 1 - list.len();
            if more > self.budget {
                return wrong("lists with more empty places than there is room for");
            }
            self.budget -= more;
            list.resize(index + 1, Value::Null);
        }
        list[index] = value;
        Ok(())
    }

    /// What follows `=`.
    fn value(&mut self) -> Result<Value, (End, Value)> {
        match self.how {
            Set::Json => return self.json().map_err(|end| (end, Value::Null)),
            Set::Literal => {
                let rest: String = self.chars[self.at..].iter().collect();
                self.at = self.chars.len();
                return Ok(Value::from(rest));
            }
            _ => {}
        }
        match self.chars.get(self.at) {
            None => Err((End::Done, Value::from(""))),
            Some('{') => {
                self.at += 1;
                self.list().map_err(|end| (end, Value::Null))
            }
            Some(_) => {
                let (text, _) = self.until(",");
                self.typed(text).map_err(|end| (end, Value::Null))
            }
        }
    }

    fn list(&mut self) -> Result<Value, End> {
        let mut items = Vec::new();
        loop {
            let (text, last) = self.until(",}");
            match last {
                None => return wrong("list must terminate with '}'"),
                Some('}') => {
                    if self.chars.get(self.at) == Some(&',') {
                        self.at += 1;
                    }
                    items.push(self.typed(text)?);
                    return Ok(Value::Array(items));
                }
                Some(_) => items.push(self.typed(text)?),
            }
        }
    }

    fn typed(&self, text: String) -> Result<Value, End> {
        match self.how {
            Set::Typed => Ok(typed(text)),
            Set::File(read) => read(&text).map(Value::from).map_err(End::Wrong),
            _ => Ok(Value::from(text)),
        }
    }

    fn json(&mut self) -> Result<Value, End> {
        let rest: String = self.chars[self.at..].iter().collect();
        let trimmed = rest.trim_start();
        if trimmed.is_empty() || trimmed.starts_with(',') {
            self.at += rest.chars().count() - trimmed.chars().count() + usize::from(!trimmed.is_empty());
            return Ok(Value::Null);
        }
        let mut stream = serde_json::Deserializer::from_str(&rest).into_iter::<Value>();
        let Some(Ok(value)) = stream.next() else {
            let first = trimmed.chars().next().unwrap_or(' ');
            return wrong(format!("invalid character '{first}' looking for beginning of value"));
        };
        let value = super::from_json(&value);
        self.at += rest[..stream.byte_offset()].chars().count();
        while let Some(c) = self.chars.get(self.at) {
            if *c == ',' {
                self.at += 1;
                break;
            }
            if !c.is_whitespace() {
                break;
            }
            self.at += 1;
        }
        Ok(value)
    }
}

fn put(table: &mut Map<String, Value>, name: String, value: Value) {
    if !name.is_empty() {
        table.insert(name, value);
    }
}

fn conversion(found: &Value, wanted: &str) -> String {
    let found = match found {
        Value::Null => "nil".to_owned(),
        other => crate::value::from_plain(other).type_name().to_owned(),
    };
    format!("unable to parse key: interface conversion: interface {{}} is {found}, not {wanted}")
}

fn typed(text: String) -> Value {
    if text.eq_ignore_ascii_case("true") {
        return Value::Bool(true);
    }
    if text.eq_ignore_ascii_case("false") {
        return Value::Bool(false);
    }
    if text.eq_ignore_ascii_case("null") {
        return Value::Null;
    }
    if text == "0" {
        return Value::from(0);
    }
    if !text.starts_with('0')
        && let Ok(number) = text.parse::<i64>()
    {
        return Value::from(number);
    }
    Value::String(text)
}
