//! When a preparation has come to rest.

use kube::Client;
use serde_json::Value;

use crate::fault::Fault;
use crate::plane::{AuditEntry, ControlPlane};
use crate::wait::{self, Seen};

const DEPLOYMENTS: &str = "/apis/apps/v1/deployments";
const DAEMON_SETS: &str = "/apis/apps/v1/daemonsets";
const STATEFUL_SETS: &str = "/apis/apps/v1/statefulsets";
const GATEWAYS: &str = "/apis/gateway.networking.k8s.io/v1/gateways";
const MUTATING: &str = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";
const VALIDATING: &str = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";

/// Waits until istiod has taken charge of every webhook that calls a Service which is there: a `caBundle` in each, and
/// `Fail` in those that validate.
pub(super) async fn webhooks(client: &Client) -> Result<(), Fault> {
    wait::until("istiod takes charge of its webhooks", 60, async || {
        let services = names(&list(client, "/api/v1/services").await?);
        let is_called = |webhook: &Value| {
            let service = &webhook["clientConfig"]["service"];
            services.contains(&format!("{}/{}", text(&service["namespace"]), text(&service["name"])))
        };
        for (path, validates) in [(MUTATING, false), (VALIDATING, true)] {
            for configuration in list(client, path).await? {
                for webhook in items(&configuration["webhooks"]).iter().filter(|webhook| is_called(webhook)) {
                    let trusted = !text(&webhook["clientConfig"]["caBundle"]).is_empty();
                    if !trusted || (validates && webhook["failurePolicy"] != "Fail") {
                        return Err(wait::not_yet(format!("{} of {}", text(&webhook["name"]), name(&configuration))));
                    }
                }
            }
        }
        Ok(())
    })
    .await
}

impl ControlPlane {
    /// Waits until every workload is rolled out, every Gateway is programmed, istiod has taken charge of its webhooks, and
    /// nobody has written anything but heartbeats for a second and a half. A fault after a few minutes.
    pub fn settle(&self) -> Result<(), Fault> {
        self.block_on(everything(self))
    }
}

async fn everything(plane: &ControlPlane) -> Result<(), Fault> {
    let client = plane.client();
    webhooks(&client).await?;
    wait::until("everything is rolled out", 120, async || {
        for path in [DEPLOYMENTS, DAEMON_SETS, STATEFUL_SETS] {
            rolled_out(&list(&client, path).await?)?;
        }
        // Absent where the Gateway API is not installed.
        programmed(&list(&client, GATEWAYS).await.unwrap_or_default())
    })
    .await?;
    let mut quiet = 0;
    let mut before = 0;
    wait::until("nobody writes any more", 60, async || {
        let writes = plane.audit().map_err(wait::not_yet)?.iter().filter(|entry| is_news(entry)).count();
        quiet = if writes == before { quiet + 1 } else { 0 };
        before = writes;
        // One and a half seconds' worth of looks.
        if quiet >= 30 { Ok(()) } else { Err(wait::not_yet(format!("{writes} writes"))) }
    })
    .await
}

/// Whether an entry is a write of something else than the heartbeat of a node or of a leader.
fn is_news(entry: &AuditEntry) -> bool {
    let heartbeat = matches!(entry.resource.as_str(), "leases" | "events" | "nodes" | "tokenreviews");
    let election = entry.resource == "configmaps" && entry.verb == "update";
    entry.is_write() && !heartbeat && !election
}

fn rolled_out(workloads: &[Value]) -> Seen<()> {
    for workload in workloads {
        let status = &workload["status"];
        let number = |field: &str| status[field].as_i64().unwrap_or_default();
        let observed = number("observedGeneration") >= workload["metadata"]["generation"].as_i64().unwrap_or_default();
        let (wanted, updated, ready) = if status["desiredNumberScheduled"].is_number() {
            (number("desiredNumberScheduled"), number("updatedNumberScheduled"), number("numberAvailable"))
        } else {
            (workload["spec"]["replicas"].as_i64().unwrap_or(1), number("updatedReplicas"), number("availableReplicas"))
        };
        let all = if status["desiredNumberScheduled"].is_number() { wanted } else { number("replicas") };
        if !observed || updated < wanted || ready < wanted || all > wanted {
            return Err(wait::not_yet(format!("{}: {ready} of {wanted} available, {updated} updated", name(workload))));
        }
    }
    Ok(())
}

fn programmed(gateways: &[Value]) -> Seen<()> {
    for gateway in gateways {
        let mut conditions = items(&gateway["status"]["conditions"]).iter();
        if !conditions.any(|condition| condition["type"] == "Programmed" && condition["status"] == "True") {
            return Err(wait::not_yet(format!("Gateway {} is not programmed", name(gateway))));
        }
    }
    Ok(())
}

async fn list(client: &Client, path: &str) -> Seen<Vec<Value>> {
    let request = http::Request::get(path).body(Vec::new()).map_err(wait::not_yet)?;
    let mut list: Value = client.request(request).await.map_err(wait::not_yet)?;
    Ok(match list["items"].take() {
        Value::Array(items) => items,
        _ => Vec::new(),
    })
}

fn names(objects: &[Value]) -> Vec<String> {
    objects.iter().map(name).collect()
}

/// Namespace and name.
fn name(object: &Value) -> String {
    format!("{}/{}", text(&object["metadata"]["namespace"]), text(&object["metadata"]["name"]))
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
