//! One command line for helm under construction. Does not know what helm answers.

use std::time::Duration;

use runbook_core::Value;
use serde_json::Map;

use crate::process::Interruption;

/// What a call that only reads may take.
const READING: Duration = Duration::from_mins(2);

/// One command line for helm, with what is handed over beside it.
#[derive(Debug, Clone)]
pub(in crate::helm) struct Line {
    pub(super) words: Vec<String>,
    pub(super) about: Option<String>,
    pub(super) values: Option<Map<String, Value>>,
    pub(super) input: Option<String>,
    pub(super) time: Duration,
    pub(super) interruption: Interruption,
}

impl Line {
    /// Begins a line that only reads, with its verb: `get manifest`.
    pub(in crate::helm) fn reading(verb: &str) -> Self {
        Self {
            words: verb.split(' ').map(str::to_owned).collect(),
            about: None,
            values: None,
            input: None,
            time: READING,
            interruption: Interruption::Ends,
        }
    }

    /// Begins a line that writes and may take that long.
    pub(in crate::helm) fn writing(verb: &str, time: Duration) -> Self {
        Self { time, interruption: Interruption::Finishes, ..Self::reading(verb) }
    }

    /// Makes it one that even an interrupted run may still send: it is short, and says what was left behind.
    pub(in crate::helm) fn even_if_interrupted(self) -> Self {
        Self { interruption: Interruption::Ignores, time: Duration::from_secs(20), ..self }
    }

    /// Whether nothing is changed by it.
    pub(super) fn only_reads(&self) -> bool {
        self.interruption != Interruption::Finishes
    }

    /// Adds a word. One that comes from a script must not begin with a dash.
    pub(in crate::helm) fn word(mut self, word: impl Into<String>) -> Self {
        self.words.push(word.into());
        self
    }

    /// Adds words as they are, flags among them.
    pub(in crate::helm) fn words(self, words: impl IntoIterator<Item = &'static str>) -> Self {
        words.into_iter().fold(self, Self::word)
    }

    /// Adds the release, which is also what faults are about.
    pub(in crate::helm) fn release(self, name: &str) -> Self {
        Self { about: Some(format!("release {name}")), ..self.word(name) }
    }

    /// Adds a flag with its value, where there is one.
    pub(in crate::helm) fn flag(self, flag: &str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.word(format!("{flag}={}", value.to_string())),
            None => self,
        }
    }

    /// Adds a flag without a value, where it is on.
    pub(in crate::helm) fn switch(self, flag: &str, on: bool) -> Self {
        if on { self.word(flag) } else { self }
    }

    /// Hands over user values, in a private file.
    pub(in crate::helm) fn values(self, values: Option<Map<String, Value>>) -> Self {
        Self { values, ..self }
    }

    /// Hands over a text on standard input.
    pub(in crate::helm) fn input(self, text: Option<String>) -> Self {
        Self { input: text, ..self }
    }
}

/// A duration as helm reads it.
pub(in crate::helm) fn in_seconds(duration: Duration) -> String {
    format!("{}s", duration.as_secs().max(1))
}
