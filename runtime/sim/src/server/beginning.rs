//! What every cluster begins with, and every namespace.
//!
//! Not known here: what a scenario adds.

use serde_json::{Value, json};

use super::{Server, metadata::moment, render};
use crate::{
    actor::json::{map_at, name},
    resource::{GroupResource, Resource},
    store::Expect,
};

const AUTHORITY: &str = "-----BEGIN CERTIFICATE-----\nc2ltdWxhdGlvbg==\n-----END CERTIFICATE-----\n";

impl Server {
    /// Fills an empty cluster.
    pub(super) fn begin(&self) {
        for name in ["kube-system", "kube-public", "kube-node-lease", "default"] {
            let mut namespace = json!({
                "metadata": { "name": name, "labels": { "kubernetes.io/metadata.name": name } },
                "spec": { "finalizers": ["kubernetes"] }, "status": { "phase": "Active" },
            });
            self.found(Resource::core("namespaces"), "Namespace", &mut namespace);
        }
        for (name, value, about) in [
            (
                "system-node-critical",
                2_000_001_000_i64,
                "Used for system critical pods that must not be moved from their current node.",
            ),
            (
                "system-cluster-critical",
                2_000_000_000,
                "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
            ),
        ] {
            let mut class = json!({
                "metadata": { "name": name, "generation": 1 }, "value": value, "description": about,
                "preemptionPolicy": "PreemptLowerPriority",
            });
            self.found(Resource::of("scheduling.k8s.io", "v1", "priorityclasses"), "PriorityClass", &mut class);
        }
        let mut service = json!({
            "metadata": { "name": "kubernetes", "namespace": "default", "labels": { "component": "apiserver", "provider": "kubernetes" } },
            "spec": {
                "ports": [{ "name": "https", "protocol": "TCP", "port": 443, "targetPort": 6443 }],
                "clusterIP": "10.96.0.1", "clusterIPs": ["10.96.0.1"], "type": "ClusterIP", "sessionAffinity": "None",
                "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack", "internalTrafficPolicy": "Cluster",
            },
            "status": { "loadBalancer": {} },
        });
        self.found(Resource::core("services"), "Service", &mut service);
        for name in ["cluster-admin", "admin", "edit", "view"] {
            let mut role = json!({
                "metadata": { "name": name, "labels": { "kubernetes.io/bootstrapping": "rbac-defaults" } },
                "rules": [{ "verbs": ["*"], "apiGroups": ["*"], "resources": ["*"] }],
            });
            self.found(Resource::of("rbac.authorization.k8s.io", "v1", "clusterroles"), "ClusterRole", &mut role);
        }
    }

    /// What is put into every new namespace: the default account, and the certificate by which pods know the API server.
    pub(super) fn furnish(&self, namespace: &str) {
        let mut account = json!({ "metadata": { "name": "default", "namespace": namespace } });
        self.found(Resource::core("serviceaccounts"), "ServiceAccount", &mut account);
        let mut authority = json!({
            "metadata": { "name": "kube-root-ca.crt", "namespace": namespace, "annotations": {
                "kubernetes.io/description": "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.",
            } },
            "data": { "ca.crt": AUTHORITY },
        });
        self.found(Resource::core("configmaps"), "ConfigMap", &mut authority);
    }

    fn found(&self, resource: Resource, kind: &str, object: &mut Value) {
        let metadata = map_at(object, "metadata");
        metadata.insert("uid".to_owned(), self.uid().into());
        metadata.insert("creationTimestamp".to_owned(), moment(self.clock.now()));
        let version = match resource.group {
            "" => resource.version.to_owned(),
            group => format!("{group}/{}", resource.version),
        };
        let mut object = render::arrange(kind, &version, object.take());
        super::metadata::tidy(&mut object);
        let is_made = self.store.put(&GroupResource::from(resource), &mut object, Expect::Absent).is_ok();
        if is_made && kind == "Namespace" {
            self.furnish(name(&object));
        }
    }
}
