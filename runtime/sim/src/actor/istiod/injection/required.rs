//! Is this pod to be injected at all?

use serde_json::Value;

use crate::actor::{
    istiod::settings::Settings,
    json::{annotation, label, selects},
};

/// Namespaces whose pods are never injected.
const IGNORED: [&str; 4] = ["kube-system", "kube-public", "kube-node-lease", "local-path-storage"];

/// Decides as istiod does after the API server's selectors have matched: what the pod says itself, then the selectors of
/// the configuration, then its policy.
pub(crate) fn required(settings: &Settings, pod: &Value, namespace: &str) -> bool {
    if pod["spec"]["hostNetwork"] == true || IGNORED.contains(&namespace) {
        return false;
    }
    let key = "sidecar.istio.io/inject";
    match label(pod, key).or_else(|| annotation(pod, key)) {
        Some("true") => true,
        Some("false") => false,
        _ => {
            let labels = &pod["metadata"]["labels"];
            let matches =
                |field: &str| settings.selectors(field).iter().any(|one| !is_empty(one) && selects(one, labels));
            !matches("neverInjectSelector") && (matches("alwaysInjectSelector") || settings.injects_by_default())
        }
    }
}

fn is_empty(selector: &Value) -> bool {
    selector["matchLabels"].as_object().is_none_or(serde_json::Map::is_empty)
        && selector["matchExpressions"].as_array().is_none_or(Vec::is_empty)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::actor::istiod::template::Environment;

    #[test]
    fn a_pod_decides_before_the_policy_does() {
        let enabled = Settings::parse("", "policy: enabled", "{}", Environment::new()).unwrap();
        let disabled = Settings::parse("", "policy: disabled", "{}", Environment::new()).unwrap();
        let plain = json!({ "metadata": {}, "spec": {} });
        let asks = json!({ "metadata": { "labels": { "sidecar.istio.io/inject": "true" } }, "spec": {} });
        let refuses = json!({ "metadata": { "annotations": { "sidecar.istio.io/inject": "false" } }, "spec": {} });
        assert!(required(&enabled, &plain, "shop") && !required(&disabled, &plain, "shop"));
        assert!(required(&disabled, &asks, "shop") && !required(&enabled, &refuses, "shop"));
    }

    #[test]
    fn pods_of_the_host_network_and_of_the_system_stay_as_they_are() {
        let settings = Settings::parse("", "policy: enabled", "{}", Environment::new()).unwrap();
        let host =
            json!({ "metadata": { "labels": { "sidecar.istio.io/inject": "true" } }, "spec": { "hostNetwork": true } });
        assert!(!required(&settings, &host, "shop"));
        assert!(!required(&settings, &json!({ "metadata": {}, "spec": {} }), "kube-system"));
    }
}
