//! What can no longer come ends a wait early, with evidence.

use runbook_core::Code;
use serde_json::json;

use super::{Scene, deployment, pod, replicaset, waiting};

const FORBIDDEN: &str = "failed to pull and unpack image \"example.com/app:2\": failed to resolve reference: \
    unexpected status from HEAD request to https://example.com/v2/app/manifests/2: 403 Forbidden";

#[test]
fn a_refused_image_ends_it_at_once_naming_pod_and_node() {
    let scene = Scene::new();
    scene.fake.put(replicaset("web"));
    scene.fake.put(deployment("web", 1));
    scene.after(7, |fake| fake.put(pod("web-1-a", "web", "uid-web-1", &waiting("ErrImagePull", FORBIDDEN))));
    let fault = scene.run(r#"wait::ready("deployment", "web", #{ namespace: "shop" })"#).unwrap_err();
    assert_eq!(fault.code, Code::Doomed);
    assert_eq!(
        fault.message,
        "deployment/web is not rolled out: image example.com/app:2 cannot be pulled (403 Forbidden)"
    );
    assert!(fault.evidence[0].starts_with("pod web-1-a, node-3: failed to pull"), "{:?}", fault.evidence);
    assert_eq!(fault.detail["reasons"], json!(["web-1-a   node-3   ErrImagePull: example.com/app:2: 403 Forbidden"]));
    assert_eq!(scene.seconds(), 7);
}

#[test]
fn a_crash_loop_brings_its_last_log_lines_and_events() {
    let scene = Scene::new();
    scene.fake.put(replicaset("web"));
    scene.fake.put(deployment("web", 1));
    scene.fake.put(pod("web-1-a", "web", "uid-web-1", &waiting("CrashLoopBackOff", "back-off 40s")));
    scene.fake.put(json!({
        "apiVersion": "v1", "kind": "Event", "metadata": { "name": "e", "namespace": "shop", "uid": "e" }, "type": "Warning",
        "involvedObject": { "uid": "uid-web-1-a" }, "reason": "BackOff", "message": "back-off restarting failed container",
        "lastTimestamp": "2026-03-01T11:59:11Z",
    }));
    let fault = scene.run(r#"wait::ready("deployment", "web", #{ namespace: "shop" })"#).unwrap_err();
    assert_eq!(
        fault.message,
        "deployment/web is not rolled out: pod web-1-a is crash-looping (app: exit 1, 4 restarts)"
    );
    assert_eq!(
        fault.evidence[1..],
        [
            "log    starting",
            "log    cannot open /etc/shop.yaml",
            "event  11:59:11 BackOff: back-off restarting failed container"
        ]
    );
    let patient = r#"wait::ready("deployment", "web", #{ namespace: "shop", allow_restarts: 9, timeout: "1m" })"#;
    assert_eq!(scene.run(patient).unwrap_err().code, Code::Timeout);
    let stubborn = r#"wait::ready("deployment", "web", #{ namespace: "shop", fail_fast: false, timeout: "1m" })"#;
    assert_eq!(scene.run(stubborn).unwrap_err().code, Code::Timeout);
}

#[test]
fn logs_that_cannot_be_had_are_said_to_be() {
    let scene = Scene::new();
    scene.fake.refuse("/log", 500, 99);
    scene.fake.put(pod("web-1-a", "web", "uid-web-1", &waiting("CrashLoopBackOff", "back-off 40s")));
    let fault = scene.run(r#"wait::ready("pod", "web-1-a", #{ namespace: "shop" })"#).unwrap_err();
    assert_eq!(fault.code, Code::Doomed);
    assert!(fault.evidence.iter().any(|line| line.starts_with("log    cannot be read: ")), "{:?}", fault.evidence);
}

#[test]
fn unschedulable_is_final_only_after_it_was_watched_for_no_activity() {
    let scene = Scene::new();
    let mut homeless = pod("web-1-a", "web", "uid-web-1", &json!({}));
    homeless["spec"]["nodeName"] = json!("");
    homeless["status"] = json!({ "phase": "Pending", "conditions": [{
        "type": "PodScheduled", "status": "False", "reason": "Unschedulable",
        "message": "0/3 nodes are available: 3 Insufficient cpu.", "lastTransitionTime": "2026-03-01T09:00:00Z",
    }] });
    scene.fake.put(homeless.clone());
    // Signs of life, so that it is the pod's fate which ends it.
    for beat in 1..6 {
        let mut alive = homeless.clone();
        alive["metadata"]["annotations"] = json!({ "beat": beat.to_string() });
        scene.after(beat * 20, move |fake| fake.put(alive));
    }
    let fault = scene.run(r#"wait::pods("app=web", #{ namespace: "shop", no_activity: "1m" })"#).unwrap_err();
    assert_eq!(fault.code, Code::Doomed);
    assert!(fault.message.contains("cannot be scheduled: 0/3 nodes"), "{}", fault.message);
    assert!((60..=70).contains(&scene.seconds()), "{}", scene.seconds());
}

#[test]
fn a_kind_that_nobody_can_judge_is_refused_with_what_to_do_instead() {
    let scene = Scene::new();
    let fault = scene.run(r#"wait::ready("configmap", "settings", #{ namespace: "shop" })"#).unwrap_err();
    assert_eq!(fault.code, Code::NoRule);
    assert!(fault.hint.unwrap().contains("wait::that") && scene.fake.requests().is_empty());
    scene.fake.put(json!({
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
        "metadata": { "name": "web", "namespace": "shop", "uid": "pdb", "generation": 1 },
        "status": { "conditions": [{ "type": "DisruptionAllowed", "status": "True" }] },
    }));
    assert_eq!(scene.run(r#"wait::ready("pdb", "web", #{ namespace: "shop" })"#).unwrap_err().code, Code::NoRule);
}
