//! Label and field selectors, as they stand in a query.
//!
//! Not known here: what carries the labels.

use std::fmt;

use crate::{resource::GroupResource, status::Status, store::Stored};

/// What one term of a label selector asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Test {
    In(Vec<String>),
    NotIn(Vec<String>),
    Exists,
    Absent,
    Above(i64),
    Below(i64),
}

/// A label selector: all of its terms have to hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Labels(Vec<(String, Test)>);

impl Labels {
    /// Reads `a=b,c!=d,e in (f,g),h notin (i),j,!k,l>3`.
    pub(crate) fn parse(text: &str) -> Result<Self, Status> {
        let mut terms = Vec::new();
        let mut rest = text.trim();
        while !rest.is_empty() {
            let (term, behind) = split(rest);
            terms.push(read(term.trim(), text)?);
            rest = behind.trim_start();
        }
        Ok(Self(terms))
    }

    /// Does it let everything through?
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Do the labels, looked up one by one, satisfy it?
    pub(crate) fn matches<'a>(&self, label: impl Fn(&str) -> Option<&'a str>) -> bool {
        self.0.iter().all(|(key, test)| {
            let value = label(key);
            let number = || value.and_then(|value| value.parse::<i64>().ok());
            match test {
                Test::In(values) => value.is_some_and(|value| values.iter().any(|wanted| wanted == value)),
                Test::NotIn(values) => value.is_none_or(|value| values.iter().all(|wanted| wanted != value)),
                Test::Exists => value.is_some(),
                Test::Absent => value.is_none(),
                Test::Above(bound) => number().is_some_and(|number| number > *bound),
                Test::Below(bound) => number().is_some_and(|number| number < *bound),
            }
        })
    }
}

/// The first term, and what follows its comma. Commas in brackets belong to the term.
fn split(text: &str) -> (&str, &str) {
    let mut depth = 0_usize;
    for (at, character) in text.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => return (&text[..at], &text[at + 1..]),
            _ => {}
        }
    }
    (text, "")
}

fn read(term: &str, whole: &str) -> Result<(String, Test), Status> {
    let broken = |why: &str| Status::bad_request(format!("unable to parse requirement: {why}"));
    let plain = |key: &str, test: Test| -> Result<(String, Test), Status> {
        let key = key.trim();
        if !is_key(key) {
            return Err(broken(&format!(
                "<nil>: Invalid value: \"{key}\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
            )));
        }
        Ok((key.to_owned(), test))
    };
    if let Some(open) = term.find('(') {
        let values = term[open + 1..].strip_suffix(')').ok_or_else(|| broken("found '', expected: ')'"))?;
        let values = values.split(',').map(|value| value.trim().to_owned()).collect();
        let mut words = term[..open].split_whitespace();
        return match (words.next(), words.next(), words.next()) {
            (Some(key), Some("in"), None) => plain(key, Test::In(values)),
            (Some(key), Some("notin"), None) => plain(key, Test::NotIn(values)),
            (_, Some(other), _) => Err(broken(&format!("found '{other}', expected: in, notin, =, ==, !=, gt, lt"))),
            _ => Err(broken(&format!("couldn't parse the selector string \"{whole}\""))),
        };
    }
    let mut words = term.split_whitespace();
    if let (Some(_), Some("in" | "notin"), Some(other)) = (words.next(), words.next(), words.next()) {
        return Err(broken(&format!("found '{other}' expected: '('")));
    }
    let one = |value: &str| vec![value.trim().to_owned()];
    let plain = |key: &str, test: Test| match key.split_whitespace().nth(1) {
        Some(other) => {
            let end = other.find(['!', '=']).unwrap_or(other.len());
            Err(broken(&format!("found '{}', expected: in, notin, =, ==, !=, gt, lt", &other[..end])))
        }
        None => plain(key, test),
    };
    if term.starts_with('=') {
        return Err(Status::bad_request("found '=', expected: !, identifier, or 'end of string'"));
    }
    if let Some((key, value)) = term.split_once("!=") {
        return plain(key, Test::NotIn(one(value)));
    }
    if let Some((key, value)) = term.split_once("==").or_else(|| term.split_once('=')) {
        return plain(key, Test::In(one(value)));
    }
    for (sign, test) in [('>', Test::Above as fn(i64) -> Test), ('<', Test::Below)] {
        if let Some((key, bound)) = term.split_once(sign) {
            let bound =
                bound.trim().parse().map_err(|_| broken("for 'Gt', 'Lt' operators, the value must be an integer"))?;
            return plain(key, test(bound));
        }
    }
    match term.strip_prefix('!') {
        Some(key) => plain(key, Test::Absent),
        None if term.is_empty() => Err(broken("found ',', expected: identifier after ','")),
        None => match term.split_whitespace().nth(1) {
            Some(word) => Err(broken(&format!("found '{word}', expected: in, notin, =, ==, !=, gt, lt"))),
            None => plain(term, Test::Exists),
        },
    }
}

