//! What must never be written or shown: secret values, and the tokens that stand for them.
//!
//! Does not know where secrets come from; whoever reads one says so.

use std::sync::RwLock;

use base64::Engine as _;
use serde_json::Value;

/// Shorter texts are not masked by their value: they would hide half of every page.
const SHORTEST: usize = 4;

/// The same for what is merely stored in a Secret: `true`, `admin` and `default` stand there too.
const SHORTEST_STORED: usize = 8;

/// The secret values of a run, and the tokens that stand for them.
#[derive(Debug, Default)]
pub struct Vault {
    known: RwLock<Vec<String>>,
}

impl Vault {
    /// Remembers a secret value. From now on [`Vault::mask`] replaces it.
    pub fn learn(&self, secret: &str) {
        let secret = secret.trim();
        if secret.len() < SHORTEST {
            return;
        }
        let mut known = self.known.write().expect("no thread panics while it holds this lock");
        if !known.iter().any(|k| k == secret) {
            known.push(secret.to_owned());
        }
    }

    /// Learns the values of every Kubernetes Secret in an answer, encoded and decoded.
    pub fn learn_from(&self, value: &Value) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.learn_from(item)),
            Value::Object(map) if is_secret(value) => {
                for text in texts_of(map.get("data")) {
                    self.learn_stored(text);
                    let decoded = base64::engine::general_purpose::STANDARD.decode(text).ok();
                    if let Some(plain) = decoded.and_then(|bytes| String::from_utf8(bytes).ok()) {
                        self.learn_stored(&plain);
                    }
                }
                texts_of(map.get("stringData")).for_each(|text| self.learn_stored(text));
            }
            Value::Object(map) => map.values().for_each(|item| self.learn_from(item)),
            _ => {}
        }
    }

    fn learn_stored(&self, secret: &str) {
        if secret.trim().len() >= SHORTEST_STORED {
            self.learn(secret);
        }
    }

    /// The text with every known secret replaced by its numbered token, such as `<secret 2>`.
    pub fn mask(&self, text: &str) -> String {
        let known = self.known.read().expect("no thread panics while it holds this lock");
        let mut masked = text.to_owned();
        // Longest first: a secret that contains another must not be torn apart.
        let mut order: Vec<_> = known.iter().enumerate().collect();
        order.sort_by_key(|(_, secret)| std::cmp::Reverse(secret.len()));
        for (index, secret) in order {
            if masked.contains(secret.as_str()) {
                masked = masked.replace(secret.as_str(), &format!("<secret {}>", index + 1));
            }
        }
        masked
    }

    /// Masks every string in a value, keys included.
    pub fn mask_value(&self, value: &mut Value) {
        if !self.is_empty() {
            self.mask_strings(value);
        }
    }

    /// Whether no secret is known yet.
    pub fn is_empty(&self) -> bool {
        self.known.read().expect("no thread panics while it holds this lock").is_empty()
    }

    fn mask_strings(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.mask(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.mask_strings(item)),
            Value::Object(map) => {
                *map = std::mem::take(map)
                    .into_iter()
                    .map(|(key, mut value)| {
                        self.mask_strings(&mut value);
                        (self.mask(&key), value)
                    })
                    .collect();
            }
            _ => {}
        }
    }
}

/// Whether a value is, or holds, a Kubernetes Secret.
pub fn holds_secret(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(holds_secret),
        Value::Object(map) => is_secret(value) || map.values().any(holds_secret),
        _ => false,
    }
}

/// A value in which the Secrets hold nothing any more: each of their entries stands as `"<secret>"`.
pub fn redacted(value: Value) -> Value {
    let secret = is_secret(&value);
    match value {
        Value::Array(items) => items.into_iter().map(redacted).collect(),
        Value::Object(map) => map
            .into_iter()
            .map(|(key, value)| match value {
                Value::Object(held) if secret && matches!(key.as_str(), "data" | "stringData") => (
                    key,
                    held.into_iter()
                        .map(|(name, _)| (name, "<secret>".into()))
                        .collect::<serde_json::Map<_, _>>()
                        .into(),
                ),
                other => (key, redacted(other)),
            })
            .collect::<serde_json::Map<_, _>>()
            .into(),
        scalar => scalar,
    }
}

fn texts_of(map: Option<&Value>) -> impl Iterator<Item = &str> {
    map.and_then(Value::as_object).into_iter().flat_map(serde_json::Map::values).filter_map(Value::as_str)
}

fn is_secret(value: &Value) -> bool {
    value.get("kind").and_then(Value::as_str) == Some("Secret")
        && value.get("apiVersion").and_then(Value::as_str) == Some("v1")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_secret_is_masked_in_both_forms_wherever_it_stands() {
        let vault = Vault::default();
        vault.learn_from(&json!([{ "apiVersion": "v1", "kind": "Secret", "data": { "password": "aHVudGVyMjIy" } }]));
        assert_eq!(vault.mask("login with hunter222, or aHVudGVyMjIy"), "login with <secret 2>, or <secret 1>");
        let mut value = json!({ "args": ["--password=hunter222"] });
        vault.mask_value(&mut value);
        assert_eq!(value, json!({ "args": ["--password=<secret 2>"] }));
    }

    #[test]
    fn a_redacted_secret_keeps_its_names_alone() {
        let value =
            json!({ "items": [{ "apiVersion": "v1", "kind": "Secret", "data": { "pin": "MTIz" }, "type": "Opaque" }] });
        let redacted = redacted(value);
        assert_eq!(
            redacted["items"][0],
            json!({ "apiVersion": "v1", "kind": "Secret", "data": { "pin": "<secret>" }, "type": "Opaque" })
        );
    }

    #[test]
    fn a_longer_secret_is_not_torn_by_a_shorter_one() {
        let vault = Vault::default();
        vault.learn("hunter");
        vault.learn("hunter2-long");
        assert_eq!(vault.mask("hunter2-long"), "<secret 2>");
    }
}
