//! A parameter of a runbook: its type, how its text is read, and what is accepted from a file.
//!
//! Does not know where a value comes from: a flag, a file, the environment or a person.

use serde_json::{Map, Value};

use crate::fault::{Code, Fault, Place};
use crate::param::{in_words, nearest, parse_duration};

/// One declared parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Its name, as `param::string("name", ...)` gives it.
    pub name: String,
    /// What it means, for people.
    pub help: String,
    /// Its type.
    pub kind: ParameterKind,
    /// Its value where none is given. `Some(Null)` means that it may be absent.
    pub fallback: Option<Value>,
    /// What a `choice` may be.
    pub choices: Vec<String>,
    /// Where it is declared.
    pub place: Place,
}

/// The type of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterKind {
    /// Any text.
    String,
    /// A whole number.
    Int,
    /// `true` or `false`.
    Bool,
    /// A duration such as `5m`; scripts get it as text.
    Duration,
    /// A version such as `1.30.3`; scripts get it without a leading `v`.
    Version,
    /// One of some texts.
    Choice,
    /// Texts, on the command line separated by commas.
    List,
    /// Texts by name, on the command line `a=x,b=y`.
    Map,
    /// A text that is never written or shown.
    Secret,
    /// The path of a file that the script may read.
    File,
}

impl ParameterKind {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::String,
        Self::Int,
        Self::Bool,
        Self::Duration,
        Self::Version,
        Self::Choice,
        Self::List,
        Self::Map,
        Self::Secret,
        Self::File,
    ];

    /// The word scripts use: `string` of `param::string`.
    pub fn word(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Int => "int",
            Self::Bool => "bool",
            Self::Duration => "duration",
            Self::Version => "version",
            Self::Choice => "choice",
            Self::List => "list",
            Self::Map => "map",
            Self::Secret => "secret",
            Self::File => "file",
        }
    }
}

impl Parameter {
    /// Whether a value must be given.
    pub fn required(&self) -> bool {
        self.fallback.is_none()
    }

    /// Reads a value from text, as a flag or a person gives it.
    ///
    /// Faults: `RB016` where it is not of the type.
    pub fn parse(&self, text: &str) -> Result<Value, Fault> {
        let trimmed = text.trim();
        match self.kind {
            ParameterKind::String | ParameterKind::Secret => Ok(text.into()),
            ParameterKind::Int => {
                trimmed.parse::<i64>().map(Value::from).map_err(|_| self.wrong("a whole number", text))
            }
            ParameterKind::Bool => match trimmed {
                "true" | "yes" => Ok(true.into()),
                "false" | "no" => Ok(false.into()),
                _ => Err(self.wrong("`true` or `false`", text)),
            },
            ParameterKind::List => Ok(entries(text).map(Value::from).collect()),
            ParameterKind::Map => {
                entries(text).map(|entry| self.pair(entry)).collect::<Result<Map<_, _>, _>>().map(Value::from)
            }
            _ => self.accept(&Value::from(trimmed)),
        }
    }

    /// Takes a value that has a type already, as from a file; gives it in the form scripts get.
    ///
    /// Faults: `RB016` where it is not of the type.
    pub fn accept(&self, value: &Value) -> Result<Value, Fault> {
        if value.is_null() && self.fallback == Some(Value::Null) {
            return Ok(Value::Null);
        }
        match (self.kind, value) {
            (ParameterKind::String | ParameterKind::Secret, Value::String(_))
            | (ParameterKind::Bool, Value::Bool(_)) => Ok(value.clone()),
            (ParameterKind::Int, Value::Number(number)) if number.is_i64() => Ok(value.clone()),
            (ParameterKind::File, Value::String(path)) if !path.is_empty() => Ok(value.clone()),
            (ParameterKind::Duration, Value::String(text)) => match parse_duration(text) {
                Ok(_) => Ok(value.clone()),
                Err(reason) => Err(self.fault(reason)),
            },
            (ParameterKind::Version, Value::String(text)) => self.version(text),
            (ParameterKind::Choice, Value::String(text)) => self.chosen(text),
            (ParameterKind::List, Value::Array(items)) if items.iter().all(Value::is_string) => Ok(value.clone()),
            (ParameterKind::Map, Value::Object(map)) if map.values().all(Value::is_string) => Ok(value.clone()),
            _ => Err(self.mistyped(value)),
        }
    }

