//! Takes the values of Secrets out of objects: each is a numbered token, the same value the same token.
//!
//! Does not know where the objects come from.

use runbook_core::Value;
use runbook_core::secret::Vault;
use serde_json::Map;

/// Takes the values of Secrets out of objects.
pub(crate) struct Disguise<'a> {
    vault: &'a Vault,
    /// Values that are too short to be looked for in other texts.
    short: Vec<String>,
}

impl<'a> Disguise<'a> {
    /// With the tokens of a run.
    pub(crate) fn new(vault: &'a Vault) -> Self {
        Self { vault, short: Vec::new() }
    }

    /// An object in which every value of a Secret is a token, wherever it stands.
    pub(super) fn object(&mut self, mut object: Value) -> Value {
        if object["kind"] == "Secret" {
            self.vault.learn_from(&object);
            for part in ["data", "stringData"] {
                let entries = object.get_mut(part).and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut);
                entries.for_each(|value| *value = self.token(value));
            }
            // An old kubectl keeps a whole copy of what it applied in an annotation.
            let annotations = object.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut);
            for (_, value) in annotations.into_iter().flatten().filter(|(key, _)| key.contains("last-applied")) {
                *value = "<secret>".into();
            }
        }
        self.vault.mask_value(&mut object);
        object
    }

    /// The arguments of a call. What is written into a Secret stays inside.
    pub(crate) fn arguments(&self, mut arguments: Value) -> Value {
        let kind = arguments["kind"].as_str().map(str::to_lowercase);
        if kind.is_some_and(|kind| kind == "secret" || kind.starts_with("secrets") || kind.starts_with("secret.")) {
            for written in ["patch", "test"] {
                if let Some(written) = arguments.get_mut(written) {
                    *written = "<secret>".into();
                }
            }
        }
        self.value(arguments)
    }

    /// A file of a call: of Secrets in it names alone are left.
    pub(super) fn value(&self, value: Value) -> Value {
        let mut value = runbook_core::secret::redacted(value);
        self.vault.mask_value(&mut value);
        value
    }

    /// A text without secrets.
    pub(super) fn text(&self, text: &str) -> String {
        self.vault.mask(text)
    }

    fn token(&mut self, value: &Value) -> Value {
        let text = value.as_str().unwrap_or_default();
        let masked = self.vault.mask(text);
        if masked != text && masked.starts_with("<secret ") && masked.ends_with('>') {
            return masked.into();
        }
        let known = self.short.iter().position(|short| short == text);
        let number = known.unwrap_or_else(|| {
            self.short.push(text.to_owned());
            self.short.len() - 1
        });
        format!("<short secret {}>", number + 1).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn secret(pin: &str, password: &str) -> Value {
        json!({ "apiVersion": "v1", "kind": "Secret", "data": { "pin": pin, "password": password } })
    }

    #[test]
    fn the_same_value_has_the_same_token_and_no_value_is_left() {
        let vault = Vault::default();
        let mut disguise = Disguise::new(&vault);
        let (before, after) = (secret("MTIz", "aHVudGVyMjIyMg=="), secret("NDU2", "aHVudGVyMjIyMg=="));
        let (before, after) = (disguise.object(before), disguise.object(after));
        assert_ne!(before["data"]["pin"], after["data"]["pin"]);
        assert_eq!(before["data"]["password"], after["data"]["password"]);
        let shown = format!("{before}{after}");
        assert!(!shown.contains("MTIz") && !shown.contains("NDU2") && !shown.contains("aHVudGVy"), "{shown}");
        let patch = json!({ "kind": "Secret", "name": "login", "patch": { "data": { "pin": "MTIz" } } });
        assert_eq!(disguise.arguments(patch)["patch"], "<secret>");
        // What a Secret holds is known wherever else it stands.
        assert_eq!(disguise.text("login with hunter2222"), "login with <secret 2>");
    }
}
