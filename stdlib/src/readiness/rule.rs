//! Which rule decides for which kind.
//!
//! Does not know the rules themselves.

use serde_json::Value;

use super::related::{Query, Related};
use super::verdict::{Patience, Verdict};
use super::{crd, daemonset, deployment, endpoints, gateway, job, kstatus, namespace, node, pod, pvc, service};
use super::{statefulset, webhook};

/// The rule of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Rolled out to the last replica.
    Deployment,
    /// The same, with a partition.
    StatefulSet,
    /// One ready pod of the current revision on every node.
    DaemonSet,
    /// As many replicas as asked for.
    ReplicaSet,
    /// Complete.
    Job,
    /// Ready.
    Pod,
    /// An address and someone behind it.
    Service,
    /// Bound.
    Claim,
    /// Established.
    Crd,
    /// Can be called.
    Webhook,
    /// Accepted and programmed.
    Gateway,
    /// Active.
    Namespace,
    /// Ready.
    Node,
    /// By the conditions most controllers keep.
    Generic,
    /// It is ready when it is there: nothing ever reports on it.
    None,
}

impl Rule {
    /// The rule for a kind of an API group (empty for the core group).
    pub fn of(group: &str, kind: &str) -> Self {
        match (group, kind) {
            ("apps", "Deployment") => Self::Deployment,
            ("apps", "StatefulSet") => Self::StatefulSet,
            ("apps", "DaemonSet") => Self::DaemonSet,
            ("apps", "ReplicaSet") | ("", "ReplicationController") => Self::ReplicaSet,
            ("batch", "Job") => Self::Job,
            ("", "Pod") => Self::Pod,
            ("", "Service") => Self::Service,
            ("", "PersistentVolumeClaim") => Self::Claim,
            ("", "Namespace") => Self::Namespace,
            ("", "Node") => Self::Node,
            ("apiextensions.k8s.io", "CustomResourceDefinition") => Self::Crd,
            ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration") => {
                Self::Webhook
            }
            ("gateway.networking.k8s.io", "Gateway") => Self::Gateway,
            ("", "ConfigMap" | "Secret" | "ServiceAccount" | "LimitRange" | "Endpoints" | "Event")
            | ("rbac.authorization.k8s.io" | "scheduling.k8s.io" | "storage.k8s.io", _)
            | ("discovery.k8s.io", "EndpointSlice")
            | ("networking.k8s.io", "NetworkPolicy" | "IngressClass") => Self::None,
            _ => Self::Generic,
        }
    }

    /// Whether the kind is one that rolls out.
    pub fn rolls_out(self) -> bool {
        matches!(self, Self::Deployment | Self::StatefulSet | Self::DaemonSet)
    }

    /// What the verdict on an object looks up beside it, given what was found so far.
    pub fn wants(self, object: &Value, related: Option<&Related>, patience: &Patience) -> Vec<Query> {
        match self {
            Self::Deployment => deployment::wants(object, related, patience),
            Self::StatefulSet => statefulset::wants(object, related, patience),
            Self::DaemonSet => daemonset::wants(object, related, patience),
            Self::Job => job::wants(object, related, patience),
            Self::Service => endpoints::wants(object),
            Self::Claim => pvc::wants(object, patience),
            Self::Webhook => webhook::wants(object),
            _ => Vec::new(),
        }
    }

    /// The verdict on an object. `related` is `None` as long as not all that the rule wants has been looked up.
    pub fn verdict(self, object: &Value, related: Option<&Related>, patience: &Patience) -> Verdict {
        match self {
            Self::Deployment => deployment::verdict(object, related, patience),
            Self::StatefulSet => statefulset::verdict(object, related, patience),
            Self::DaemonSet => daemonset::verdict(object, related, patience),
            Self::ReplicaSet => deployment::replicas(object),
            Self::Job => job::verdict(object, related, patience),
            Self::Pod => pod::verdict(&pod::PodState::of(object), related, patience),
            Self::Service => service::verdict(object, related),
            Self::Claim => pvc::verdict(object, related),
            Self::Crd => crd::verdict(object, &[]),
            Self::Webhook => webhook::verdict(object, related, &webhook::Asked::default()),
            Self::Gateway => gateway::verdict(object),
            Self::Namespace => namespace::verdict(object),
            Self::Node => node::verdict(object),
            Self::Generic => kstatus::verdict(object),
            Self::None => Verdict::Unknown,
        }
    }
}
