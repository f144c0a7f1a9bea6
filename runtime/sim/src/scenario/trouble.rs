//! What goes wrong with requests: which one, and how.
//!
//! Not known here: how requests are answered otherwise.

use serde::{Deserialize, Deserializer, de::Error};
use serde_json::Value;

/// What happens to the n-th request of a sort.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trouble {
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`; any where absent.
    pub verb: Option<String>,
    /// The resource's plural, such as `deployments`; any where absent.
    pub resource: Option<String>,
    /// Only in this namespace.
    pub namespace: Option<String>,
    /// Only for the object of this name.
    pub name: Option<String>,
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
            (Some(429), _) => Ok(Self::TooManyRequests),
            (Some(500), _) => Ok(Self::Internal),
            (Some(503), _) => Ok(Self::Unavailable),
            (_, Some("reset")) => Ok(Self::Reset),
            _ => Err(D::Error::custom(format!("{word} is no answer; there are 403, 429, 500, 503 and `reset`"))),
        }
    }
}

const fn first() -> u64 {
    1
}

impl Trouble {
    /// Whether a request is one of those.
    pub(crate) fn is_about(&self, verb: &str, resource: &str, namespace: &str, name: &str) -> bool {
        let fits = |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|wanted| wanted == found);
        fits(&self.verb, verb)
            && fits(&self.resource, resource)
            && fits(&self.namespace, namespace)
            && fits(&self.name, name)
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
