//! Setting and removing labels or annotations, with as few requests as can be: none that writes where all is as wanted,
//! one where the script says what it expects to find, else a read and a write that holds only for what was read.
//!
//! Does not know scripts.

use runbook_core::{Code, Fault, Param};
use serde_json::{Map, Value, json};

use super::api::Api;
use super::outcome::{self, Decision, Trace, settle};
use super::query::{Patch, Writing};
use crate::path::Path;

pub(super) const OVERWRITE: Param<Option<bool>> =
    Param::option("overwrite", "Replace values that are there already; false if absent, and then a fault.");
pub(super) const EXPECT: Param<Option<Map<String, Value>>> = Param::option(
    "expect",
    "Values that must be there before, `()` for absent ones; those may be replaced. A fault where they are not.",
);

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    Label,
    Annotation,
}

impl Mark {
    fn field(self) -> &'static str {
        match self {
            Self::Label => "labels",
            Self::Annotation => "annotations",
        }
    }

    /// For people.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Label => "label",
            Self::Annotation => "annotation",
        }
    }

    fn of(self, object: &Value) -> Map<String, Value> {
        object["metadata"][self.field()].as_object().cloned().unwrap_or_default()
    }
}

/// What is wanted.
#[derive(Debug, Clone)]
pub(super) struct Marking {
    pub(super) mark: Mark,
    /// New values; null removes.
    pub(super) wanted: Map<String, Value>,
    pub(super) overwrite: bool,
    /// Values that must be there before; null for none.
    pub(super) expect: Map<String, Value>,
    pub(super) manager: String,
}

impl Marking {
    /// Faults: `RB015` for values that are no text.
    pub(super) fn check(&self) -> Result<(), Fault> {
        for (key, value) in self.wanted.iter().chain(&self.expect) {
            if !value.is_string() && !value.is_null() {
                return Err(Fault::new(
                    Code::WrongArgument,
                    format!(
                        "the {} `{key}` is a text or `()`, not {}",
                        self.mark.word(),
                        runbook_core::param::in_words(value)
                    ),
                )
                .hint(format!("write `\"{value}\"`")));
            }
            if key.is_empty() || key.chars().any(|c| c.is_control() || c.is_whitespace()) {
                return Err(Fault::new(
                    Code::WrongArgument,
                    format!("`{}` is no name of a {}", key.escape_default(), self.mark.word()),
                ));
            }
        }
        Ok(())
    }

    /// Does it. Answers `changed`, `previous` values of what was asked for, and all `labels` or `annotations` after it.
    pub(super) async fn apply(&self, api: &Api, name: &str) -> Result<Value, Fault> {
        if let Some(operations) = self.operations()
            && let Some(after) = self.at_once(api, name, &operations).await?
        {
            return Ok(self.answer(api, name, &self.expect, &after));
        }
        let writing = Writing::by(&self.manager);
        let changed = outcome::change(api, name, None, &writing, |before| self.decide(api, name, before)).await?;
        let before = self.mark.of(&changed.before);
        let mut answer = self.answer(api, name, &before, changed.after.as_ref().unwrap_or(&changed.before));
        if changed.after.is_none() {
            answer["changed"] = false.into();
            answer["summary"] = format!("{}: unchanged", api.title(name)).into();
        }
        Ok(answer)
    }

