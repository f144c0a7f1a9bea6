//! Deployments, StatefulSets and Jobs.

use serde_json::{Value, json};

use super::super::{Rule, Source, Verdict};
use super::{FORBIDDEN, doomed, later, not_ready, patience, pod, ready, related, standing, waiting};

fn deployment(status: &Value) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": { "name": "web", "namespace": "shop", "uid": "deploy", "generation": 4 },
        "spec": { "replicas": 2, "selector": { "matchLabels": { "app": "web" } } },
        "status": status,
    })
}

fn replicaset(uid: &str, revision: &str) -> (Source, Value) {
    let object = json!({
        "metadata": {
            "name": uid, "namespace": "shop", "uid": uid, "labels": { "pod-template-hash": uid },
            "annotations": { "deployment.kubernetes.io/revision": revision },
            "ownerReferences": [{ "uid": "deploy", "controller": true }],
        },
    });
    (Source::ReplicaSets, object)
}

#[test]
fn a_deployment_is_ready_when_the_last_replica_is_new_and_available() {
    for (status, expected) in [
        (
            json!({ "observedGeneration": 4, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 2 }),
            None,
        ),
        // What the server still says for a moment after a change.
        (
            json!({ "observedGeneration": 3, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 2 }),
            Some(("", "generation 4 is not acted on yet, its status is of 3")),
        ),
        (json!({}), Some(("", "generation 4 is not acted on yet, its status is of 0"))),
        (
            json!({ "observedGeneration": 4, "replicas": 3, "updatedReplicas": 1, "readyReplicas": 2, "availableReplicas": 2 }),
            Some(("1 of 2 replicas updated", "")),
        ),
        (
            json!({ "observedGeneration": 4, "replicas": 3, "updatedReplicas": 2, "readyReplicas": 3, "availableReplicas": 3 }),
            Some(("2 of 2 replicas updated, 1 old still there", "")),
        ),
        (
            json!({ "observedGeneration": 4, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 1 }),
            Some(("1 of 2 replicas available", "")),
        ),
    ] {
        let verdict = Rule::Deployment.verdict(&deployment(&status), None, &patience());
        match expected {
            None => assert_eq!(verdict, Verdict::Ready),
            Some((progress, "")) => not_ready(&verdict, progress, &[]),
            Some((progress, reason)) => not_ready(&verdict, progress, &[reason]),
        }
    }
}

#[test]
fn a_rollout_names_pod_node_and_reason_and_is_doomed_by_an_image_that_is_refused() {
    let half = deployment(&json!({
        "observedGeneration": 4, "replicas": 3, "updatedReplicas": 1, "readyReplicas": 2, "availableReplicas": 2,
    }));
    let new = pod("web-2-x2b4q", "rs-2", "node-3", &waiting("ErrImagePull", FORBIDDEN));
    let found = related(&[replicaset("rs-1", "1"), replicaset("rs-2", "2"), (Source::TroubledPods, new)]);
    let verdict = Rule::Deployment.verdict(&half, Some(&found), &patience());
    doomed(&verdict, "image example.com/shop/app:2 cannot be pulled (403 Forbidden)");
    assert_eq!(standing(&verdict).progress, "1 of 2 replicas updated");
    assert_eq!(
        standing(&verdict).reasons,
        ["web-2-x2b4q   node-3   ErrImagePull: example.com/shop/app:2: 403 Forbidden"]
    );
    let Verdict::Doomed(_, doom) = verdict else { unreachable!() };
    assert!(doom.evidence[0].contains("failed to resolve reference"), "{:?}", doom.evidence);
}

#[test]
fn a_broken_pod_of_an_old_replicaset_does_not_doom_the_rollout_that_mends_it() {
    let half = deployment(&json!({
        "observedGeneration": 4, "replicas": 2, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1,
    }));
    let old = pod("web-2-old", "rs-2", "node-3", &waiting("ImagePullBackOff", FORBIDDEN));
    let found = related(&[replicaset("rs-3", "3"), replicaset("rs-2", "2"), (Source::TroubledPods, old)]);
    not_ready(&Rule::Deployment.verdict(&half, Some(&found), &patience()), "1 of 2 replicas updated", &[]);
}

