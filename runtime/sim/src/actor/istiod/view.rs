//! The cluster as the fleet sees it: one copy of each collection, shared by every istiod.

use std::sync::Arc;

use futures::future::join_all;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::actor::{
    Pace,
    api::{Api, Resource},
    json::label,
    mirror::Mirror,
};

pub(crate) const CONFIG_MAPS: Resource = Resource::core("configmaps");
pub(crate) const SECRETS: Resource = Resource::core("secrets");
pub(crate) const SERVICES: Resource = Resource::core("services");
pub(crate) const SERVICE_ACCOUNTS: Resource = Resource::core("serviceaccounts");
pub(crate) const NAMESPACES: Resource = Resource::core("namespaces");
pub(crate) const NODES: Resource = Resource::core("nodes");
pub(crate) const LEASES: Resource = Resource::of("coordination.k8s.io", "v1", "leases");
pub(crate) const DEPLOYMENTS: Resource = Resource::of("apps", "v1", "deployments");
pub(crate) const GATEWAYS: Resource = Resource::of("gateway.networking.k8s.io", "v1", "gateways");
pub(crate) const GATEWAY_CLASSES: Resource = Resource::of("gateway.networking.k8s.io", "v1", "gatewayclasses");
pub(crate) const MUTATING: Resource =
    Resource::of("admissionregistration.k8s.io", "v1", "mutatingwebhookconfigurations");
pub(crate) const VALIDATING: Resource =
    Resource::of("admissionregistration.k8s.io", "v1", "validatingwebhookconfigurations");

/// The copies.
pub(crate) struct View {
    /// istiod's own Deployments.
    pub(crate) control_planes: Mirror,
    /// ConfigMaps that belong to a revision: mesh configuration, templates, defaults of gateway classes.
    pub(crate) config_maps: Mirror,
    /// ConfigMaps that istiod puts into every namespace.
    pub(crate) certificates: Mirror,
    pub(crate) namespaces: Mirror,
    pub(crate) services: Mirror,
    pub(crate) mutating: Mirror,
    pub(crate) validating: Mirror,
    pub(crate) gateways: Mirror,
    pub(crate) gateway_classes: Mirror,
    /// Deployments made for a Gateway.
    pub(crate) gateway_deployments: Mirror,
    /// Service accounts made for a Gateway.
    pub(crate) gateway_accounts: Mirror,
    /// Nodes, of which only the kubelet's version is kept: their heartbeats wake nobody.
    pub(crate) nodes: Mirror,
    /// Told of every change except of nodes.
    pub(crate) changed: Notify,
}

impl View {
    pub(crate) fn new() -> Self {
        let managed = Some("gateway.istio.io/managed");
        let revised = Some("istio.io/rev");
        Self {
            control_planes: Mirror::new(DEPLOYMENTS, Some("app=istiod")),
            config_maps: Mirror::new(CONFIG_MAPS, revised),
            certificates: Mirror::new(CONFIG_MAPS, Some("istio.io/config=true")),
            namespaces: Mirror::new(NAMESPACES, None),
            services: Mirror::new(SERVICES, None),
            mutating: Mirror::new(MUTATING, revised),
            validating: Mirror::new(VALIDATING, revised),
            gateways: Mirror::new(GATEWAYS, None),
            gateway_classes: Mirror::new(GATEWAY_CLASSES, None),
            gateway_deployments: Mirror::new(DEPLOYMENTS, managed),
            gateway_accounts: Mirror::new(SERVICE_ACCOUNTS, managed),
            nodes: Mirror::new(NODES, None).trimmed(keep_kubelet_version),
            changed: Notify::new(),
        }
    }

    fn mirrors(&self) -> [&Mirror; 12] {
        [
            &self.control_planes,
            &self.config_maps,
            &self.certificates,
            &self.namespaces,
            &self.services,
            &self.mutating,
            &self.validating,
            &self.gateways,
            &self.gateway_classes,
            &self.gateway_deployments,
            &self.gateway_accounts,
            &self.nodes,
        ]
    }

    /// Has every collection been read once?
    pub(crate) fn is_complete(&self) -> bool {
        self.mirrors().into_iter().all(Mirror::is_complete)
    }

    /// Completes once every collection has been read.
    pub(crate) async fn completed(&self) {
        join_all(self.mirrors().map(Mirror::completed)).await;
    }

    /// Follows every collection, for ever.
    pub(crate) async fn follow(&self, api: &Api, pace: &dyn Pace) {
        let unheard = Notify::new();
        join_all(self.mirrors().map(|mirror| {
            let heard = if mirror.resource() == NODES { &unheard } else { &self.changed };
            mirror.follow(api, pace, heard)
        }))
        .await;
    }

    /// The revision that the tag `default` points to.
    pub(crate) fn default_tag(&self) -> Option<String> {
        let tag = self.mutating.all().into_iter().find(|one| label(one, "istio.io/tag") == Some("default"))?;
        label(&tag, "istio.io/rev").map(str::to_owned)
    }

    /// Is every node's kubelet of this minor version of Kubernetes 1, or newer? No, where there is no node.
    pub(crate) fn nodes_have(&self, minor: u32) -> bool {
        let nodes = self.nodes.all();
        !nodes.is_empty() && nodes.iter().all(|node| kubelet_minor(node).is_some_and(|found| found >= minor))
    }

    /// The Deployment that was made for a Gateway.
    pub(crate) fn gateway_deployment(&self, namespace: &str, name: &str) -> Option<Arc<Value>> {
        self.gateway_deployments.get(namespace, name)
    }
}

fn keep_kubelet_version(node: &mut Value) {
    let kept = json!({
        "metadata": { "name": node["metadata"]["name"], "resourceVersion": node["metadata"]["resourceVersion"] },
        "kubelet": node["status"]["nodeInfo"]["kubeletVersion"],
    });
    *node = kept;
}

fn kubelet_minor(node: &Value) -> Option<u32> {
    node["kubelet"].as_str()?.strip_prefix("v1.")?.split('.').next()?.parse().ok()
}
