//! The words of one command line of helm, sorted: the verb, what stands by position, the flags.
//!
//! Lines come from this library alone, so their form is known: flags with values are written `--flag=value`. Does not know
//! what any of them means.

use std::collections::BTreeMap;
use std::time::Duration;

/// Verbs of two words.
const FAMILIES: &[&str] = &["get", "repo"];

/// A line's words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Words {
    /// `upgrade`, `get manifest`.
    pub(super) verb: String,
    /// What stands by position after the verb.
    pub(super) places: Vec<String>,
    flags: BTreeMap<String, Vec<String>>,
}

impl Words {
    /// Sorts a line.
    pub(super) fn of(words: &[String]) -> Self {
        let mut sorted = Self::default();
        for word in words {
            if let Some(flag) = word.strip_prefix("--") {
                let (name, value) = flag.split_once('=').unwrap_or((flag, "true"));
                sorted.flags.entry(name.to_owned()).or_default().push(value.to_owned());
            } else if sorted.verb.is_empty() {
                sorted.verb.clone_from(word);
            } else if FAMILIES.contains(&sorted.verb.as_str()) {
                sorted.verb = format!("{} {word}", sorted.verb);
            } else {
                sorted.places.push(word.clone());
            }
        }
        sorted
    }

    /// What stands in that place; empty where nothing does.
    pub(super) fn place(&self, index: usize) -> &str {
        self.places.get(index).map_or("", String::as_str)
    }

    /// A flag's value; of several, the last.
    pub(super) fn flag(&self, name: &str) -> Option<&str> {
        self.flags.get(name)?.last().map(String::as_str)
    }

    /// All values of a flag.
    pub(super) fn all(&self, name: &str) -> Vec<String> {
        self.flags.get(name).cloned().unwrap_or_default()
    }

    /// Whether a flag is on.
    pub(super) fn on(&self, name: &str) -> bool {
        self.flag(name).is_some_and(|value| value != "false")
    }

    /// A flag's value as a number.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.flag(name)?.parse().ok()
    }

    /// `--timeout`, as this library writes it: whole seconds.
    pub(super) fn patience(&self) -> Duration {
        let seconds = self.flag("timeout").and_then(|text| text.trim_end_matches('s').parse().ok());
        seconds.map_or(Duration::from_mins(5), Duration::from_secs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbs_places_and_flags_are_told_apart() {
        let words: Vec<String> = [
            "get",
            "values",
            "--output=json",
            "web",
            "--revision=3",
            "--all",
            "--api-versions=a",
            "--api-versions=b=c",
        ]
        .map(str::to_owned)
        .to_vec();
        let words = Words::of(&words);
        assert_eq!((words.verb.as_str(), words.place(0), words.place(1)), ("get values", "web", ""));
        assert_eq!((words.flag("output"), words.number("revision"), words.on("all")), (Some("json"), Some(3), true));
        assert_eq!(words.all("api-versions"), ["a", "b=c"]);
        assert!(!words.on("wait") && !Words::of(&["x".to_owned(), "--server-side=false".to_owned()]).on("server-side"));
    }
}
