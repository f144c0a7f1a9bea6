//! The API server's own record of what it was asked: the witness that a test believes, whatever the program under test says.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::fault::Fault;

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`.
    pub verb: String,
    /// API group; empty for the core group.
    pub group: String,
    /// Plural, such as `deployments`; empty for a path that is no resource.
    pub resource: String,
    /// Such as `status` or `scale`; empty if none.
    pub subresource: String,
    /// Empty for cluster-wide ones.
    pub namespace: String,
    /// Empty for lists and for creations under a generated name.
    pub name: String,
    /// What the client calls itself.
    pub user_agent: String,
    /// Whom the API server took it for.
    pub user: String,
    /// HTTP status of the answer; zero while a watch is open.
    pub code: u16,
    /// Whether nothing was to be stored.
    pub dry_run: bool,
    /// Path and query.
    pub request_uri: String,
    /// When it arrived.
    pub at: Timestamp,
    /// The mutating webhooks that were asked about it, as `configuration/entry`, in their order.
    pub webhooks: Vec<String>,
}

impl AuditEntry {
    /// Whether it changed something: a writing verb, not a dry run, and answered with success. Reviews (`create
    /// selfsubjectaccessreviews` and the like) are questions, whatever their verb.
    pub fn is_write(&self) -> bool {
        self.is_mutating() && (200..300).contains(&self.code)
    }

    /// Whether it was meant to change something, successful or not.
    pub fn is_mutating(&self) -> bool {
        matches!(self.verb.as_str(), "create" | "update" | "patch" | "delete" | "deletecollection")
            && !self.dry_run
            // Roles are of a group whose name ends alike, and are written.
            && !matches!(self.group.as_str(), "authorization.k8s.io" | "authentication.k8s.io")
    }

    /// As a line: `patch apps/deployments/status shop/web`.
    pub fn summary(&self) -> String {
        let group = if self.group.is_empty() { String::new() } else { format!("{}/", self.group) };
        let subresource = if self.subresource.is_empty() { String::new() } else { format!("/{}", self.subresource) };
        let namespace = if self.namespace.is_empty() { String::new() } else { format!("{}/", self.namespace) };
        format!("{} {group}{}{subresource} {namespace}{}", self.verb, self.resource, self.name)
    }
}

/// Lines of writes, as [`AuditEntry::summary`] gives them, in an order that chance has no part in: helm sends a batch of new objects
/// of one kind, or of those it deletes, at once. Workloads stay as they are: they go one by one, as who writes them wants.
pub fn in_batches(mut lines: Vec<String>) -> Vec<String> {
    let batch = |line: &str| line.rsplit_once(' ').map(|(batch, _)| batch.to_owned());
    lines.chunk_by_mut(|a, b| batch(a) == batch(b) && !a.contains(" apps/")).for_each(<[String]>::sort);
    lines
}

/// A line of the log, as far as it is read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    #[serde(rename = "auditID")]
    audit_id: String,
    stage: String,
    #[serde(rename = "requestReceivedTimestamp")]
    at: Timestamp,
    verb: String,
    #[serde(rename = "requestURI", default)]
    request_uri: String,
    #[serde(default)]
    user_agent: String,
    user: User,
    #[serde(default)]
    object_ref: Object,
    #[serde(default)]
    response_status: Status,
    #[serde(default)]
    request_object: Value,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

/// What the API server notes of a mutating webhook that it asked, whether it was answered or not.
#[derive(Deserialize)]
struct Mutation {
    configuration: String,
    webhook: String,
}

