//! The envelope of the admission webhooks: a review comes in, a review with an answer goes out.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{
    injection::{Injection, inject, json_patch, required},
    validation::refusal,
};
use crate::actor::json::{annotation, as_map, map_at, namespace, text};

/// Answers a review of the path `/inject`: a JSON patch that puts the proxy in, or nothing to do.
pub(crate) fn injected(injection: &Injection, review: &Value) -> Value {
    let request = &review["request"];
    let mut pod = request["object"].clone();
    map_at(&mut pod, "metadata").shift_remove("managedFields");
    if namespace(&pod).is_empty() {
        map_at(&mut pod, "metadata").insert("namespace".into(), request["namespace"].clone());
    }
    if !required(injection.settings, &pod, namespace(&pod)) {
        return answer(review, json!({ "allowed": true }));
    }
    match inject(injection, &pod) {
        Ok(changed) => {
            let patch = Value::Array(json_patch(&pod, &changed)).to_string();
            let patch = STANDARD.encode(patch);
            answer(review, json!({ "allowed": true, "patchType": "JSONPatch", "patch": patch }))
        }
        Err(reason) => refused(review, &reason),
    }
}

/// Answers a review when there is nothing to inject with.
pub(crate) fn refused(review: &Value, reason: &str) -> Value {
    answer(review, json!({ "allowed": false, "status": { "message": reason, "metadata": {} } }))
}

/// Answers a review of the path `/validate`.
pub(crate) fn validated(review: &Value) -> Value {
    let object = &review["request"]["object"];
    // The way in which newer versions ask whether anybody is listening.
    let always_rejected = annotation(object, "internal.istio.io/webhook-always-reject") == Some("true");
    let reason = always_rejected.then(|| "webhook-always-reject annotation is set".to_owned());
    match reason.or_else(|| refusal(object)) {
        Some(reason) => answer(
            review,
            json!({ "allowed": false, "status": { "message": reason, "metadata": {}, "reason": "BadRequest", "code": 400 } }),
        ),
        None => answer(review, json!({ "allowed": true })),
    }
}

fn answer(review: &Value, mut response: Value) -> Value {
    as_map(&mut response).insert("uid".into(), review["request"]["uid"].clone());
    let version = Some(text(review, "/apiVersion")).filter(|version| !version.is_empty());
    json!({ "apiVersion": version.unwrap_or("admission.k8s.io/v1"), "kind": "AdmissionReview", "response": response })
}
