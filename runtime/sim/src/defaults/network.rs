//! Network policies, Ingresses and their classes.
//!
//! Not known here: traffic.

use serde_json::{Value, json};

use super::{absent, each, inner, is_empty, map_of};

pub(super) fn fill(plural: &str, object: &mut Value) {
    match plural {
        "networkpolicies" => {
            let Some(spec) = map_of(object, "spec") else { return };
            absent(spec, "podSelector", json!({}));
            let has_egress = !is_empty(spec, "/egress");
            if is_empty(spec, "/policyTypes") {
                spec["policyTypes"] = if has_egress { json!(["Ingress", "Egress"]) } else { json!(["Ingress"]) };
            }
            for list in ["ingress", "egress"] {
                for port in each(spec, list).flat_map(|rule| each(rule, "ports")) {
                    absent(port, "protocol", "TCP");
                }
            }
        }
        "ingressclasses" => {
            if let Some(parameters) = inner(object, "spec").and_then(|spec| inner(spec, "parameters")) {
                absent(parameters, "scope", "Cluster");
            }
        }
        "ingresses" => {
            if let Some(status) = map_of(object, "status") {
                absent(status, "loadBalancer", json!({}));
            }
        }
        _ => {}
    }
}
