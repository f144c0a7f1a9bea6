//! Where the programs run: a simulated cluster with nodes, controllers and istiod's stand-in, whose clock runs ten times as
//! fast as ours.

use std::{path::PathBuf, process::Command, sync::Arc, time::Duration};

use futures::future::BoxFuture;
use http::Request;
use runbook_control_plane::{Binaries, Tool};
use runbook_sim::{Call, Options, Simulation, actor::istiod::Fleet};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

/// How often the clock moves, and how far.
const TICK: Duration = Duration::from_millis(5);
const STEP: Duration = Duration::from_millis(50);

/// A simulated cluster, and what runs against it. All of it ends when this is dropped.
pub(crate) struct Place {
    _runtime: Runtime,
    stop: CancellationToken,
    binaries: Binaries,
    folder: TempDir,
}

/// What a program said, and whether it went well.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) is_good: bool,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Place {
    /// A cluster of `nodes` nodes.
    pub(crate) fn open(binaries: Binaries, nodes: usize) -> Self {
        let runtime = Runtime::new().unwrap();
        let simulation = Arc::new(Simulation::new(Options::default()));
        let stop = CancellationToken::new();
        let folder = tempfile::tempdir().unwrap();
        runtime.block_on(async {
            let listening = simulation.listen(stop.clone()).await.unwrap();
            fs_err::write(folder.path().join("kubeconfig"), listening.kubeconfig()).unwrap();
            let (running, until) = (simulation.clone(), stop.clone());
            tokio::spawn(async move { running.run(until).await });
            let (ticking, until) = (simulation.clock().clone(), stop.clone());
            tokio::spawn(async move {
                while !until.is_cancelled() {
                    tokio::time::sleep(TICK).await;
                    ticking.advance(STEP);
                }
            });
            let fleet = Arc::new(Fleet::new(
                simulation.client(),
                "a certificate".to_owned(),
                Arc::new(simulation.clock().clone()),
            ));
            let (acting, until) = (fleet.clone(), stop.clone());
            tokio::spawn(async move { acting.run(until).await });
            simulation.set_answerer(Arc::new(move |call: Call| -> BoxFuture<'static, Option<Value>> {
                let fleet = fleet.clone();
                Box::pin(async move { fleet.admit(&call.namespace, &call.service, &call.path, call.review).await })
            }));
            for number in 1..=nodes {
                let node = node(&format!("node-{number}"));
                let request = Request::post("/api/v1/nodes").body(node.to_string().into_bytes()).unwrap();
                simulation.client().request::<Value>(request).await.unwrap();
                let path = format!("/api/v1/nodes/node-{number}/status");
                let status = json!({ "status": node["status"] }).to_string().into_bytes();
                let request = Request::patch(path).header("content-type", "application/merge-patch+json").body(status);
                simulation.client().request::<Value>(request.unwrap()).await.unwrap();
            }
        });
        Self { _runtime: runtime, stop, binaries, folder }
    }

    /// A file, by its path.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs_err::write(&path, text).unwrap();
        path
    }

    /// Runs a program.
    pub(crate) fn run(&self, tool: Tool, arguments: &[&str]) -> Said {
        let home = self.folder.path();
        let mut command = Command::new(self.binaries.path(tool));
        command.args(arguments).env("KUBECONFIG", home.join("kubeconfig")).env("HOME", home).current_dir(home);
        let done = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Said { is_good: done.status.success(), out: text(&done.stdout), err: text(&done.stderr) }
    }

    /// Runs a program that has to succeed; what it said.
    pub(crate) fn good(&self, tool: Tool, arguments: &[&str]) -> String {
        let said = self.run(tool, arguments);
        assert!(said.is_good, "{tool:?} {arguments:?}\n{}{}", said.out, said.err);
        said.out
    }

    /// kubectl, which has to succeed.
    pub(crate) fn kubectl(&self, line: &str) -> String {
        self.good(Tool::Kubectl, &line.split(' ').collect::<Vec<_>>())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn node(name: &str) -> Value {
    let room = json!({ "cpu": "32", "memory": "64Gi", "pods": "110", "ephemeral-storage": "100Gi" });
    json!({
        "kind": "Node", "apiVersion": "v1",
        "metadata": { "name": name, "labels": {
            "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
        } },
        "spec": { "podCIDR": "10.1.0.0/24" },
        "status": {
            "capacity": room, "allocatable": room,
            "conditions": [{ "type": "Ready", "status": "True", "reason": "KubeletReady", "message": "ready",
                "lastHeartbeatTime": "2026-01-01T00:00:00Z", "lastTransitionTime": "2026-01-01T00:00:00Z" }],
            "nodeInfo": { "kubeletVersion": "v1.36.0", "operatingSystem": "linux", "architecture": "amd64" },
        },
    })
}
