//! Webhook configurations: every entry can be called, and trusted, and fails as it should.
//!
//! Does not know whose webhooks they are.

use serde_json::Value;

use super::endpoints;
use super::object::{items, text};
use super::related::{Query, Related, Source};
use super::verdict::Verdict;

/// What is asked of a webhook configuration beyond being callable.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// `Fail` or `Ignore`, for all entries.
    pub failure_policy: Option<String>,
    /// The service all entries must lead to.
    pub service: Option<String>,
}

/// What the verdict looks up: the services of all entries and their endpoints.
pub fn wants(configuration: &Value) -> Vec<Query> {
    let mut queries: Vec<Query> = services(configuration)
        .flat_map(|(space, name)| [Source::Services.of(space).named(name), endpoints::query(space, name)])
        .collect();
    queries.sort();
    queries.dedup();
    queries
}

fn services(configuration: &Value) -> impl Iterator<Item = (&str, &str)> {
    items(configuration, "/webhooks")
        .iter()
        .filter_map(|entry| entry.pointer("/clientConfig/service"))
        .map(|service| (text(service, "/namespace"), text(service, "/name")))
}

/// The verdict on a validating or mutating webhook configuration.
pub fn verdict(configuration: &Value, related: Option<&Related>, asked: &Asked) -> Verdict {
    let entries = items(configuration, "/webhooks");
    if entries.is_empty() {
        return Verdict::because("it has no webhooks");
    }
    let mut reasons = Vec::new();
    let mut done = 0;
    for entry in entries {
        let found = of_entry(entry, asked);
        done += usize::from(found.is_empty());
        reasons.extend(found.into_iter().map(|reason| format!("{}   {reason}", text(entry, "/name"))));
    }
    let Some(related) = related else {
        return if reasons.is_empty() { Verdict::Unknown } else { counted(done, entries.len(), reasons) };
    };
    let mut called: Vec<_> = services(configuration).collect();
    called.sort_unstable();
    called.dedup();
    for (space, name) in called {
        if !related.service(space, name) {
            reasons.push(format!("service {space}/{name}   does not exist"));
        } else if endpoints::tally(related, space, name).0 == 0 {
            reasons.push(format!("service {space}/{name}   has no ready endpoint"));
        }
    }
    if reasons.is_empty() { Verdict::Ready } else { counted(done, entries.len(), reasons) }
}

fn counted(done: usize, of: usize, reasons: Vec<String>) -> Verdict {
    Verdict::not_ready(format!("{done} of {of} entries as they should be"), reasons)
}

fn of_entry(entry: &Value, asked: &Asked) -> Vec<String> {
    let mut reasons = Vec::new();
    let called = entry.pointer("/clientConfig/service");
    // An entry with a URL may rely on the public authorities.
    if called.is_some() && text(entry, "/clientConfig/caBundle").is_empty() {
        reasons.push("has no caBundle".to_owned());
    }
    if let Some(wanted) = &asked.failure_policy {
        let policy = text(entry, "/failurePolicy");
        if policy != wanted {
            reasons.push(format!("failurePolicy is {policy}, not {wanted}"));
        }
    }
    if let Some(wanted) = &asked.service {
        let name = called.map(|service| text(service, "/name")).unwrap_or_default();
        if name != wanted {
            reasons.push(format!("leads to service {name}, not {wanted}"));
        }
    }
    reasons
}
