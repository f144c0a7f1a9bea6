//! Webhook configurations and admission policies.
//!
//! Not known here: how webhooks are asked.

use serde_json::{Value, json};

use super::{absent, each, inner, map_of};

pub(super) fn fill(plural: &str, object: &mut Value) {
    match plural {
        "validatingwebhookconfigurations" => each(object, "webhooks").for_each(fill_webhook),
        "mutatingwebhookconfigurations" => {
            for webhook in each(object, "webhooks") {
                fill_webhook(webhook);
                absent(webhook, "reinvocationPolicy", "Never");
            }
        }
        "validatingadmissionpolicies" | "mutatingadmissionpolicies" => {
            if let Some(spec) = map_of(object, "spec") {
                absent(spec, "failurePolicy", "Fail");
                if let Some(constraints) = inner(spec, "matchConstraints") {
                    fill_match(constraints);
                }
            }
        }
        "validatingadmissionpolicybindings" | "mutatingadmissionpolicybindings" => {
            let resources = inner(object, "spec").and_then(|spec| inner(spec, "matchResources"));
            if let Some(resources) = resources {
                fill_match(resources);
            }
        }
        _ => {}
    }
}

fn fill_match(constraints: &mut Value) {
    absent(constraints, "matchPolicy", "Equivalent");
    absent(constraints, "namespaceSelector", json!({}));
    absent(constraints, "objectSelector", json!({}));
    for list in ["resourceRules", "excludeResourceRules"] {
        for rule in each(constraints, list) {
            absent(rule, "scope", "*");
        }
    }
}

fn fill_webhook(webhook: &mut Value) {
    absent(webhook, "failurePolicy", "Fail");
    absent(webhook, "matchPolicy", "Equivalent");
    absent(webhook, "namespaceSelector", json!({}));
    absent(webhook, "objectSelector", json!({}));
    absent(webhook, "timeoutSeconds", 10);
    absent(webhook, "clientConfig", json!({}));
    for rule in each(webhook, "rules") {
        absent(rule, "scope", "*");
    }
    if let Some(service) = inner(webhook, "clientConfig").and_then(|client| inner(client, "service")) {
        absent(service, "port", 443);
    }
}
