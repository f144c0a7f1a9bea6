//! Takes the values of Secrets out of objects, wherever they stand: in the Secrets themselves, in records of releases, and in
//! what was made with them.
//!
//! Three rules. A Secret keeps the names of its entries alone. What a Secret holds is replaced in every other text, unless it
//! may be a mere name. A value whose name says that it is secret is replaced wherever it stands. Does not know the cluster.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::release;
use super::token::Tokens;

/// Where kubectl keeps what was applied last: the whole object once more, as text.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// How names end whose values are secret, in lower case and without anything between the words.
const SECRETIVE: [&str; 11] = [
    "password",
    "passwd",
    "passphrase",
    "token",
    "clientsecret",
    "secretkey",
    "secretaccesskey",
    "apikey",
    "privatekey",
    "keydata",
    "credentials",
];

/// What is secret in a cluster.
#[derive(Default)]
pub(super) struct Disguise {
    tokens: Tokens,
}

impl Disguise {
    /// How many values were found.
    pub(super) fn count(&self) -> usize {
        self.tokens.count()
    }

    /// Learns what a Secret holds, before anything is replaced. The record of a release holds Secrets of its own.
    pub(super) fn learn(&mut self, secret: &Value) {
        if release::of(secret).is_none() {
            self.learn_entries(secret);
            return;
        }
        let Some(record) = release::record(secret) else { return };
        for text in manifests(&record) {
            for document in release::documents(text) {
                if let Some(inner) = parsed_secret(&document).ok().flatten() {
                    self.learn_entries(&inner);
                }
            }
        }
        self.learn_named(&record["config"]);
    }