    /// The patch for an object as it was read; `None` where all is as wanted.
    fn decide(&self, api: &Api, name: &str, before: &Value) -> Result<Option<Decision>, Fault> {
        let found = self.mark.of(before);
        let value = |key: &String| found.get(key).unwrap_or(&Value::Null);
        if self.wanted.iter().all(|(key, wanted)| value(key) == wanted) {
            return Ok(None);
        }
        if let Some((key, expected)) = self.expect.iter().find(|(key, expected)| value(key) != *expected) {
            return Err(self.surprised(api, name, key, expected, value(key)));
        }
        let in_the_way = |key: &String, wanted: &Value| {
            !wanted.is_null() && !value(key).is_null() && value(key) != wanted && !self.expect.contains_key(key)
        };
        if let Some((key, _)) = self.wanted.iter().find(|(key, wanted)| !self.overwrite && in_the_way(key, wanted)) {
            let message = format!(
                "{}: the {} `{key}` has the value {} already",
                api.title(name),
                self.mark.word(),
                shown(value(key))
            );
            return Err(Fault::new(Code::Conflict, message)
                .about(api.title(name))
                .hint("`overwrite: true` replaces it, `expect` says which value may be replaced"));
        }
        let path = |key: &String| Path::default().key("metadata").key(self.mark.field()).key(key);
        Ok(Some(Decision {
            patch: json!({ "metadata": { self.mark.field(): self.wanted } }),
            looked_at: self.expect.keys().map(path).collect(),
        }))
    }

    fn surprised(&self, api: &Api, name: &str, key: &str, expected: &Value, found: &Value) -> Fault {
        let title = api.title(name);
        let message = format!(
            "{title}: the {} `{key}` is {}, expected {}; nothing was changed",
            self.mark.word(),
            shown(found),
            shown(expected)
        );
        Fault::new(Code::Precondition, message)
            .about(title)
            .with("expected", json!({ key: expected }))
            .with("found", json!({ key: found }))
    }

    /// The change as one conditional request, where `expect` says all that there is to know beforehand.
    fn operations(&self) -> Option<Value> {
        let known = |key: &String| self.expect.contains_key(key);
        let differs = |(key, wanted): (&String, &Value)| self.expect.get(key) != Some(wanted);
        // Where none is expected there may be no map yet to put one into.
        let there = self.expect.values().any(|value| !value.is_null());
        if !there || !self.wanted.keys().all(known) || !self.wanted.iter().any(differs) {
            return None;
        }
        let path = |key: &str| format!("/metadata/{}/{}", self.mark.field(), key.replace('~', "~0").replace('/', "~1"));
        let tests = self.expect.iter().map(|(key, value)| json!({ "op": "test", "path": path(key), "value": value }));
        let changes =
            self.wanted.iter().filter(|(key, wanted)| differs((key, wanted))).map(|(key, wanted)| match wanted {
                Value::Null => json!({ "op": "remove", "path": path(key) }),
                value => json!({ "op": "add", "path": path(key), "value": value }),
            });
        Some(tests.chain(changes).collect())
    }

    /// `None` where the server did not accept the tests: only reading tells why.
    async fn at_once(&self, api: &Api, name: &str, operations: &Value) -> Result<Option<Value>, Fault> {
        let patch = Patch::Json(operations.clone());
        let writing = Writing::by(&self.manager);
        let reached = json!({ "metadata": { self.mark.field(): self.wanted } });
        let sent = settle(
            api,
            name,
            async || api.patch(name, &patch, &writing).await,
            |live| match live {
                Some(live) if outcome::holds(&live, &reached) => Trace::Done(live),
                // The tests go with it when it is sent again.
                _ => Trace::NotDone,
            },
        );
        match sent.await {
            Err(fault) if fault.code == Code::Rejected => Ok(None),
            other => other.map(Some),
        }
    }

    fn answer(&self, api: &Api, name: &str, before: &Map<String, Value>, after: &Value) -> Value {
        let previous: Map<String, Value> =
            self.wanted.keys().map(|key| (key.clone(), before.get(key).cloned().unwrap_or_default())).collect();
        let words: Vec<String> = self
            .wanted
            .iter()
            .filter(|(key, wanted)| previous.get(*key) != Some(*wanted))
            .map(|(key, wanted)| format!("{key} {} -> {}", shown(&previous[key]), shown(wanted)))
            .collect();
        json!({
            "changed": true,
            "previous": previous,
            self.mark.field(): self.mark.of(after),
            "summary": format!("{}: {}", api.title(name), words.join(", ")),
        })
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "(none)".to_owned(),
        Value::String(text) => format!("`{text}`"),
        other => other.to_string(),
    }
}
