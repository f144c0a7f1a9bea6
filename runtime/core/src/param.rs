//! What a primitive accepts: names, types and roles of its parameters, and the check of what a script gave.
//!
//! Does not know any primitive.

use std::marker::PhantomData;
use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Map, Value};

use crate::arg::{Arg, Args, Function};
use crate::fault::{Code, Fault};
use crate::primitive::Primitive;

/// Where a parameter is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// By position, always.
    Positional,
    /// In the map of options, may be left out.
    Option,
    /// In the map of options, must be there.
    RequiredOption,
}

/// One parameter of a primitive, of a type that says how a script's value is read.
#[derive(Debug)]
pub struct Param<T> {
    name: &'static str,
    summary: &'static str,
    role: Role,
    marker: PhantomData<fn() -> T>,
}

impl<T> Param<T> {
    /// Given by position, always.
    pub const fn required(name: &'static str, summary: &'static str) -> Self {
        Self { name, summary, role: Role::Positional, marker: PhantomData }
    }

    /// Given in the map of options and required there.
    pub const fn must(name: &'static str, summary: &'static str) -> Self {
        Self { name, summary, role: Role::RequiredOption, marker: PhantomData }
    }

    /// The name scripts use.
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

impl<T> Param<Option<T>> {
    /// Given in the map of options; `None` where it is absent or `()`.
    pub const fn option(name: &'static str, summary: &'static str) -> Self {
        Self { name, summary, role: Role::Option, marker: PhantomData }
    }
}

/// A parameter without its type, as lists of them need it.
pub trait AnyParam: Sync {
    /// The name scripts use.
    fn name(&self) -> &'static str;
    /// One sentence on what it means.
    fn summary(&self) -> &'static str;
    /// Where it is given.
    fn role(&self) -> Role;
    /// The type in words, such as `string` or `list of strings`.
    fn type_name(&self) -> &'static str;
    /// Whether a value would do, with the reason in words where not.
    fn check(&self, arg: Option<&Arg>) -> Result<(), String>;
}

impl<T: FromArg> AnyParam for Param<T> {
    fn name(&self) -> &'static str {
        self.name
    }
    fn summary(&self) -> &'static str {
        self.summary
    }
    fn role(&self) -> Role {
        self.role
    }
    fn type_name(&self) -> &'static str {
        T::TYPE
    }
    fn check(&self, arg: Option<&Arg>) -> Result<(), String> {
        T::from_arg(arg).map(|_| ())
    }
}

/// Types that can be read from a script's argument.
pub trait FromArg: Sized {
    /// The type in words.
    const TYPE: &'static str;

    /// Reads it; the error says in words what was expected and what came.
    fn from_arg(arg: Option<&Arg>) -> Result<Self, String>;
}

fn wrong<T: FromArg>(arg: Option<&Arg>) -> String {
    let got = match arg {
        None => "nothing".to_owned(),
        Some(Arg::Function(_)) => "a function".to_owned(),
        Some(Arg::Options(_)) => "a map with functions".to_owned(),
        Some(Arg::Value(value)) => in_words(value),
    };
    format!("expected {}, got {got}", T::TYPE)
}

/// A value in a few words, for messages: its type, and the value where it is short.
pub fn in_words(value: &Value) -> String {
    match value {
        Value::Null => "()".to_owned(),
        Value::Bool(value) => format!("the bool {value}"),
        Value::Number(value) => format!("the number {value}"),
        Value::String(text) if text.chars().count() <= 40 => format!("the string {text:?}"),
        Value::String(_) => "a long string".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a map".to_owned(),
    }
}

impl<T: FromArg> FromArg for Option<T> {
    const TYPE: &'static str = T::TYPE;
    fn from_arg(arg: Option<&Arg>) -> Result<Self, String> {
        match arg {
            None | Some(Arg::Value(Value::Null)) => Ok(None),
            some => T::from_arg(some).map(Some),
        }
    }
}

impl FromArg for String {
    const TYPE: &'static str = "a string";
    fn from_arg(arg: Option<&Arg>) -> Result<Self, String> {
        match arg {
            Some(Arg::Value(Value::String(text))) => Ok(text.clone()),
            other => Err(wrong::<Self>(other)),
        }
    }
}

impl FromArg for i64 {
    const TYPE: &'static str = "a whole number";
    fn from_arg(arg: Option<&Arg>) -> Result<Self, String> {
        match arg {
            Some(Arg::Value(Value::Number(number))) => number.as_i64().ok_or_else(|| wrong::<Self>(arg)),
            other => Err(wrong::<Self>(other)),
        }
    }
}

impl FromArg for bool {
    const TYPE: &'static str = "a bool";
    fn from_arg(arg: Option<&Arg>) -> Result<Self, String> {
        match arg {
            Some(Arg::Value(Value::Bool(value))) => Ok(*value),
            other => Err(wrong::<Self>(other)),
        }
    }
}

impl FromArg for Value {
    const TYPE: &'static str = "a value";
    fn from_arg(arg: Option<&Arg>) -> Result<Self, String> {
        match arg {
            Some(Arg::Value(value)) => Ok(value.clone()),
            other => Err(wrong::<Self>(other)),
        }
    }
}

impl FromArg for Map<String, Value> {
    const TYPE: &'static str = "a map";
    fn from_arg(arg: Option<&Arg>) -> Result<Self, String> {
        match arg {
            Some(Arg::Value(Value::Object(map))) => Ok(map.clone()),
            other => Err(wrong::<Self>(other)),
        }
    }
}