fn is_key(key: &str) -> bool {
    let name = key.split_once('/').map_or(key, |(_, name)| name);
    let edge = |character: Option<char>| character.is_some_and(|character| character.is_ascii_alphanumeric());
    let inner = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
    name.len() <= 63 && edge(name.chars().next()) && edge(name.chars().last()) && name.chars().all(inner)
}

/// A field selector: all of its terms have to hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fields(Vec<Term>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    path: String,
    value: String,
    is_equal: bool,
}

impl fmt::Display for Term {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        write!(out, "{}{}{}", self.path, if self.is_equal { "=" } else { "!=" }, self.value)
    }
}

impl Fields {
    /// Reads `a.b=c,d!=e`. `\\`, `\,` and `\=` stand for themselves.
    pub(crate) fn parse(text: &str) -> Result<Self, Status> {
        let mut terms = Vec::new();
        for term in pieces(text) {
            if term.is_empty() {
                continue;
            }
            let (path, is_equal, value) = operator(&term)
                .ok_or_else(|| Status::bad_request(format!("invalid selector: '{text}'; can't understand '{term}'")))?;
            terms.push(Term { path: path.to_owned(), value: unescaped(value)?, is_equal });
        }
        Ok(Self(terms))
    }

    /// Does it let everything through?
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value that a field has to have, where the selector says so.
    pub(crate) fn exact(&self, path: &str) -> Option<&str> {
        self.0.iter().find(|term| term.is_equal && term.path == path).map(|term| term.value.as_str())
    }

    /// The paths that are asked for.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|term| term.path.as_str())
    }

    /// Does the object satisfy it? `other` knows the fields that its definition declares.
    pub(crate) fn matches(
        &self,
        resource: &GroupResource,
        object: &Stored,
        other: impl Fn(&str) -> Option<String>,
    ) -> bool {
        self.0.iter().all(|term| {
            let held = match term.path.as_str() {
                "metadata.name" => Some(object.name().to_owned()),
                "metadata.namespace" => Some(object.namespace().to_owned()),
                path => object.field(resource, path).map(str::to_owned).or_else(|| other(path)),
            };
            (held.unwrap_or_default() == term.value) == term.is_equal
        })
    }
}

/// What stands before the first operator, whether it asks for equality, and what stands behind it.
fn operator(term: &str) -> Option<(&str, bool, &str)> {
    let (before, behind) = term.split_once('=')?;
    Some(match before.strip_suffix('!') {
        Some(path) => (path, false, behind),
        None => (before, true, behind.strip_prefix('=').unwrap_or(behind)),
    })
}

fn unescaped(value: &str) -> Result<String, Status> {
    let wrong = |what: &str, why: String| Status::bad_request(format!("invalid field selector: {what}: {why}"));
    let (mut plain, mut characters) = (String::with_capacity(value.len()), value.chars());
    while let Some(character) = characters.next() {
        match (character, if character == '\\' { characters.next() } else { None }) {
            ('\\', Some(escaped @ ('\\' | ',' | '='))) => plain.push(escaped),
            ('\\', other) => {
                let sequence = other.map_or_else(|| "\\".to_owned(), |other| format!("\\{other}"));
                return Err(wrong("invalid escape sequence", sequence));
            }
            // The server's words give the character's number.
            (',' | '=', _) => return Err(wrong("unescaped character in value", u32::from(character).to_string())),
            (other, _) => plain.push(other),
        }
    }
    Ok(plain)
}

