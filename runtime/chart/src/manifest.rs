//! Rendered files become manifests and hooks, in helm's order.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::fault::Fault;
use crate::order::Dialect;
use crate::value::Value;
use crate::yaml;

/// One object of a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The template that it comes from, by its path below the chart's name.
    pub path: String,
    /// Its YAML.
    pub content: String,
    /// Its API version; empty where a document holds no object.
    pub api_version: String,
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
}

/// One object that is run at a point of a release's life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// The template that it comes from.
    pub path: String,
    /// Its YAML.
    pub manifest: String,
    /// When it runs: `pre-install`, `post-upgrade`, `test` and so on.
    pub events: Vec<String>,
    /// Its place among the others; lower runs first.
    pub weight: i64,
    /// When it is removed: `before-hook-creation`, `hook-succeeded`, `hook-failed`.
    pub delete_policies: Vec<String>,
    /// When its logs are kept.
    pub output_log_policies: Vec<String>,
}

const EVENTS: &[&str] = &[
    "pre-install",
    "post-install",
    "pre-delete",
    "post-delete",
    "pre-upgrade",
    "post-upgrade",
    "pre-rollback",
    "post-rollback",
    "test",
];

/// The order in which kinds are installed.
const INSTALL: &[&str] = &[
    "PriorityClass",
    "Namespace",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "PodSecurityPolicy",
    "PodDisruptionBudget",
    "ServiceAccount",
    "Secret",
    "SecretList",
    "ConfigMap",
    "StorageClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleList",
    "ClusterRoleBinding",
    "ClusterRoleBindingList",
    "Role",
    "RoleList",
    "RoleBinding",
    "RoleBindingList",
    "Service",
    "DaemonSet",
    "Pod",
    "ReplicationController",
    "ReplicaSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "StatefulSet",
    "Job",
    "CronJob",
    "IngressClass",
    "Ingress",
    "APIService",
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
];

/// The order in which kinds are removed.
const UNINSTALL: &[&str] = &[
    "ValidatingWebhookConfiguration",
    "MutatingWebhookConfiguration",
    "APIService",
    "Ingress",
    "IngressClass",
    "Service",
    "CronJob",
    "Job",
    "StatefulSet",
    "HorizontalPodAutoscaler",
    "Deployment",
    "ReplicaSet",
    "ReplicationController",
    "Pod",
    "DaemonSet",
    "RoleBindingList",
    "RoleBinding",
    "RoleList",
    "Role",
    "ClusterRoleBindingList",
    "ClusterRoleBinding",
    "ClusterRoleList",
    "ClusterRole",
    "CustomResourceDefinition",
    "PersistentVolumeClaim",
    "PersistentVolume",
    "StorageClass",
    "ConfigMap",
    "SecretList",
    "Secret",
    "ServiceAccount",
    "PodDisruptionBudget",
    "PodSecurityPolicy",
    "LimitRange",
    "ResourceQuota",
    "NetworkPolicy",
    "Namespace",
    "PriorityClass",
];

/// Which way kinds are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// What others need comes first.
    Install,
    /// What others need goes last.
    Uninstall,
}

/// Compares two kinds as helm does: known ones by its list, others after them by name.
pub fn by_kind(one: &str, two: &str, direction: Direction, dialect: Dialect) -> Ordering {
    let known: &[&str] = match direction {
        Direction::Install => INSTALL,
        Direction::Uninstall => UNINSTALL,
    };
    let place = |kind: &str| {
        let new = kind.ends_with("WebhookConfiguration");
        if new && dialect == Dialect::Helm3 { None } else { known.iter().position(|known| *known == kind) }
    };
    match (place(one), place(two)) {
        (None, None) => one.cmp(two),
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(one), Some(two)) => one.cmp(&two),
    }
}

/// Cuts a stream of YAML into its documents, as helm of that dialect does.
pub fn split(text: &str, dialect: Dialect) -> Vec<String> {
    match dialect {
        Dialect::Helm3 => split_three(text),
        Dialect::Helm4 => split_four(text),
    }
}

/// `(?:^|\s*\n)---\s*`
fn split_three(text: &str) -> Vec<String> {
    let text = text.trim();
    let mut documents = Vec::new();
    let mut rest = text.strip_prefix("---").map_or(text, str::trim_start);
    while let Some(at) = rest.find("\n---") {
        documents.push(rest[..at].trim().to_owned());
        rest = rest[at + 4..].trim_start();
    }
    documents.push(rest.trim().to_owned());
    // What began with more dashes has lost three of them, and lines that follow a separator at once begin anew.
    documents.retain(|document| !document.is_empty());
    documents
}

/// `(?m)^---[ \t]*`
fn split_four(text: &str) -> Vec<String> {
    let text = text.trim_start();
    let mut documents = Vec::new();
    let mut from = 0;
    let first = text.starts_with("---").then_some(0);
    let others = memchr::memmem::find_iter(text.as_bytes(), b"\n---").map(|at| at + 1);
    for at in first.into_iter().chain(others) {
        documents.push(&text[from..at]);
        from = text.len() - text[at + 3..].trim_start_matches([' ', '\t']).len();
    }
    documents.push(&text[from..]);
    let kept = documents.into_iter().filter(|document| !document.trim().is_empty());
    kept.map(|document| document.trim_start().to_owned()).collect()
}

