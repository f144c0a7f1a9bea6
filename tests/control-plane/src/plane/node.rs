//! The nodes: plain objects, kept alive by kwok.

use std::fmt::Write as _;

use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::core::v1::Node;
use kube::Client;
use kube::api::{Api, ListParams, PostParams};
use serde::Serialize;
use serde_json::json;

use crate::build::kubernetes_version;
use crate::fault::Fault;
use crate::process::Keeper;
use crate::wait::{self, Not};

/// How many nodes, and how large.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Nodes {
    /// How many; `node-1` and so on. At most 250.
    pub count: u8,
    /// How many pods each takes.
    pub pods_each: u32,
}

impl Default for Nodes {
    /// Three nodes of an ordinary kubelet's size.
    fn default() -> Self {
        Self { count: 3, pods_each: 110 }
    }
}

/// Creates the nodes that are not there yet and waits until all are ready.
pub(crate) async fn create(client: &Client, keeper: &Keeper, nodes: Nodes) -> Result<(), Fault> {
    let api: Api<Node> = Api::all(client.clone());
    stream::iter(1..=nodes.count)
        .map(|number| {
            let api = &api;
            async move {
                match api.create(&PostParams::default(), &node(number, nodes.pods_each)?).await {
                    Err(kube::Error::Api(status)) if status.is_already_exists() => Ok(()),
                    other => other.map(drop).map_err(Fault::from),
                }
            }
        })
        .buffer_unordered(16)
        .try_collect::<Vec<()>>()
        .await?;
    wait::until("every node is ready", 60, async || {
        keeper.check().map_err(Not::Ever)?;
        all_ready(&api).await
    })
    .await
}

async fn all_ready(api: &Api<Node>) -> wait::Seen<()> {
    let nodes = api.list(&ListParams::default()).await.map_err(wait::not_yet)?;
    let mut unready = String::new();
    for node in &nodes {
        let conditions = node.status.iter().flat_map(|status| status.conditions.iter().flatten());
        let ready = conditions.into_iter().any(|condition| condition.type_ == "Ready" && condition.status == "True");
        let tainted = node.spec.as_ref().is_some_and(|spec| spec.taints.iter().flatten().next().is_some());
        if !ready || tainted {
            let _ = write!(unready, "{} ", node.metadata.name.as_deref().unwrap_or_default());
        }
    }
    if unready.is_empty() { Ok(()) } else { Err(wait::not_yet(format!("not ready or tainted: {unready}"))) }
}

/// A node as a kubelet of the control plane's version would register it.
fn node(number: u8, pods: u32) -> Result<Node, Fault> {
    let name = format!("node-{number}");
    let size = json!({ "cpu": "64", "memory": "256Gi", "ephemeral-storage": "1Ti", "pods": pods.to_string() });
    serde_json::from_value(json!({
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": { "name": name, "labels": labels(&name, number) },
        // A /20 for each: room for as many pods as a benchmark may want.
        "spec": { "podCIDR": format!("10.{}.{}.0/20", 100 + number / 16, u32::from(number % 16) * 16) },
        "status": {
            "addresses": [
                { "type": "InternalIP", "address": format!("10.0.0.{number}") },
                { "type": "Hostname", "address": name },
            ],
            "allocatable": size,
            "capacity": size,
            "nodeInfo": {
                "architecture": "amd64",
                "bootID": "", "machineID": "", "systemUUID": "",
                "containerRuntimeVersion": "containerd://2.1.4",
                "kernelVersion": "6.12.0",
                "kubeProxyVersion": "",
                // Left out, kwok writes its own name here, which is no version to whoever reads it.
                "kubeletVersion": kubernetes_version(),
                "operatingSystem": "linux",
                "osImage": "Debian GNU/Linux 13 (trixie)",
            },
        },
    }))
    .map_err(|error| Fault::malformed("a node", error))
}

fn labels(name: &str, number: u8) -> serde_json::Value {
    json!({
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "node.kubernetes.io/instance-type": "test.large",
        "topology.kubernetes.io/region": "test",
        "topology.kubernetes.io/zone": format!("test-{}", ["a", "b", "c"][usize::from(number % 3)]),
    })
}