/// The terms between commas that are not escaped.
fn pieces(text: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    let mut is_escaped = false;
    for character in text.chars() {
        if character == ',' && !is_escaped {
            found.push(String::new());
        } else if let Some(last) = found.last_mut() {
            last.push(character);
        }
        is_escaped = character == '\\' && !is_escaped;
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    fn holds(selector: &str, labels: &[(&str, &'static str)]) -> bool {
        let labels: std::collections::BTreeMap<_, _> = labels.iter().copied().collect();
        Labels::parse(selector).unwrap().matches(|key| labels.get(key).copied())
    }

    #[test]
    fn every_operator_does_what_it_says() {
        let labels = [("app", "web"), ("size", "3")];
        for yes in [
            "app=web",
            "app==web",
            "app!=api",
            "x!=y",
            "app in (api, web)",
            "x notin (y)",
            "app",
            "!x",
            "size>2",
            "app=web,size<4",
        ] {
            assert!(holds(yes, &labels), "{yes}");
        }
        for no in ["app=api", "app!=web", "app in (api)", "app notin (web)", "x", "!app", "size>3", "app=web,x"] {
            assert!(!holds(no, &labels), "{no}");
        }
        assert!(holds("", &labels));
    }

    #[test]
    fn broken_selectors_are_refused() {
        for broken in ["app in web", "app in (web", "=b", "a b", "a>x", ",", "-a"] {
            assert!(Labels::parse(broken).is_err(), "{broken}");
        }
        for broken in ["metadata.name", "a=b=c", "a!==b", r"a=\b", "a=b\\"] {
            assert!(Fields::parse(broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn fields_may_hold_escaped_commas() {
        let fields = Fields::parse(r"metadata.name=a\,b,status.phase!=Running").unwrap();
        assert_eq!(fields.exact("metadata.name"), Some("a,b"));
        assert_eq!(fields.paths().collect::<Vec<_>>(), ["metadata.name", "status.phase"]);
    }

    proptest! {
        #[test]
        fn no_text_makes_them_panic(text in ".{0,40}") {
            let _ = Labels::parse(&text);
            let _ = Fields::parse(&text);
        }

        #[test]
        fn equal_and_not_equal_are_opposites(key in "[a-z]{1,5}", value in "[a-z]{0,3}", held in proptest::option::of("[a-z]{0,3}")) {
            let equal = Labels::parse(&format!("{key}={value}")).unwrap().matches(|_| held.as_deref());
            let other = Labels::parse(&format!("{key}!={value}")).unwrap().matches(|_| held.as_deref());
            prop_assert_ne!(equal, other);
        }

        #[test]
        fn a_label_selector_holds_where_each_of_its_terms_does(
            terms in vec((key(), test()), 0..4), spaces in "[ ]{0,2}", sign in select(&["=", "=="][..]), held in labels()
        ) {
            let text: Vec<_> = terms.iter().map(|(key, test)| written(key, test, &spaces, sign)).collect();
            let text = text.join(&format!("{spaces},{spaces}"));
            let read = Labels::parse(&text).unwrap();
            prop_assert_eq!(&read.0, &terms, "`{}`", text);
            prop_assert_eq!(read.is_empty(), terms.is_empty());
            let expected = terms.iter().all(|(key, test)| by_hand(test, held.get(key).map(String::as_str)));
            prop_assert_eq!(read.matches(|key| held.get(key).map(String::as_str)), expected, "`{}` on {:?}", text, held);
        }

        #[test]
        fn a_field_selector_holds_where_each_of_its_terms_does(
            terms in vec((select(&FIELDS[..]), r"[ab,=\\]{0,2}", any::<bool>()), 0..4), held in vec(r"[ab,=\\]{0,2}", 3)
        ) {
            let term = |(path, value, is_equal): &(&str, String, bool)| {
                let value = value.replace('\\', r"\\").replace(',', r"\,").replace('=', r"\=");
                format!("{path}{}{value}", if *is_equal { "=" } else { "!=" })
            };
            let text = terms.iter().map(term).collect::<Vec<_>>().join(",");
            let read = Fields::parse(&text).unwrap();
            let expected: Vec<_> = terms
                .iter()
                .map(|(path, value, is_equal)| Term { path: (*path).to_owned(), value: value.clone(), is_equal: *is_equal })
                .collect();
            prop_assert_eq!(&read.0, &expected, "`{}`", text);
            let object = serde_json::json!({ "kind": "Pod", "apiVersion": "v1", "metadata": { "name": held[0] },
                "spec": { "nodeName": held[1] } });
            let pods = GroupResource::new("", "pods");
            let stored = Stored::of(&pods, &object, 1);
            let of = |path: &str| held[FIELDS.iter().position(|field| *field == path).unwrap()].clone();
            let expected = terms.iter().all(|(path, value, is_equal)| (of(path) == *value) == *is_equal);
            prop_assert_eq!(read.matches(&pods, &stored, |path| Some(of(path))), expected, "`{}` on {:?}", text, held);
        }
    }

    /// Of a pod's own, of its index, and one that a definition would declare.
    const FIELDS: [&str; 3] = ["metadata.name", "spec.nodeName", "spec.color"];

    fn key() -> impl Strategy<Value = String> {
        select(&["app", "tier", "example.com/in", "notin"][..]).prop_map(str::to_owned)
    }

    fn labels() -> impl Strategy<Value = std::collections::BTreeMap<String, String>> {
        proptest::collection::btree_map(key(), prop_oneof!["[ab]{0,1}", "-?[0-3]"], 0..4)
    }

    fn test() -> impl Strategy<Value = Test> {
        let values = || vec("[ab0-3]{0,1}", 1..4);
        prop_oneof![
            values().prop_map(Test::In),
            values().prop_map(Test::NotIn),
            Just(Test::Exists),
            Just(Test::Absent),
            (-1..4_i64).prop_map(Test::Above),
            (-1..4_i64).prop_map(Test::Below),
        ]
    }

    /// A term as somebody may write it.
    fn written(key: &str, test: &Test, spaces: &str, sign: &str) -> String {
        let list = |values: &[String]| values.join(&format!("{spaces},{spaces}"));
        match test {
            Test::In(values) if values.len() == 1 => format!("{key}{spaces}{sign}{spaces}{}", values[0]),
            Test::NotIn(values) if values.len() == 1 => format!("{key}{spaces}!={spaces}{}", values[0]),
            Test::In(values) => format!("{key} in {spaces}({spaces}{})", list(values)),
            Test::NotIn(values) => format!("{key} notin {spaces}({spaces}{})", list(values)),
            Test::Exists => key.to_owned(),
            Test::Absent => format!("!{spaces}{key}"),
            Test::Above(bound) => format!("{key}{spaces}>{spaces}{bound}"),
            Test::Below(bound) => format!("{key}{spaces}<{spaces}{bound}"),
        }
    }

    /// What Kubernetes' reference says of the operators.
    fn by_hand(test: &Test, held: Option<&str>) -> bool {
        match (test, held) {
            (Test::In(values), Some(held)) => values.contains(&held.to_owned()),
            (Test::NotIn(values), Some(held)) => !values.contains(&held.to_owned()),
            (Test::Exists, held) => held.is_some(),
            (Test::Absent | Test::NotIn(_), None) => true,
            (Test::Above(bound), Some(held)) => held.parse().is_ok_and(|held: i64| held > *bound),
            (Test::Below(bound), Some(held)) => held.parse().is_ok_and(|held: i64| held < *bound),
            (Test::Absent, Some(_)) | (Test::In(_) | Test::Above(_) | Test::Below(_), None) => false,
        }
    }
}