#[derive(Deserialize)]
struct User {
    #[serde(default)]
    username: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Object {
    #[serde(default)]
    resource: String,
    #[serde(default)]
    subresource: String,
    #[serde(default)]
    namespace: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    api_group: String,
}

#[derive(Default, Deserialize)]
struct Status {
    #[serde(default)]
    code: u16,
}

/// Reads a log: every request once, in the order in which they were answered (watches: in which they began).
pub fn read(log: &Path) -> Result<Vec<AuditEntry>, Fault> {
    parse(&fs_err::read_to_string(log)?)
}

fn parse(text: &str) -> Result<Vec<AuditEntry>, Fault> {
    let mut begun = std::collections::BTreeSet::new();
    let mut entries = Vec::new();
    // The last line may be half written.
    let complete = text.rfind('\n').map_or("", |end| &text[..end]);
    for line in complete.lines() {
        let event: Event = serde_json::from_str(line).map_err(|error| Fault::malformed("the audit log", error))?;
        if event.stage == "ResponseStarted" {
            begun.insert(event.audit_id.clone());
        } else if begun.remove(&event.audit_id) {
            continue;
        }
        entries.push(entry(event));
    }
    Ok(entries)
}

fn entry(event: Event) -> AuditEntry {
    let query = event.request_uri.split_once('?').map_or("", |(_, query)| query);
    let in_query = query.split('&').any(|pair| pair.starts_with("dryRun=") && pair.len() > "dryRun=".len());
    let in_body = event.request_object["dryRun"].as_array().is_some_and(|values| !values.is_empty());
    AuditEntry {
        verb: event.verb,
        group: event.object_ref.api_group,
        resource: event.object_ref.resource,
        subresource: event.object_ref.subresource,
        namespace: event.object_ref.namespace,
        name: event.object_ref.name,
        user_agent: event.user_agent,
        user: event.user.username,
        code: event.response_status.code,
        dry_run: in_query || in_body,
        request_uri: event.request_uri,
        at: event.at,
        webhooks: webhooks(&event.annotations),
    }
}

/// Keys are `mutation.webhook.admission.k8s.io/round_0_index_3`.
fn webhooks(annotations: &BTreeMap<String, String>) -> Vec<String> {
    let asked = |(key, value): (&String, &String)| {
        let place = key.strip_prefix("mutation.webhook.admission.k8s.io/round_")?;
        let (round, index) = place.split_once("_index_")?;
        let mutation: Mutation = serde_json::from_str(value).ok()?;
        let place: (u32, u32) = (round.parse().ok()?, index.parse().ok()?);
        Some((place, format!("{}/{}", mutation.configuration, mutation.webhook)))
    };
    let ordered: BTreeMap<_, _> = annotations.iter().filter_map(asked).collect();
    ordered.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(id: &str, stage: &str, verb: &str, uri: &str, more: &str) -> String {
        format!(
            r#"{{"auditID":"{id}","stage":"{stage}","requestReceivedTimestamp":"2026-01-01T00:00:00.000000Z","verb":"{verb}","requestURI":"{uri}","userAgent":"helm/4","user":{{"username":"admin"}},"objectRef":{{"resource":"pods","namespace":"shop","name":"web"}},"responseStatus":{{"code":200}}{more}}}"#
        ) + "\n"
    }

    #[test]
    fn a_watch_counts_once_and_half_a_line_not_at_all() {
        let text = line("1", "ResponseStarted", "watch", "/api/v1/pods?watch=true", "")
            + &line("1", "ResponseComplete", "watch", "/api/v1/pods?watch=true", "")
            + r#"{"auditID":"2","sta"#;
        assert_eq!(parse(&text).unwrap().len(), 1);
    }

    #[test]
    fn a_dry_run_is_no_write_whether_asked_for_in_query_or_body() {
        let text = line("1", "ResponseComplete", "patch", "/api/v1/pods/web?dryRun=All", "")
            + &line("2", "ResponseComplete", "delete", "/api/v1/pods/web", r#","requestObject":{"dryRun":["All"]}"#)
            + &line("3", "ResponseComplete", "delete", "/api/v1/pods/web", "");
        let writes: Vec<bool> = parse(&text).unwrap().iter().map(AuditEntry::is_write).collect();
        assert_eq!(writes, [false, false, true]);
    }

    #[test]
    fn an_entry_names_verb_resource_object_and_client() {
        let entry = parse(&line("1", "ResponseComplete", "get", "/api/v1/pods/web", "")).unwrap().remove(0);
        assert_eq!((entry.summary().as_str(), entry.user_agent.as_str()), ("get pods shop/web", "helm/4"));
    }

    #[test]
    fn a_batch_has_one_order_and_workloads_have_their_own() {
        let lines =
            ["create secrets a/b", "create secrets a/a", "patch apps/deployments a/b", "patch apps/deployments a/a"];
        let ordered =
            ["create secrets a/a", "create secrets a/b", "patch apps/deployments a/b", "patch apps/deployments a/a"];
        assert_eq!(in_batches(lines.map(str::to_owned).to_vec()), ordered);
    }

    #[test]
    fn webhooks_are_those_that_were_asked_in_their_order() {
        let noted = |index: u8, name: &str| {
            format!(
                r#""mutation.webhook.admission.k8s.io/round_0_index_{index}":"{{\"configuration\":\"{name}\",\"webhook\":\"rev.namespace\",\"mutated\":false}}""#
            )
        };
        let more = format!(
            r#","annotations":{{{},{},"patch.webhook.admission.k8s.io/round_0_index_2":"{{}}"}}"#,
            noted(10, "b"),
            noted(2, "a")
        );
        let entry = parse(&line("1", "ResponseComplete", "create", "/api/v1/pods", &more)).unwrap().remove(0);
        assert_eq!(entry.webhooks, ["a/rev.namespace", "b/rev.namespace"]);
    }
}
