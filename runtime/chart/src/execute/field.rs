//! Looks fields up: keys of maps, fields of structs, and the methods that some values have.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::call::{Callee, Param};
use super::state::{At, Seen, State};
use super::world::Failure;
use crate::function::glob;
use crate::parse::Expr;
use crate::value::{Files, List, Of, Value};

impl<'t> State<'t, '_> {
    /// `.X.Y.Z`, the last perhaps with arguments.
    pub(super) fn chain(
        &mut self,
        dot: &Seen,
        receiver: Seen,
        node: &'t Expr,
        names: &[Rc<str>],
        args: &'t [Expr],
        last: Option<Seen>,
    ) -> Result<Seen, Failure> {
        let Some((end, before)) = names.split_last() else { return Ok(receiver) };
        let mut receiver = receiver;
        for name in before {
            receiver = self.field(dot, name, node, &[], None, receiver)?;
        }
        self.field(dot, end, node, args, last, receiver)
    }

    fn field(
        &mut self,
        dot: &Seen,
        name: &str,
        node: &'t Expr,
        args: &'t [Expr],
        last: Option<Seen>,
        receiver: Seen,
    ) -> Result<Seen, Failure> {
        let strict = self.world.order.strict;
        match &receiver.value {
            Value::Missing if strict => {
                return Err(self.fail(&format!("nil data; no entry for key {}", crate::value::quote(name))));
            }
            Value::Missing => return Ok(Seen::bare(Value::Missing)),
            Value::Nil => return Err(self.fail(&format!("nil pointer evaluating interface {{}}.{name}"))),
            _ => {}
        }
        if let Some((params, work)) = method(&receiver.value, name) {
            let callee = Callee { name, params, rest: None };
            let values = self.arguments(dot, &callee, args, last)?;
            let value = work(&receiver.value, &values).map_err(|failure| {
                self.at(At::Expr(node));
                self.calling(name, failure)
            })?;
            return Ok(Seen::bare(value));
        }
        let given = !args.is_empty() || last.is_some();
        match &receiver.value {
            Value::Map(map) => {
                if given {
                    return Err(self.fail(&format!("{name} is not a method but has arguments")));
                }
                match map.get(name) {
                    Some(value) => Ok(Seen { value, boxed: map.boxes() }),
                    None if strict => {
                        Err(self.fail(&format!("map has no entry for key {}", crate::value::quote(name))))
                    }
                    None => Ok(Seen { value: map.absent(), boxed: map.boxes() }),
                }
            }
            Value::Files(files) => match files.0.get(name) {
                Some(bytes) => Ok(Seen::bare(Value::Bytes(bytes.clone()))),
                None => Ok(Seen::bare(Value::Bytes(Rc::from([])))),
            },
            Value::Struct(made) => match made.field(name) {
                Some(_) if given => Err(self.fail(&format!("{name} has arguments but cannot be invoked as function"))),
                Some(value) => Ok(Seen::bare(value.clone())),
                None => Err(self.unknown(name, &receiver)),
            },
            _ => Err(self.unknown(name, &receiver)),
        }
    }

    fn unknown(&self, name: &str, receiver: &Seen) -> Failure {
        self.fail(&format!("can't evaluate field {name} in type {}", receiver.type_name()))
    }
}

type Method = fn(&Value, &[Value]) -> Result<Value, Failure>;

