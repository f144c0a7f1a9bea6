//! What goes wrong with requests: which one, and how.
//!
//! Not known here: how requests are answered otherwise.

use serde::{Deserialize, Deserializer, de::Error};
use serde_json::Value;

use crate::audit::AuditEntry;

/// What happens to the n-th request of a sort.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trouble {
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, or `write` for whatever is to change something; any where
    /// absent.
    #[serde(default, deserialize_with = "verb")]
    pub verb: Option<String>,
    /// The resource's plural, such as `deployments`; any where absent.
    pub resource: Option<String>,
    /// Only in this namespace.
    pub namespace: Option<String>,
    /// Only for the object of this name.
    pub name: Option<String>,
    /// Only of clients whose name begins with this: `runbook`, `Helm`, `kubectl`. Of anybody where absent, istiod included.
    pub client: Option<String>,
    /// Which of those requests, from 1.
    #[serde(default = "first")]
    pub call: u64,
    /// To how many of them in a row it happens; to all from there on where it is 0.
    #[serde(default = "first")]
    pub times: u64,
    /// What is answered instead.
    #[serde(default)]
    pub answer: Option<Ailment>,
    /// What somebody else changes right before: a merge patch for the object that the request is about.
    #[serde(default)]
    pub change: Option<Value>,
}

/// What a request gets instead of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ailment {
    /// 403.
    Forbidden,
    /// 410: the version that was asked for is too old.
    Expired,
    /// 429, with a second to wait.
    TooManyRequests,
    /// 500.
    Internal,
    /// 503.
    Unavailable,
    /// It is carried out, and the connection breaks before the answer.
    Reset,
}

impl<'de> Deserialize<'de> for Ailment {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        let word = Value::deserialize(source)?;
        match (word.as_u64(), word.as_str()) {
            (Some(403), _) => Ok(Self::Forbidden),
            (Some(410), _) => Ok(Self::Expired),
            (Some(429), _) => Ok(Self::TooManyRequests),
            (Some(500), _) => Ok(Self::Internal),
            (Some(503), _) => Ok(Self::Unavailable),
            (_, Some("reset")) => Ok(Self::Reset),
            _ => Err(D::Error::custom(format!("{word} is no answer; there are 403, 410, 429, 500, 503 and `reset`"))),
        }
    }
}

const fn first() -> u64 {
    1
}

/// Whatever is to change something.
const WRITE: &str = "write";

/// What may be asked for.
const VERBS: [&str; 9] = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", WRITE];

/// A verb that there is: a misspelt one would never strike, and the scenario rehearse nothing.
fn verb<'de, D: Deserializer<'de>>(source: D) -> Result<Option<String>, D::Error> {
    let word = String::deserialize(source)?;
    if VERBS.contains(&word.as_str()) {
        return Ok(Some(word));
    }
    Err(D::Error::custom(format!("`{word}` is no verb; there are {}", VERBS.join(", "))))
}

impl Trouble {
    /// Whether a request is one of those.
    pub(crate) fn is_about(&self, entry: &AuditEntry) -> bool {
        let fits = |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|wanted| wanted == found);
        let is_verb = if self.verb.as_deref() == Some(WRITE) { entry.is_write() } else { fits(&self.verb, entry.verb) };
        is_verb
            && fits(&self.resource, &entry.resource)
            && fits(&self.namespace, &entry.namespace)
            && fits(&self.name, &entry.name)
            && self.client.as_deref().is_none_or(|wanted| entry.client.starts_with(wanted))
    }

    /// Whether it happens to the n-th of them.
    pub(crate) fn strikes(&self, nth: u64) -> bool {
        nth >= self.call && (self.times == 0 || nth < self.call + self.times)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_strikes_as_often_as_it_says() {
        let mut trouble: Trouble =
            serde_json::from_value(serde_json::json!({ "call": 2, "times": 2, "answer": 429 })).unwrap();
        assert_eq!([1, 2, 3, 4].map(|nth| trouble.strikes(nth)), [false, true, true, false]);
        trouble.times = 0;
        assert!(trouble.strikes(900));
        assert!(serde_json::from_value::<Trouble>(serde_json::json!({ "answer": 404 })).is_err());
    }
}
