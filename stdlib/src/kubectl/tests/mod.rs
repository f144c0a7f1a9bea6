//! Primitives of this folder over a faked wire: what is sent, and what is made of every kind of answer.

mod answers;
mod lost;
mod session;

use std::sync::{Arc, Mutex};

use http::{Request, Response};
use kube::client::Body;
use runbook_core::world::{Cluster, Clusters, Memory};
use runbook_core::{Outcome, Value};
use serde_json::json;

use crate::bench::Bench;

/// What a faked server does with a request.
enum Reply {
    /// A status and a body.
    Json(u16, Value),
    /// A watch.
    Lines(Vec<Value>),
    /// The connection ends before an answer: the request may have been processed.
    Lost,
}

/// A faked API server and a session on it.
struct Fake {
    bench: Bench,
    sent: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    /// `answer` gets method, path with query, and body.
    fn new(answer: impl Fn(&str, &str, &Value) -> Reply + Send + Sync + 'static) -> Self {
        let sent = Arc::<Mutex<Vec<String>>>::default();
        let (log, answer) = (sent.clone(), Arc::new(answer));
        let bench = Bench::with(|world| {
            let handle = world.tokio.clone();
            world.clusters = Clusters::new(Box::new(move |_| {
                let _inside = handle.enter();
                let (log, answer) = (log.clone(), answer.clone());
                let service = tower::service_fn(move |request: Request<Body>| {
                    let (log, answer) = (log.clone(), answer.clone());
                    async move {
                        let method = request.method().to_string();
                        let path = request.uri().to_string();
                        let body = request.into_body().collect_bytes().await.unwrap();
                        let body = serde_json::from_slice(&body).unwrap_or_default();
                        log.lock().unwrap().push(format!("{method} {path}"));
                        match answer(&method, &path, &body) {
                            Reply::Json(status, body) => Ok(Response::builder()
                                .status(status)
                                .body(Body::from(body.to_string().into_bytes()))
                                .unwrap()),
                            Reply::Lines(lines) => {
                                let text = lines.iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
                                Ok(Response::new(Body::from(text.into_bytes())))
                            }
                            Reply::Lost => Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset)),
                        }
                    }
                });
                Ok(Cluster {
                    client: kube::Client::new(service, "shop"),
                    context: "fake".to_owned(),
                    server: "http://fake".to_owned(),
                    namespace: "shop".to_owned(),
                    memory: Memory::default(),
                })
            }));
        });
        Self { bench, sent }
    }

    fn call(&self, name: &str, given: &[Value]) -> Outcome {
        let primitive = super::ALL.iter().find(|primitive| primitive.name == name).unwrap();
        self.bench.call(primitive, given)
    }

    fn sent(&self) -> Vec<String> {
        self.sent.lock().unwrap().clone()
    }
}

fn config_map(version: &str, labels: &Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": { "name": "settings", "namespace": "shop", "uid": "u1", "resourceVersion": version, "labels": labels },
        "data": { "colour": "blue" },
    })
}

fn status(code: u16, reason: &str, message: &str) -> Reply {
    let body = json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": message,
        "details": { "name": "settings", "kind": "configmaps" },
    });
    Reply::Json(code, body)
}
