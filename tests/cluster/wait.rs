//! Waits against real controllers: what ends them, how early, and what they say.

use std::thread;
use std::time::{Duration, Instant};

use runbook_control_plane::{
    ControlPlane, FAIL, FAIL_ON_NODE, Failure, READY_AFTER, many_deployments, many_pods, required_or_skip,
};
use runbook_core::{Code, Value};
use serde_json::json;

use crate::bench::Bench;

/// The control plane that the tests of this file share and a session on it, or nothing where it cannot be had.
fn bench(test: &str, namespace: &str) -> Option<(&'static ControlPlane, Bench)> {
    required_or_skip(test)?;
    let plane = ControlPlane::shared().unwrap_or_else(|fault| panic!("{fault}"));
    let bench = Bench::new(&plane.kubeconfig());
    bench.namespace(namespace);
    Some((plane, bench))
}

/// Long enough on a machine that does many other things; a wait ends when it is over, not when this is.
const PATIENT: &str = "9m";

/// A workload of one container without a service account, so that its namespace may be new.
fn workload(kind: &str, namespace: &str, name: &str, annotations: &Value) -> Value {
    let template = json!({
        "metadata": { "labels": { "app": name }, "annotations": annotations },
        "spec": {
            "automountServiceAccountToken": false,
            "containers": [{ "name": "app", "image": "registry.example/shop/app:1" }],
        },
    });
    let mut workload = json!({
        "apiVersion": "apps/v1", "kind": kind,
        "metadata": { "name": name, "namespace": namespace },
        "spec": { "selector": { "matchLabels": { "app": name } }, "template": template },
    });
    if kind == "Deployment" {
        workload["spec"]["replicas"] = json!(2);
    }
    workload
}

#[test]
fn a_slow_start_is_over_at_once_when_it_is_true() {
    let Some((_, bench)) = bench("a_slow_start_is_over_at_once_when_it_is_true", "wait-slow") else { return };
    bench.ok("kubectl::apply", json!([workload("Deployment", "wait-slow", "web", &json!({ READY_AFTER: "3s" }))]));
    let begun = Instant::now();
    let answer =
        bench.ok("wait::rollout", json!(["deployment", "web", { "namespace": "wait-slow", "timeout": PATIENT }]));
    assert_eq!(answer["object"], "deployment/web");
    assert!(begun.elapsed() > Duration::from_secs(2), "{answer}");
    let live = bench.ok("kubectl::get", json!(["deployment", "web", { "namespace": "wait-slow" }]));
    assert_eq!(live["status"]["availableReplicas"], 2);
    assert!(bench.waits().iter().any(|words| words.contains("of 2 replicas")), "{:?}", bench.waits());
    let (before, _) = bench.requests();
    bench.ok("wait::rollout", json!(["deployment", "web", { "namespace": "wait-slow" }]));
    assert_eq!(bench.requests().0 - before, 1, "what is true already costs one request");
}

#[test]
fn an_image_that_one_node_cannot_pull_ends_it_early_and_names_the_node() {
    let test = "an_image_that_one_node_cannot_pull_ends_it_early_and_names_the_node";
    let Some((_, bench)) = bench(test, "wait-image") else { return };
    let fails = json!({ FAIL: Failure::ImagePull.value(), FAIL_ON_NODE: "node-2" });
    bench.ok("kubectl::apply", json!([workload("DaemonSet", "wait-image", "agent", &fails)]));
    let begun = Instant::now();
    let fault =
        bench.fault("wait::rollout", json!(["daemonset", "agent", { "namespace": "wait-image", "timeout": PATIENT }]));
    assert_eq!(fault.code, Code::Doomed);
    assert!(fault.message.contains("registry.example/shop/app:1 cannot be pulled"), "{}", fault.message);
    assert!(fault.evidence.iter().any(|line| line.contains("node-2")), "{:?}", fault.evidence);
    assert!(begun.elapsed() < Duration::from_mins(4), "it took {:?}", begun.elapsed());
}

#[test]
fn a_crash_loop_ends_it_with_exit_code_and_restarts() {
    let Some((_, bench)) = bench("a_crash_loop_ends_it_with_exit_code_and_restarts", "wait-crash") else { return };
    let fails = json!({ FAIL: Failure::CrashLoop.value() });
    bench.ok("kubectl::apply", json!([workload("Deployment", "wait-crash", "web", &fails)]));
    let fault = bench.fault("wait::ready", json!(["deployment", "web", { "namespace": "wait-crash" }]));
    assert_eq!(fault.code, Code::Doomed);
    assert!(fault.message.contains("is crash-looping (app: exit 1, 2 restarts)"), "{}", fault.message);
    // There is no kubelet to ask for logs; that is said, not passed over.
    assert!(fault.evidence.iter().any(|line| line.starts_with("log    cannot be read")), "{:?}", fault.evidence);
}

