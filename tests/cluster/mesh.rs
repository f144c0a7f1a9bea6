//! What a mesh looks like from outside: asked of the API server with kubectl and helm, never with the program under test.

use std::collections::BTreeMap;

use runbook_control_plane::{ControlPlane, Helm};
use serde_json::Value;

/// A mesh on a control plane.
pub(crate) struct Mesh<'a>(pub(crate) &'a ControlPlane);

impl Mesh<'_> {
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let text = self.0.run_kubectl(&[arguments, &["-o", "json"]].concat()).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    pub(crate) fn items(&self, arguments: &[&str]) -> Vec<Value> {
        self.json(&[&["get"], arguments].concat())["items"].as_array().cloned().unwrap_or_default()
    }

    /// Chart and status of every release, by its name.
    pub(crate) fn releases(&self) -> BTreeMap<String, String> {
        let listed = self.0.run_helm(Helm::V4, &["list", "-A", "-o", "json"]).unwrap();
        let listed: Vec<Value> = serde_json::from_str(&listed).unwrap();
        listed.iter().map(|r| (text(&r["name"]), format!("{} {}", text(&r["chart"]), text(&r["status"])))).collect()
    }

    /// The user's own values of a release.
    pub(crate) fn values(&self, release: &str, namespace: &str) -> Value {
        let values = self.0.run_helm(Helm::V4, &["get", "values", release, "-n", namespace, "-o", "json"]).unwrap();
        serde_json::from_str(&values).unwrap()
    }

    /// The images of every running Istio container, with how many pods run each.
    pub(crate) fn istio_versions(&self) -> BTreeMap<String, usize> {
        let mut versions = BTreeMap::new();
        for pod in self.items(&["pods", "-A"]) {
            if pod["metadata"].get("deletionTimestamp").is_some() {
                continue;
            }
            let spec = &pod["spec"];
            let containers = [&spec["initContainers"], &spec["containers"]];
            for container in containers.iter().filter_map(|list| list.as_array()).flatten() {
                let name = text(&container["name"]);
                if ["istio-proxy", "discovery", "install-cni"].contains(&name.as_str()) {
                    let image = text(&container["image"]);
                    let tag = image.rsplit(':').next().unwrap_or_default().trim_end_matches("-distroless").to_owned();
                    *versions.entry(format!("{name} {tag}")).or_default() += 1;
                }
            }
        }
        versions
    }

    /// How many objects of each of Istio's kinds there are.
    pub(crate) fn custom_resources(&self) -> BTreeMap<String, usize> {
        let ours = |crd: &Value| text(&crd["spec"]["group"]).ends_with(".istio.io");
        let names = self.items(&["crds"]).into_iter().filter(ours).map(|crd| text(&crd["metadata"]["name"]));
        names.map(|name| (name.clone(), self.items(&[&name, "-A"]).len())).collect()
    }

    /// Names of Istio's webhook configurations, demanding that every entry has a `caBundle` and that validators fail closed.
    #[track_caller]
    pub(crate) fn healthy_webhooks(&self) -> Vec<String> {
        let mut names = Vec::new();
        for kind in ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"] {
            for webhook in self.items(&[kind, "-l", "istio.io/rev"]) {
                let name = text(&webhook["metadata"]["name"]);
                for entry in webhook["webhooks"].as_array().unwrap() {
                    assert!(!text(&entry["clientConfig"]["caBundle"]).is_empty(), "{name} lacks a caBundle");
                    assert_eq!(text(&entry["failurePolicy"]), "Fail", "{name} does not fail closed");
                }
                names.push(name);
            }
        }
        names
    }

    /// Where a tag points: as a webhook, and as a Service.
    pub(crate) fn tag(&self, name: &str) -> (String, String) {
        let selector = format!("istio.io/tag={name}");
        let revision = |objects: Vec<Value>| {
            objects.first().map(|object| text(&object["metadata"]["labels"]["istio.io/rev"])).unwrap_or_default()
        };
        (
            revision(self.items(&["mutatingwebhookconfigurations", "-l", &selector])),
            revision(self.items(&["services", "-n", "istio-system", "-l", &selector])),
        )
    }

    /// The revision that a Gateway's Deployment was made by, and whether the Gateway is programmed.
    pub(crate) fn gateway(&self, namespace: &str, name: &str, deployment: &str) -> (String, bool) {
        let made = self.json(&["get", "deployment", deployment, "-n", namespace]);
        let gateway = self.json(&["get", "gateways.gateway.networking.k8s.io", name, "-n", namespace]);
        let programmed = gateway["status"]["conditions"]
            .as_array()
            .is_some_and(|all| all.iter().any(|c| c["type"] == "Programmed" && c["status"] == "True"));
        (text(&made["spec"]["template"]["metadata"]["annotations"]["istio.io/rev"]), programmed)
    }
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
