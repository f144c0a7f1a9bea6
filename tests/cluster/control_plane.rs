//! What every other test here takes for granted about the test bed.

use std::process::Command;
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::{Namespace, Node, Pod};
use kube::Client;
use kube::api::{Api, ListParams, PostParams};
use runbook_control_plane::{
    ControlPlane, FAIL, FAIL_ON_NODE, Failure, Helm, READY_AFTER, many_pods, required_or_skip,
};
use serde_json::{Value, json};

/// The control plane that the tests of this file share, or nothing where it cannot be had.
fn shared(test: &str) -> Option<&'static ControlPlane> {
    required_or_skip(test)?;
    Some(ControlPlane::shared().unwrap_or_else(|fault| panic!("{fault}")))
}

async fn namespace(client: &Client, name: &str) -> Api<Pod> {
    let body = serde_json::from_value(json!({ "metadata": { "name": name } })).unwrap();
    Api::<Namespace>::all(client.clone()).create(&PostParams::default(), &body).await.unwrap();
    Api::namespaced(client.clone(), name)
}

/// A pod whose annotations ask for a failure, bound to a node straight away.
fn pod(name: &str, node: &str, annotations: &Value) -> Pod {
    serde_json::from_value(json!({
        "metadata": { "name": name, "annotations": annotations },
        "spec": {
            "nodeName": node,
            "automountServiceAccountToken": false,
            "initContainers": [
                { "name": "setup", "image": "setup:1" },
                { "name": "sidecar", "image": "sidecar:1", "restartPolicy": "Always" },
            ],
            "containers": [{ "name": "app", "image": "app:1" }, { "name": "second", "image": "second:1" }],
        },
    }))
    .unwrap()
}

