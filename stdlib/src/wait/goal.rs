//! What is waited for: which objects, and what must hold of each.
//!
//! Does not know how objects are watched, nor for how long.

use std::time::Duration;

use runbook_core::Fault;
use serde_json::{Map, Value, json};

use crate::kubectl::api::Api;
use crate::kubectl::query::{Detail, Listing};
use crate::path::Path;
use crate::readiness::object::{count, items, name, namespace, number, text, uid};
use crate::readiness::pod::{Life, PodState};
use crate::readiness::webhook::Asked;
use crate::readiness::{Patience, Query, Related, Rule, Standing, Verdict, crd, endpoints, kstatus, webhook};

/// Which objects of a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Names {
    /// One.
    One(String),
    /// Each of these.
    Several(Vec<String>),
    /// All that the selectors find.
    All,
}

/// What must hold of each object.
#[derive(Debug, Clone)]
pub(super) enum Aim {
    /// What the rule of its kind says.
    Ready(Rule),
    /// It is there.
    Exists,
    /// Those that are there are gone.
    Deleted(Rule),
    /// A condition has a status.
    Condition {
        /// Its type.
        kind: String,
        /// Its status.
        status: String,
    },
    /// A field has a value; `null` where it must be absent.
    Field {
        /// Where.
        path: Path,
        /// Which.
        expected: Value,
    },
    /// A service has ready endpoints.
    Endpoints(usize),
    /// A definition is established and serves these versions.
    Crd(Vec<String>),
    /// A webhook configuration can be called.
    Webhook(Asked),
}

/// What is waited for.
#[derive(Clone)]
pub(super) struct Goal {
    /// The kind, and where.
    pub(super) api: Api,
    /// Which of its objects.
    pub(super) names: Names,
    /// Label and field selectors.
    pub(super) listing: Listing,
    /// What must hold of each.
    pub(super) aim: Aim,
    /// How many there must be of which it holds.
    pub(super) at_least: usize,
    /// For how long it must hold without a break.
    pub(super) hold: Duration,
}

/// Where an object is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key {
    pub(super) namespace: String,
    pub(super) name: String,
}

/// An object as a goal sees it.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) key: Key,
    pub(super) uid: String,
    pub(super) generation: Option<i64>,
    pub(super) sight: Sight,
    /// The whole object, where a script wants to look at it.
    pub(super) whole: Option<Box<Value>>,
}

/// What a goal sees in an object.
#[derive(Debug)]
pub(super) enum Sight {
    /// It holds; with facts for the answer.
    Met(Map<String, Value>),
    /// The object does not count: a pod on its way out.
    Passed,
    /// It does not hold yet, or cannot be told yet.
    Open(Kept),
}

/// All that is kept of an object of which it does not hold yet.
#[derive(Debug)]
pub(super) enum Kept {
    /// What a pod is reduced to.
    Pod(Box<PodState>),
    /// All of it: the verdict depends on what is found beside it.
    Whole(Box<Value>),
    /// The verdict: only the object itself can change it.
    Verdict(Verdict),
}

impl Aim {
    /// The verdict on an object.
    pub(super) fn verdict(&self, object: &Value, related: Option<&Related>, patience: &Patience) -> Verdict {
        match self {
            Self::Ready(rule) => rule.verdict(object, related, patience),
            Self::Exists => Verdict::Ready,
            Self::Deleted(rule) => Verdict::not_ready("", remains(*rule, object)),
            Self::Condition { kind, status } => {
                kstatus::lacks(object, kind, status).map_or(Verdict::Ready, Verdict::because)
            }
            Self::Field { path, expected } => match path.at(object).unwrap_or(&Value::Null) {
                found if found == expected => Verdict::Ready,
                found => Verdict::because(format!("{path} is {}", shown(found))),
            },
            Self::Endpoints(at_least) => endpoints::verdict(object, related, *at_least),
            Self::Crd(versions) => crd::verdict(object, versions),
            Self::Webhook(asked) => webhook::verdict(object, related, asked),
        }
    }

    /// What the verdict on an object looks up beside it.
    pub(super) fn wants(&self, object: &Value, related: Option<&Related>, patience: &Patience) -> Vec<Query> {
        match self {
            Self::Ready(rule) => rule.wants(object, related, patience),
            Self::Endpoints(_) => endpoints::wants(object),
            Self::Webhook(_) => webhook::wants(object),
            _ => Vec::new(),
        }
    }

    fn looks_around(&self) -> bool {
        match self {
            Self::Ready(rule) => {
                matches!(
                    rule,
                    Rule::Deployment
                        | Rule::StatefulSet
                        | Rule::DaemonSet
                        | Rule::Job
                        | Rule::Service
                        | Rule::Claim
                        | Rule::Webhook
                )
            }
            Self::Endpoints(_) | Self::Webhook(_) => true,
            _ => false,
        }
    }

    /// How much of each object is needed.
    pub(super) fn detail(&self) -> Detail {
        match self {
            Self::Exists => Detail::Metadata,
            // A namespace tells in its status what holds it.
            Self::Deleted(rule) if *rule != Rule::Namespace => Detail::Metadata,
            _ => Detail::Whole,
        }
    }

