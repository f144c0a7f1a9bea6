//! Reads: what is live falls through once, and looks as it looks there.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::resource::GroupResource;

const MAPS: &str = "/api/v1/namespaces/shop/configmaps";

fn refusal(code: u16, reason: &str) -> Option<Result<Response, BoxError>> {
    let body = json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "message": reason, "code": code });
    let mut answer = Response::new(Body::from(body.to_string()));
    *answer.status_mut() = http::StatusCode::from_u16(code).unwrap();
    Some(Ok(answer))
}

#[tokio::test]
async fn what_is_live_is_read_once_and_keeps_its_versions() {
    let bench = Bench::new().await;
    bench.colors(&[("a", "red"), ("b", "blue")]).await;
    bench.arrived();
    let live = answered(send(&bench.live.router(), "GET", &format!("{MAPS}/a"), JSON, Value::Null).await);
    assert_eq!(bench.get(&format!("{MAPS}/a")).await, live);
    assert_eq!(bench.get(&format!("{MAPS}/a")).await, live);
    assert_eq!(bench.names(MAPS).await, ["a", "b", "kube-root-ca.crt"]);
    assert_eq!(bench.names(&format!("{MAPS}?labelSelector=color%3Dblue&limit=1")).await, ["b"]);
    assert_eq!(bench.get(&format!("{MAPS}/b")).await["metadata"]["labels"]["color"], "blue");
    assert_eq!(bench.ask("GET", &format!("{MAPS}/c"), JSON, Value::Null).await.0, 404);
    assert_eq!(bench.arrived(), [format!("GET {MAPS}/a"), format!("GET {MAPS}?limit=500")]);
    let read = bench.overlay.reads();
    let a = read.iter().find(|read| read.subject.name == "a").unwrap();
    assert_eq!(a.version.as_deref(), live["metadata"]["resourceVersion"].as_str());
}

#[tokio::test]
async fn selectors_go_to_the_live_cluster_and_pages_come_from_here() {
    let bench = Bench::new().await;
    bench.colors(&[("a", "red"), ("b", "blue"), ("c", "red"), ("d", "red")]).await;
    bench.arrived();
    let first = bench.get(&format!("{MAPS}?labelSelector=color%3Dred&limit=2")).await;
    assert_eq!(names(&first), ["a", "c"]);
    let token = first["metadata"]["continue"].as_str().unwrap();
    assert_eq!(bench.names(&format!("{MAPS}?labelSelector=color%3Dred&limit=2&continue={token}")).await, ["d"]);
    assert_eq!(bench.arrived(), [format!("GET {MAPS}?limit=500&labelSelector=color%3Dred")]);
    // One that is planned is among them, one that is planned to go is not, and a wider list brings it back neither.
    answered(bench.ask("DELETE", &format!("{MAPS}/c"), JSON, Value::Null).await);
    let new =
        json!({ "kind": "ConfigMap", "apiVersion": "v1", "metadata": { "name": "bb", "labels": { "color": "red" } } });
    answered(bench.ask("POST", MAPS, JSON, new).await);
    assert_eq!(bench.names(&format!("{MAPS}?labelSelector=color%3Dred")).await, ["a", "bb", "d"]);
    assert_eq!(bench.names(MAPS).await, ["a", "b", "bb", "d", "kube-root-ca.crt"]);
    assert_eq!(bench.names("/api/v1/configmaps?labelSelector=color%3Dred").await, ["a", "bb", "d"]);
}

#[tokio::test]
async fn many_pages_are_read_and_one_that_is_too_old_begins_anew() {
    let expired = Arc::new(AtomicUsize::new(0));
    let seen = expired.clone();
    let fault: Fault = Arc::new(move |_, uri| {
        let is_second = uri.contains("/configmaps") && uri.contains("continue=");
        (is_second && seen.fetch_add(1, Ordering::Relaxed) == 0).then(|| refusal(410, "Expired"))?
    });
    let bench = Bench::with(Validation::Ask, fault).await;
    for number in 0..1201 {
        let object = json!({ "kind": "ConfigMap", "metadata": { "name": format!("m{number:04}") } });
        bench.make(MAPS, object).await;
    }
    bench.arrived();
    assert_eq!(bench.names(MAPS).await.len(), 1202);
    let arrived = bench.arrived();
    assert_eq!(arrived.len(), 5, "two pages, and then three: {arrived:#?}");
    assert_eq!(bench.names(MAPS).await.len(), 1202);
    assert!(bench.arrived().is_empty());
}

