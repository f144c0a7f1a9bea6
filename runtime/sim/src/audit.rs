//! What was asked of the API server, request by request, as its audit log has it.
//!
//! Not known here: how requests are answered, and who reads the log.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

/// Who is told of every request, once it is answered.
pub type Witness = Arc<dyn Fn(&AuditEntry) + Send + Sync>;

/// One request for a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`.
    pub verb: &'static str,
    /// API group; empty for the core group.
    pub group: String,
    /// API version, such as `v1`.
    pub version: String,
    /// Plural, such as `deployments`.
    pub resource: String,
    /// Such as `status`; empty if none.
    pub subresource: String,
    /// Empty for cluster-wide ones.
    pub namespace: String,
    /// Empty for lists and for creations under a generated name.
    pub name: String,
    /// What the client calls itself; empty for who acts inside of the cluster.
    pub client: String,
    /// Path and query.
    pub uri: String,
    /// Whether nothing was to be stored.
    pub is_dry_run: bool,
    /// HTTP status of the answer.
    pub code: u16,
    /// When it was answered, in simulated time.
    pub at: Timestamp,
}

/// Whether a verb on resources of a group is meant to change something, and is no question.
pub(crate) fn changes(verb: &str, group: &str) -> bool {
    // Roles are of a group whose name ends alike, and are written.
    !matches!(verb, "get" | "list" | "watch") && !matches!(group, "authorization.k8s.io" | "authentication.k8s.io")
}

impl AuditEntry {
    /// Whether it was meant to change something. Reviews, such as `create selfsubjectaccessreviews`, are questions.
    pub fn is_write(&self) -> bool {
        changes(self.verb, &self.group) && !self.is_dry_run
    }

    /// In a few words: `patch apps/deployments/status shop/web`.
    pub fn summary(&self) -> String {
        let Self { group, resource, subresource, namespace, name, .. } = self;
        in_a_line(self.verb, (group, resource, subresource), (namespace, name))
    }

    /// As an event of `audit.k8s.io/v1`; `number` tells it from others.
    pub fn event(&self, number: u64) -> Value {
        let mut event = json!({
            "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": number.to_string(),
            "stage": "ResponseComplete", "requestURI": self.uri, "verb": self.verb,
            "user": { "username": "kubernetes-admin" }, "userAgent": self.client,
            "objectRef": {
                "resource": self.resource, "namespace": self.namespace, "name": self.name, "apiGroup": self.group,
                "apiVersion": self.version, "subresource": self.subresource,
            },
            "responseStatus": { "code": self.code },
            "requestReceivedTimestamp": self.at, "stageTimestamp": self.at,
        });
        // A deletion says in its body that it is none.
        if self.is_dry_run && self.verb.starts_with("delete") {
            event["requestObject"] = json!({ "dryRun": ["All"] });
        }
        event
    }
}

/// A request by its group, resource and subresource, and the namespace and name of what it is about: `patch apps/deployments/status
/// shop/web`.
pub(crate) fn in_a_line(
    verb: &str,
    (group, resource, subresource): (&str, &str, &str),
    (namespace, name): (&str, &str),
) -> String {
    let group = if group.is_empty() { String::new() } else { format!("{group}/") };
    let below = if subresource.is_empty() { String::new() } else { format!("/{subresource}") };
    let namespace = if namespace.is_empty() { String::new() } else { format!("{namespace}/") };
    format!("{verb} {group}{resource}{below} {namespace}{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(verb: &'static str, group: &str, resource: &str) -> AuditEntry {
        AuditEntry {
            verb,
            group: group.to_owned(),
            version: "v1".to_owned(),
            resource: resource.to_owned(),
            subresource: String::new(),
            namespace: "shop".to_owned(),
            name: "web".to_owned(),
            client: "runbook/1".to_owned(),
            uri: String::new(),
            is_dry_run: false,
            code: 200,
            at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn questions_and_dry_runs_are_no_writes() {
        assert!(entry("patch", "apps", "deployments").is_write());
        assert!(entry("create", "rbac.authorization.k8s.io", "roles").is_write());
        assert!(!entry("list", "apps", "deployments").is_write());
        assert!(!entry("create", "authorization.k8s.io", "selfsubjectaccessreviews").is_write());
        assert!(!AuditEntry { is_dry_run: true, ..entry("delete", "", "pods") }.is_write());
        assert_eq!(entry("patch", "apps", "deployments").summary(), "patch apps/deployments shop/web");
    }
}