impl FromArg for Vec<Value> {
    const TYPE: &'static str = "a list";
    fn from_arg(arg: Option<&Arg>) -> Result<Self, String> {
        match arg {
            Some(Arg::Value(Value::Array(items))) => Ok(items.clone()),
            other => Err(wrong::<Self>(other)),
        }
    }
}

impl FromArg for Vec<String> {
    const TYPE: &'static str = "a list of strings";
    fn from_arg(arg: Option<&Arg>) -> Result<Self, String> {
        let Some(Arg::Value(Value::Array(items))) = arg else { return Err(wrong::<Self>(arg)) };
        items.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(|| wrong::<Self>(arg))).collect()
    }
}

impl FromArg for Duration {
    const TYPE: &'static str = "a duration such as \"30s\" or \"5m\"";
    fn from_arg(arg: Option<&Arg>) -> Result<Self, String> {
        let Some(Arg::Value(Value::String(text))) = arg else { return Err(wrong::<Self>(arg)) };
        parse_duration(text).map_err(|reason| format!("{}: {reason}", wrong::<Self>(arg)))
    }
}

impl FromArg for Function {
    const TYPE: &'static str = "a function such as || ...";
    fn from_arg(arg: Option<&Arg>) -> Result<Self, String> {
        match arg {
            Some(Arg::Function(function)) => Ok(function.clone()),
            other => Err(wrong::<Self>(other)),
        }
    }
}

/// Reads a duration such as `90s`, `5m` or `1h30m`. A bare number has no unit and is refused; so is a negative one.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let parsed: SignedDuration =
        text.parse().map_err(|_| format!("`{text}` is no duration; write `30s`, `5m`, `1h30m`"))?;
    Duration::try_from(parsed).map_err(|_| format!("`{text}` is negative"))
}

/// Sorts what a script gave into named arguments, or says which one is wrong.
///
/// `given` holds the positional arguments in order, and the map of options last where there is one.
pub fn bind(primitive: &Primitive, mut given: Vec<Arg>) -> Result<Args, Fault> {
    let positional: Vec<_> = primitive.params.iter().filter(|p| p.role() == Role::Positional).collect();
    let options = if given.len() > positional.len() { given.pop() } else { None };
    let mut args = Args::default();
    for (param, arg) in positional.iter().zip(given) {
        args.set(param.name(), arg);
    }
    for (key, arg) in options.map(|o| options_of(primitive, o)).transpose()?.unwrap_or_default() {
        let param = primitive
            .params
            .iter()
            .find(|p| p.role() != Role::Positional && p.name() == key)
            .ok_or_else(|| unknown_option(primitive, &key))?;
        args.set(param.name(), arg);
    }
    check(primitive, &args)?;
    Ok(args)
}

fn options_of(primitive: &Primitive, options: Arg) -> Result<Vec<(String, Arg)>, Fault> {
    match options {
        Arg::Value(Value::Object(map)) => Ok(map.into_iter().map(|(key, value)| (key, Arg::Value(value))).collect()),
        Arg::Options(entries) => Ok(entries),
        other => Err(Fault::new(
            Code::WrongArgument,
            format!(
                "`{}` takes its options as a map, but got {}",
                primitive.name,
                wrong::<Map<String, Value>>(Some(&other))
            ),
        )),
    }
}

fn check(primitive: &Primitive, args: &Args) -> Result<(), Fault> {
    for param in primitive.params {
        let arg = args.any(param.name());
        if arg.is_none() && param.role() == Role::Option {
            continue;
        }
        if arg.is_none() {
            return Err(Fault::new(
                Code::WrongArgument,
                format!("`{}` needs `{}`: {}", primitive.name, param.name(), param.summary()),
            ));
        }
        param.check(arg).map_err(|reason| {
            Fault::new(Code::WrongArgument, format!("`{}` of `{}`: {reason}", param.name(), primitive.name))
        })?;
    }
    Ok(())
}

fn unknown_option(primitive: &Primitive, key: &str) -> Fault {
    let names: Vec<_> = primitive.params.iter().filter(|p| p.role() != Role::Positional).map(|p| p.name()).collect();
    let fault = Fault::new(Code::UnknownOption, format!("`{}` has no option `{key}`", primitive.name));
    match nearest(key, names.iter().copied()) {
        Some(near) => fault.hint(format!("did you mean `{near}`?")),
        None if names.is_empty() => fault.hint("it has no options"),
        None => fault.hint(format!("it has {}", names.join(", "))),
    }
}

/// The candidate most like a word, where one is near enough to be what was meant.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (edits(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len().max(word.len()) / 4)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Levenshtein distance, a swap of neighbours counting as one.
fn edits(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let mut rows = vec![(0..=right.len()).collect::<Vec<_>>()];
    for i in 1..=left.len() {
        let mut row = vec![i];
        for j in 1..=right.len() {
            let same = usize::from(left[i - 1] != right[j - 1]);
            let mut best = (rows[i - 1][j - 1] + same).min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[left.len()][right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_name_finds_its_neighbour() {
        let names = ["namespace", "timeout", "selector"];
        assert_eq!(nearest("namspace", names), Some("namespace"));
        assert_eq!(nearest("tiemout", names), Some("timeout"));
        assert_eq!(nearest("force_conflicts", names), None);
    }

    #[test]
    fn a_duration_needs_a_unit_and_a_future() {
        assert_eq!(parse_duration("1h30m").unwrap(), Duration::from_mins(90));
        assert!(parse_duration("5").unwrap_err().contains("no duration"));
        assert!(parse_duration("-5s").unwrap_err().contains("negative"));
    }
}
