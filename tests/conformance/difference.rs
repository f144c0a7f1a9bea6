//! Where two answers differ, and which differences are accepted with a reason: `differences.yaml`.
//!
//! Not known here: how answers were got.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use crate::answer::Answer;
use crate::case::Case;

/// One place in one answer where the two are not the same.
#[derive(Clone, Debug)]
pub(crate) struct Difference {
    case: String,
    step: usize,
    request: String,
    at: String,
    real: Value,
    simulated: Value,
}

/// All differences of two answers to one step.
pub(crate) fn between(case: &Case, index: usize, real: &Answer, simulated: &Answer, into: &mut Vec<Difference>) {
    let mut note = |at: &str, real: &Value, simulated: &Value| {
        into.push(Difference {
            case: case.title(),
            step: index + 1,
            request: case.steps[index].request.clone(),
            at: at.to_owned(),
            real: real.clone(),
            simulated: simulated.clone(),
        });
    };
    if real.status == simulated.status {
        walk("", &real.as_value(), &simulated.as_value(), &mut note);
    } else {
        // Bodies of another kind of answer differ everywhere.
        note("/status", &real.as_value(), &simulated.as_value());
    }
}

fn walk(at: &str, real: &Value, simulated: &Value, note: &mut impl FnMut(&str, &Value, &Value)) {
    match (real, simulated) {
        (Value::Object(ours), Value::Object(theirs)) => {
            let keys: BTreeSet<_> = ours.keys().chain(theirs.keys()).collect();
            for key in keys {
                let absent = Value::String("(absent)".to_owned());
                let below = format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
                walk(&below, ours.get(key).unwrap_or(&absent), theirs.get(key).unwrap_or(&absent), note);
            }
        }
        (Value::Array(ours), Value::Array(theirs)) if ours.len() == theirs.len() => {
            for (index, (real, simulated)) in ours.iter().zip(theirs).enumerate() {
                walk(&format!("{at}/{index}"), real, simulated, note);
            }
        }
        _ if real == simulated => {}
        _ => note(at, real, simulated),
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(to, "{} | step {}: {}", self.case, self.step, self.request)?;
        writeln!(to, "  {}", self.at)?;
        writeln!(to, "    real {}", shown(&self.real))?;
        write!(to, "    ours {}", shown(&self.simulated))
    }
}

fn shown(value: &Value) -> String {
    let text = value.to_string();
    if text.len() > 700 { text.chars().take(700).chain("...".chars()).collect() } else { text }
}

/// An entry of `differences.yaml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// Titles of cases that it is about: each contains this. Nothing for all.
    #[serde(default)]
    case: String,
    /// The place in the answer; `*` stands for any one part, `**` at the end for all below.
    at: String,
    /// Why that is acceptable.
    reason: String,
}

/// What is accepted.
pub(crate) struct Accepted {
    entries: Vec<Entry>,
}

impl Accepted {
    pub(crate) fn read() -> Self {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/differences.yaml");
        let entries: Vec<Entry> = serde_saphyr::from_str(&fs_err::read_to_string(file).unwrap()).unwrap();
        for entry in &entries {
            assert!(entry.reason.len() > 20, "`{}` needs a reason that says something", entry.at);
        }
        Self { entries }
    }

    /// The differences that nobody accepted, and the entries that no difference needed.
    pub(crate) fn judge<'a>(&self, found: &'a [Difference], cases: &[Case]) -> (Vec<&'a Difference>, Vec<String>) {
        let mut used: BTreeMap<usize, usize> = BTreeMap::new();
        let mut strange = Vec::new();
        for difference in found {
            match self.entries.iter().position(|entry| entry.covers(difference)) {
                Some(index) => *used.entry(index).or_default() += 1,
                None => strange.push(difference),
            }
        }
        let looked_at = |entry: &Entry| cases.iter().any(|case| case.title().contains(&entry.case));
        let stale =
            self.entries.iter().enumerate().filter(|(index, entry)| !used.contains_key(index) && looked_at(entry));
        // A selection of cases does not show that an entry for all of them is stale.
        let stale = stale.filter(|_| std::env::var("CONFORMANCE_ONLY").is_err());
        (strange, stale.map(|(_, entry)| format!("{} {}", entry.case, entry.at)).collect())
    }
}

impl Entry {
    fn covers(&self, difference: &Difference) -> bool {
        difference.case.contains(&self.case) && matches(&self.at, &difference.at)
    }
}

fn matches(pattern: &str, place: &str) -> bool {
    let (mut pattern, mut place) = (pattern.split('/'), place.split('/'));
    loop {
        match (pattern.next(), place.next()) {
            (Some("**"), Some(_)) | (None, None) => return true,
            (Some(one), Some(other)) if one == "*" || one == other => {}
            _ => return false,
        }
    }
}

#[test]
fn a_pattern_covers_what_it_says() {
    assert!(matches("/body/*/name", "/body/3/name"));
    assert!(matches("/body/**", "/body/a/b"));
    assert!(!matches("/body/*", "/body/a/b") && !matches("/status", "/body"));
}
