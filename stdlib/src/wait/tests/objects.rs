//! One object: what a look costs, what ends a wait, and what is said meanwhile.

use runbook_core::Code;
use serde_json::json;

use super::{Scene, deployment, pod, replicaset, running, waiting};

#[test]
fn what_is_true_already_costs_one_request() {
    let scene = Scene::new();
    scene.fake.put(deployment("web", 2));
    let answer = scene.run(r#"wait::ready("deployment", "web", #{ namespace: "shop" })"#).unwrap();
    assert_eq!((&answer["object"], &answer["elapsed_ms"]), (&json!("deployment/web"), &json!(0)));
    assert_eq!(scene.fake.requests(), ["GET apps/v1/deployments/web"]);
    assert!(scene.told.lock().unwrap().is_empty());
}

#[test]
fn a_rollout_is_watched_told_and_over_the_moment_it_is_through() {
    let scene = Scene::new();
    scene.fake.put(replicaset("web"));
    scene.fake.put(deployment("web", 1));
    scene.fake.put(pod("web-1-a", "web", "uid-web-1", &waiting("ContainerCreating", "")));
    scene.after(20, |fake| fake.put(pod("web-1-a", "web", "uid-web-1", &running())));
    scene.after(21, |fake| fake.put(deployment("web", 2)));
    let answer = scene.run(r#"wait::rollout("deployment", "web", #{ namespace: "shop" })"#).unwrap();
    assert_eq!(answer["elapsed_ms"], json!(21_000));
    let told = scene.told.lock().unwrap().clone();
    let said = |reason: &str| told.iter().any(|waiting| waiting.reasons.iter().any(|line| line == reason));
    assert!(said("web-1-a   node-3   ContainerCreating"), "{told:?}");
    assert!(
        told.iter().all(|waiting| waiting.what == "deployment/web" && waiting.progress == "1 of 2 replicas updated")
    );
    let requests = scene.fake.requests();
    let lists = requests.iter().filter(|line| line.starts_with("LIST")).count();
    // ReplicaSets, pods, and events, as the pod's status was vague for longer than a moment.
    assert_eq!(lists, 3, "{requests:?}");
    assert_eq!(requests.iter().filter(|line| line.contains("GET")).count(), 1, "{requests:?}");
}

#[test]
fn never_ready_ends_by_its_timeout_with_progress_and_reason() {
    let scene = Scene::new();
    scene.fake.put(replicaset("web"));
    scene.fake.put(deployment("web", 1));
    let unready = json!({ "name": "app" });
    scene.fake.put(pod("web-1-a", "web", "uid-web-1", &unready));
    // Signs of life, so that it is the timeout which ends it.
    for minute in 1..6 {
        scene.after(minute * 60, move |fake| {
            let mut alive = deployment("web", 1);
            alive["metadata"]["annotations"] = json!({ "beat": minute.to_string() });
            fake.put(alive);
        });
    }
    let script = r#"wait::ready("deployment", "web", #{ namespace: "shop", timeout: "5m", no_activity: "2m" })"#;
    let fault = scene.run(script).unwrap_err();
    assert_eq!(fault.code, Code::Timeout);
    let expected = "deployment/web is not rolled out after 5m: 1 of 2 replicas updated, web-1-a node-3 container app runs, but its \
        readiness probe has not passed; 4 restarts, last exit 1";
    assert_eq!(fault.message, expected);
    assert_eq!(fault.object.as_deref(), Some("deployment/web"));
    assert_eq!(scene.seconds(), 300);
    assert!(fault.retryable && fault.hint.is_some());
}

#[test]
fn where_nothing_changes_at_all_it_ends_before_its_timeout() {
    let scene = Scene::new();
    scene.fake.put(deployment("web", 1));
    let fault = scene.run(r#"wait::ready("deployment", "web", #{ namespace: "shop" })"#).unwrap_err();
    assert_eq!(fault.code, Code::NotReady);
    assert_eq!(
        fault.message,
        "deployment/web is not rolled out, and nothing has changed for 4m: 1 of 2 replicas updated"
    );
}

#[test]
fn what_is_not_there_is_waited_for_and_named() {
    let scene = Scene::new();
    scene.after(30, |fake| fake.put(deployment("web", 2)));
    let answer = scene.run(r#"wait::ready("deploy", "web", #{ namespace: "shop" })"#).unwrap();
    assert_eq!(answer["elapsed_ms"], json!(30_000));
    assert_eq!(scene.last_told().reasons, ["does not exist"]);
    assert_eq!(scene.fake.requests(), ["GET apps/v1/deployments/web", "WATCH apps/v1/deployments from "]);
}

#[test]
fn a_deletion_waits_for_the_object_that_is_there_and_not_for_its_successor() {
    let scene = Scene::new();
    let old = deployment("web", 2);
    let mut going = old.clone();
    going["metadata"]["deletionTimestamp"] = json!("2026-03-01T12:00:00Z");
    going["metadata"]["finalizers"] = json!(["example.com/hold"]);
    scene.fake.put(going);
    let mut next = old.clone();
    next["metadata"]["uid"] = json!("another");
    scene.after(10, move |fake| {
        fake.delete(&old);
        fake.put(next);
    });
    let answer = scene.run(r#"wait::deleted("deployment", "web", #{ namespace: "shop" })"#).unwrap();
    assert_eq!(answer["elapsed_ms"], json!(10_000));
    assert_eq!(scene.last_told().reasons, ["is being deleted, held by finalizers example.com/hold"]);
    assert!(scene.run(r#"wait::deleted("deployment", "none", #{ namespace: "shop" })"#).is_ok());
}

#[test]
fn a_field_and_a_condition_are_waited_for_with_what_they_are_meanwhile() {
    let scene = Scene::new();
    let mut half = deployment("web", 1);
    half["status"]["conditions"] =
        json!([{ "type": "Available", "status": "False", "reason": "MinimumReplicasUnavailable" }]);
    scene.fake.put(half.clone());
    scene.after(5, |fake| fake.put(deployment("web", 2)));
    let script = r#"wait::field("deployment", "web", "status.readyReplicas", 2, #{ namespace: "shop" })"#;
    assert_eq!(scene.run(script).unwrap()["elapsed_ms"], json!(5000));
    assert_eq!(scene.last_told().reasons, ["status.readyReplicas is 1"]);
    scene.fake.put(half.clone());
    half["status"]["conditions"][0]["status"] = json!("True");
    scene.after(5, move |fake| fake.put(half));
    let script = r#"wait::condition("deployment", "web", "Available", #{ namespace: "shop" })"#;
    assert_eq!(scene.run(script).unwrap()["elapsed_ms"], json!(5000));
    assert_eq!(scene.last_told().reasons, ["Available is False: MinimumReplicasUnavailable"]);
}

#[test]
fn stable_starts_anew_with_each_generation() {
    let scene = Scene::new();
    scene.fake.put(deployment("web", 2));
    scene.after(40, |fake| {
        let mut next = deployment("web", 2);
        next["metadata"]["generation"] = json!(2);
        next["status"]["observedGeneration"] = json!(2);
        fake.put(next);
    });
    let answer = scene.run(r#"wait::stable("deployment", "web", "60s", #{ namespace: "shop" })"#).unwrap();
    assert_eq!(answer["elapsed_ms"], json!(100_000));
    assert_eq!(scene.last_told().progress, "ready, to stay so for 1m");
}

#[test]
fn a_daemonset_is_told_by_its_nodes_and_costs_four_looks() {
    let scene = Scene::new();
    let node = |name: &str| {
        json!({
            "apiVersion": "v1", "kind": "Node", "metadata": { "name": name, "uid": name },
            "status": { "conditions": [{ "type": "Ready", "status": "True" }] },
        })
    };
    let on = |node: &str, hash: &str, state: &serde_json::Value| {
        let mut pod = pod(&format!("agent-{node}-{hash}"), "agent", "ds", state);
        pod["spec"]["nodeName"] = json!(node);
        pod["metadata"]["labels"]["controller-revision-hash"] = json!(hash);
        pod
    };
    scene.fake.put(json!({
        "apiVersion": "apps/v1", "kind": "DaemonSet",
        "metadata": { "name": "agent", "namespace": "shop", "uid": "ds", "generation": 1 },
        "spec": {
            "selector": { "matchLabels": { "app": "agent" } }, "updateStrategy": { "type": "OnDelete" },
            "template": { "spec": {} },
        },
        "status": { "observedGeneration": 1, "desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberReady": 2 },
    }));
    scene.fake.put(json!({
        "apiVersion": "apps/v1", "kind": "ControllerRevision", "revision": 1,
        "metadata": {
            "name": "agent-new", "namespace": "shop", "uid": "cr",
            "labels": { "app": "agent", "controller-revision-hash": "new" },
            "ownerReferences": [{ "uid": "ds", "controller": true }],
        },
    }));
    scene.fake.put(node("node-1"));
    scene.fake.put(node("node-2"));
    scene.fake.put(on("node-1", "new", &running()));
    scene.fake.put(on("node-2", "old", &running()));
    let (old, new) = (on("node-2", "old", &running()), on("node-2", "new", &running()));
    scene.after(30, move |fake| {
        fake.delete(&old);
        fake.put(new);
    });
    let script = r#"wait::rollout("daemonset", "agent", #{ namespace: "shop" })"#;
    assert_eq!(scene.run(script).unwrap()["elapsed_ms"], json!(30_000));
    let told = scene.told.lock().unwrap().clone();
    assert!(
        told.iter().any(|waiting| waiting
            .reasons
            .contains(&"agent-node-2-old   node-2   still of the old revision".to_owned()))
    );
    let before = scene.fake.requests().len();
    scene.run(script).unwrap();
    let again = scene.fake.requests()[before..].to_vec();
    // The object, its pods, its revisions and the nodes.
    assert_eq!(again.len(), 4, "{again:?}");
}
