//! Makes answers comparable: what is chosen by chance or by the clock is replaced by what it is.
//!
//! Not known here: what the values mean to anybody.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use crate::answer::Answer;
use crate::case::Step;

/// The names given to chance values of one case, in the order in which they were seen.
#[derive(Default)]
pub(crate) struct Normal {
    names: BTreeMap<String, String>,
    /// Which step this is, and how many names it has given: one that differs does not put out all that follow.
    step: usize,
    given: usize,
}

/// The patterns of what is chosen by chance or by the clock.
struct Patterns {
    uid: Regex,
    time: Regex,
    address: Regex,
    /// The ends of generated names, in the letters that the API server takes.
    suffix: Regex,
    hash: Regex,
    container: Regex,
    /// What has a generated end after something else than a dash, as names that are refused.
    refused: Regex,
    /// Versions in words.
    versions: Regex,
    age: Regex,
}

static PATTERNS: LazyLock<Patterns> = LazyLock::new(|| {
    let regex = |pattern: &str| Regex::new(pattern).unwrap();
    Patterns {
        uid: regex("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
        time: regex(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"),
        address: regex(r"\b(127|10)\.\d+\.\d+\.\d+\b"),
        suffix: regex(r"-([bcdfghjklmnpqrstvwxz2456789]{8,10}-)?[bcdfghjklmnpqrstvwxz2456789]{5}\b"),
        hash: regex(r"\b[bcdfghjklmnpqrstvwxz2456789]{8,10}\b"),
        container: regex("containerd://[0-9a-f]{64}"),
        refused: regex(r"\bBad_[bcdfghjklmnpqrstvwxz2456789]{5}\b"),
        versions: regex(
            r"(resource version: ?|ResourceVersion: |resourceVersion: |ResourceVersion in record \()\d+( \(\d+\))?",
        ),
        age: regex(r"^(\d+[smhd])+$|^<invalid>$"),
    }
});

impl Normal {
    /// The answer without chance, and without what the step leaves out.
    pub(crate) fn of(&mut self, step: &Step, mut answer: Answer) -> Answer {
        (self.step, self.given) = (self.step + 1, 0);
        // Names are given in the order of the lists, and some lists are in order only once they have names.
        sort(step, &mut answer);
        self.value("", &mut answer.body);
        for warning in &mut answer.warnings {
            *warning = self.text(warning);
        }
        sort(step, &mut answer);
        for pointer in &step.ignore {
            let path: Vec<_> = pointer.split('/').skip(1).map(|part| part.replace("~1", "/")).collect();
            remove(&mut answer.body, &path.iter().map(String::as_str).collect::<Vec<_>>());
        }
        if !step.only.is_empty() {
            let kept = step.only.iter().map(|pointer| {
                let value = answer.body.pointer(pointer).cloned().unwrap_or_default();
                (pointer.clone(), value)
            });
            answer.body = Value::Object(kept.collect());
        }
        answer
    }

    fn value(&mut self, key: &str, value: &mut Value) {
        match value {
            Value::String(text) => {
                *text = match key {
                    "resourceVersion" if text.parse::<u64>().is_ok_and(|version| version > 0) => "VERSION".to_owned(),
                    "continue" if !text.is_empty() => "CONTINUE".to_owned(),
                    _ => self.text(text),
                };
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(key, item)),
            Value::Object(fields) => {
                let mut renamed = serde_json::Map::new();
                for (name, mut inner) in std::mem::take(fields) {
                    self.value(&name, &mut inner);
                    if name == "managedFields" {
                        without_seconds(&mut inner);
                    }
                    renamed.insert(self.text(&name), inner);
                }
                *fields = renamed;
            }
            _ => {}
        }
    }

    fn text(&mut self, text: &str) -> String {
        let of = &*PATTERNS;
        let text = self.named(&of.uid, "UID", text);
        let text = self.named(&of.address, "ADDRESS", &text);
        let text = of.time.replace_all(&text, "TIME");
        let text = of.versions.replace_all(&text, "${1}VERSION");
        let text = of.age.replace_all(&text, "AGE");
        let text = of.container.replace_all(&text, "CONTAINER");
        let text = of.refused.replace_all(&text, "Bad_SUFFIX");
        let text = of.suffix.replace_all(&text, "-SUFFIX");
        of.hash.replace_all(&text, hash_or_word).into_owned()
    }

    /// Replaces each match by a name of its own: equal values stay equal, and different ones different.
    fn named(&mut self, what: &Regex, word: &str, text: &str) -> String {
        let (step, given) = (self.step, &mut self.given);
        let name = |found: &regex::Captures<'_>| {
            let next = || {
                *given += 1;
                format!("{word}-{step}.{given}")
            };
            self.names.entry(found[0].to_owned()).or_insert_with(next).clone()
        };
        what.replace_all(text, name).into_owned()
    }
}

fn sort(step: &Step, answer: &mut Answer) {
    for (pointer, key) in &step.sort {
        if let Some(list) = answer.body.pointer_mut(pointer).and_then(Value::as_array_mut) {
            list.sort_by_key(|item| item.pointer(key).map(ToString::to_string));
        }
    }
}

/// Managers of one operation stand in the order of their times, in whole seconds: whether two requests fell into one second is chance.
fn without_seconds(managers: &mut Value) {
    let of = |entry: &Value, field: &str| entry[field].as_str().unwrap_or_default().to_owned();
    if let Some(list) = managers.as_array_mut() {
        list.sort_by_key(|entry| (of(entry, "operation"), of(entry, "manager"), of(entry, "subresource")));
    }
}

/// Hashes have digits in them, words have not.
fn hash_or_word(found: &regex::Captures<'_>) -> String {
    if found[0].contains(|letter: char| letter.is_ascii_digit()) { "HASH".to_owned() } else { found[0].to_owned() }
}

fn remove(value: &mut Value, path: &[&str]) {
    match (path, value) {
        ([last], Value::Object(fields)) if *last != "*" => drop(fields.remove(*last)),
        (["*"], Value::Object(fields)) => fields.clear(),
        (["*", rest @ ..], Value::Object(fields)) => fields.values_mut().for_each(|value| remove(value, rest)),
        (["*", rest @ ..], Value::Array(items)) => items.iter_mut().for_each(|item| remove(item, rest)),
        ([key, rest @ ..], Value::Object(fields)) => {
            if let Some(value) = fields.get_mut(*key) {
                remove(value, rest);
            }
        }
        ([key, rest @ ..], Value::Array(items)) => {
            if let Some(item) = key.parse::<usize>().ok().and_then(|index| items.get_mut(index)) {
                remove(item, rest);
            }
        }
        _ => {}
    }
}
