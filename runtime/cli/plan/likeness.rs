//! What in the arguments of a call is given by the clock or by the cluster, and so is another in each run of the same script: times
//! of the run, versions and uids of objects, endings of names.
//!
//! Does not know who asks, nor what for.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;

/// What the server gives an object.
const GIVEN: [&str; 3] = ["generation", "resourceVersion", "uid"];

/// What the API server makes generated names of: no vowels, and nothing that looks like another (apimachinery `util/rand`).
const LETTERS: &str = "bcdfghjklmnpqrstvwxz2456789";

/// What the hash of a pod template is made of: the ten digits in that alphabet.
const DIGITS: &str = "456789bcdf";

/// How many letters a generated name ends with.
const SUFFIX: usize = 5;

/// How long the hash of a pod template is: a number of 32 bits.
const HASH: std::ops::RangeInclusive<usize> = 6..=10;

/// The same for every run that began at `since` and does the same: no time of the run, and nothing that the server gave an object.
pub(super) fn settled(value: &Value, since: Timestamp) -> Value {
    match value {
        Value::String(text) => each_word(text, is_of_time, |word| match word.parse::<Timestamp>() {
            // Times are often said to the second.
            Ok(time) if time.as_second() >= since.as_second() => "<time>".to_owned(),
            _ => word.to_owned(),
        })
        .into(),
        Value::Array(items) => items.iter().map(|item| settled(item, since)).collect(),
        Value::Object(map) => {
            let mut map = map.clone();
            if let Some(metadata) = map.get_mut("metadata").and_then(Value::as_object_mut) {
                metadata.retain(|key, _| !GIVEN.contains(&key.as_str()));
            }
            map.into_iter().map(|(key, value)| (key, settled(&value, since))).collect()
        }
        other => other.clone(),
    }
}

/// The same with every made-up ending of a name taken off: `istiod-79f45578c6-sdndr` becomes `istiod`.
pub(super) fn loosened(value: &Value) -> Value {
    match value {
        Value::String(text) => each_word(text, is_of_name, |name| stem(name).to_owned()).into(),
        Value::Array(items) => items.iter().map(loosened).collect(),
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), loosened(value))).collect(),
        other => other.clone(),
    }
}

/// Whether one of these names stands in it.
pub(super) fn mentions(value: &Value, names: &BTreeSet<String>) -> bool {
    match value {
        Value::String(text) => text.split(|c: char| !is_of_name(c)).any(|name| names.contains(name)),
        Value::Array(items) => items.iter().any(|item| mentions(item, names)),
        Value::Object(map) => map.values().any(|value| mentions(value, names)),
        _ => false,
    }
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'
}

fn is_of_time(c: char) -> bool {
    c.is_ascii_digit() || matches!(c, 'T' | 'Z' | ':' | '.' | '+' | '-')
}

/// The text with each word of such characters changed.
fn each_word(text: &str, of_word: impl Fn(char) -> bool, change: impl Fn(&str) -> String) -> String {
    let mut changed = String::with_capacity(text.len());
    for part in text.split_inclusive(|c: char| !of_word(c)) {
        let word = part.trim_end_matches(|c: char| !of_word(c));
        changed.push_str(&change(word));
        changed.push_str(&part[word.len()..]);
    }
    changed
}

/// A name without what was made up: the hash of its template, a random ending, or both.
fn stem(name: &str) -> &str {
    let of = |letters: &str, part: &str| part.chars().all(|c| letters.contains(c));
    let rest = match name.rsplit_once('-') {
        Some((rest, end)) if end.len() == SUFFIX && of(LETTERS, end) => rest,
        _ => name,
    };
    match rest.rsplit_once('-') {
        Some((stem, hash)) if HASH.contains(&hash.len()) && of(DIGITS, hash) => stem,
        _ => rest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_pod_is_known_by_what_it_is_a_pod_of() {
        let of = |name: &str| loosened(&json!(name));
        assert_eq!(of("istiod-79f45578c6-sdndr"), "istiod");
        assert_eq!(of("ztunnel-x7k2b"), "ztunnel");
        assert_eq!(of("istiod-79f45578c6"), "istiod");
        assert_eq!(of("pod/istiod-1-30-3-79f45578c6-sdndr:8080"), "pod/istiod-1-30-3:8080");
        for same in ["istiod-1-30-3", "istio-system", "web-0", "node-1", "Grüße, web", ""] {
            assert_eq!(of(same), same);
        }
    }

    #[test]
    fn what_clock_and_cluster_give_is_no_difference() {
        let since: Timestamp = "2026-11-27T06:00:00Z".parse().unwrap();
        let of = |at: &str, version: &str| {
            let object = json!({ "metadata": { "name": "web", "resourceVersion": version }, "data": { "at": at } });
            settled(&json!({ "source": object }), since)
        };
        assert_eq!(of("2026-11-27T06:08:39Z", "269"), of("2026-11-27T06:08:49.5Z", "281"));
        assert_eq!(of("moved 2026-11-27T06:08:39Z", "1"), of("moved 2026-11-27T07:08:39Z", "1"));
        // What was said before the run began is the script's own.
        assert_ne!(of("2026-11-26T06:08:39Z", "1"), of("2026-11-26T07:08:39Z", "1"));
        assert_eq!(settled(&json!("1.30.3, 10:15 - 8"), since), "1.30.3, 10:15 - 8");
    }

    #[test]
    fn a_name_is_found_as_a_whole() {
        let names = BTreeSet::from(["web-x7k2b".to_owned()]);
        assert!(mentions(&json!({ "pods": ["pod/web-x7k2b"] }), &names));
        assert!(!mentions(&json!({ "pods": ["pod/web-x7k2b-1", 7] }), &names));
    }
}