    fn version(&self, text: &str) -> Result<Value, Fault> {
        let bare = text.trim().strip_prefix('v').unwrap_or(text.trim());
        match semver::Version::parse(bare) {
            Ok(version) => Ok(version.to_string().into()),
            Err(_) => Err(self.wrong("a version", text).hint("write all three numbers, as in `1.30.3`")),
        }
    }

    fn chosen(&self, text: &str) -> Result<Value, Fault> {
        if self.choices.iter().any(|choice| choice == text) {
            return Ok(text.into());
        }
        let choices = self.choices.iter().map(|choice| format!("`{choice}`")).collect::<Vec<_>>().join(", ");
        let fault = self.wrong(&format!("one of {choices}"), text);
        Err(match nearest(text, self.choices.iter().map(String::as_str)) {
            Some(near) => fault.hint(format!("did you mean `{near}`?")),
            None => fault,
        })
    }

    fn pair(&self, entry: &str) -> Result<(String, Value), Fault> {
        match entry.split_once('=') {
            Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.trim().into())),
            _ => Err(self.wrong("`name=value` pairs separated by commas", entry)),
        }
    }

    fn wrong(&self, expected: &str, got: &str) -> Fault {
        if self.kind == ParameterKind::Secret {
            return self.fault(format!("expected {expected}"));
        }
        self.fault(format!("expected {expected}, got `{got}`"))
    }

    fn mistyped(&self, value: &Value) -> Fault {
        let expected = match self.kind {
            ParameterKind::String | ParameterKind::Secret => "text",
            ParameterKind::Int => "a whole number",
            ParameterKind::Bool => "`true` or `false`",
            ParameterKind::Duration => "a duration such as \"5m\"",
            ParameterKind::Version => "a version such as \"1.30.3\"",
            ParameterKind::Choice => "one of its choices as text",
            ParameterKind::List => "a list of texts",
            ParameterKind::Map => "a map of texts",
            ParameterKind::File => "the path of a file",
        };
        if self.kind == ParameterKind::Secret {
            return self.fault(format!("expected {expected}"));
        }
        let fault = self.fault(format!("expected {expected}, got {}", in_words(value)));
        // In YAML an unquoted `1.30` is a number, and has lost its zero by the time it is seen here.
        if value.is_number() { fault.hint("put it in quotes") } else { fault }
    }

    fn fault(&self, reason: impl std::fmt::Display) -> Fault {
        Fault::new(Code::Parameter, format!("parameter `{}`: {reason}", self.name)).about(self.name.clone())
    }
}

fn entries(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|entry| !entry.is_empty())
}

/// The values a run starts with: what was given, and fallbacks for the rest.
///
/// Faults: `RB016` where a name is unknown, a required value is missing or one is of the wrong type.
pub(super) fn resolve(declared: &[Parameter], mut given: Map<String, Value>) -> Result<Map<String, Value>, Fault> {
    let mut resolved = Map::new();
    for parameter in declared {
        let value = match (given.remove(&parameter.name), &parameter.fallback) {
            (Some(value), _) => parameter.accept(&value)?,
            (None, Some(fallback)) => fallback.clone(),
            (None, None) => {
                return Err(Fault::new(
                    Code::Parameter,
                    format!("parameter `{}` is missing: {}", parameter.name, parameter.help),
                )
                .about(parameter.name.clone()));
            }
        };
        resolved.insert(parameter.name.clone(), value);
    }
    match given.keys().next() {
        None => Ok(resolved),
        Some(unknown) => Err(unknown_parameter(declared, unknown)),
    }
}

