//! Horizontal autoscalers.
//!
//! Not known here: metrics.

use serde_json::{Value, json};

use super::{absent, each, inner, map_of, pod::canonical_amount};

pub(super) fn fill(object: &mut Value) {
    let Some(spec) = map_of(object, "spec") else { return };
    absent(spec, "minReplicas", 1);
    // Version 1 says its one metric in a field of its own.
    if spec["metrics"].as_array().is_none_or(Vec::is_empty) && spec["targetCPUUtilizationPercentage"].is_null() {
        let target = json!({ "type": "Utilization", "averageUtilization": 80 });
        spec["metrics"] = json!([{ "type": "Resource", "resource": { "name": "cpu", "target": target } }]);
    }
    for metric in each(spec, "metrics") {
        for kind in ["resource", "containerResource", "pods", "object", "external"] {
            let target = inner(metric, kind).and_then(|source| inner(source, "target"));
            for amount in target.into_iter().filter_map(Value::as_object_mut).flat_map(serde_json::Map::iter_mut) {
                if matches!(amount.0.as_str(), "value" | "averageValue") {
                    *amount.1 = canonical_amount(amount.1);
                }
            }
        }
    }
    if let Some(behavior) = inner(spec, "behavior") {
        let percent = json!({ "type": "Percent", "value": 100, "periodSeconds": 15 });
        let pods = json!({ "type": "Pods", "value": 4, "periodSeconds": 15 });
        if let Some(up) = map_of(behavior, "scaleUp") {
            absent(up, "stabilizationWindowSeconds", 0);
            absent(up, "selectPolicy", "Max");
            absent(up, "policies", json!([pods, percent.clone()]));
        }
        if let Some(down) = map_of(behavior, "scaleDown") {
            absent(down, "selectPolicy", "Max");
            absent(down, "policies", json!([percent]));
        }
    }
    if let Some(status) = map_of(object, "status") {
        absent(status, "desiredReplicas", 0);
        absent(status, "currentMetrics", Value::Null);
    }
}