#[tokio::test]
async fn what_may_not_be_read_is_no_empty_list() {
    let fault: Fault = Arc::new(|_, uri| {
        uri.contains("/secrets").then(|| refusal(403, "secrets is forbidden: User \"ada\" cannot list"))?
    });
    let bench = Bench::with(Validation::Ask, fault).await;
    bench.arrived();
    for _ in 0..2 {
        let (code, body) = bench.ask("GET", "/api/v1/namespaces/shop/secrets", JSON, Value::Null).await;
        assert_eq!((code, body["message"].as_str().unwrap().contains("User \"ada\" cannot list")), (403, true));
    }
    assert_eq!(bench.arrived().len(), 1);
    assert_eq!(bench.names(MAPS).await, ["kube-root-ca.crt"]);
}

#[tokio::test]
async fn a_cluster_that_does_not_answer_is_asked_again_next_time() {
    let broken = Arc::new(AtomicUsize::new(0));
    let seen = broken.clone();
    let fault: Fault = Arc::new(move |_, uri| {
        let is_first = uri.contains("/configmaps") && seen.fetch_add(1, Ordering::Relaxed) == 0;
        is_first.then(|| Err(BoxError::from(std::io::Error::other("connection reset by peer"))))
    });
    let bench = Bench::with(Validation::Ask, fault).await;
    let (code, body) = bench.ask("GET", MAPS, JSON, Value::Null).await;
    assert_eq!(code, 503);
    assert!(body["message"].as_str().unwrap().contains("connection reset by peer"), "{body}");
    assert_eq!(bench.names(MAPS).await, ["kube-root-ca.crt"]);
}

#[tokio::test]
async fn what_changes_underneath_is_unknown_and_stays_as_it_was_read() {
    let bench = Bench::new().await;
    bench.colors(&[("a", "red")]).await;
    assert_eq!(bench.get(&format!("{MAPS}/a")).await["data"]["a"], "1");
    let change = json!({ "data": { "a": "2" } });
    answered(send(&bench.live.router(), "PATCH", &format!("{MAPS}/a"), MERGE, change).await);
    assert_eq!(bench.get(MAPS).await["items"][0]["data"]["a"], "1");
    let unknowns = bench.overlay.unknowns();
    assert!(unknowns.iter().any(|it| it.what == "configmaps shop/a" && it.because.contains("changed")), "{unknowns:?}");
}

#[tokio::test]
async fn kinds_that_only_the_live_cluster_knows_are_read_through_and_not_written() {
    let fault: Fault = Arc::new(|_, uri| {
        let body = json!({ "kind": "NodeMetricsList", "items": [{ "metadata": { "name": "node-1" } }] });
        let is_theirs = uri == "/apis/metrics.k8s.io/v1beta1/nodes";
        is_theirs.then(|| Ok(Response::new(Body::from(body.to_string()))))
    });
    let bench = Bench::with(Validation::Ask, fault).await;
    assert_eq!(bench.names("/apis/metrics.k8s.io/v1beta1/nodes").await, ["node-1"]);
    bench.arrived();
    let (code, body) = bench.ask("POST", "/apis/metrics.k8s.io/v1beta1/nodes", JSON, json!({})).await;
    assert_eq!((code, body["message"].as_str().unwrap().contains("this kind cannot be simulated")), (501, true));
    assert!(bench.arrived().iter().all(|request| request.starts_with("GET")));
    assert_eq!(bench.ask("GET", "/apis/none.example.com/v1/things", JSON, Value::Null).await.0, 404);
}

