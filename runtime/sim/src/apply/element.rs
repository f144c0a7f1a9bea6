//! One step on the way to a field: a name, the keys of a list's element, a value of a set, an index.
//!
//! Not known here: schemas, and sets of paths.

use std::cmp::Ordering;
use std::fmt;

use serde_json::{Map, Value};

use crate::schema::{go_number, quote};

/// One step of a path.
#[derive(Clone, Debug)]
pub(crate) enum Element {
    Field(String),
    /// Sorted by name.
    Key(Vec<(String, Value)>),
    Value(Value),
    Index(i64),
}

impl Element {
    pub(crate) fn field(name: &str) -> Self {
        Self::Field(name.to_owned())
    }

    /// How it is written as a key of `FieldsV1`.
    pub(crate) fn written(&self) -> String {
        match self {
            Self::Field(name) => format!("f:{name}"),
            Self::Key(fields) => {
                let object: Map<String, Value> = fields.iter().cloned().collect();
                format!("k:{}", go_escaped(&Value::Object(object).to_string()))
            }
            Self::Value(value) => format!("v:{}", go_escaped(&value.to_string())),
            Self::Index(index) => format!("i:{index}"),
        }
    }

    /// Reads a key of `FieldsV1`; nothing if it is of a kind that nobody knows yet.
    pub(crate) fn read(key: &str) -> Result<Option<Self>, String> {
        if key.len() < 2 {
            return Err("key must be 2 characters long:".to_owned());
        }
        let Some((kind, rest)) = key.split_once(':').filter(|(kind, _)| kind.len() == 1) else {
            return Err(format!("missing colon: {key}"));
        };
        match kind {
            "f" => Ok(Some(Self::field(rest))),
            "v" => Ok(Some(Self::Value(serde_json::from_str(rest).map_err(|error| error.to_string())?))),
            "k" => {
                let object: Map<String, Value> = serde_json::from_str(rest).map_err(|error| error.to_string())?;
                let mut fields: Vec<_> = object.into_iter().collect();
                fields.sort_by(|(left, _), (right, _)| left.cmp(right));
                Ok(Some(Self::Key(fields)))
            }
            "i" => Ok(Some(Self::Index(rest.parse().map_err(|_| format!("not an index: {rest}"))?))),
            _ => Ok(None),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Field(_) => 0,
            Self::Key(_) => 1,
            Self::Value(_) => 2,
            Self::Index(_) => 3,
        }
    }
}

/// What Go escapes in JSON beyond what must be.
fn go_escaped(json: &str) -> String {
    if json.contains(['<', '>', '&']) {
        json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
    } else {
        json.to_owned()
    }
}

impl Ord for Element {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Field(left), Self::Field(right)) => left.cmp(right),
            (Self::Key(left), Self::Key(right)) => compare_keys(left, right),
            (Self::Value(left), Self::Value(right)) => compare(left, right),
            (Self::Index(left), Self::Index(right)) => left.cmp(right),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for Element {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Element {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Element {}

fn compare_keys(left: &[(String, Value)], right: &[(String, Value)]) -> Ordering {
    for ((left_name, left_value), (right_name, right_value)) in left.iter().zip(right) {
        let ordering = left_name.cmp(right_name).then_with(|| compare(left_value, right_value));
        if ordering != Ordering::Equal {
            return ordering;
        }
    }
    left.len().cmp(&right.len())
}

/// A total order of values: numbers by what they are worth, whether written with a point or not.
pub(crate) fn compare(left: &Value, right: &Value) -> Ordering {
    let rank = |value: &Value| match value {
        Value::Number(_) => 0,
        Value::String(_) => 1,
        Value::Bool(_) => 2,
        Value::Array(_) => 3,
        Value::Object(_) => 4,
        Value::Null => 5,
    };
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => match (left.as_i64(), right.as_i64()) {
            (Some(left), Some(right)) => left.cmp(&right),
            _ => left.as_f64().unwrap_or_default().total_cmp(&right.as_f64().unwrap_or_default()),
        },
        (Value::String(left), Value::String(right)) => left.cmp(right),
        (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
        (Value::Array(left), Value::Array(right)) => {
            let unequal = left.iter().zip(right).map(|(left, right)| compare(left, right));
            unequal
                .into_iter()
                .find(|ordering| *ordering != Ordering::Equal)
                .unwrap_or_else(|| left.len().cmp(&right.len()))
        }
        (Value::Object(left), Value::Object(right)) => {
            let (mut left, mut right): (Vec<_>, Vec<_>) = (left.iter().collect(), right.iter().collect());
            left.sort_by_key(|(key, _)| *key);
            right.sort_by_key(|(key, _)| *key);
            let unequal = left.iter().zip(&right).map(|((left_key, left), (right_key, right))| {
                left_key.cmp(right_key).then_with(|| compare(left, right))
            });
            unequal
                .into_iter()
                .find(|ordering| *ordering != Ordering::Equal)
                .unwrap_or_else(|| left.len().cmp(&right.len()))
        }
        _ => rank(left).cmp(&rank(right)),
    }
}

/// Whether two values are the same to an owner. Quicker than ordering them.
pub(crate) fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(_), Value::Number(_)) => compare(left, right) == Ordering::Equal,
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(key, left)| right.get(key).is_some_and(|right| same(left, right)))
        }
        _ => left == right,
    }
}

impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(name) => write!(f, ".{name}"),
            Self::Key(fields) => {
                let parts: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={}", shown(value))).collect();
                write!(f, "[{}]", parts.join(","))
            }
            Self::Value(value) => write!(f, "[={}]", shown(value)),
            Self::Index(index) => write!(f, "[{index}]"),
        }
    }
}

/// A value as it stands in a path.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => go_number(number),
        Value::String(text) => quote(text),
        Value::Array(list) => format!("[{}]", list.iter().map(shown).collect::<Vec<_>>().join(",")),
        Value::Object(object) => {
            object.iter().map(|(key, value)| format!("{key}={}", shown(value))).collect::<Vec<_>>().concat()
        }
    }
}
