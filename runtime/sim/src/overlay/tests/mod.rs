//! What an overlay promises, over a simulated cluster in the place of a live one whose door counts.

mod acting;
mod reads;
mod writes;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{body::Body, response::Response};
use futures::FutureExt as _;
use http::Request;
use serde_json::{Value, json};
use tower::{BoxError, Service as _, ServiceExt as _};

use super::*;
use crate::controller::Habits;

/// What a test does about a request before the live cluster sees it: an answer in its place, none to let it pass.
type Fault = Arc<dyn Fn(&str, &str) -> Option<Result<Response, BoxError>> + Send + Sync>;

/// A live cluster whose door counts, and an overlay over it.
struct Bench {
    live: Arc<Simulation>,
    overlay: Arc<Overlay>,
    /// Method and path with query of everything that reached the live cluster.
    arrived: Arc<Mutex<Vec<(String, String)>>>,
    stop: CancellationToken,
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

const JSON: &str = "application/json";
const MERGE: &str = "application/merge-patch+json";

impl Bench {
    async fn new() -> Self {
        Self::with(Validation::Ask, Arc::new(|_, _| None)).await
    }

    async fn with(validation: Validation, fault: Fault) -> Self {
        let live = Arc::new(Simulation::new(crate::Options::default()));
        let arrived: Arc<Mutex<Vec<(String, String)>>> = Arc::default();
        let (router, seen) = (live.router(), arrived.clone());
        let door = tower::service_fn(move |request: Request<kube::client::Body>| {
            let (router, seen, fault) = (router.clone(), seen.clone(), fault.clone());
            async move {
                let (method, uri) = (request.method().to_string(), request.uri().to_string());
                seen.lock().unwrap().push((method.clone(), uri.clone()));
                match fault(&method, &uri) {
                    Some(answer) => answer,
                    None => router.oneshot(request.map(Body::new)).await.map_err(BoxError::from),
                }
            }
            .boxed()
        });
        let client = Client::new(door, "default");
        let options = Options { seed: 7, start: live.clock().now(), habits: Habits::default(), validation, veil: None };
        let overlay = Arc::new(Overlay::over(client, options));
        let stop = CancellationToken::new();
        let (running, until) = (live.clone(), stop.clone());
        tokio::spawn(async move { running.run(until).await });
        let (running, until) = (overlay.clone(), stop.clone());
        tokio::spawn(async move { running.simulation().run(until).await });
        let bench = Self { live, overlay, arrived, stop };
        for node in ["node-1", "node-2"] {
            bench.make("/api/v1/nodes", json!({ "kind": "Node", "metadata": { "name": node } })).await;
        }
        bench.make("/api/v1/namespaces", json!({ "kind": "Namespace", "metadata": { "name": "shop" } })).await;
        bench.pass(100).await;
        bench
    }

    /// Lets so many milliseconds pass in both clusters.
    async fn pass(&self, milliseconds: u64) {
        for _ in 0..milliseconds.div_ceil(20) {
            for clock in [self.live.clock(), self.overlay.simulation().clock()] {
                clock.advance(Duration::from_millis(20));
            }
            for _ in 0..16 {
                tokio::task::yield_now().await;
            }
        }
    }

    /// Makes an object in the live cluster.
    async fn make(&self, path: &str, mut object: Value) -> Value {
        if object.get("apiVersion").is_none() {
            object["apiVersion"] = "v1".into();
        }
        answered(send(&self.live.router(), "POST", path, JSON, object).await)
    }

    /// Asks the overlay, as the run does.
    async fn ask(&self, method: &str, path: &str, media: &str, body: Value) -> (u16, Value) {
        let mut service = self.overlay.service();
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let request = Request::builder().method(method).uri(path).header("content-type", media);
        let answer = service.call(request.body(kube::client::Body::from(body)).unwrap()).await.unwrap();
        read(answer).await
    }

    async fn get(&self, path: &str) -> Value {
        answered(self.ask("GET", path, JSON, Value::Null).await)
    }

    /// The names in a list.
    async fn names(&self, path: &str) -> Vec<String> {
        names(&self.get(path).await)
    }

    /// What reached the live cluster since the last time somebody looked.
    fn arrived(&self) -> Vec<String> {
        self.arrived.lock().unwrap().drain(..).map(|(method, uri)| format!("{method} {uri}")).collect()
    }

    /// Live config maps of one namespace, by name and color.
    async fn colors(&self, all: &[(&str, &str)]) {
        for (name, color) in all {
            let object = json!({
                "kind": "ConfigMap", "metadata": { "name": name, "labels": { "color": color } }, "data": { "a": "1" },
            });
            self.make("/api/v1/namespaces/shop/configmaps", object).await;
        }
    }
}

fn names(list: &Value) -> Vec<String> {
    let items = list["items"].as_array().into_iter().flatten();
    items.map(|item| item["metadata"]["name"].as_str().unwrap().to_owned()).collect()
}

async fn send(router: &axum::Router, method: &str, path: &str, media: &str, body: Value) -> (u16, Value) {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let request = Request::builder().method(method).uri(path).header("content-type", media).body(Body::from(body));
    read(router.clone().oneshot(request.unwrap()).await.unwrap()).await
}

async fn read(answer: Response) -> (u16, Value) {
    let code = answer.status().as_u16();
    let bytes = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    (code, serde_json::from_slice(&bytes).unwrap_or_default())
}

#[track_caller]
fn answered((code, body): (u16, Value)) -> Value {
    assert!(code < 300, "{code} {body}");
    body
}

fn deployment(name: &str, image: &str, replicas: i64) -> Value {
    json!({
        "kind": "Deployment", "apiVersion": "apps/v1", "metadata": { "name": name },
        "spec": {
            "replicas": replicas, "selector": { "matchLabels": { "app": name } },
            "template": {
                "metadata": { "labels": { "app": name } },
                "spec": { "containers": [{ "name": "c", "image": image }] },
            },
        },
    })
}