/// The method of a value by that name.
fn method(receiver: &Value, name: &str) -> Option<(&'static [Param], Method)> {
    Some(match (receiver, name) {
        (Value::Files(_), "Get") => (&[Param::Text], |files, args| Ok(Value::bytes_as_text(&file(files, args)))),
        (Value::Files(_), "GetBytes") => (&[Param::Text], |files, args| Ok(Value::Bytes(file(files, args)))),
        (Value::Files(_), "Glob") => (&[Param::Text], |files, args| Ok(globbed(files, args))),
        (Value::Files(_), "AsConfig") => (&[], |files, _| as_map(files, Value::bytes_as_text)),
        (Value::Files(_), "AsSecrets") => (&[], |files, _| {
            use base64::Engine as _;
            as_map(files, |bytes| Value::text(base64::engine::general_purpose::STANDARD.encode(bytes)))
        }),
        (Value::Files(_), "Lines") => (&[Param::Text], |files, args| Ok(lines(&file(files, args)))),
        (Value::List(list), "Has") if matches!(list.of, Of::Named(_)) => (&[Param::Text], |versions, args| {
            let Value::List(list) = versions else { return Ok(Value::Bool(false)) };
            Ok(Value::Bool(list.items.iter().any(|known| args.first().is_some_and(|one| known.deep_equal(one)))))
        }),
        (Value::Struct(made), _) => {
            // Methods without arguments are kept beside the fields.
            let work: Method = match name {
                "String" => |made, _| hidden(made, "\u{0}string"),
                "GitVersion" => |made, _| hidden(made, "\u{0}git"),
                "Major" if made.field("\u{0}major").is_some() => |made, _| hidden(made, "\u{0}major"),
                "Minor" if made.field("\u{0}minor").is_some() => |made, _| hidden(made, "\u{0}minor"),
                "Patch" if made.field("\u{0}patch").is_some() => |made, _| hidden(made, "\u{0}patch"),
                "Prerelease" if made.field("\u{0}pre").is_some() => |made, _| hidden(made, "\u{0}pre"),
                "Metadata" if made.field("\u{0}meta").is_some() => |made, _| hidden(made, "\u{0}meta"),
                "Original" if made.field("\u{0}original").is_some() => |made, _| hidden(made, "\u{0}original"),
                _ => return None,
            };
            (&[], work)
        }
        (Value::Time(_), "Unix") => (&[], |time, _| Ok(Value::Int64(instant(time).timestamp().as_second()))),
        (Value::Time(_), "Year") => (&[], |time, _| Ok(Value::Int(i64::from(instant(time).year())))),
        (Value::Time(_), "Day") => (&[], |time, _| Ok(Value::Int(i64::from(instant(time).day())))),
        (Value::Time(_), "Hour") => (&[], |time, _| Ok(Value::Int(i64::from(instant(time).hour())))),
        (Value::Time(_), "Minute") => (&[], |time, _| Ok(Value::Int(i64::from(instant(time).minute())))),
        (Value::Time(_), "Second") => (&[], |time, _| Ok(Value::Int(i64::from(instant(time).second())))),
        (Value::Time(_), "Format") => (&[Param::Text], |time, args| {
            let Some(Value::Text(layout)) = args.first() else { return Ok(Value::text("")) };
            Ok(Value::text(crate::function::layout(&instant(time), layout)))
        }),
        (Value::Time(_), "UTC") => {
            (&[], |time, _| Ok(Value::Time(instant(time).timestamp().to_zoned(jiff::tz::TimeZone::UTC))))
        }
        (Value::Duration(_), "String") => (&[], |time, _| Ok(Value::text(crate::value::plain(time)))),
        (Value::Duration(_), "Seconds") => (&[], |time, _| {
            #[expect(clippy::cast_precision_loss, reason = "Go's own answer is a float")]
            let seconds = if let Value::Duration(n) = time { *n as f64 / 1e9 } else { 0.0 };
            Ok(Value::Float(seconds))
        }),
        _ => return None,
    })
}

fn hidden(value: &Value, name: &str) -> Result<Value, Failure> {
    let Value::Struct(made) = value else { return Ok(Value::Missing) };
    made.field(name).cloned().ok_or_else(|| Failure::plain(format!("{} has no such method", made.name)))
}

fn instant(value: &Value) -> jiff::Zoned {
    match value {
        Value::Time(time) => time.clone(),
        _ => jiff::Timestamp::UNIX_EPOCH.to_zoned(jiff::tz::TimeZone::UTC),
    }
}

fn file(files: &Value, args: &[Value]) -> Rc<[u8]> {
    match (files, args.first()) {
        (Value::Files(files), Some(Value::Text(name))) => files.0.get(&**name).cloned().unwrap_or_else(|| Rc::from([])),
        _ => Rc::from([]),
    }
}

fn globbed(files: &Value, args: &[Value]) -> Value {
    let (Value::Files(files), Some(Value::Text(pattern))) = (files, args.first()) else { return Value::Missing };
    let pattern = glob(pattern).or_else(|| glob("**"));
    let kept = files
        .0
        .iter()
        .filter(|(path, _)| pattern.as_ref().is_some_and(|pattern| pattern.is_match(path)))
        .map(|(path, bytes)| (path.clone(), bytes.clone()));
    Value::Files(Rc::new(Files(kept.collect())))
}

fn as_map(files: &Value, show: impl Fn(&[u8]) -> Value) -> Result<Value, Failure> {
    let Value::Files(files) = files else { return Ok(Value::text("")) };
    let mut entries: BTreeMap<Rc<str>, Value> = BTreeMap::new();
    for (path, bytes) in &files.0 {
        let name = path.rsplit('/').next().unwrap_or(path);
        entries.insert(Rc::from(name), show(bytes));
    }
    let written = crate::yaml::emit(&Value::map(entries)).unwrap_or_default();
    Ok(Value::text(written.strip_suffix('\n').unwrap_or(&written)))
}

fn lines(bytes: &[u8]) -> Value {
    let text = String::from_utf8_lossy(bytes);
    if text.is_empty() {
        return Value::List(Rc::new(List { items: Vec::new(), of: Of::Text }));
    }
    Value::texts(text.strip_suffix('\n').unwrap_or(&text).split('\n'))
}
