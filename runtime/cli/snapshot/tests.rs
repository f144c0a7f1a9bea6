//! Snapshots of simulated clusters.

use std::sync::Arc;

use http::{Request, Response, StatusCode};
use kube::client::Body;
use runbook_core::world::Memory;
use runbook_sim::{Options, Simulation};
use serde_json::json;

use super::*;

const PASSWORD: &str = "C0rrect-Horse!";

async fn put(simulation: &Simulation, path: &str, object: &Value) {
    let request = Request::post(path).body(serde_json::to_vec(object).unwrap()).unwrap();
    simulation.client().request::<Value>(request).await.unwrap();
}

/// A cluster with a shop in it; what `forbidden` says of a path is answered with 403.
async fn shop(forbidden: fn(&str) -> bool) -> Arc<Cluster> {
    let simulation = Simulation::new(Options::default());
    for namespace in ["shop", "bank"] {
        let object = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": namespace } });
        put(&simulation, "/api/v1/namespaces", &object).await;
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "db" }, "stringData": { "password": PASSWORD },
        });
        put(&simulation, &format!("/api/v1/namespaces/{namespace}/secrets"), &secret).await;
        let map = json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "db" }, "data": { "url": format!("me:{PASSWORD}@db") },
        });
        put(&simulation, &format!("/api/v1/namespaces/{namespace}/configmaps"), &map).await;
    }
    let client = simulation.client();
    let service = tower::service_fn(move |request: Request<Body>| {
        let client = client.clone();
        async move {
            if !forbidden(request.uri().path()) {
                return client.send(request).await;
            }
            let message = "secrets is forbidden: User \"me\" cannot list resource \"secrets\" in API group \"\"";
            let status = json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Forbidden", "code": 403, "message": message });
            let answer = Response::builder().status(StatusCode::FORBIDDEN);
            Ok::<_, kube::Error>(answer.body(Body::from(status.to_string().into_bytes())).unwrap())
        }
    });
    Arc::new(Cluster {
        client: kube::Client::new(service, "default"),
        context: "shop-cluster".to_owned(),
        server: "https://shop.example".to_owned(),
        namespace: "default".to_owned(),
        memory: Memory::default(),
    })
}

async fn taken(forbidden: fn(&str) -> bool, only: &[&str]) -> (Tally, String, Value) {
    let mut file = Vec::new();
    let only = only.iter().map(|name| (*name).to_owned()).collect();
    let tally = Snapshot::new(shop(forbidden).await, only, &mut file).take(Timestamp::UNIX_EPOCH).await.unwrap();
    let text = String::from_utf8(file).unwrap();
    let document = serde_yaml::from_str(&text).unwrap();
    (tally, text, document)
}

fn objects(document: &Value) -> Vec<String> {
    let of = |object: &Value| {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        format!("{} {}/{}", text("/kind"), text("/metadata/namespace"), text("/metadata/name"))
    };
    document["state"].as_array().unwrap().iter().map(of).collect()
}

#[tokio::test]
async fn a_whole_cluster_is_one_document_without_its_secrets() {
    let (tally, text, document) = taken(|_| false, &[]).await;
    assert!(!text.contains(PASSWORD), "{text}");
    assert!(text.contains("me:<secret 1>@db"), "{text}");
    assert_eq!((tally.secrets, tally.unreadable, tally.opaque), (1, vec![], vec![]));
    let about = document["about"].as_str().unwrap();
    assert!(about.starts_with("Snapshot of shop-cluster (https://shop.example, Kubernetes v1."), "{about}");
    assert!(about.ends_with("), taken 1970-01-01 00:00:00 UTC."), "{about}");
    assert_eq!(document["at"], "1970-01-01T00:00:00Z");
    let objects = objects(&document);
    assert_eq!(objects.len(), tally.objects);
    for wanted in ["Namespace /shop", "Secret shop/db", "ConfigMap bank/db", "Namespace /kube-system"] {
        assert!(objects.iter().any(|object| object == wanted), "{wanted} in {objects:?}");
    }
    let shop = document["state"].as_array().unwrap().iter().find(|object| object["metadata"]["name"] == "shop");
    let shop = shop.unwrap();
    assert_eq!(shop["metadata"]["labels"], json!({ "kubernetes.io/metadata.name": "shop" }));
    assert_eq!(shop["status"], json!({ "phase": "Active" }));
    assert!(shop["metadata"]["uid"].is_string() && shop["metadata"].get("resourceVersion").is_none(), "{shop}");
    assert!(!shop["metadata"]["managedFields"].as_array().unwrap().is_empty(), "nobody owns a field of it: {shop}");
    // What was saved is a scenario, and stands in its cluster as it stood.
    let scenario = runbook_sim::scenario::Scenario::read(&text).unwrap();
    let again = Simulation::new(Options::default());
    again.restore(scenario.state).unwrap();
    let restored = again.objects().into_iter().find(|object| object["metadata"]["name"] == "shop").unwrap();
    assert_eq!(restored["metadata"]["uid"], shop["metadata"]["uid"]);
}

#[tokio::test]
async fn a_part_of_a_cluster_says_that_it_is_one() {
    let (_, _, document) = taken(|_| false, &["shop"]).await;
    assert!(document["about"].as_str().unwrap().contains(", of namespaces shop alone, "), "{document}");
    let objects = objects(&document);
    assert!(objects.contains(&"ConfigMap shop/db".to_owned()) && objects.contains(&"Namespace /shop".to_owned()));
    assert!(!objects.iter().any(|object| object.contains("bank")), "{objects:?}");
}

#[tokio::test]
async fn what_may_not_be_listed_is_named_and_never_empty() {
    let everywhere = |path: &str| path == "/api/v1/secrets" || path == "/api/v1/namespaces/bank/secrets";
    let (tally, text, document) = taken(everywhere, &[]).await;
    let places: Vec<_> = tally.unreadable.into_iter().map(|unreadable| unreadable.place).collect();
    assert_eq!(places, [Place::AllAtOnce, Place::Namespace("bank".to_owned())]);
    let row = |verb: &str, namespace: &str| json!({ "verb": verb, "resource": "secrets", "namespace": namespace, "times": 0, "answer": 403 });
    assert_eq!(
        document["trouble"],
        json!([row("list", ""), row("watch", ""), row("get", "bank"), row("list", "bank"), row("watch", "bank")])
    );
    assert!(objects(&document).contains(&"Secret shop/db".to_owned()), "{text}");
}

#[tokio::test]
async fn an_api_server_that_fails_is_a_fault_and_no_snapshot() {
    let mut file = Vec::new();
    let cluster = shop(|path| path == "/version").await;
    let fault = Snapshot::new(cluster, Vec::new(), &mut file).take(Timestamp::UNIX_EPOCH).await.unwrap_err();
    assert_eq!(fault.code, Code::Network);
    assert!(file.is_empty());
}
