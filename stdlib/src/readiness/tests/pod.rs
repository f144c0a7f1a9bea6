//! What keeps a pod from being ready, and whether it can heal.

use serde_json::{Value, json};

use super::super::pod::{Life, PodState};
use super::super::{Patience, Rule, Verdict};
use super::{FORBIDDEN, later, patience, pod, ready, waiting};

fn words(pod: &Value) -> String {
    PodState::of(pod).trouble().expect("it is in trouble").words.clone().into_owned()
}

fn doom(pod: &Value, patience: &Patience) -> Option<String> {
    PodState::of(pod).doom(patience).map(|doom| doom.reason)
}

#[test]
fn the_reason_is_the_most_specific_one_in_the_status() {
    let crash = json!({
        "restartCount": 4,
        "state": { "waiting": { "reason": "CrashLoopBackOff", "message": "back-off 1m20s restarting failed container" } },
        "lastState": { "terminated": { "exitCode": 1, "reason": "Error" } },
    });
    let killed = json!({
        "restartCount": 2, "started": true, "state": { "running": {} },
        "lastState": { "terminated": { "exitCode": 137, "reason": "OOMKilled" } },
    });
    for (container, expected) in [
        (waiting("ErrImagePull", FORBIDDEN), "ErrImagePull: example.com/shop/app:2: 403 Forbidden"),
        (
            waiting(
                "ImagePullBackOff",
                &format!("Back-off pulling image \"example.com/shop/app:2\": ErrImagePull: {FORBIDDEN}"),
            ),
            "ImagePullBackOff: example.com/shop/app:2: 403 Forbidden",
        ),
        (
            waiting("ImagePullBackOff", "Back-off pulling image \"example.com/shop/app:2\""),
            "ImagePullBackOff: example.com/shop/app:2",
        ),
        (crash, "CrashLoopBackOff: container app, exit 1, 4 restarts"),
        (killed, "container app runs, but its readiness probe has not passed; 2 restarts, last exit 137 OOMKilled"),
        (
            json!({ "started": false, "state": { "running": {} } }),
            "container app runs, but its startup probe has not passed",
        ),
        (
            json!({ "restartCount": 1, "state": { "terminated": { "exitCode": 2, "reason": "Error" } } }),
            "container app ended, exit 2, 1 restart",
        ),
        (
            waiting("CreateContainerConfigError", "secret \"shop-db\" not found"),
            "CreateContainerConfigError: secret \"shop-db\" not found",
        ),
        (waiting("ContainerCreating", ""), "ContainerCreating"),
    ] {
        assert_eq!(words(&pod("web-1", "rs", "node-1", &container)), expected);
    }
}

#[test]
fn a_blocking_init_container_and_an_unready_sidecar_are_named() {
    let mut blocked = pod("web-1", "rs", "node-1", &waiting("PodInitializing", ""));
    blocked["spec"]["initContainers"] = json!([
        { "name": "istio-init", "image": "example.com/proxyv2:1" },
        { "name": "istio-proxy", "image": "example.com/proxyv2:1", "restartPolicy": "Always" },
    ]);
    blocked["status"]["initContainerStatuses"] = json!([
        { "name": "istio-init", "restartCount": 0, "state": { "waiting": { "reason": "ErrImagePull", "message": "not found" } } },
        { "name": "istio-proxy", "restartCount": 0, "state": { "waiting": { "reason": "PodInitializing" } } },
    ]);
    assert_eq!(words(&blocked), "init container istio-init: ErrImagePull: example.com/proxyv2:1");
    blocked["status"]["initContainerStatuses"][0]["state"] = json!({ "running": {} });
    assert_eq!(words(&blocked), "init container istio-init is running");
    blocked["status"]["initContainerStatuses"][0]["state"] = json!({ "terminated": { "exitCode": 0 } });
    blocked["status"]["initContainerStatuses"][1] =
        json!({ "name": "istio-proxy", "started": false, "ready": false, "state": { "running": {} } });
    assert_eq!(words(&blocked), "sidecar istio-proxy runs, but its startup probe has not passed");
}

#[test]
fn an_image_that_the_registry_refuses_is_final_and_a_network_error_is_not_at_once() {
    let of = |reason, message| doom(&pod("web-1", "rs", "node-1", &waiting(reason, message)), &patience());
    let refused = Some("image example.com/shop/app:2 cannot be pulled (403 Forbidden)".to_owned());
    assert_eq!(of("ErrImagePull", FORBIDDEN), refused);
    assert_eq!(of("ErrImagePull", "failed to pull: dial tcp 192.0.2.1:443: i/o timeout"), None);
    // Any three digits stand in a digest.
    assert_eq!(of("ErrImagePull", "failed to copy sha256:9404ab403: httpReadSeeker: i/o timeout"), None);
    assert!(of("ImagePullBackOff", "Back-off pulling image \"example.com/shop/app:2\"").is_some());
    assert!(of("InvalidImageName", "couldn't parse image name").is_some());
}

#[test]
fn crash_looping_is_final_after_the_restarts_that_are_allowed() {
    let crash = |restarts| {
        let state = json!({
            "restartCount": restarts,
            "state": { "waiting": { "reason": "CrashLoopBackOff" } },
            "lastState": { "terminated": { "exitCode": 1 } },
        });
        doom(&pod("web-7f", "rs", "node-1", &state), &patience())
    };
    assert_eq!(crash(1), None);
    assert_eq!(crash(4).as_deref(), Some("pod web-7f is crash-looping (app: exit 1, 4 restarts)"));
}

#[test]
fn unschedulable_is_final_once_it_was_watched_for_long_enough() {
    let mut pod = pod("web-1", "rs", "", &waiting("ContainerCreating", ""));
    pod["status"]["containerStatuses"] = json!([]);
    pod["status"]["conditions"] = json!([{
        "type": "PodScheduled", "status": "False", "reason": "Unschedulable",
        "message": "0/3 nodes are available: 3 Insufficient cpu.", "lastTransitionTime": "2026-03-01T09:00:00Z",
    }]);
    assert_eq!(words(&pod), "Unschedulable: 0/3 nodes are available: 3 Insufficient cpu.");
    // It has been so for hours, but a node may have been ordered by the step before this wait.
    assert_eq!(doom(&pod, &later(239)), None);
    assert!(doom(&pod, &later(241)).unwrap().contains("Insufficient cpu"));
}

#[test]
fn a_pod_is_ready_finished_leaving_or_failed() {
    let well = pod("web-1", "rs", "node-1", &ready());
    assert_eq!(PodState::of(&well).life, Life::Ready);
    let mut leaving = well.clone();
    leaving["metadata"]["deletionTimestamp"] = json!("2026-03-01T12:00:00Z");
    assert_eq!(PodState::of(&leaving).life, Life::Leaving);
    let mut done = well.clone();
    done["status"] = json!({ "phase": "Succeeded", "conditions": [{ "type": "Ready", "status": "False" }] });
    assert_eq!(Rule::Pod.verdict(&done, None, &patience()), Verdict::Ready);
    let mut evicted = well;
    evicted["status"] = json!({ "phase": "Failed", "reason": "Evicted", "message": "The node was low on memory" });
    let verdict = Rule::Pod.verdict(&evicted, None, &patience());
    super::doomed(&verdict, "pod web-1 has failed: Evicted: The node was low on memory");
}
