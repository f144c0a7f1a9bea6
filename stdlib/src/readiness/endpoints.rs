//! Services and their endpoints: how many addresses take traffic.
//!
//! Does not know the pods behind them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::object::{items, name, namespace, pairs, text};
use super::related::{Query, Related, Source};
use super::verdict::Verdict;

/// The label that ties a slice to its service.
const SERVICE: &str = "kubernetes.io/service-name";

/// What is kept of an EndpointSlice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice {
    /// The namespace.
    pub namespace: String,
    /// The service it belongs to.
    pub service: String,
    /// `IPv4`, `IPv6` or `FQDN`.
    pub family: String,
    /// Addresses that take traffic.
    pub ready: usize,
    /// What stands behind the addresses that do not.
    pub unready: Vec<String>,
}

impl Slice {
    /// What is kept of an EndpointSlice.
    pub fn of(slice: &Value) -> Self {
        let endpoints = items(slice, "/endpoints");
        let service = pairs(slice, "/metadata/labels").find(|(key, _)| *key == SERVICE).map(|(_, value)| value);
        let unready = endpoints.iter().filter(|endpoint| !takes_traffic(endpoint)).map(|endpoint| {
            let (target, address) = (text(endpoint, "/targetRef/name"), text(endpoint, "/addresses/0"));
            if target.is_empty() { address.to_owned() } else { target.to_owned() }
        });
        Self {
            namespace: namespace(slice).to_owned(),
            service: service.unwrap_or_default().to_owned(),
            family: text(slice, "/addressType").to_owned(),
            ready: endpoints.iter().filter(|endpoint| takes_traffic(endpoint)).count(),
            unready: unready.collect(),
        }
    }
}

/// An absent condition means ready.
fn takes_traffic(endpoint: &Value) -> bool {
    endpoint.pointer("/conditions/ready").and_then(Value::as_bool).unwrap_or(true)
}

/// Where the endpoints of a service are.
pub fn query(namespace: &str, service: &str) -> Query {
    Source::EndpointSlices.of(namespace).with(Some(format!("{SERVICE}={service}")))
}

/// How many addresses of a service take traffic, and what stands behind those that do not.
pub fn tally<'a>(related: &'a Related, namespace: &str, service: &str) -> (usize, Vec<&'a str>) {
    // A pod with addresses of two families stands in two slices.
    let mut ready: BTreeMap<&str, usize> = BTreeMap::new();
    let mut unready = Vec::new();
    for slice in related.slices(namespace, service) {
        *ready.entry(&slice.family).or_default() += slice.ready;
        unready.extend(slice.unready.iter().map(String::as_str));
    }
    unready.sort_unstable();
    unready.dedup();
    (ready.into_values().max().unwrap_or(0), unready)
}

/// The verdict on the endpoints of a service that must have at least so many.
pub fn verdict(service: &Value, related: Option<&Related>, at_least: usize) -> Verdict {
    let Some(related) = related else { return Verdict::Unknown };
    let (ready, unready) = tally(related, namespace(service), name(service));
    if ready >= at_least {
        return Verdict::Ready;
    }
    let mut reasons: Vec<String> = unready.iter().map(|target| format!("{target}   not ready")).collect();
    if reasons.is_empty() {
        let selector = pairs(service, "/spec/selector").map(|(key, value)| format!("{key}={value}"));
        let selector = selector.collect::<Vec<_>>().join(",");
        reasons.push(if selector.is_empty() {
            "it has no selector, and nobody has given it endpoints".to_owned()
        } else {
            format!("no pod matches its selector {selector}")
        });
    }
    Verdict::not_ready(format!("{ready} of {at_least} endpoints ready"), reasons)
}

/// What the verdict on a service looks up.
pub fn wants(service: &Value) -> Vec<Query> {
    if text(service, "/spec/type") == "ExternalName" {
        return Vec::new();
    }
    vec![query(namespace(service), name(service))]
}