#[derive(Default)]
struct Head {
    api_version: String,
    kind: String,
    name: String,
    annotations: BTreeMap<String, String>,
}

/// What helm reads of a document before it sorts it.
fn head(document: &str, dialect: Dialect) -> Result<Head, String> {
    let read = yaml::read(document).map_err(|words| {
        if words.starts_with("error converting") { words } else { format!("error converting YAML to JSON: {words}") }
    })?;
    let package = if dialect == Dialect::Helm3 { "releaseutil.SimpleHead" } else { "util.SimpleHead" };
    let Value::Map(map) = read else {
        return match read {
            Value::Nil => Ok(Head::default()),
            other => Err(mistyped(&other, "", package).replace("struct field ", "value")),
        };
    };
    let text = |map: &crate::value::Map, key: &str, field: &str| match map.get(key) {
        None | Some(Value::Nil) => Ok(String::new()),
        Some(value) => scalar(&value).ok_or_else(|| mistyped(&value, field, "string")),
    };
    let mut head = Head {
        api_version: text(&map, "apiVersion", "SimpleHead.apiVersion")?,
        kind: text(&map, "kind", "SimpleHead.kind")?,
        ..Head::default()
    };
    match map.get("metadata") {
        None | Some(Value::Nil) => {}
        Some(Value::Map(metadata)) => {
            head.name = text(&metadata, "name", ".metadata.name")?;
            match metadata.get("annotations") {
                None | Some(Value::Nil) => {}
                Some(Value::Map(annotations)) => {
                    for (key, value) in annotations.entries.borrow().iter() {
                        let Some(text) = scalar(value) else {
                            return Err(mistyped(value, ".metadata.annotations", "string"));
                        };
                        head.annotations.insert(key.to_string(), text);
                    }
                }
                Some(other) => {
                    return Err(mistyped(&other, ".metadata.annotations", "map[string]string"));
                }
            }
        }
        Some(other) => {
            let shape = "struct { Name string \"json:\\\"name\\\"\"; Annotations map[string]string \"json:\\\"annotations\\\"\" }";
            return Err(mistyped(&other, "SimpleHead.metadata", shape));
        }
    }
    Ok(head)
}

/// What stands where a string is wanted becomes one, if it is a scalar.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::Nil => Some(String::new()),
        Value::Text(text) => Some(text.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Float(number) => crate::value::float_json(*number),
        _ => None,
    }
}

fn mistyped(found: &Value, field: &str, wanted: &str) -> String {
    let found = match found {
        Value::Text(_) | Value::Raw(_) => "string",
        Value::Bool(_) => "bool",
        Value::List(_) => "array",
        Value::Map(_) => "object",
        _ => "number",
    };
    format!(
        "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {found} into Go struct field {field} of type {wanted}"
    )
}

/// Manifests and hooks of rendered files, each sorted by kind for an installation.
pub(crate) fn sort(files: &BTreeMap<String, String>, dialect: Dialect) -> Result<(Vec<Manifest>, Vec<Hook>), Fault> {
    let (mut manifests, mut hooks) = (Vec::new(), Vec::new());
    for (path, content) in files {
        let base = path.rsplit('/').next().unwrap_or(path);
        if base.starts_with('_') {
            continue;
        }
        for document in split(content, dialect) {
            let head = head(&document, dialect).map_err(|words| Fault {
                template: Some(path.clone()),
                ..Fault::new(format!("YAML parse error on {path}: {words}"))
            })?;
            if let Some(called) = head.annotations.get("helm.sh/hook") {
                if let Some(events) = events(called) {
                    hooks.push(hook(path, document, &head, events));
                }
                continue;
            }
            manifests.push(Manifest {
                path: path.clone(),
                content: document,
                api_version: head.api_version,
                kind: head.kind,
                name: head.name,
            });
        }
    }
    manifests.sort_by(|a, b| by_kind(&a.kind, &b.kind, Direction::Install, dialect));
    hooks.sort_by(|a, b| by_kind(&a.kind, &b.kind, Direction::Install, dialect));
    Ok((manifests, hooks))
}

/// The events that an annotation names; an unknown one voids the hook.
fn events(called: &str) -> Option<Vec<String>> {
    called
        .split(',')
        .map(|name| {
            let name = name.trim().to_lowercase();
            let name = if name == "test-success" { "test".to_owned() } else { name };
            EVENTS.contains(&name.as_str()).then_some(name)
        })
        .collect()
}

fn hook(path: &str, manifest: String, head: &Head, events: Vec<String>) -> Hook {
    let several = |annotation: &str| {
        let said = head.annotations.get(annotation).map(|said| said.split(','));
        said.into_iter().flatten().map(|one| one.trim().to_lowercase()).collect()
    };
    let weight = head.annotations.get("helm.sh/hook-weight").and_then(|weight| weight.parse().ok());
    Hook {
        name: head.name.clone(),
        kind: head.kind.clone(),
        path: path.to_owned(),
        manifest,
        events,
        weight: weight.unwrap_or(0),
        delete_policies: several("helm.sh/hook-delete-policy"),
        output_log_policies: several("helm.sh/hook-output-log-policy"),
    }
}
