//! The kinds that every supported cluster has, so that nobody need ask for them.
//!
//! Only stable versions stand here; what is missing is discovered.

use std::sync::{Arc, OnceLock};

use super::kind::Resource;

/// Group, version, kind, plural, short names, whether namespaced.
type Row = (&'static str, &'static str, &'static str, &'static str, &'static [&'static str], bool);

/// In the order in which words find them: the core before all others, as in kubectl.
const ROWS: &[Row] = &[
    ("", "v1", "Pod", "pods", &["po"], true),
    ("", "v1", "Service", "services", &["svc"], true),
    ("", "v1", "ConfigMap", "configmaps", &["cm"], true),
    ("", "v1", "Secret", "secrets", &[], true),
    ("", "v1", "Namespace", "namespaces", &["ns"], false),
    ("", "v1", "Node", "nodes", &["no"], false),
    ("", "v1", "ServiceAccount", "serviceaccounts", &["sa"], true),
    ("", "v1", "Event", "events", &["ev"], true),
    ("", "v1", "Endpoints", "endpoints", &["ep"], true),
    ("", "v1", "PersistentVolume", "persistentvolumes", &["pv"], false),
    ("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", &["pvc"], true),
    ("", "v1", "ReplicationController", "replicationcontrollers", &["rc"], true),
    ("", "v1", "ResourceQuota", "resourcequotas", &["quota"], true),
    ("", "v1", "LimitRange", "limitranges", &["limits"], true),
    ("", "v1", "PodTemplate", "podtemplates", &[], true),
    ("apps", "v1", "Deployment", "deployments", &["deploy"], true),
    ("apps", "v1", "DaemonSet", "daemonsets", &["ds"], true),
    ("apps", "v1", "StatefulSet", "statefulsets", &["sts"], true),
    ("apps", "v1", "ReplicaSet", "replicasets", &["rs"], true),
    ("apps", "v1", "ControllerRevision", "controllerrevisions", &[], true),
    ("batch", "v1", "Job", "jobs", &[], true),
    ("batch", "v1", "CronJob", "cronjobs", &["cj"], true),
    ("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", &["hpa"], true),
    ("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets", &["pdb"], true),
    ("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies", &["netpol"], true),
    ("networking.k8s.io", "v1", "Ingress", "ingresses", &["ing"], true),
    ("networking.k8s.io", "v1", "IngressClass", "ingressclasses", &[], false),
    ("rbac.authorization.k8s.io", "v1", "Role", "roles", &[], true),
    ("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings", &[], true),
    ("rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles", &[], false),
    ("rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", "clusterrolebindings", &[], false),
    ("storage.k8s.io", "v1", "StorageClass", "storageclasses", &["sc"], false),
    ("coordination.k8s.io", "v1", "Lease", "leases", &[], true),
    ("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices", &[], true),
    ("scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses", &["pc"], false),
    (CRD_GROUP, "v1", "CustomResourceDefinition", "customresourcedefinitions", &["crd", "crds"], false),
    ("apiregistration.k8s.io", "v1", "APIService", "apiservices", &[], false),
    ("admissionregistration.k8s.io", "v1", "MutatingWebhookConfiguration", "mutatingwebhookconfigurations", &[], false),
    (
        "admissionregistration.k8s.io",
        "v1",
        "ValidatingWebhookConfiguration",
        "validatingwebhookconfigurations",
        &[],
        false,
    ),
];

const CRD_GROUP: &str = "apiextensions.k8s.io";

/// The table.
pub(super) fn all() -> &'static [Arc<Resource>] {
    static ALL: OnceLock<Vec<Arc<Resource>>> = OnceLock::new();
    ALL.get_or_init(|| ROWS.iter().map(|row| Arc::new(resource(row))).collect())
}

/// Whether a kind stands in the table, in whatever version.
pub(super) fn has(resource: &Resource) -> bool {
    ROWS.iter().any(|row| row.0 == resource.group && row.3 == resource.plural)
}

/// A kind that surely stands in the table.
pub(super) fn known(plural: &str) -> Arc<Resource> {
    all().iter().find(|r| r.plural == plural).expect("only kinds of the table are asked for by name").clone()
}

fn resource((group, version, kind, plural, short, namespaced): &Row) -> Resource {
    Resource {
        group: (*group).to_owned(),
        version: (*version).to_owned(),
        kind: (*kind).to_owned(),
        plural: (*plural).to_owned(),
        singular: kind.to_ascii_lowercase(),
        short: short.iter().map(|short| (*short).to_owned()).collect(),
        namespaced: *namespaced,
        verbs: Vec::new(),
    }
}
