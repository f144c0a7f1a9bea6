//! Versions and constraints on them, by the rules of `Masterminds/semver`.

use std::cmp::Ordering;
use std::rc::Rc;

use super::{fixed, text};
use crate::execute::{Failure, Function, Param};
use crate::value::{Field, Struct, Value};

pub(super) fn functions() -> Vec<Function> {
    vec![
        fixed("semver", &[Param::Text], |_, args| {
            let source = text(args, 0);
            Version::read(&source).map(|version| version.shown(&source)).ok_or_else(invalid)
        }),
        fixed("semverCompare", &[Param::Text, Param::Text], |_, args| {
            let constraint = Constraint::read(&text(args, 0))?;
            let version = Version::read(&text(args, 1)).ok_or_else(invalid)?;
            Ok(Value::Bool(constraint.allows(&version)))
        }),
    ]
}

fn invalid() -> Failure {
    Failure::plain("invalid semantic version")
}

/// Whether a version lies in a range; an unreadable one does not.
pub(crate) fn compatible(constraint: &str, version: &str) -> bool {
    match (Constraint::read(constraint), Version::read(version)) {
        (Ok(constraint), Some(version)) => constraint.allows(&version),
        _ => false,
    }
}

/// Whether a text is a version.
pub(crate) fn is_version(text: &str) -> bool {
    Version::read(text).is_some()
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Version {
    numbers: [u64; 3],
    pre: String,
    meta: String,
}

fn identifiers(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
}

impl Version {
    fn read(text: &str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let (rest, meta) = text.split_once('+').map_or((text, None), |(rest, meta)| (rest, Some(meta)));
        let (core, pre) = rest.split_once('-').map_or((rest, None), |(core, pre)| (core, Some(pre)));
        if meta.is_some_and(|meta| !identifiers(meta)) || pre.is_some_and(|pre| !identifiers(pre)) {
            return None;
        }
        let mut numbers = [0; 3];
        let parts: Vec<_> = core.split('.').collect();
        if parts.len() > 3 {
            return None;
        }
        for (slot, part) in numbers.iter_mut().zip(parts) {
            if !part.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            *slot = part.parse().ok()?;
        }
        Some(Self { numbers, pre: pre.unwrap_or_default().to_owned(), meta: meta.unwrap_or_default().to_owned() })
    }

    fn order(&self, other: &Version) -> Ordering {
        self.numbers.cmp(&other.numbers).then_with(|| match (self.pre.is_empty(), other.pre.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => prerelease(&self.pre, &other.pre),
        })
    }

    fn text(&self) -> String {
        let [major, minor, patch] = self.numbers;
        let pre = if self.pre.is_empty() { String::new() } else { format!("-{}", self.pre) };
        let meta = if self.meta.is_empty() { String::new() } else { format!("+{}", self.meta) };
        format!("{major}.{minor}.{patch}{pre}{meta}")
    }

    fn shown(&self, original: &str) -> Value {
        let number = |at: usize| Value::Int64(i64::try_from(self.numbers[at]).unwrap_or(i64::MAX));
        let field = |name: &'static str, value: Value| Field { name, json: "", value };
        let fields = vec![
            field("\u{0}string", Value::text(self.text())),
            field("\u{0}major", number(0)),
            field("\u{0}minor", number(1)),
            field("\u{0}patch", number(2)),
            field("\u{0}pre", Value::text(&self.pre)),
            field("\u{0}meta", Value::text(&self.meta)),
            field("\u{0}original", Value::text(original)),
        ];
        Value::Struct(Rc::new(Struct { name: "*semver.Version", fields }))
    }
}

fn prerelease(one: &str, two: &str) -> Ordering {
    let (mut left, mut right) = (one.split('.'), two.split('.'));
    loop {
        let order = match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(a), Some(b)) => match (a.parse::<u64>(), b.parse::<u64>()) {
                (Ok(a), Ok(b)) => a.cmp(&b),
                (Ok(_), Err(_)) => Ordering::Less,
                (Err(_), Ok(_)) => Ordering::Greater,
                (Err(_), Err(_)) => a.cmp(b),
            },
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// Alternatives of conditions that all have to hold.
struct Constraint(Vec<Vec<Condition>>);

struct Condition {
    operator: &'static str,
    version: Version,
    /// How many of the three numbers were given.
    given: usize,
}

const OPERATORS: [&str; 11] = ["!=", ">=", "=>", "<=", "=<", "~>", "=", ">", "<", "~", "^"];

impl Constraint {
    fn read(text: &str) -> Result<Self, Failure> {
        let improper = || Failure::plain(format!("improper constraint: {}", crate::value::quote(text)));
        let mut alternatives = Vec::new();
        for part in text.split("||") {
            let part = hyphens(part);
            let mut conditions = Vec::new();
            let mut rest = part.trim();
            if rest.is_empty() {
                return Err(improper());
            }
            while !rest.is_empty() {
                let operator = OPERATORS.iter().find(|operator| rest.starts_with(**operator));
                let after = operator.map_or(rest, |operator| &rest[operator.len()..]).trim_start();
                let end = after.find([' ', ',', '\t']).unwrap_or(after.len());
                let condition = Condition::read(operator.copied().unwrap_or(""), &after[..end]).ok_or_else(improper)?;
                conditions.push(condition);
                rest = after[end..].trim_start_matches([' ', ',', '\t']);
            }
            alternatives.push(conditions);
        }
        Ok(Self(alternatives))
    }

    fn allows(&self, version: &Version) -> bool {
        self.0.iter().any(|conditions| {
            // A prerelease is let in only by a condition that names one.
            let names_one = conditions.iter().any(|condition| !condition.version.pre.is_empty());
            conditions.iter().all(|condition| condition.allows(version, names_one))
        })
    }
}

/// `1.2 - 1.4` is a range.
fn hyphens(part: &str) -> String {
    match part.split_once(" - ") {
        Some((from, to)) if !to.contains(" - ") => format!(">={} <={}", from.trim(), to.trim()),
        _ => part.to_owned(),
    }
}

impl Condition {
    fn read(operator: &'static str, text: &str) -> Option<Self> {
        let bare = text.strip_prefix('v').unwrap_or(text);
        let (core, rest) = match bare.find(['-', '+']) {
            Some(at) => bare.split_at(at),
            None => (bare, ""),
        };
        let mut given = 0;
        let mut numbers = Vec::new();
        let mut wild = core.is_empty();
        for part in core.split('.') {
            if matches!(part, "x" | "X" | "*") {
                wild = true;
            } else if !part.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            } else if !wild {
                numbers.push(part);
                given += 1;
            }
        }
        if core.split('.').count() > 3 || core.is_empty() {
            return None;
        }
        let core = if numbers.is_empty() { "0".to_owned() } else { numbers.join(".") };
        let version = Version::read(&format!("{core}{rest}"))?;
        Some(Self { operator, version, given })
    }

    fn allows(&self, version: &Version, names_one: bool) -> bool {
        let mine = &self.version;
        let pre_kept_out = !version.pre.is_empty() && mine.pre.is_empty() && !names_one;
        let dirty = self.given < 3;
        let order = version.order(mine);
        let numbers = &version.numbers;
        match self.operator {
            "!=" => {
                if pre_kept_out {
                    return false;
                }
                if dirty { numbers[..self.given] != mine.numbers[..self.given] } else { order != Ordering::Equal }
            }
            _ if pre_kept_out => false,
            ">" => {
                if dirty {
                    numbers[..self.given] > mine.numbers[..self.given]
                } else {
                    order == Ordering::Greater
                }
            }
            "<" => order == Ordering::Less,
            ">=" | "=>" => order != Ordering::Less,
            "<=" | "=<" => {
                if dirty {
                    numbers[..self.given] <= mine.numbers[..self.given]
                } else {
                    order != Ordering::Greater
                }
            }
            "~" | "~>" => self.tilde(version, order),
            "" | "=" if dirty => self.tilde(version, order),
            "^" => self.caret(version, order),
            _ => order == Ordering::Equal,
        }
    }

    fn tilde(&self, version: &Version, order: Ordering) -> bool {
        if order == Ordering::Less {
            return false;
        }
        match self.given {
            0 => true,
            1 => version.numbers[0] == self.version.numbers[0],
            _ => version.numbers[..2] == self.version.numbers[..2],
        }
    }

    fn caret(&self, version: &Version, order: Ordering) -> bool {
        if order == Ordering::Less {
            return false;
        }
        let (mine, theirs) = (&self.version.numbers, &version.numbers);
        if self.given == 0 {
            return true;
        }
        if mine[0] > 0 || self.given == 1 {
            return theirs[0] == mine[0];
        }
        if theirs[0] > 0 {
            return false;
        }
        if mine[1] > 0 || self.given == 2 {
            return theirs[1] == mine[1];
        }
        theirs[..] == mine[..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constraints_hold_as_helm_says() {
        for (constraint, version, holds) in [
            (">=1.21-0", "v1.30.0-gke.1", true),
            (">=1.21", "v1.30.0-gke.1", false),
            ("^1.2.3", "1.9.0", true),
            ("~1.2.3", "1.3.0", false),
            ("1.x", "1.7.1", true),
            (">=1.16.0 <1.20.0", "1.19.3", true),
            (">1.2", "1.2.9", false),
            ("!=1.2.3", "1.2.4", true),
            ("1.2 - 1.4", "1.4.0", true),
            ("<1.2 || >=2", "2.1.0", true),
            ("*", "1.0.0", true),
        ] {
            assert_eq!(compatible(constraint, version), holds, "{constraint} {version}");
        }
        assert!(!is_version("1.2.3.4"));
    }
}