#[test]
fn refused_pods_and_a_missed_deadline_doom_and_a_webhook_that_is_away_does_not() {
    let with = |kind: &str, status: &str, reason: &str, message: &str| {
        let condition = json!({ "type": kind, "status": status, "reason": reason, "message": message });
        let status = json!({ "observedGeneration": 4, "replicas": 1, "updatedReplicas": 0, "conditions": [condition] });
        Rule::Deployment.verdict(&deployment(&status), None, &patience())
    };
    let quota = "pods \"web-5\" is forbidden: exceeded quota: small, requested: pods=1, used: pods=2, limited: pods=2";
    let refused = with("ReplicaFailure", "True", "FailedCreate", quota);
    doomed(&refused, &format!("its pods may not be created: FailedCreate: {quota}"));
    let away = "Internal error occurred: failed calling webhook \"sidecar-injector.istio.io\": no endpoints available";
    not_ready(
        &with("ReplicaFailure", "True", "FailedCreate", away),
        "0 of 2 replicas updated",
        &[&format!("FailedCreate: {away}")],
    );
    let late =
        with("Progressing", "False", "ProgressDeadlineExceeded", "ReplicaSet \"web-5\" has timed out progressing.");
    doomed(&late, "its progress deadline is exceeded");
    doomed(
        &with("ReplicaFailure", "True", "FailedCreate", "admission webhook \"policy\" denied the request: no"),
        "its pods may not be created: FailedCreate: admission webhook \"policy\" denied the request: no",
    );
}

fn statefulset(spec: &Value, status: &Value) -> Value {
    let mut set = json!({
        "apiVersion": "apps/v1", "kind": "StatefulSet",
        "metadata": { "name": "db", "namespace": "shop", "uid": "sts", "generation": 2 },
        "spec": { "replicas": 3, "selector": { "matchLabels": { "app": "db" } } },
        "status": { "observedGeneration": 2, "currentRevision": "db-1", "updateRevision": "db-2", "replicas": 3 },
    });
    set["spec"].as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
    set["status"].as_object_mut().unwrap().extend(status.as_object().unwrap().clone());
    set
}

#[test]
fn a_statefulset_is_updated_up_to_its_partition_and_says_what_on_delete_leaves() {
    let all = json!({ "updatedReplicas": 1, "readyReplicas": 3, "availableReplicas": 3 });
    let partition = json!({ "updateStrategy": { "type": "RollingUpdate", "rollingUpdate": { "partition": 2 } } });
    let verdict = |set: &Value| Rule::StatefulSet.verdict(set, None, &patience());
    assert_eq!(verdict(&statefulset(&partition, &all)), Verdict::Ready);
    not_ready(&verdict(&statefulset(&json!({}), &all)), "1 of 3 replicas updated", &[]);
    not_ready(
        &verdict(&statefulset(&json!({ "updateStrategy": { "type": "OnDelete" } }), &all)),
        "1 of 3 replicas updated",
        &["its update strategy is OnDelete: 2 old pods stay until someone deletes them"],
    );
    let mut stale = statefulset(&partition, &all);
    stale["status"]["observedGeneration"] = json!(1);
    not_ready(&verdict(&stale), "", &["generation 2 is not acted on yet, its status is of 1"]);
    let settled =
        json!({ "currentRevision": "db-2", "currentReplicas": 3, "readyReplicas": 3, "availableReplicas": 3 });
    assert_eq!(verdict(&statefulset(&json!({}), &settled)), Verdict::Ready);
}

