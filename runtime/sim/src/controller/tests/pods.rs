//! Pods on their way to and through their nodes, and what leads to them.

use serde_json::{Value, json};

use super::{Bench, DEPLOYMENTS, PODS, template, workload};
use crate::{
    controller::{Failing, Failure, Habits, condition},
    resource::Resource,
};

const SERVICES: Resource = Resource::core("services");
const SLICES: Resource = Resource::of("discovery.k8s.io", "v1", "endpointslices");
const BUDGETS: Resource = Resource::of("policy", "v1", "poddisruptionbudgets");
const SCALERS: Resource = Resource::of("autoscaling", "v2", "horizontalpodautoscalers");

fn pod(name: &str) -> Value {
    let mut pod = template("web", "a:1");
    pod["metadata"]["name"] = name.into();
    pod["metadata"]["namespace"] = "shop".into();
    pod
}

fn waiting(pod: &Value) -> &str {
    pod["status"]["containerStatuses"][0]["state"]["waiting"]["reason"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn a_pod_takes_its_time_and_then_is_ready() {
    let bench = Bench::new(Habits::default()).await;
    bench.create(PODS, &pod("p")).await;
    bench.pass(60).await;
    let early = bench.get(PODS, "p");
    assert_eq!((waiting(&early), &early["status"]["phase"]), ("ContainerCreating", &json!("Pending")));
    bench.pass(1500).await;
    let ready = bench.get(PODS, "p");
    assert_eq!(ready["status"]["phase"], "Running");
    assert!(condition::holds(&ready, "Ready"));
    assert!(ready["status"]["podIP"].is_string());
    bench.delete(PODS, "p").await;
    bench.pass(100).await;
    assert!(bench.get(PODS, "p")["metadata"]["deletionTimestamp"].is_string());
    bench.pass(1000).await;
    assert_eq!(bench.get(PODS, "p"), Value::Null);
}

#[tokio::test]
async fn pods_fail_as_they_are_asked_to_and_heal_at_once() {
    let bench = Bench::new(Habits::default()).await;
    for failure in ["image-pull", "crash-loop", "never-ready"] {
        let mut pod = pod(failure);
        pod["metadata"]["annotations"] = json!({ "control-plane.test/fail": failure });
        bench.create(PODS, &pod).await;
    }
    bench.pass(6000).await;
    assert_eq!(waiting(&bench.get(PODS, "image-pull")), "ImagePullBackOff");
    let crashing = bench.get(PODS, "crash-loop");
    assert!(crashing["status"]["containerStatuses"][0]["restartCount"].as_i64().unwrap() >= 1);
    assert_eq!(crashing["status"]["containerStatuses"][0]["lastState"]["terminated"]["exitCode"], 1);
    assert!(!condition::holds(&bench.get(PODS, "never-ready"), "Ready"));
    bench.pass(12_000).await;
    let unhealthy = bench.events("never-ready").into_iter().filter(|(reason, _)| reason == "Unhealthy").count();
    assert_eq!(unhealthy, 1);
    for failure in ["image-pull", "crash-loop", "never-ready"] {
        bench.merge(PODS, failure, json!({ "metadata": { "annotations": null } })).await;
    }
    bench.pass(100).await;
    for failure in ["image-pull", "crash-loop", "never-ready"] {
        assert!(condition::holds(&bench.get(PODS, failure), "Ready"), "{failure}");
    }
}

#[tokio::test]
async fn habits_make_pods_fail_by_node() {
    let failing = Failing { node: Some("node-2".to_owned()), failure: Failure::NeverReady, ..Failing::default() };
    let bench = Bench::new(Habits { failures: vec![failing], ..Habits::default() }).await;
    bench.create(DEPLOYMENTS, &workload("Deployment", "web", 3)).await;
    bench.pass(4000).await;
    for pod in bench.pods() {
        assert_eq!(condition::holds(&pod, "Ready"), pod["spec"]["nodeName"] != "node-2");
    }
    assert_eq!(bench.get(DEPLOYMENTS, "web")["status"]["availableReplicas"], 2);
}

#[tokio::test]
async fn a_pod_that_fits_nowhere_says_why() {
    let bench = Bench::new(Habits::default()).await;
    let mut large = pod("large");
    large["spec"]["containers"][0]["resources"]["requests"]["cpu"] = "1000".into();
    bench.create(PODS, &large).await;
    let mut picky = pod("picky");
    picky["spec"]["nodeSelector"] = json!({ "disk": "ssd" });
    bench.create(PODS, &picky).await;
    bench.pass(100).await;
    let why = "0/3 nodes are available: 3 Insufficient cpu. preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod.";
    assert_eq!(bench.events("large"), [("FailedScheduling".to_owned(), why.to_owned())]);
    let picky = bench.get(PODS, "picky");
    let scheduled = condition::find(&picky, "/status/conditions", "PodScheduled").unwrap();
    assert_eq!((&scheduled["status"], &scheduled["reason"]), (&json!("False"), &json!("Unschedulable")));
    let label = json!({ "metadata": { "labels": { "disk": "ssd" } } });
    bench.hand.patch_merge(Resource::core("nodes"), ("", "node-2"), label).await.unwrap();
    bench.pass(2000).await;
    assert_eq!(bench.get(PODS, "picky")["spec"]["nodeName"], "node-2");
}

#[tokio::test]
async fn services_lead_to_pods_that_are_ready() {
    let bench = Bench::new(Habits { load_balancers: vec!["192.0.2.1".to_owned()], ..Habits::default() }).await;
    let service = json!({
        "metadata": { "name": "web", "namespace": "shop" },
        "spec": { "type": "LoadBalancer", "selector": { "app": "web" }, "ports": [{ "port": 80 }] },
    });
    bench.create(SERVICES, &service).await;
    bench.create(DEPLOYMENTS, &workload("Deployment", "web", 2)).await;
    bench.pass(4000).await;
    assert_eq!(bench.get(SERVICES, "web")["status"]["loadBalancer"]["ingress"][0]["ip"], "192.0.2.1");
    let slices = bench.hand.list(SLICES, Some("shop"));
    assert_eq!(slices.len(), 1);
    let endpoints = slices[0]["endpoints"].as_array().unwrap();
    assert_eq!(endpoints.len(), 2);
    assert!(
        endpoints
            .iter()
            .all(|endpoint| endpoint["conditions"] == json!({ "ready": true, "serving": true, "terminating": false }))
    );
    let old = bench.get(Resource::core("endpoints"), "web");
    assert_eq!(old["subsets"][0]["addresses"].as_array().unwrap().len(), 2);
    bench.delete(SERVICES, "web").await;
    bench.pass(500).await;
    assert!(bench.hand.list(SLICES, Some("shop")).is_empty());
    assert_eq!(bench.get(Resource::core("endpoints"), "web"), Value::Null);
}

#[tokio::test]
async fn a_budget_counts_what_may_go() {
    let bench = Bench::new(Habits::default()).await;
    bench.create(DEPLOYMENTS, &workload("Deployment", "web", 3)).await;
    let budget = json!({
        "metadata": { "name": "web", "namespace": "shop" },
        "spec": { "maxUnavailable": "34%", "selector": { "matchLabels": { "app": "web" } } },
    });
    bench.create(BUDGETS, &budget).await;
    bench.pass(4000).await;
    let status = bench.get(BUDGETS, "web")["status"].clone();
    for (field, count) in [
        ("disruptionsAllowed", 2),
        ("currentHealthy", 3),
        ("desiredHealthy", 1),
        ("expectedPods", 3),
        ("observedGeneration", 1),
    ] {
        assert_eq!(status[field], count, "{field} of {status}");
    }
    assert_eq!(status["conditions"][0]["reason"], "SufficientPods");
}

#[tokio::test]
async fn an_autoscaler_keeps_its_bounds_and_misses_its_metrics() {
    let bench = Bench::new(Habits::default()).await;
    bench.create(DEPLOYMENTS, &workload("Deployment", "web", 1)).await;
    let scaler = json!({
        "metadata": { "name": "web", "namespace": "shop" },
        "spec": { "minReplicas": 2, "maxReplicas": 5, "scaleTargetRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": "web" } },
    });
    bench.create(SCALERS, &scaler).await;
    bench.pass(35_000).await;
    assert_eq!(bench.pods().len(), 2);
    let scaler = bench.get(SCALERS, "web");
    let active = condition::find(&scaler, "/status/conditions", "ScalingActive").unwrap();
    assert_eq!((&active["status"], &active["reason"]), (&json!("False"), &json!("FailedGetResourceMetric")));
}
