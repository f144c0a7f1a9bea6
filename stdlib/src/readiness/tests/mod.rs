//! The rules, held against objects as real clusters write them.

mod daemonset;
mod others;
mod pod;
mod workload;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Finding, Origin, Patience, Related, Source, Standing, Verdict};

/// Half a minute into a wait.
fn patience() -> Patience {
    let since: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
    let now = since + SignedDuration::from_secs(30);
    Patience { allow_restarts: 1, unschedulable: std::time::Duration::from_mins(4), since, now }
}

fn later(seconds: i64) -> Patience {
    let patience = patience();
    Patience { now: patience.since + SignedDuration::from_secs(seconds), ..patience }
}

/// What was found beside an object.
fn related(found: &[(Source, Value)]) -> Related {
    let mut related = Related::default();
    for (source, object) in found {
        if let Some(finding) = Finding::of(*source, object, Origin::Listed) {
            related.put(object["metadata"]["uid"].as_str().unwrap(), finding);
        }
    }
    related
}

fn standing(verdict: &Verdict) -> &Standing {
    match verdict {
        Verdict::NotReady(standing) | Verdict::Doomed(standing, _) => standing,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn not_ready(verdict: &Verdict, progress: &str, reasons: &[&str]) {
    let Verdict::NotReady(standing) = verdict else { panic!("{verdict:?}") };
    assert_eq!((standing.progress.as_str(), standing.reasons.as_slice()), (progress, owned(reasons).as_slice()));
}

#[track_caller]
fn doomed(verdict: &Verdict, reason: &str) {
    let Verdict::Doomed(_, doom) = verdict else { panic!("{verdict:?}") };
    assert_eq!(doom.reason, reason);
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// A pod of a controller, with one container in a state.
fn pod(name: &str, owner: &str, node: &str, container: &Value) -> Value {
    let ready = container.get("ready") == Some(&json!(true));
    let mut status = json!({ "name": "app", "image": "example.com/shop/app:2", "restartCount": 0, "ready": false });
    status.as_object_mut().unwrap().extend(container.as_object().unwrap().clone());
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": name, "namespace": "shop", "uid": format!("uid-{name}"),
            "ownerReferences": [{ "kind": "Any", "name": owner, "uid": owner, "controller": true }],
        },
        "spec": { "nodeName": node, "containers": [{ "name": "app", "image": "example.com/shop/app:2" }] },
        "status": {
            "phase": if ready { "Running" } else { "Pending" },
            "conditions": [
                { "type": "PodScheduled", "status": "True" },
                { "type": "Ready", "status": if ready { "True" } else { "False" }, "reason": "ContainersNotReady" },
            ],
            "containerStatuses": [status],
        },
    })
}

fn ready() -> Value {
    json!({ "ready": true, "started": true, "state": { "running": {} } })
}

fn waiting(reason: &str, message: &str) -> Value {
    json!({ "state": { "waiting": { "reason": reason, "message": message } } })
}

/// What containerd says of an image that the registry does not give out.
const FORBIDDEN: &str = "failed to pull and unpack image \"example.com/shop/app:2\": failed to resolve reference \
    \"example.com/shop/app:2\": unexpected status from HEAD request to https://example.com/v2/shop/app/manifests/2: 403 Forbidden";