#[test]
fn never_ready_runs_out_of_time_and_says_which_probe() {
    let Some((_, bench)) = bench("never_ready_runs_out_of_time_and_says_which_probe", "wait-never") else { return };
    let fails = json!({ FAIL: Failure::NeverReady.value() });
    bench.ok("kubectl::apply", json!([workload("Deployment", "wait-never", "web", &fails)]));
    let place = json!({ "namespace": "wait-never", "at_least": 2, "timeout": PATIENT });
    bench.ok("wait::field", json!(["pods", "*", "status.phase", "Running", place]));
    let place = json!({ "namespace": "wait-never", "timeout": PATIENT });
    bench.ok("wait::field", json!(["deployment", "web", "status.updatedReplicas", 2, place]));
    let fault =
        bench.fault("wait::ready", json!(["deployment", "web", { "namespace": "wait-never", "timeout": "8s" }]));
    assert_eq!(fault.code, Code::Timeout);
    assert!(fault.message.starts_with("deployment/web is not rolled out after 8s: "), "{}", fault.message);
    assert!(fault.message.contains("container app runs, but its readiness probe has not passed"), "{}", fault.message);
    assert_eq!(fault.evidence.len(), 2, "{:?}", fault.evidence);
}

#[test]
fn a_rollout_that_mends_a_broken_one_is_not_doomed_by_it() {
    let Some((_, bench)) = bench("a_rollout_that_mends_a_broken_one_is_not_doomed_by_it", "wait-mend") else { return };
    let fails = json!({ FAIL: Failure::ImagePull.value() });
    bench.ok("kubectl::apply", json!([workload("Deployment", "wait-mend", "web", &fails)]));
    let broken = bench.fault("wait::rollout", json!(["deployment", "web", { "namespace": "wait-mend" }]));
    assert_eq!(broken.code, Code::Doomed);
    bench.ok("kubectl::apply", json!([workload("Deployment", "wait-mend", "web", &json!({}))]));
    bench.ok("wait::rollout", json!(["deployment", "web", { "namespace": "wait-mend", "timeout": PATIENT }]));
}

#[test]
fn a_daemonset_that_updates_on_delete_is_waited_for_node_by_node() {
    let test = "a_daemonset_that_updates_on_delete_is_waited_for_node_by_node";
    let Some((_, bench)) = bench(test, "wait-delete") else { return };
    let mut agent = workload("DaemonSet", "wait-delete", "agent", &json!({}));
    agent["spec"]["updateStrategy"] = json!({ "type": "OnDelete" });
    let place = json!({ "namespace": "wait-delete", "timeout": PATIENT });
    bench.ok("kubectl::apply", json!([agent]));
    bench.ok("wait::rollout", json!(["daemonset", "agent", place]));
    agent["spec"]["template"]["metadata"]["annotations"] = json!({ "version": "2" });
    bench.ok("kubectl::apply", json!([agent]));
    let short = json!({ "namespace": "wait-delete", "timeout": "4s" });
    let fault = bench.fault("wait::rollout", json!(["daemonset", "agent", short]));
    assert!(fault.message.contains("0 of 3 nodes have a ready pod of the current revision"), "{}", fault.message);
    let pods = bench.ok("kubectl::list", json!(["pods", { "namespace": "wait-delete" }]));
    for pod in pods.as_array().unwrap() {
        let unwaited = json!({ "namespace": "wait-delete", "wait": false });
        bench.ok("kubectl::delete", json!(["pod", pod["metadata"]["name"], unwaited]));
    }
    bench.ok("wait::rollout", json!(["daemonset", "agent", place]));
}

#[test]
fn pods_that_the_quota_refuses_end_it_early() {
    let Some((_, bench)) = bench("pods_that_the_quota_refuses_end_it_early", "wait-quota") else { return };
    bench.ok(
        "kubectl::apply",
        json!([[
            {
                "apiVersion": "v1", "kind": "ResourceQuota", "metadata": { "name": "none", "namespace": "wait-quota" },
                "spec": { "hard": { "pods": "0" } },
            },
        ]]),
    );
    bench.ok("wait::field", json!(["quota", "none", "status.hard.pods", "0", { "namespace": "wait-quota" }]));
    for kind in ["Deployment", "StatefulSet", "DaemonSet"] {
        bench.ok("kubectl::apply", json!([workload(kind, "wait-quota", "web", &json!({}))]));
        let fault = bench.fault("wait::ready", json!([kind, "web", { "namespace": "wait-quota", "timeout": PATIENT }]));
        assert_eq!(fault.code, Code::Doomed, "{kind}: {}", fault.message);
        assert!(fault.message.contains("exceeded quota: none"), "{kind}: {}", fault.message);
    }
}

