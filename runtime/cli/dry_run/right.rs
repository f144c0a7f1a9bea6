//! What a run must be allowed to do: every verb on every resource, from the requests that it made.
//!
//! Does not know whether it is allowed: the cluster says so.

use std::collections::{BTreeMap, BTreeSet};

use runbook_core::Value;
use runbook_sim::{Asking, Scope};
use serde::Serialize;
use serde_json::json;

use super::collector::Collected;

/// The group in which rights are objects themselves.
const RBAC: &str = "rbac.authorization.k8s.io";

/// One verb on one resource, as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub(crate) struct Need {
    /// Empty for what lies in no namespace, and for a collection over all of them.
    pub(crate) namespace: String,
    pub(crate) group: String,
    /// With its subresource: `deployments/scale`.
    pub(crate) resource: String,
    pub(crate) verb: String,
    /// Whether objects of the kind lie in namespaces.
    pub(crate) namespaced: bool,
}

impl Need {
    pub(super) fn of(asking: &Asking) -> Self {
        let subject = &asking.subject;
        let resource = match asking.subresource.as_str() {
            "" => subject.plural.clone(),
            below => format!("{}/{below}", subject.plural),
        };
        Self {
            namespace: subject.namespace.clone(),
            group: subject.group.clone(),
            resource,
            verb: asking.verb.clone(),
            namespaced: asking.scope == Scope::Namespaced,
        }
    }

    /// The resource as access rules and commands name it: `deployments.apps`.
    pub(crate) fn word(&self) -> String {
        let (plural, below) = self.resource.split_once('/').unwrap_or((&self.resource, ""));
        let group = if self.group.is_empty() { String::new() } else { format!(".{}", self.group) };
        let below = if below.is_empty() { String::new() } else { format!("/{below}") };
        format!("{plural}{group}{below}")
    }

    /// What an access review asks for it.
    pub(super) fn attributes(&self) -> Value {
        let (plural, below) = self.resource.split_once('/').unwrap_or((&self.resource, ""));
        json!({
            "verb": self.verb, "group": self.group, "resource": plural, "subresource": below, "namespace": self.namespace,
        })
    }

    /// Whether it takes a rule over the whole cluster.
    fn is_everywhere(&self) -> bool {
        self.namespace.is_empty()
    }
}

/// What a run must be allowed to do.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Rights {
    pub(crate) needs: Vec<Need>,
    /// What the cluster does not allow whoever made the dry run. Absent where it could not be asked.
    pub(crate) missing: Option<Vec<Need>>,
}

impl Rights {
    pub(super) fn of(collected: &Collected) -> Self {
        let mut needs: BTreeSet<Need> = collected.needs.iter().filter(|need| !is_everyones(need)).cloned().collect();
        let written = |need: &&Need| {
            need.group == RBAC
                && ["create", "update", "patch"].contains(&need.verb.as_str())
                && !need.resource.contains('/')
        };
        // Who gives away rights must have them, or be allowed to give more than one has.
        let beyond: Vec<Need> = needs
            .iter()
            .filter(written)
            .map(|need| {
                let (resource, verb) = match need.resource.as_str() {
                    "rolebindings" => ("roles", "bind"),
                    "clusterrolebindings" => ("clusterroles", "bind"),
                    own => (own, "escalate"),
                };
                Need { resource: resource.to_owned(), verb: verb.to_owned(), ..need.clone() }
            })
            .collect();
        // A binding inside of a namespace may name a cluster's role.
        let of_cluster = beyond.iter().any(|need| need.resource == "roles" && need.verb == "bind").then(|| Need {
            namespace: String::new(),
            group: RBAC.to_owned(),
            resource: "clusterroles".to_owned(),
            verb: "bind".to_owned(),
            namespaced: false,
        });
        needs.extend(beyond);
        needs.extend(of_cluster);
        // What is allowed everywhere needs no rule for one namespace.
        let everywhere: BTreeSet<_> = needs
            .iter()
            .filter(|need| need.is_everywhere() && need.namespaced)
            .map(|need| (need.group.clone(), need.resource.clone(), need.verb.clone()))
            .collect();
        let covered = |need: &Need| {
            !need.is_everywhere()
                && everywhere.contains(&(need.group.clone(), need.resource.clone(), need.verb.clone()))
        };
        Self { needs: needs.into_iter().filter(|need| !covered(need)).collect(), missing: None }
    }

    /// The rules, by namespace; the empty one stands for the whole cluster. Resources with the same verbs share a rule.
    pub(crate) fn rules(&self) -> BTreeMap<&str, Vec<Rule>> {
        let mut verbs: BTreeMap<(&str, &str, &str), BTreeSet<&str>> = BTreeMap::new();
        for need in &self.needs {
            verbs.entry((&need.namespace, &need.group, &need.resource)).or_default().insert(&need.verb);
        }
        let mut rules: BTreeMap<&str, Vec<Rule>> = BTreeMap::new();
        for ((namespace, group, resource), verbs) in verbs {
            let verbs: Vec<String> = verbs.into_iter().map(str::to_owned).collect();
            let known = rules.entry(namespace).or_default();
            match known.iter_mut().find(|rule| rule.group == group && rule.verbs == verbs) {
                Some(rule) => rule.resources.push(resource.to_owned()),
                None => known.push(Rule { group: group.to_owned(), resources: vec![resource.to_owned()], verbs }),
            }
        }
        rules
    }
}

/// A rule: the same verbs on some resources of one group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) group: String,
    pub(crate) resources: Vec<String>,
    pub(crate) verbs: Vec<String>,
}

/// What everybody who is known to a cluster may do anyway.
fn is_everyones(need: &Need) -> bool {
    need.resource.starts_with("selfsubject")
}
