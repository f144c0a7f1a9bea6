//! The validating webhook: refuses configuration that no istiod would accept.
//!
//! The obvious faults of the kinds that Istio's tests use; everything else is accepted.

use serde_json::Value;

use crate::actor::json::{items, text};

/// Why an object of Istio is refused, none where it is accepted.
pub(crate) fn refusal(object: &Value) -> Option<String> {
    let spec = &object["spec"];
    let reason = match text(object, "/kind") {
        "Gateway" => gateway(spec),
        "VirtualService" => virtual_service(spec),
        "DestinationRule" => destination_rule(spec),
        "ServiceEntry" => empty(spec, "/hosts").then(|| "service entry must have at least one host".to_owned()),
        _ => None,
    }?;
    Some(format!("configuration is invalid: {reason}"))
}

fn empty(spec: &Value, list: &str) -> bool {
    items(spec, list).is_empty()
}

fn gateway(spec: &Value) -> Option<String> {
    if empty(spec, "/servers") {
        return Some("gateway must have at least one server".into());
    }
    items(spec, "/servers").iter().find_map(|server| {
        if empty(server, "/hosts") {
            return Some("server config must contain at least one host".into());
        }
        let port = server["port"]["number"].as_u64();
        match port {
            None => Some("port is required".to_owned()),
            Some(number) if !(1..=65535).contains(&number) => {
                Some(format!("port number {number} must be in the range 1..65535"))
            }
            Some(_) if text(server, "/port/protocol").is_empty() => Some("unsupported protocol: ".into()),
            Some(_) => None,
        }
    })
}

fn virtual_service(spec: &Value) -> Option<String> {
    // A delegate has no hosts of its own and no gateways either.
    if empty(spec, "/hosts") && !empty(spec, "/gateways") {
        return Some("delegate virtual service must have no gateways specified".into());
    }
    if ["/http", "/tcp", "/tls"].iter().all(|routes| empty(spec, routes)) {
        return Some("http, tcp or tls must be provided in virtual service".into());
    }
    items(spec, "/http").iter().find_map(|route| {
        let actions = ["redirect", "directResponse", "delegate"].iter().any(|action| route.get(*action).is_some());
        if empty(route, "/route") && !actions {
            return Some("HTTP route, redirect or direct_response is required".into());
        }
        destinations(route)
    })
}

fn destinations(route: &Value) -> Option<String> {
    let routes = items(route, "/route");
    if routes.iter().any(|one| text(one, "/destination/host").is_empty()) {
        return Some("destination host is required".into());
    }
    let negative = routes.iter().filter_map(|one| one["weight"].as_i64()).any(|weight| weight < 0);
    negative.then(|| "weight must be non-negative".into())
}

fn destination_rule(spec: &Value) -> Option<String> {
    if text(spec, "/host").is_empty() {
        return Some("host is required".into());
    }
    let unnamed = items(spec, "/subsets").iter().any(|subset| text(subset, "/name").is_empty());
    unnamed.then(|| "subset name is required".into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_gateway_by_which_istiod_tests_itself_is_refused() {
        let refused = refusal(&json!({ "kind": "Gateway", "metadata": { "name": "invalid-gateway" }, "spec": {} }));
        assert_eq!(refused.unwrap(), "configuration is invalid: gateway must have at least one server");
    }

    #[test]
    fn what_works_is_accepted() {
        let accepted = [
            json!({ "kind": "Gateway", "spec": { "selector": { "istio": "ingress" }, "servers": [
                { "port": { "number": 80, "name": "http", "protocol": "HTTP" }, "hosts": ["*"] } ] } }),
            json!({ "kind": "VirtualService", "spec": { "hosts": ["web"], "http": [
                { "route": [{ "destination": { "host": "web" } }] } ] } }),
            json!({ "kind": "DestinationRule", "spec": { "host": "web" } }),
            json!({ "kind": "Telemetry", "spec": {} }),
        ];
        for object in accepted {
            assert_eq!(refusal(&object), None, "{object}");
        }
    }

    #[test]
    fn routes_to_nowhere_and_rules_for_nobody_are_refused() {
        let refused = [
            json!({ "kind": "VirtualService", "spec": { "hosts": ["web"] } }),
            json!({ "kind": "VirtualService", "spec": { "hosts": ["web"], "http": [{}] } }),
            json!({ "kind": "VirtualService", "spec": { "hosts": ["web"], "http": [{ "route": [{}] }] } }),
            json!({ "kind": "DestinationRule", "spec": {} }),
        ];
        for object in refused {
            assert!(refusal(&object).is_some(), "{object}");
        }
    }
}