#[test]
fn a_statefulset_whose_pods_may_not_be_made_says_what_the_events_say() {
    let set = statefulset(&json!({}), &json!({ "replicas": 0 }));
    let event = |at: &str| {
        let event = json!({
            "metadata": { "uid": "e1" }, "involvedObject": { "uid": "sts" }, "type": "Warning", "reason": "FailedCreate",
            "message": "create Pod db-0 failed: pods \"db-0\" is forbidden: exceeded quota: small", "lastTimestamp": at,
        });
        Rule::StatefulSet.verdict(&set, Some(&related(&[(Source::Events, event)])), &patience())
    };
    assert!(
        matches!(event("2026-03-01T12:00:10Z"), Verdict::Doomed(_, doom) if doom.reason.contains("exceeded quota"))
    );
    // From before the wait: told, but it may have been mended since.
    assert_eq!(standing(&event("2026-03-01T11:20:00Z")).reasons.len(), 1);
    assert!(matches!(event("2026-03-01T11:20:00Z"), Verdict::NotReady(_)));
}

#[test]
fn a_job_is_complete_or_gives_up_and_forgives_what_its_own_limit_forgives() {
    let job = |status: &Value| {
        json!({
            "metadata": { "name": "migrate", "namespace": "shop", "uid": "job" },
            "spec": { "completions": 2, "backoffLimit": 3 }, "status": status,
        })
    };
    let crash = json!({
        "restartCount": 3, "state": { "waiting": { "reason": "CrashLoopBackOff" } },
        "lastState": { "terminated": { "exitCode": 1 } },
    });
    let found = related(&[(Source::TroubledPods, pod("migrate-a", "job", "node-1", &crash))]);
    let verdict = |status: &Value| Rule::Job.verdict(&job(status), Some(&found), &patience());
    assert_eq!(verdict(&json!({ "conditions": [{ "type": "Complete", "status": "True" }] })), Verdict::Ready);
    not_ready(
        &verdict(&json!({ "succeeded": 1, "failed": 1 })),
        "1 of 2 completed, 1 failed",
        &["migrate-a   node-1   CrashLoopBackOff: container app, exit 1, 3 restarts"],
    );
    let given_up = json!({ "failed": 4, "conditions": [{
        "type": "Failed", "status": "True", "reason": "BackoffLimitExceeded",
        "message": "Job has reached the specified backoff limit",
    }] });
    doomed(&verdict(&given_up), "it failed 4 times and has given up");
}

#[test]
fn events_are_asked_for_only_where_the_status_is_vague_and_the_wait_has_lasted() {
    let half = deployment(&json!({ "observedGeneration": 4, "replicas": 2, "updatedReplicas": 1 }));
    let vague = pod("web-2-a", "rs-2", "node-3", &waiting("ContainerCreating", ""));
    let note = json!({
        "metadata": { "uid": "e1" }, "involvedObject": { "uid": "uid-web-2-a" }, "type": "Warning",
        "reason": "FailedCreatePodSandBox", "message": "plugin type=\"istio-cni\" failed", "lastTimestamp": "2026-03-01T12:00:10Z",
    });
    let found = related(&[replicaset("rs-2", "2"), (Source::TroubledPods, vague), (Source::Events, note)]);
    let asked = |patience| {
        let wants = Rule::Deployment.wants(&half, Some(&found), &patience);
        wants.iter().any(|query| query.source == Source::Events)
    };
    assert!(!asked(later(1)) && asked(later(10)));
    let verdict = Rule::Deployment.verdict(&half, Some(&found), &patience());
    not_ready(
        &verdict,
        "1 of 2 replicas updated",
        &["web-2-a   node-3   FailedCreatePodSandBox: plugin type=\"istio-cni\" failed"],
    );
    let plain = pod("web-2-a", "rs-2", "node-3", &ready());
    let found = related(&[replicaset("rs-2", "2"), (Source::TroubledPods, plain)]);
    assert!(
        !Rule::Deployment.wants(&half, Some(&found), &later(10)).iter().any(|query| query.source == Source::Events)
    );
}