fn unknown_parameter(declared: &[Parameter], unknown: &str) -> Fault {
    let fault = Fault::new(Code::Parameter, format!("there is no parameter `{unknown}`")).about(unknown);
    let names: Vec<&str> = declared.iter().map(|parameter| parameter.name.as_str()).collect();
    match nearest(unknown, names.iter().copied()) {
        Some(near) => fault.hint(format!("did you mean `{near}`?")),
        None if names.is_empty() => fault.hint("this runbook has no parameters"),
        None => fault.hint(format!("there are {}", names.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parameter(kind: ParameterKind) -> Parameter {
        Parameter {
            name: "p".to_owned(),
            help: "Something".to_owned(),
            kind,
            fallback: None,
            choices: vec!["in-place".to_owned(), "canary".to_owned()],
            place: Place { source: "s".to_owned(), line: 1, column: 1 },
        }
    }

    #[test]
    fn every_kind_reads_its_text() {
        use ParameterKind as K;
        let read = |kind, text: &str| parameter(kind).parse(text).unwrap();
        assert_eq!(read(K::String, " a "), json!(" a "));
        assert_eq!(read(K::Int, "-4"), json!(-4));
        assert_eq!(read(K::Bool, "yes"), json!(true));
        assert_eq!(read(K::Duration, "1h30m"), json!("1h30m"));
        assert_eq!(read(K::Version, "v1.30.3"), json!("1.30.3"));
        assert_eq!(read(K::Choice, "canary"), json!("canary"));
        assert_eq!(read(K::List, "a, b,,c"), json!(["a", "b", "c"]));
        assert_eq!(read(K::List, ""), json!([]));
        assert_eq!(read(K::Map, "a=1, b=x=y"), json!({ "a": "1", "b": "x=y" }));
        assert_eq!(read(K::File, "values.yaml"), json!("values.yaml"));
    }

    #[test]
    fn what_does_not_fit_is_said_in_words() {
        use ParameterKind as K;
        let words = |kind, text: &str| parameter(kind).parse(text).unwrap_err();
        assert_eq!(words(K::Int, "x").message, "parameter `p`: expected a whole number, got `x`");
        assert!(words(K::Duration, "5").message.contains("`5` is no duration"));
        assert_eq!(words(K::Version, "1.30").hint.as_deref(), Some("write all three numbers, as in `1.30.3`"));
        assert_eq!(words(K::Choice, "canari").hint.as_deref(), Some("did you mean `canary`?"));
        assert!(words(K::Map, "a").message.contains("name=value"));
        let yaml = parameter(K::Version).accept(&json!(1.3)).unwrap_err();
        assert_eq!(yaml.hint.as_deref(), Some("put it in quotes"));
        assert!(words(K::File, "").message.contains("path of a file"));
    }

    #[test]
    fn a_secret_is_not_repeated_by_its_fault() {
        let fault = parameter(ParameterKind::Secret).accept(&json!(12345)).unwrap_err();
        assert!(!fault.message.contains("12345"));
    }

    #[test]
    fn missing_and_unknown_names_are_faults() {
        let declared = [parameter(ParameterKind::String)];
        assert!(resolve(&declared, Map::new()).unwrap_err().message.contains("missing: Something"));
        let given = json!({ "p": "x", "q": 1 }).as_object().cloned().unwrap();
        assert_eq!(resolve(&declared, given).unwrap_err().hint.as_deref(), Some("did you mean `p`?"));
    }

    #[test]
    fn a_parameter_with_nothing_as_fallback_may_be_absent() {
        let optional = Parameter { fallback: Some(Value::Null), ..parameter(ParameterKind::Version) };
        assert_eq!(optional.accept(&Value::Null), Ok(Value::Null));
        assert!(!optional.required());
        assert!(parameter(ParameterKind::Version).accept(&Value::Null).is_err());
    }
}
