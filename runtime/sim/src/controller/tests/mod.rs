//! The controllers at work, with the clock moved by hand.

mod garbage;
mod pods;
mod siblings;
mod work;
mod workloads;

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{Habits, Hand};
use crate::{Options, Simulation, resource::Resource, server::Deletion};

pub(super) const PODS: Resource = Resource::core("pods");
pub(super) const DEPLOYMENTS: Resource = Resource::of("apps", "v1", "deployments");

/// A cluster with three nodes and a namespace called `shop`.
pub(super) struct Bench {
    pub(super) hand: Hand,
    simulation: Arc<Simulation>,
    stop: CancellationToken,
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Bench {
    pub(super) async fn new(habits: Habits) -> Self {
        let simulation = Arc::new(Simulation::new(Options { habits, ..Options::default() }));
        let hand = Hand::new(simulation.server().clone(), "test");
        let stop = CancellationToken::new();
        let (running, stopped) = (simulation.clone(), stop.clone());
        tokio::spawn(async move { running.run(stopped).await });
        let bench = Self { hand, simulation, stop };
        for node in ["node-1", "node-2", "node-3"] {
            bench.create(Resource::core("nodes"), &json!({ "metadata": { "name": node } })).await;
        }
        bench.create(Resource::core("namespaces"), &json!({ "metadata": { "name": "shop" } })).await;
        bench.pass(100).await;
        bench
    }

    /// Lets so many milliseconds pass, a few at a time.
    pub(super) async fn pass(&self, milliseconds: u64) {
        let step = if milliseconds > 2000 { 20 } else { 5 };
        for _ in 0..milliseconds.div_ceil(step) {
            self.simulation.clock().advance(Duration::from_millis(step));
            for _ in 0..8 {
                tokio::task::yield_now().await;
            }
        }
    }

    pub(super) async fn create(&self, resource: Resource, object: &Value) -> Value {
        self.hand.create(resource, object.clone()).await.unwrap()
    }

    pub(super) fn get(&self, resource: Resource, name: &str) -> Value {
        self.hand.get(resource, "shop", name).unwrap_or_default()
    }

    pub(super) fn pods(&self) -> Vec<Value> {
        self.hand.list(PODS, Some("shop"))
    }

    pub(super) async fn merge(&self, resource: Resource, name: &str, patch: Value) {
        self.hand.patch_merge(resource, ("shop", name), patch).await.unwrap();
    }

    pub(super) async fn delete(&self, resource: Resource, name: &str) {
        self.hand.delete(resource, ("shop", name), Deletion::default()).await.unwrap();
    }

    /// The reasons and messages of the events about an object.
    pub(super) fn events(&self, name: &str) -> Vec<(String, String)> {
        let events = self.hand.list(Resource::core("events"), Some("shop")).into_iter();
        let word = |event: &Value, field: &str| event[field].as_str().unwrap_or_default().to_owned();
        events
            .filter(|event| event["involvedObject"]["name"] == name)
            .map(|event| (word(&event, "reason"), word(&event, "message")))
            .collect()
    }
}

/// The template of pods with one container.
pub(super) fn template(app: &str, image: &str) -> Value {
    json!({
        "metadata": { "labels": { "app": app } },
        "spec": { "containers": [{ "name": "c", "image": image, "resources": { "requests": { "cpu": "100m" } } }] },
    })
}

pub(super) fn workload(kind: &str, name: &str, replicas: i64) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": kind, "metadata": { "name": name, "namespace": "shop" },
        "spec": { "replicas": replicas, "selector": { "matchLabels": { "app": name } }, "template": template(name, "a:1") },
    })
}
