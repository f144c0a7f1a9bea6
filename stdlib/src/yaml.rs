//! YAML as Kubernetes and Helm read it.
//!
//! Booleans, octal numbers and merge keys as in YAML 1.1, the last of two equal keys wins. Text is untrusted: depth, nodes
//! and aliases are bounded. Does not know what a document means.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use serde_saphyr::options::DuplicateKeyPolicy;
use serde_saphyr::{Options, alias_limits, budget, options};

/// The documents of a text; empty ones are left out.
///
/// The error says in words what is wrong and where. It quotes no text: that may be a secret.
pub(crate) fn documents(text: &str) -> Result<Vec<Value>, String> {
    let documents = serde_saphyr::from_multiple_with_options::<Read>(text, limits());
    documents.map(|documents| documents.into_iter().map(|read| read.0).collect()).map_err(|error| error.to_string())
}

/// The one document of a text; `Value::Null` where it is empty.
pub(crate) fn document(text: &str) -> Result<Value, String> {
    let mut documents = documents(text)?;
    match documents.len() {
        0 => Ok(Value::Null),
        1 => Ok(documents.remove(0)),
        more => Err(format!("it holds {more} documents, expected one")),
    }
}

/// A value as it is read. Keys are read as values first: to Go, a bare key `on` is the bool `true`, and so the text `true`.
struct Read(Value);

impl<'de> Deserialize<'de> for Read {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader).map(Read)
    }
}

impl Read {
    fn into_key(self) -> String {
        match self.0 {
            Value::String(text) => text,
            Value::Number(number) if number.is_f64() => {
                number.as_f64().map(|float| float.to_string()).unwrap_or_default()
            }
            other => other.to_string(),
        }
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Read(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some((key, Read(value))) = entries.next_entry::<Read, Read>()? {
            map.insert(key.into_key(), value);
        }
        Ok(Value::Object(map))
    }
}

fn limits() -> Options {
    options! {
        // Charts may hold many small objects; all CRDs of Istio together are 32,000 nodes.
        budget: budget! { max_documents: 20_000, max_nodes: 500_000, max_events: 2_000_000 },
        // Enough for every anchor that people write, too little for a bomb.
        alias_limits: alias_limits! { max_total_replayed_events: 100_000 },
        // Charts open with licences of more comment lines than the parser would keep.
        emit_comments: false,
        duplicate_keys: DuplicateKeyPolicy::LastWins,
        legacy_octal_numbers: true,
        with_snippet: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn scalars_mean_what_they_mean_to_kubernetes() {
        let text =
            "a: yes\nb: 0644\nc: 1_000\nd: 'on'\ne: ~\nf: 1.5\ng: 2024-01-02\nh: 0x10\na: off\n1: one\ntrue: t\n";
        assert_eq!(
            document(text).unwrap(),
            json!({
                "a": false, "b": 420, "c": 1000, "d": "on", "e": null, "f": 1.5, "g": "2024-01-02", "h": 16,
                "1": "one", "true": "t"
            })
        );
    }

    #[test]
    fn keys_are_what_go_makes_of_them() {
        let text = "no: 1\n'no': 2\non: 3\n0x10: 4\n1.5: 5\n1.0: 6\n1e3: 7\n";
        let expected = json!({ "false": 1, "no": 2, "true": 3, "16": 4, "1.5": 5, "1": 6, "1000": 7 });
        assert_eq!(document(text).unwrap(), expected);
    }

    #[test]
    fn comments_and_empty_documents_are_passed_over() {
        let licence = "# a line of a licence\n".repeat(80);
        let text = format!("---\n# nothing\n---\n{licence}a: 1\n---\n\n---\nb: [1, {{c: d}}]\n...\n");
        assert_eq!(documents(&text).unwrap(), [json!({"a": 1}), json!({"b": [1, {"c": "d"}]})]);
        assert_eq!(document("# only a comment\n").unwrap(), Value::Null);
    }

    #[test]
    fn an_error_names_the_line_and_quotes_nothing() {
        let error = documents("password: hunter2\n  bad: [\n").unwrap_err();
        assert!(error.contains("line"), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }

    #[test]
    fn a_bomb_is_refused() {
        let ten_of = |what: &str| [what; 10].join(", ");
        let levels = (1..12).map(|level| format!("a{level}: &a{level} [{}]\n", ten_of(&format!("*a{}", level - 1))));
        let text: String = std::iter::once(format!("a0: &a0 [{}]\n", ten_of("x"))).chain(levels).collect();
        assert!(documents(&text).is_err());
    }
}
