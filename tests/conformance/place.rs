//! The two places that answer: a real API server and a simulation.
//!
//! Not known here: what they are asked.

use std::sync::Arc;
use std::time::Duration;

use kube::Client;
use runbook_control_plane::{ControlPlane, Identity};
use runbook_sim::{Options, Simulation};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

/// What the requests call themselves: the name under which fields are owned. The real server's client says it by itself.
pub(crate) const AGENT: &str = "conformance";

/// Who answers.
pub(crate) struct Place {
    pub(crate) client: Client,
    simulation: Option<Arc<Simulation>>,
}

/// Both.
pub(crate) struct Places {
    pub(crate) real: Place,
    pub(crate) simulated: Place,
    runtime: Runtime,
    stop: CancellationToken,
}

impl Places {
    pub(crate) fn open() -> Self {
        let plane = ControlPlane::shared().unwrap();
        let real = plane.client_as(Identity::Admin, AGENT).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let options = Options { start: jiff::Timestamp::now(), ..Options::default() };
        let simulation = Arc::new(Simulation::new(options));
        let stop = CancellationToken::new();
        let client = runtime.block_on(async { simulation.client() });
        let (background, ended) = (Arc::clone(&simulation), stop.clone());
        runtime.spawn(async move { background.run(ended).await });
        runtime.block_on(async { furnish(plane, &real, &client).await });
        let real = Place { client: real, simulation: None };
        Self { real, simulated: Place { client, simulation: Some(simulation) }, runtime, stop }
    }

    pub(crate) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }
}

impl Drop for Places {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Place {
    /// Which of the two.
    pub(crate) fn name(&self) -> &'static str {
        if self.simulation.is_some() { "simulation" } else { "API server" }
    }

    /// How long an `UNTIL` waits, of real time: simulated time passes faster, but this machine may have other things to do.
    pub(crate) fn patience(&self) -> Duration {
        Duration::from_secs(if self.simulation.is_some() { 10 } else { 20 })
    }

    /// Lets time pass: a little of the real one, or more of the simulated one.
    pub(crate) async fn wait(&self) {
        match &self.simulation {
            None => tokio::time::sleep(Duration::from_millis(50)).await,
            Some(simulation) => {
                for _ in 0..10 {
                    simulation.clock().advance(Duration::from_millis(50));
                    tokio::task::yield_now().await;
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    }
}

/// The simulation gets the nodes that the control plane has, as its kubelets would have registered them.
async fn furnish(_plane: &ControlPlane, real: &Client, simulated: &Client) {
    let request = http::Request::get("/api/v1/nodes").body(Vec::new()).unwrap();
    let nodes: Value = real.request(request).await.unwrap();
    for node in nodes["items"].as_array().unwrap() {
        let mut node = node.clone();
        node["apiVersion"] = "v1".into();
        node["kind"] = "Node".into();
        let status = json!({ "status": node["status"] });
        for key in ["uid", "resourceVersion", "creationTimestamp", "managedFields"] {
            node["metadata"].as_object_mut().unwrap().remove(key);
        }
        let name = node["metadata"]["name"].as_str().unwrap().to_owned();
        let body = serde_json::to_vec(&node).unwrap();
        let request =
            http::Request::post("/api/v1/nodes").header("content-type", "application/json").body(body).unwrap();
        if simulated.request::<Value>(request).await.is_ok() {
            let patch = http::Request::patch(format!("/api/v1/nodes/{name}/status"))
                .header("content-type", "application/merge-patch+json")
                .body(serde_json::to_vec(&status).unwrap())
                .unwrap();
            drop(simulated.request::<Value>(patch).await);
        }
    }
}