    /// What is not so yet, after the object's name: `is not ready`.
    pub(super) fn unmet(&self) -> String {
        match self {
            Self::Ready(rule) if rule.rolls_out() => "is not rolled out".to_owned(),
            Self::Ready(Rule::Job) => "is not complete".to_owned(),
            Self::Ready(_) | Self::Webhook(_) => "is not ready".to_owned(),
            Self::Exists => "does not exist".to_owned(),
            Self::Deleted(_) => "is not gone".to_owned(),
            Self::Condition { kind, status } => format!("has no condition {kind}={status}"),
            Self::Field { path, expected } if expected.is_null() => format!("still has {path}"),
            Self::Field { path, expected } => format!("does not have {path} = {}", shown(expected)),
            Self::Endpoints(_) => "has too few ready endpoints".to_owned(),
            Self::Crd(_) => "is not established".to_owned(),
        }
    }

    /// What is counted: `ready`, `gone`.
    pub(super) fn met(&self) -> &'static str {
        match self {
            Self::Ready(_) | Self::Endpoints(_) | Self::Crd(_) | Self::Webhook(_) => "ready",
            Self::Exists => "there",
            Self::Deleted(_) => "gone",
            Self::Condition { .. } | Self::Field { .. } => "as expected",
        }
    }
}

impl Goal {
    /// Its name for people: `deployment/web`, `deployments with app=web in shop`.
    pub(super) fn title(&self) -> String {
        match &self.names {
            Names::One(name) => self.api.title(name),
            Names::Several(names) => format!("{} {}", names.len(), self.api.resource().plural),
            Names::All => {
                let selectors = [&self.listing.selector, &self.listing.field_selector];
                let with: Vec<_> = selectors.into_iter().flatten().map(String::as_str).collect();
                let with = if with.is_empty() { String::new() } else { format!(" with {}", with.join(" and ")) };
                let place = self.api.namespace().map(|namespace| format!(" in {namespace}")).unwrap_or_default();
                format!("{}{with}{place}", self.api.resource().plural)
            }
        }
    }

    /// The name of one of its objects for people; the namespace is told where there may be several.
    pub(super) fn title_of(&self, key: &Key) -> String {
        match self.api.namespace() {
            None if !key.namespace.is_empty() => format!("{}/{}", key.namespace, key.name),
            _ => key.name.clone(),
        }
    }

    /// The object, or nothing where the goal is not about it.
    pub(super) fn see(&self, object: Value, patience: &Patience, watchful: bool) -> Option<Seen> {
        if !self.is_about(name(&object)) {
            return None;
        }
        let key = Key { namespace: namespace(&object).to_owned(), name: name(&object).to_owned() };
        let (uid, generation) = (uid(&object).to_owned(), number(&object, "/metadata/generation"));
        let whole = watchful.then(|| Box::new(object.clone()));
        Some(Seen { key, uid, generation, sight: self.sight(object, patience), whole })
    }

    fn is_about(&self, name: &str) -> bool {
        match &self.names {
            Names::One(one) => one == name,
            Names::Several(names) => names.iter().any(|one| one == name),
            Names::All => true,
        }
    }

    fn sight(&self, object: Value, patience: &Patience) -> Sight {
        if let Aim::Ready(Rule::Pod) = self.aim {
            let pod = PodState::of(&object);
            return match pod.life {
                Life::Leaving if self.names == Names::All => Sight::Passed,
                Life::Ready | Life::Finished if self.hold.is_zero() => Sight::Met(Map::new()),
                _ => Sight::Open(Kept::Pod(Box::new(pod))),
            };
        }
        match self.aim.verdict(&object, None, patience) {
            Verdict::Ready if self.hold.is_zero() => Sight::Met(self.facts(&object)),
            _ if self.aim.looks_around() => Sight::Open(Kept::Whole(Box::new(object))),
            verdict => Sight::Open(Kept::Verdict(verdict)),
        }
    }

    /// What the answer tells of an object.
    fn facts(&self, object: &Value) -> Map<String, Value> {
        match (&self.aim, &self.names) {
            (Aim::Ready(Rule::Job), Names::One(_)) => {
                let facts = json!({
                    "succeeded": count(object, "/status/succeeded"), "failed": count(object, "/status/failed"),
                });
                facts.as_object().cloned().unwrap_or_default()
            }
            _ => Map::new(),
        }
    }

    /// Refuses at once what no rule will ever decide.
    pub(super) fn check(&self) -> Result<(), Fault> {
        match self.aim {
            Aim::Ready(Rule::None) => Err(super::words::no_rule(self)),
            _ => Ok(()),
        }
    }

    /// The standing of something that is not there.
    pub(super) fn absent() -> Standing {
        Standing { progress: String::new(), reasons: vec!["does not exist".to_owned()] }
    }
}

/// What holds an object that is to go.
fn remains(rule: Rule, object: &Value) -> Vec<String> {
    if object.pointer("/metadata/deletionTimestamp").is_none() {
        return vec!["is not being deleted".to_owned()];
    }
    let mut reasons = Vec::new();
    let finalizers: Vec<_> = items(object, "/metadata/finalizers").iter().filter_map(Value::as_str).collect();
    if !finalizers.is_empty() {
        reasons.push(format!("is being deleted, held by finalizers {}", finalizers.join(", ")));
    }
    if rule == Rule::Namespace {
        reasons.extend(crate::readiness::namespace::held(object));
    }
    if reasons.is_empty() {
        let due = text(object, "/metadata/deletionTimestamp");
        let grace = count(object, "/metadata/deletionGracePeriodSeconds");
        reasons.push(format!("is being deleted, due {due} after a grace period of {grace} s"));
    }
    reasons
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "absent".to_owned(),
        Value::String(text) => format!("{text:?}"),
        other => crate::readiness::object::shortened(&other.to_string(), 120),
    }
}