#[tokio::test]
async fn custom_kinds_are_those_of_the_live_cluster_and_of_the_plan() {
    let bench = Bench::new().await;
    let definition = |plural: &str, kind: &str| {
        json!({
            "kind": "CustomResourceDefinition", "apiVersion": "apiextensions.k8s.io/v1",
            "metadata": { "name": format!("{plural}.example.com") },
            "spec": {
                "group": "example.com", "scope": "Namespaced",
                "names": { "plural": plural, "kind": kind, "singular": kind.to_lowercase() },
                "versions": [{ "name": "v1", "served": true, "storage": true, "schema": { "openAPIV3Schema": {
                    "type": "object", "x-kubernetes-preserve-unknown-fields": true } } }],
            },
        })
    };
    let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    bench.make(definitions, definition("lamps", "Lamp")).await;
    bench.pass(200).await;
    let lamp = json!({ "kind": "Lamp", "apiVersion": "example.com/v1", "metadata": { "name": "desk" }, "on": true });
    bench.make("/apis/example.com/v1/namespaces/shop/lamps", lamp).await;
    assert_eq!(bench.names("/apis/example.com/v1/namespaces/shop/lamps").await, ["desk"]);
    let off = json!({ "on": false });
    answered(bench.ask("PATCH", "/apis/example.com/v1/namespaces/shop/lamps/desk", MERGE, off).await);
    assert_eq!(bench.get("/apis/example.com/v1/namespaces/shop/lamps").await["items"][0]["on"], false);

    assert_eq!(bench.ask("GET", "/apis/example.com/v1/namespaces/shop/chairs", JSON, Value::Null).await.0, 404);
    answered(bench.ask("POST", definitions, JSON, definition("chairs", "Chair")).await);
    bench.pass(200).await;
    bench.arrived();
    assert!(bench.names("/apis/example.com/v1/namespaces/shop/chairs").await.is_empty());
    assert!(bench.arrived().is_empty(), "the live cluster has no chairs");
    let known = bench.get("/apis/example.com/v1").await;
    let kinds: Vec<_> = known["resources"].as_array().unwrap().iter().map(|it| it["kind"].clone()).collect();
    assert_eq!(kinds, ["Chair", "Lamp"]);
}

/// A cluster of a size that people have: 5,000 pods in 200 namespaces.
#[tokio::test]
async fn a_large_cluster_is_read_once_whoever_asks_for_how_much_of_it() {
    let bench = Bench::new().await;
    let pods = GroupResource::new("", "pods");
    for number in 0..5000_u64 {
        let object = json!({
            "kind": "Pod", "apiVersion": "v1",
            "metadata": {
                "name": format!("p{number:04}"), "namespace": format!("n{:03}", number % 200), "uid": format!("u{number}"),
                "resourceVersion": (1000 + number).to_string(), "labels": { "app": format!("a{}", number % 7) },
            },
            "spec": { "nodeName": "node-1", "containers": [{ "name": "c", "image": "a:1" }] },
            "status": { "phase": "Running" },
        });
        bench.live.server().store.lay(&pods, &Arc::new(crate::store::Stored::of(&pods, &object, 1000 + number)));
    }
    bench.arrived();
    assert_eq!(bench.names("/api/v1/namespaces/n007/pods").await.len(), 25);
    assert_eq!(bench.arrived().len(), 1);
    assert_eq!(bench.names("/api/v1/pods").await.len(), 5000);
    assert_eq!(bench.arrived().len(), 10, "ten pages of 500");
    for namespace in 0..200 {
        assert_eq!(bench.names(&format!("/api/v1/namespaces/n{namespace:03}/pods")).await.len(), 25);
    }
    assert!(!bench.names("/api/v1/pods?labelSelector=app%3Da3").await.is_empty());
    assert_eq!(bench.get("/api/v1/namespaces/n001/pods/p0001").await["metadata"]["uid"], "u1");
    assert!(bench.arrived().is_empty(), "nothing is fetched twice");
    answered(bench.ask("DELETE", "/api/v1/namespaces/n001/pods/p0001", JSON, Value::Null).await);
    bench.pass(200).await;
    let arrived = bench.arrived();
    assert!(arrived.iter().all(|it| !it.starts_with("GET /api/v1/pods")), "{arrived:#?}");
    assert!(arrived.len() < 20, "what stands around one pod: {arrived:#?}");
}
