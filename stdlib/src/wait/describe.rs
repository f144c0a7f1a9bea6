//! Waits as plain maps: the entries of `wait::all` and `wait::any`.
//!
//! An entry has the parameters of the primitive it stands for, by name, and `wait`, which names that primitive; `ready` where
//! it is absent: `#{ kind: "deployment", name: "web" }`, `#{ wait: "condition", kind: "gateway", name: "edge", type: "Programmed" }`.
//! Does not know how they are waited for.

use std::time::Duration;

use runbook_core::arg::Arg;
use runbook_core::param::{FromArg, nearest};
use runbook_core::{Code, Fault, Value};
use serde_json::Map;

use super::ask::{Ask, Place, What};
use super::goal::Names;
use crate::readiness::webhook::Asked;

/// What each sort of entry may say, beyond `wait`.
const SORTS: [(&str, &[&str]); 10] = [
    ("ready", MANY),
    ("rollout", MANY),
    ("exists", MANY),
    ("deleted", MANY),
    ("condition", &["type", "status"]),
    ("field", &["path", "expected"]),
    ("job", &["name", "namespace"]),
    ("pods", &["selector", "namespace", "all_namespaces", "field_selector", "at_least"]),
    ("endpoints", &["service", "namespace", "at_least"]),
    ("webhook", &["kind", "name", "failure_policy", "service"]),
];

const MANY: &[&str] = &["kind", "name", "namespace", "all_namespaces", "selector", "field_selector", "at_least"];

/// Reads a list of entries.
///
/// Faults: `RB015` and `RB014`, naming the entry by its number.
pub(super) fn read(entries: &[Value]) -> Result<Vec<Ask>, Fault> {
    if entries.is_empty() {
        return Err(Fault::new(Code::WrongArgument, "an empty list of waits"));
    }
    let numbered = |(index, entry): (usize, &Value)| {
        Entry::of(entry).and_then(|entry| entry.ask()).map_err(|fault| {
            let message = format!("entry {} of the waits: {}", index + 1, fault.message);
            Fault { message, ..fault }
        })
    };
    entries.iter().enumerate().map(numbered).collect()
}

struct Entry<'a> {
    sort: &'a str,
    map: &'a Map<String, Value>,
}

impl<'a> Entry<'a> {
    fn of(entry: &'a Value) -> Result<Self, Fault> {
        let Value::Object(map) = entry else {
            let got = runbook_core::param::in_words(entry);
            return Err(Fault::new(
                Code::WrongArgument,
                format!("expected a map such as #{{ kind, name }}, got {got}"),
            ));
        };
        let sort = map.get("wait").map_or(Some("ready"), Value::as_str).unwrap_or_default();
        let sorts = SORTS.iter().map(|(name, _)| *name);
        let Some((_, own)) = SORTS.iter().find(|(name, _)| *name == sort) else {
            let fault = Fault::new(Code::WrongArgument, format!("there is no `wait: \"{sort}\"` here"));
            return Err(match nearest(sort, sorts.clone()) {
                Some(near) => fault.hint(format!("did you mean `{near}`?")),
                None => fault.hint(format!("there is {}", sorts.collect::<Vec<_>>().join(", "))),
            });
        };
        let extended = matches!(sort, "condition" | "field");
        let known = || own.iter().chain(if extended { MANY } else { &[] }).copied().chain(["wait"]);
        if let Some(key) = map.keys().find(|key| !known().any(|one| one == *key)) {
            let fault = Fault::new(Code::UnknownOption, format!("`{sort}` has no `{key}`"));
            return Err(match nearest(key, known()) {
                Some(near) => fault.hint(format!("did you mean `{near}`?")),
                None => fault.hint(format!("it has {}", known().collect::<Vec<_>>().join(", "))),
            });
        }
        Ok(Self { sort, map })
    }

    fn get<T: FromArg>(&self, key: &str) -> Result<T, Fault> {
        let arg = self.map.get(key).cloned().map(Arg::Value);
        T::from_arg(arg.as_ref()).map_err(|reason| Fault::new(Code::WrongArgument, format!("`{key}`: {reason}")))
    }

    fn ask(&self) -> Result<Ask, Fault> {
        let fixed = |kind: &str| Ok(kind.to_owned());
        let (kind, names) = match self.sort {
            "job" => (fixed("jobs.batch"), self.get("name")),
            "pods" => (fixed("pods"), Ok(Names::All)),
            "endpoints" => (fixed("services"), self.get("service").map(Names::One)),
            _ => (self.get("kind"), self.get("name")),
        };
        let place = Place {
            namespace: self.get("namespace")?,
            all_namespaces: self.get("all_namespaces").map(|all: Option<bool>| all == Some(true))?,
            selector: self.get("selector")?,
            field_selector: self.get("field_selector")?,
        };
        let at_least = if self.sort == "endpoints" { None } else { self.get("at_least")? };
        Ok(Ask { kind: kind?, names: names?, place, what: self.what()?, at_least, hold: Duration::ZERO })
    }

    fn what(&self) -> Result<What, Fault> {
        Ok(match self.sort {
            "rollout" => What::Rollout,
            "exists" => What::Exists,
            "deleted" => What::Deleted,
            "condition" => What::Condition {
                kind: self.get("type")?,
                status: self.get::<Option<String>>("status")?.unwrap_or_else(|| "True".to_owned()),
            },
            "field" => What::Field { path: self.get("path")?, expected: self.get("expected")? },
            "endpoints" => What::Endpoints(self.get::<Option<i64>>("at_least")?.unwrap_or(1)),
            "webhook" => {
                What::Webhook(Asked { failure_policy: self.get("failure_policy")?, service: self.get("service")? })
            }
            _ => What::Ready,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_entry_says_what_the_primitive_of_its_name_takes() {
        let asks = read(&[
            json!({ "kind": "deployment", "name": "web", "namespace": "shop" }),
            json!({ "wait": "condition", "kind": "gateway", "name": ["a", "b"], "type": "Programmed" }),
            json!({ "wait": "pods", "selector": "app=web", "at_least": 2 }),
            json!({ "wait": "endpoints", "service": "web", "at_least": 3 }),
        ])
        .unwrap();
        assert!(matches!((&asks[0].what, &asks[0].names), (What::Ready, Names::One(name)) if name == "web"));
        assert!(matches!(&asks[1].what, What::Condition { kind, status } if kind == "Programmed" && status == "True"));
        assert_eq!((asks[2].kind.as_str(), asks[2].at_least), ("pods", Some(2)));
        assert!(matches!(asks[3].what, What::Endpoints(3)) && asks[3].at_least.is_none());
    }

    #[test]
    fn what_makes_no_sense_is_told_by_number_with_the_nearest_word() {
        let fault = |entry: Value| read(&[json!({ "kind": "pod", "name": "a" }), entry]).unwrap_err();
        let misspelt = fault(json!({ "kind": "pod", "name": "a", "namspace": "shop" }));
        assert_eq!(misspelt.message, "entry 2 of the waits: `ready` has no `namspace`");
        assert_eq!(misspelt.hint.as_deref(), Some("did you mean `namespace`?"));
        assert_eq!(fault(json!({ "wait": "redy" })).hint.as_deref(), Some("did you mean `ready`?"));
        assert!(fault(json!({ "kind": "pod" })).message.contains("`name`"));
        assert!(fault(json!("web")).message.contains("expected a map"));
        assert_eq!(read(&[]).unwrap_err().code, Code::WrongArgument);
    }
}