#[test]
fn a_thousand_deployments_that_are_true_cost_a_few_requests() {
    let test = "a_thousand_deployments_that_are_true_cost_a_few_requests";
    let Some((plane, bench)) = bench(test, "wait-thousand") else { return };
    let path = "/apis/apps/v1/namespaces/wait-thousand/deployments";
    plane.create_all(path, many_deployments(1000, 0)).unwrap();
    let all = json!(["deployment", "*", { "namespace": "wait-thousand", "timeout": PATIENT, "at_least": 1000 }]);
    bench.ok("wait::ready", all.clone());
    let ((before, _), begun) = (bench.requests(), Instant::now());
    let answer = bench.ok("wait::ready", all);
    assert_eq!(answer["count"], 1000);
    assert!(bench.requests().0 - before <= 10, "{} requests", bench.requests().0 - before);
    // Half a second is the aim; this is a program built for debugging on a machine that does other things as well.
    assert!(begun.elapsed() < Duration::from_secs(5), "it took {:?}", begun.elapsed());
}

#[test]
fn many_pods_are_waited_for_with_one_list_and_one_watch() {
    let test = "many_pods_are_waited_for_with_one_list_and_one_watch";
    let Some((plane, bench)) = bench(test, "wait-pods") else { return };
    bench.ok("wait::exists", json!(["serviceaccount", "default", { "namespace": "wait-pods", "timeout": PATIENT }]));
    thread::scope(|scope| {
        let path = "/api/v1/namespaces/wait-pods/pods";
        scope.spawn(move || plane.create_all(path, many_pods(90, 3)).unwrap());
        let (before, _) = bench.requests();
        let all = json!(["app=many", { "namespace": "wait-pods", "timeout": PATIENT, "at_least": 90 }]);
        let answer = bench.ok("wait::pods", all);
        assert_eq!(answer["count"], 90);
        // The list and the watch, and the same of events where pods say little for long.
        assert!(bench.requests().0 - before <= 4, "{} requests", bench.requests().0 - before);
    });
}

#[test]
fn endpoints_jobs_definitions_and_deletions_are_told_by_their_controllers() {
    let test = "endpoints_jobs_definitions_and_deletions_are_told_by_their_controllers";
    let Some((_, bench)) = bench(test, "wait-kinds") else { return };
    let place = json!({ "namespace": "wait-kinds", "timeout": PATIENT });
    bench.ok(
        "kubectl::apply",
        json!([[
            workload("Deployment", "wait-kinds", "web", &json!({})),
            {
                "apiVersion": "v1", "kind": "Service", "metadata": { "name": "web", "namespace": "wait-kinds" },
                "spec": { "selector": { "app": "web" }, "ports": [{ "port": 80 }] },
            },
            {
                "apiVersion": "v1", "kind": "ConfigMap",
                "metadata": { "name": "held", "namespace": "wait-kinds", "finalizers": ["example.com/hold"] },
            },
            {
                "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
                "metadata": { "name": "waits.example.com" },
                "spec": {
                    "group": "example.com", "scope": "Namespaced", "names": { "plural": "waits", "kind": "Wait" },
                    "versions": [{
                        "name": "v1", "served": true, "storage": true,
                        "schema": { "openAPIV3Schema": { "type": "object" } },
                    }],
                },
            },
        ]]),
    );
    bench.ok("wait::endpoints", json!(["web", { "namespace": "wait-kinds", "timeout": PATIENT, "at_least": 2 }]));
    bench.ok("wait::crd", json!(["waits.example.com", { "timeout": PATIENT, "versions": ["v1"] }]));
    let both = bench.ok(
        "wait::all",
        json!([[
        { "kind": "deployment", "name": "web", "namespace": "wait-kinds" },
        { "wait": "endpoints", "service": "web", "namespace": "wait-kinds" },
    ], { "timeout": PATIENT }]),
    );
    assert_eq!(both["count"], 2);
    bench.ok("kubectl::delete", json!(["configmap", "held", { "namespace": "wait-kinds", "wait": false }]));
    let held = json!({ "namespace": "wait-kinds", "timeout": "2s" });
    let fault = bench.fault("wait::deleted", json!(["configmap", "held", held]));
    assert!(fault.message.contains("held by finalizers example.com/hold"), "{}", fault.message);
    let free = json!({ "metadata": { "finalizers": null } });
    bench.ok("kubectl::patch", json!(["configmap", "held", free, { "namespace": "wait-kinds" }]));
    bench.ok("wait::deleted", json!(["configmap", "held", place]));
}