/// Looks at a pod until it is as described, for twenty seconds.
async fn until(pods: &Api<Pod>, name: &str, described: impl Fn(&Value) -> bool) -> Value {
    let begun = Instant::now();
    loop {
        let seen = serde_json::to_value(pods.get(name).await.unwrap()).unwrap();
        if described(&seen["status"]) {
            return seen;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{name}: {:#}", seen["status"]);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn condition(status: &Value, of: &str) -> String {
    let conditions = status["conditions"].as_array().cloned().unwrap_or_default();
    conditions.iter().find(|one| one["type"] == of).map_or(String::new(), |one| one["status"].as_str().unwrap().into())
}

/// A service account's absence refuses pods, and its controller takes a moment for a new namespace.
async fn create(pods: &Api<Pod>, pod: &Pod) {
    let begun = Instant::now();
    while let Err(error) = pods.create(&PostParams::default(), pod).await {
        assert!(begun.elapsed() < Duration::from_secs(20), "{error}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[test]
fn it_starts_with_ready_nodes_of_the_api_servers_version() {
    let Some(plane) = shared("it_starts_with_ready_nodes_of_the_api_servers_version") else { return };
    plane.block_on(async {
        let version = plane.client().apiserver_version().await.unwrap().git_version;
        let nodes = Api::<Node>::all(plane.client()).list(&ListParams::default()).await.unwrap();
        assert_eq!(nodes.items.len(), 3);
        for node in nodes {
            let status = node.status.unwrap();
            assert_eq!(status.node_info.unwrap().kubelet_version, version);
            let ready = status.conditions.unwrap().into_iter().find(|condition| condition.type_ == "Ready").unwrap();
            assert_eq!(ready.status, "True");
        }
    });
}

#[test]
fn a_pod_gets_the_status_a_kubelet_would_write() {
    let Some(plane) = shared("a_pod_gets_the_status_a_kubelet_would_write") else { return };
    plane.block_on(async {
        let pods = namespace(&plane.client(), "well").await;
        create(&pods, &pod("web", "node-1", &json!({}))).await;
        let seen = until(&pods, "web", |status| condition(status, "Ready") == "True").await;
        let status = &seen["status"];
        for of in ["ContainersReady", "Initialized", "PodReadyToStartContainers"] {
            assert_eq!(condition(status, of), "True", "{of}: {status:#}");
        }
        assert_eq!(status["phase"], "Running");
        assert_eq!(status["hostIP"], "10.0.0.1");
        assert!(status["podIP"].is_string() && status["startTime"].is_string());
        let [setup, sidecar] = [0, 1].map(|index| &status["initContainerStatuses"][index]);
        assert_eq!(setup["state"]["terminated"]["reason"], "Completed");
        assert!(sidecar["state"]["running"].is_object() && sidecar["started"] == true && sidecar["ready"] == true);
        assert_eq!(status["containerStatuses"].as_array().unwrap().len(), 2);
    });
}

#[test]
fn an_image_that_cannot_be_pulled_fails_on_the_named_node_only() {
    let Some(plane) = shared("an_image_that_cannot_be_pulled_fails_on_the_named_node_only") else { return };
    plane.block_on(async {
        let pods = namespace(&plane.client(), "image-pull").await;
        let asked = json!({ FAIL: Failure::ImagePull.value(), FAIL_ON_NODE: "node-2" });
        create(&pods, &pod("here", "node-2", &asked)).await;
        create(&pods, &pod("there", "node-3", &asked)).await;
        let waiting = |status: &Value| status["containerStatuses"][0]["state"]["waiting"]["reason"].clone();
        let seen = until(&pods, "here", |status| waiting(status) == "ImagePullBackOff").await;
        assert_eq!(seen["status"]["phase"], "Pending");
        until(&pods, "there", |status| condition(status, "Ready") == "True").await;
    });
}

#[test]
fn a_crash_loop_counts_its_restarts() {
    let Some(plane) = shared("a_crash_loop_counts_its_restarts") else { return };
    plane.block_on(async {
        let pods = namespace(&plane.client(), "crash-loop").await;
        create(&pods, &pod("web", "node-1", &json!({ FAIL: Failure::CrashLoop.value() }))).await;
        let first = |status: &Value| status["containerStatuses"][0].clone();
        let seen = until(&pods, "web", |status| {
            first(status)["restartCount"].as_i64() >= Some(2)
                && first(status)["state"]["waiting"]["reason"] == "CrashLoopBackOff"
        })
        .await;
        assert_eq!(first(&seen["status"])["lastState"]["terminated"]["exitCode"], 1);
        assert_eq!(condition(&seen["status"], "Ready"), "False");
    });
}

#[test]
fn a_pod_that_is_never_ready_runs_and_is_healed_by_taking_the_annotation_away() {
    let Some(plane) = shared("a_pod_that_is_never_ready_runs_and_is_healed_by_taking_the_annotation_away") else {
        return;
    };
    plane.block_on(async {
        let pods = namespace(&plane.client(), "never-ready").await;
        create(&pods, &pod("web", "node-1", &json!({ FAIL: Failure::NeverReady.value() }))).await;
        let seen = until(&pods, "web", |status| status["phase"] == "Running").await;
        assert_eq!(condition(&seen["status"], "Ready"), "False");
        let heal = kube::api::Patch::Merge(json!({ "metadata": { "annotations": { FAIL: null } } }));
        pods.patch("web", &kube::api::PatchParams::default(), &heal).await.unwrap();
        until(&pods, "web", |status| condition(status, "Ready") == "True").await;
    });
}

#[test]
fn a_slow_pod_runs_at_once_and_is_ready_when_it_said() {
    let Some(plane) = shared("a_slow_pod_runs_at_once_and_is_ready_when_it_said") else { return };
    plane.block_on(async {
        let pods = namespace(&plane.client(), "slow").await;
        create(&pods, &pod("web", "node-1", &json!({ READY_AFTER: "2s" }))).await;
        until(&pods, "web", |status| status["phase"] == "Running").await;
        let running = Instant::now();
        until(&pods, "web", |status| condition(status, "Ready") == "True").await;
        assert!(running.elapsed() > Duration::from_millis(1500), "ready after {:?}", running.elapsed());
    });
}

#[test]
fn the_audit_log_names_the_writer_and_tells_a_dry_run() {
    let Some(plane) = shared("the_audit_log_names_the_writer_and_tells_a_dry_run") else { return };
    let kubectl = |more: &[&str]| {
        let done = Command::new(plane.kubectl())
            .arg(format!("--kubeconfig={}", plane.kubeconfig().display()))
            .args(["create", "configmap", "witness"])
            .args(more)
            .output()
            .unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    kubectl(&["--dry-run=server"]);
    kubectl(&[]);
    let mut entries = plane.audit().unwrap();
    entries.retain(|entry| entry.resource == "configmaps" && entry.name == "witness" && entry.verb == "create");
    let told: Vec<_> = entries.iter().map(|entry| (entry.dry_run, entry.is_write(), entry.code)).collect();
    assert_eq!(told, [(true, false, 201), (false, true, 201)]);
    assert!(entries[0].user_agent.starts_with("kubectl/v1."), "{}", entries[0].user_agent);
    assert_eq!(entries[0].user, "admin");
}

#[test]
fn many_pods_are_made_and_become_ready() {
    let Some(plane) = shared("many_pods_are_made_and_become_ready") else { return };
    plane.block_on(namespace(&plane.client(), "many"));
    let made = plane.create_all("/api/v1/namespaces/many/pods", many_pods(60, 3)).unwrap();
    assert_eq!(made, 60);
    let ready = ["wait", "--for=condition=Ready", "--namespace=many", "--timeout=60s", "pod", "--selector=app=many"];
    assert_eq!(plane.run_kubectl(&ready).unwrap().lines().count(), 60);
}

#[test]
fn each_helm_calls_itself_by_its_version() {
    let Some(plane) = shared("each_helm_calls_itself_by_its_version") else { return };
    for (helm, version) in [(Helm::V3, "v3."), (Helm::V4, "v4.")] {
        let binary = plane.helm_folder(helm).unwrap().join("helm");
        let said = Command::new(binary).args(["version", "--short"]).output().unwrap().stdout;
        assert!(String::from_utf8_lossy(&said).starts_with(version), "{}", String::from_utf8_lossy(&said));
    }
}

#[test]
fn a_panicking_test_leaves_no_process_and_no_folder() {
    let test = "a_panicking_test_leaves_no_process_and_no_folder";
    if required_or_skip(test).is_none() {
        return;
    }
    let (told, folder) = std::sync::mpsc::channel();
    let panicked = std::thread::spawn(move || {
        let plane = ControlPlane::start().unwrap_or_else(|fault| panic!("{fault}"));
        told.send(plane.kubeconfig().parent().unwrap().to_owned()).unwrap();
        panic!("as a failing test does");
    });
    let folder = folder.recv().unwrap();
    assert!(panicked.join().is_err());
    assert!(!folder.exists(), "{} is still there", folder.display());
    // Every process of a control plane has its folder in its command line.
    for process in std::fs::read_dir("/proc").unwrap().flatten() {
        let line = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        assert!(!line.contains(&*folder.to_string_lossy()), "still running: {line}");
    }
}
