//! What stands behind the question mark of a request.
//!
//! Not known here: which request it belongs to.

use crate::status::{Cause, Status};

/// The query of a request, decoded, in the order of its keys.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads `a=b&c=d`. What is no valid escape stays as it is.
    pub(crate) fn of(text: &str) -> Self {
        let pairs = text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(key, Plus::Space), decoded(value, Plus::Space))
        });
        Self(pairs.collect())
    }

    /// Sets a key, whatever was said about it.
    pub(crate) fn set(&mut self, key: &str, value: &str) {
        self.0.retain(|(held, _)| held != key);
        self.0.push((key.to_owned(), value.to_owned()));
    }

    /// The value of a key, none where it is absent or empty.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(held, _)| held == key).map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// All values of a key.
    pub(crate) fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(held, _)| held == key).map(|(_, value)| value.as_str())
    }

    /// Is the key there, and not `false` or `0`?
    pub(crate) fn flag(&self, key: &str) -> bool {
        self.all(key).next().is_some_and(|value| !matches!(value, "false" | "0"))
    }

    /// The number under a key; a negative one is none.
    pub(crate) fn number(&self, key: &str) -> Result<Option<u64>, Status> {
        let number = self.get(key).map(str::parse::<i64>).transpose();
        number.map(|number| number.and_then(|number| u64::try_from(number).ok())).map_err(|_| {
            Status::bad_request(format!(
                "strconv.ParseInt: parsing \"{}\": invalid syntax",
                self.get(key).unwrap_or_default()
            ))
        })
    }

    /// Is nothing to be kept? Only `All` may be asked for.
    pub(crate) fn dry_run(&self, options: &str) -> Result<bool, Status> {
        dry_run(self.all("dryRun").filter(|value| !value.is_empty()), options)
    }
}

/// Reads the values of `dryRun`.
pub(crate) fn dry_run<'a>(values: impl Iterator<Item = &'a str>, options: &str) -> Result<bool, Status> {
    let values: Vec<_> = values.collect();
    if values.iter().all(|value| *value == "All") {
        return Ok(!values.is_empty());
    }
    let cause = Cause {
        reason: "FieldValueNotSupported".to_owned(),
        message: format!("Unsupported value: {values:?}: supported values: \"All\""),
        field: "dryRun".to_owned(),
    };
    Err(Status::invalid("meta.k8s.io", options, "", &[cause]))
}

/// What a plus sign stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plus {
    /// A blank, as in queries.
    Space,
    /// Itself, as in paths.
    Itself,
}

/// Undoes percent-encoding.
pub(crate) fn decoded(text: &str, plus: Plus) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' if plus == Plus::Space => bytes.push(b' '),
            b'%' => {
                let mut ahead = rest.clone();
                let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
                if let (Some(high), Some(low)) = (digit(ahead.next()), digit(ahead.next())) {
                    bytes.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
                    rest = ahead;
                } else {
                    bytes.push(byte);
                }
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_decoded_and_broken_escapes_stay() {
        let query = Query::of("labelSelector=a%3Db%2Cc&watch=1&x=%zz%4&limit=5&y=a+b");
        assert_eq!(query.get("labelSelector"), Some("a=b,c"));
        assert_eq!(query.get("x"), Some("%zz%4"));
        assert_eq!(query.get("y"), Some("a b"));
        assert!(query.flag("watch"));
        assert_eq!(query.number("limit").unwrap(), Some(5));
        assert!(Query::of("limit=x").number("limit").is_err());
        assert_eq!(Query::of("dryRun=All").dry_run("CreateOptions"), Ok(true));
        assert!(Query::of("dryRun=Some").dry_run("CreateOptions").is_err());
    }
}
