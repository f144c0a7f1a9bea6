//! Paths into plain values, as scripts write them: `spec.http[0].match`, `metadata.labels["istio.io/rev"]`.
//!
//! Does not know what a value means.

use std::fmt;

use serde_json::Value;

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// Into a map.
    Key(String),
    /// Into a list; negative ones count from its end.
    Index(i64),
}

/// A path into a value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Path(pub(crate) Vec<Part>);

impl Path {
    /// Reads a path; the error says in words what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let wrong = |reason: &str| format!("the path `{text}` cannot be read: {reason}");
        let mut parts = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            if let Some(inner) = rest.strip_prefix('[') {
                let (part, after) = bracket(inner).ok_or_else(|| wrong("a `[` is not closed or holds no index"))?;
                parts.push(part);
                rest = after;
                continue;
            }
            let name = match (rest.strip_prefix('.'), parts.is_empty()) {
                (Some(after), false) => after,
                (None, true) => rest,
                _ => return Err(wrong("a `.` is missing or misplaced")),
            };
            let end = name.find(['.', '[']).unwrap_or(name.len());
            if end == 0 {
                return Err(wrong("a name is empty"));
            }
            parts.push(Part::Key(name[..end].to_owned()));
            rest = &name[end..];
        }
        if parts.is_empty() { Err(wrong("it is empty")) } else { Ok(Self(parts)) }
    }

    /// What it leads to; `None` where there is nothing.
    pub(crate) fn at<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        self.0.iter().try_fold(value, |value, part| match part {
            Part::Key(key) => value.get(key.as_str()),
            Part::Index(index) => value.as_array()?.get(position(*index, value.as_array()?.len())?),
        })
    }

    /// The path of something in what it leads to.
    pub(crate) fn key(&self, key: &str) -> Self {
        let mut parts = self.0.clone();
        parts.push(Part::Key(key.to_owned()));
        Self(parts)
    }

    /// The path of an element of the list that it leads to.
    pub(crate) fn index(&self, index: usize) -> Self {
        let mut parts = self.0.clone();
        parts.push(Part::Index(i64::try_from(index).unwrap_or(i64::MAX)));
        Self(parts)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, part) in self.0.iter().enumerate() {
            match part {
                Part::Key(key)
                    if key.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-') && !key.is_empty() =>
                {
                    f.write_str(if place == 0 { "" } else { "." })?;
                    f.write_str(key)?;
                }
                Part::Key(key) => write!(f, "[{key:?}]")?,
                Part::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

fn position(index: i64, length: usize) -> Option<usize> {
    let length = i64::try_from(length).ok()?;
    usize::try_from(if index < 0 { length + index } else { index }).ok()
}

/// The part in brackets and what comes after them.
fn bracket(text: &str) -> Option<(Part, &str)> {
    if let Some(quote) = text.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        let (name, after) = text[1..].split_once(quote)?;
        return Some((Part::Key(name.to_owned()), after.strip_prefix(']')?));
    }
    let (index, after) = text.split_once(']')?;
    Some((Part::Index(index.trim().parse().ok()?), after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn a_path_reaches_indexes_and_keys_with_dots() {
        let object =
            json!({ "metadata": { "labels": { "istio.io/rev": "a" } }, "spec": { "http": [{ "match": 1 }, 2] } });
        let read = |path: &str| Path::parse(path).unwrap().at(&object).cloned();
        assert_eq!(read("metadata.labels[\"istio.io/rev\"]"), Some(json!("a")));
        assert_eq!(read("spec.http[0].match"), Some(json!(1)));
        assert_eq!(read("spec['http'][-1]"), Some(json!(2)));
        assert_eq!(read("spec.tcp[0]"), None);
    }

    #[test]
    fn a_path_that_cannot_be_read_says_so() {
        for path in ["", "a..b", "[x]", "a[", "a[\"b]", ".a", "a[0]b", "a."] {
            assert!(Path::parse(path).is_err(), "{path}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(parts in prop::collection::vec(
            prop_oneof!["[a-zA-Z0-9_./-]{1,12}".prop_map(Part::Key), (0i64..9).prop_map(Part::Index)], 1..6)
        ) {
            let path = Path(parts);
            prop_assert_eq!(Path::parse(&path.to_string()).unwrap(), path);
        }
    }
}
