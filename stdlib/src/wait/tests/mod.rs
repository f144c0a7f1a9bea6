//! Waits against a cluster behind the wire, run as a script runs them, on a clock in which waiting costs nothing.

mod clock;
mod cluster;
mod doom;
mod many;
mod objects;
mod script;
mod wire;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use runbook_core::engine::{Engine, Source};
use runbook_core::journal::Journal;
use runbook_core::record::{Entry, Event, Observer, Waiting};
use runbook_core::world::{Answer, Clock, Clusters, Files, Helm, Interrupt, Operator, Question};
use runbook_core::{Fault, Outcome, Session, Value, World};
use serde_json::json;

use self::clock::SimClock;
use self::cluster::Fake;

/// A cluster, a clock, and what a person was told.
struct Scene {
    runtime: tokio::runtime::Runtime,
    fake: Fake,
    clock: SimClock,
    interrupt: Interrupt,
    told: Arc<Mutex<Vec<Waiting>>>,
    /// The primitives whose calls were recorded.
    recorded: Arc<Mutex<Vec<String>>>,
}

impl Scene {
    fn new() -> Self {
        let clock = SimClock::start();
        Self {
            runtime: tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap(),
            fake: Fake::new(&clock),
            clock,
            interrupt: Interrupt::default(),
            told: Arc::default(),
            recorded: Arc::default(),
        }
    }

    /// Something that happens after so many seconds.
    fn after(&self, seconds: u64, act: impl FnOnce(&Fake) + Send + 'static) {
        let (sleep, fake) = (self.clock.at(Duration::from_secs(seconds)), self.fake.clone());
        self.runtime.spawn(async move {
            sleep.await;
            act(&fake);
        });
    }

    /// Runs a script to its end.
    fn run(&self, script: &str) -> Outcome {
        let inside = self.runtime.enter();
        let connection = self.fake.connect();
        drop(inside);
        let world = World {
            clusters: Clusters::new(Box::new(move |_| Ok(connection.clone()))),
            helm: Helm::default(),
            clock: Arc::new(self.clock.clone()),
            operator: Arc::new(Nobody),
            files: Files::default(),
            tokio: self.runtime.handle().clone(),
            interrupt: self.interrupt.clone(),
            secrets: Arc::default(),
        };
        let observers: Vec<Box<dyn Observer>> = vec![Box::new(Listener(self.told.clone(), self.recorded.clone()))];
        let session = Session::new(world, Journal::in_memory(), observers);
        let engine = Engine::new(crate::primitives(), crate::library());
        let source = Source { name: "test.rhai".to_owned(), text: script.to_owned(), folder: None };
        let runbook = engine.load(source).unwrap_or_else(|fault| panic!("{fault:?}"));
        runbook.run(session, serde_json::Map::new())
    }

    /// Simulated seconds since the start.
    fn seconds(&self) -> u64 {
        self.clock.elapsed().as_secs()
    }

    /// What a person was told last.
    fn last_told(&self) -> Waiting {
        self.told.lock().unwrap().last().expect("something was told").clone()
    }
}

/// Hears why a wait is not over, and which calls were recorded.
struct Listener(Arc<Mutex<Vec<Waiting>>>, Arc<Mutex<Vec<String>>>);

impl Observer for Listener {
    fn observe(&self, event: &Event<'_>) {
        match event {
            Event::Waiting { waiting, .. } => self.0.lock().unwrap().push((*waiting).clone()),
            Event::Recorded(record) => {
                if let Entry::Settled(settled) = &record.entry {
                    self.1.lock().unwrap().push(settled.call.primitive.clone());
                }
            }
            Event::Calling(_) => {}
        }
    }
}

/// Is not there to answer.
struct Nobody;

impl Operator for Nobody {
    fn answer(&self, question: &Question) -> Result<Answer, Fault> {
        panic!("a wait asks nobody: {question:?}")
    }

    fn overrides(&self, _: &str) -> Option<String> {
        None
    }
}

/// A Deployment of two replicas of which so many are updated and available.
fn deployment(name: &str, updated: i64) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": { "name": name, "namespace": "shop", "uid": format!("uid-{name}"), "generation": 1, "labels": { "app": name } },
        "spec": { "replicas": 2, "selector": { "matchLabels": { "app": name } } },
        "status": {
            "observedGeneration": 1, "replicas": 2, "updatedReplicas": updated, "readyReplicas": updated,
            "availableReplicas": updated,
        },
    })
}

/// Its newest ReplicaSet.
fn replicaset(deployment: &str) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {
            "name": format!("{deployment}-1"), "namespace": "shop", "uid": format!("uid-{deployment}-1"),
            "labels": { "app": deployment, "pod-template-hash": "1" },
            "annotations": { "deployment.kubernetes.io/revision": "1" },
            "ownerReferences": [{ "uid": format!("uid-{deployment}"), "controller": true }],
        },
    })
}

/// A pod of a controller in a namespace; `state` says how its container is.
fn pod(name: &str, app: &str, owner: &str, state: &Value) -> Value {
    let ready = state.get("running").is_some();
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": name, "namespace": "shop", "uid": format!("uid-{name}"), "labels": { "app": app },
            "ownerReferences": [{ "uid": owner, "controller": true }],
        },
        "spec": { "nodeName": "node-3", "containers": [{ "name": "app", "image": "example.com/app:2" }] },
        "status": {
            "phase": "Running",
            "conditions": [{ "type": "Ready", "status": if ready { "True" } else { "False" } }],
            "containerStatuses": [{
                "name": "app", "restartCount": 4, "ready": ready, "state": state,
                "lastState": { "terminated": { "exitCode": 1, "reason": "Error" } },
            }],
        },
    })
}

fn running() -> Value {
    json!({ "running": {} })
}

fn waiting(reason: &str, message: &str) -> Value {
    json!({ "waiting": { "reason": reason, "message": message } })
}
