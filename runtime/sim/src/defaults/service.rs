//! Services.
//!
//! Not known here: which addresses are free; the server gives them out.

use serde_json::{Value, json};

use super::{absent, each, inner, map_of, zero};

pub(super) fn fill(service: &mut Value) {
    let Some(spec) = map_of(service, "spec") else { return };
    zero(spec, "sessionAffinity", "None");
    match spec["sessionAffinity"].as_str() {
        Some("None") => {
            if let Some(fields) = spec.as_object_mut() {
                fields.shift_remove("sessionAffinityConfig");
            }
        }
        Some("ClientIP") if spec.pointer("/sessionAffinityConfig/clientIP/timeoutSeconds").is_none() => {
            spec["sessionAffinityConfig"] = json!({ "clientIP": { "timeoutSeconds": 10800 } });
        }
        _ => {}
    }
    zero(spec, "type", "ClusterIP");
    for port in each(spec, "ports") {
        zero(port, "protocol", "TCP");
        let number = port["port"].clone();
        zero(port, "targetPort", number);
    }
    let kind = spec["type"].as_str().unwrap_or_default().to_owned();
    let is_outward = kind == "LoadBalancer"
        || kind == "NodePort"
        || (kind == "ClusterIP" && spec["externalIPs"].as_array().is_some_and(|list| !list.is_empty()));
    if is_outward {
        zero(spec, "externalTrafficPolicy", "Cluster");
    }
    if kind != "ExternalName" {
        absent(spec, "internalTrafficPolicy", "Cluster");
    }
    if kind == "LoadBalancer" {
        absent(spec, "allocateLoadBalancerNodePorts", true);
    }
    absent(service, "status", json!({}));
    let Some(status) = inner(service, "status") else { return };
    absent(status, "loadBalancer", json!({}));
    if kind == "LoadBalancer"
        && let Some(balancer) = inner(status, "loadBalancer")
    {
        for ingress in each(balancer, "ingress").filter(|ingress| ingress["ip"].is_string()) {
            absent(ingress, "ipMode", "VIP");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_filled_as_the_server_fills_it() {
        let mut service = json!({ "spec": { "type": "LoadBalancer", "ports": [{ "port": 80 }] } });
        fill(&mut service);
        assert_eq!(
            service,
            json!({
                "spec": {
                    "type": "LoadBalancer", "ports": [{ "port": 80, "protocol": "TCP", "targetPort": 80 }],
                    "sessionAffinity": "None", "externalTrafficPolicy": "Cluster", "internalTrafficPolicy": "Cluster",
                    "allocateLoadBalancerNodePorts": true,
                },
                "status": { "loadBalancer": {} },
            })
        );
    }
}