    fn learn_entries(&mut self, secret: &Value) {
        for (_, text) in entries(&secret["data"]) {
            if let Some(plain) = STANDARD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok()) {
                self.tokens.seek(&plain, text);
            }
        }
        for (_, plain) in entries(&secret["stringData"]) {
            self.tokens.seek(plain, &STANDARD.encode(plain));
        }
    }

    fn learn_named(&mut self, value: &Value) {
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    match value.as_str() {
                        Some(text) if is_secretive(key) => self.tokens.seek(text, &STANDARD.encode(text)),
                        _ => self.learn_named(value),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.learn_named(item)),
            _ => {}
        }
    }

    /// Replaces what is secret in an object. The name of a release whose record cannot be read comes back: it is replaced whole.
    pub(super) fn apply(&mut self, object: &mut Value) -> Option<String> {
        let mut opaque = None;
        if let Some((namespace, name)) = release::of(object) {
            let record = release::record(object).and_then(|record| self.record(record));
            if let Some(record) = record {
                release::put(object, &record);
            } else {
                opaque = Some(format!("{namespace}/{name}"));
                self.secret(object);
            }
        } else if is_secret(object) {
            self.secret(object);
        }
        // A definition is a schema: it names passwords, and holds none.
        if object["kind"] != "CustomResourceDefinition" {
            self.rest(object);
        }
        opaque
    }

    /// All of an object but what others refer to it by, and what has been seen to.
    fn rest(&mut self, object: &mut Value) {
        let seen_to = is_secret(object) || release::of(object).is_some();
        let Value::Object(fields) = object else { return };
        for (key, value) in fields {
            match key.as_str() {
                "apiVersion" | "kind" => {}
                "metadata" => self.metadata(value, seen_to),
                "data" | "stringData" if seen_to => {}
                _ => self.walk(key, value),
            }
        }
    }

    fn metadata(&mut self, metadata: &mut Value, secret: bool) {
        let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) else { return };
        let applied = annotations.get(LAST_APPLIED).and_then(Value::as_str);
        let applied = applied.map(serde_json::from_str::<Value>);
        match applied {
            Some(Ok(mut object)) if !secret => {
                self.rest(&mut object);
                annotations.insert(LAST_APPLIED.to_owned(), format!("{object}\n").into());
            }
            Some(_) => drop(annotations.remove(LAST_APPLIED)),
            None => {}
        }
        for (key, value) in annotations {
            if key != LAST_APPLIED {
                self.walk(key, value);
            }
        }
    }

    fn walk(&mut self, key: &str, value: &mut Value) {
        match value {
            Value::String(text) if text.is_empty() => {}
            Value::String(text) if is_secretive(key) => *value = self.tokens.of(text.as_bytes()).into(),
            Value::Number(number) if is_secretive(key) => {
                *value = self.tokens.of(number.to_string().as_bytes()).into();
            }
            Value::String(text) => {
                if let Some(replaced) = self.tokens.replace(text) {
                    *value = replaced.into();
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.walk("", item)),
            Value::Object(map) => {
                self.pair(map);
                map.iter_mut().for_each(|(key, value)| self.walk(key, value));
            }
            _ => {}
        }
    }

    /// A variable of a container: its name says whether its value is secret.
    fn pair(&mut self, map: &mut serde_json::Map<String, Value>) {
        let secretive = map.get("name").and_then(Value::as_str).is_some_and(is_secretive);
        let Some(Value::String(text)) = map.get_mut("value") else { return };
        if secretive && !text.is_empty() {
            *text = self.tokens.of(text.as_bytes());
        }
    }

    /// Every entry of a Secret, by its token.
    fn secret(&mut self, secret: &mut Value) {
        let encoded = secret["kind"] == "Secret";
        if let Some(data) = secret.get_mut("data").and_then(Value::as_object_mut) {
            for value in data.values_mut() {
                let text = value.as_str().unwrap_or_default();
                let held = STANDARD.decode(text).unwrap_or_else(|_| text.as_bytes().to_owned());
                if !held.is_empty() {
                    let token = self.tokens.of(&held);
                    *value = if encoded { STANDARD.encode(token) } else { token }.into();
                }
            }
        }
        if let Some(data) = secret.get_mut("stringData").and_then(Value::as_object_mut) {
            for value in data.values_mut() {
                let held = value.as_str().unwrap_or_default().to_owned();
                *value = self.tokens.of(held.as_bytes()).into();
            }
        }
    }

    /// The record of a release; `None` where a manifest in it holds a Secret that cannot be read.
    fn record(&mut self, mut record: Value) -> Option<Value> {
        if let Some(text) = record.get("manifest").and_then(Value::as_str) {
            record["manifest"] = self.manifest(text)?.into();
        }
        for hook in record.get_mut("hooks").and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(text) = hook.get("manifest").and_then(Value::as_str) {
                hook["manifest"] = self.manifest(text)?.into();
            }
        }
        if let Some(info) = record.get_mut("info").and_then(Value::as_object_mut) {
            // What a chart says to people after an installation is where passwords are printed.
            info.remove("notes");
        }
        let values = record.get_mut("chart").and_then(|chart| chart.get_mut("values"));
        if let Some(values) = values {
            self.walk("", values);
        }
        for part in ["config", "info", "manifest", "hooks"] {
            if let Some(value) = record.get_mut(part) {
                self.walk("", value);
            }
        }
        Some(record)
    }

    fn manifest(&mut self, text: &str) -> Option<String> {
        let mut whole = String::with_capacity(text.len());
        for document in release::documents(text) {
            match parsed_secret(&document) {
                Ok(None) => whole.push_str(&document),
                Ok(Some(mut secret)) => {
                    self.secret(&mut secret);
                    let lead = |line: &&str| line.starts_with("---") || line.starts_with('#') || line.trim().is_empty();
                    whole.extend(document.split_inclusive('\n').take_while(lead));
                    whole.push_str(&serde_yaml::to_string(&secret).ok()?);
                }
                Err(()) => return None,
            }
        }
        Some(whole)
    }
}

/// The Secret that a document of a manifest is; `Err` where it may be one and cannot be read.
fn parsed_secret(document: &str) -> Result<Option<Value>, ()> {
    if !document.contains("Secret") {
        return Ok(None);
    }
    let value: Value = serde_yaml::from_str(document).map_err(|_| ())?;
    Ok(is_secret(&value).then_some(value))
}

fn manifests(record: &Value) -> Vec<&str> {
    let hooks = record["hooks"].as_array().into_iter().flatten().filter_map(|hook| hook["manifest"].as_str());
    record["manifest"].as_str().into_iter().chain(hooks).collect()
}

fn entries(data: &Value) -> impl Iterator<Item = (&str, &str)> {
    data.as_object().into_iter().flatten().filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)))
}

fn is_secret(value: &Value) -> bool {
    value["kind"] == "Secret" && value["apiVersion"] == "v1"
}

fn is_secretive(name: &str) -> bool {
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    SECRETIVE.iter().any(|end| plain.ends_with(end))
}

#[cfg(test)]
mod tests;
