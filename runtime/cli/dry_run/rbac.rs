//! Manifests that allow a service account what a run needs, and nothing else.
//!
//! Does not know how it was found out what that is.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use runbook_core::Value;
use serde_json::json;

use super::right::{Rights, Rule};

/// Where the service account lies.
const NAMESPACE: &str = "default";

const VERSION: &str = "rbac.authorization.k8s.io/v1";

/// Service account, roles and bindings for a runbook of that name, as YAML.
pub(crate) fn manifests(runbook: &str, rights: &Rights) -> String {
    let name = format!("runbook-{}", runbook.trim_end_matches(".rhai"));
    let rules = rights.rules();
    let mut documents = vec![
        json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": name, "namespace": NAMESPACE } }),
    ];
    documents.extend(roles(&name, &rules));
    let mut text = format!("# What {runbook} needs, as far as this run went. Made from the requests of a dry run.\n");
    for document in documents {
        let yaml = serde_yaml::to_string(&document).expect("a manifest is plain data");
        write!(text, "---\n{yaml}").expect("writing to a string cannot fail");
    }
    text
}

fn roles(name: &str, rules: &BTreeMap<&str, Vec<Rule>>) -> Vec<Value> {
    let subject = json!([{ "kind": "ServiceAccount", "name": name, "namespace": NAMESPACE }]);
    let mut documents = Vec::new();
    for (namespace, rules) in rules {
        let (role, binding) =
            if namespace.is_empty() { ("ClusterRole", "ClusterRoleBinding") } else { ("Role", "RoleBinding") };
        let metadata = || match *namespace {
            "" => json!({ "name": name }),
            namespace => json!({ "name": name, "namespace": namespace }),
        };
        let rules: Vec<Value> = rules
            .iter()
            .map(|rule| json!({ "apiGroups": [rule.group], "resources": rule.resources, "verbs": rule.verbs }))
            .collect();
        documents.push(json!({ "apiVersion": VERSION, "kind": role, "metadata": metadata(), "rules": rules }));
        documents.push(json!({
            "apiVersion": VERSION, "kind": binding, "metadata": metadata(),
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": role, "name": name },
            "subjects": subject,
        }));
    }
    documents
}
