//! Horizontal autoscalers: held to their bounds, and without a single metric.
//!
//! Nothing in the simulation measures: an autoscaler says so as on a cluster without a metrics server, and scales only what is
//! outside of its bounds. Not known here: how a target gets to its size.

use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::{
    Controller, Gravity, Hand, Key, Next, Watch,
    condition::{self, Saying},
    reading::{count, later, number, replicas},
};
use crate::{
    actor::json::{items, list_at, text},
    resource::Resource,
    status::Status,
};

const AUTOSCALERS: Resource = Resource::of("autoscaling", "v2", "horizontalpodautoscalers");

/// How often it looks.
const PERIOD: i64 = 15;

pub(super) const AUTOSCALER: Controller = Controller {
    name: "horizontal-pod-autoscaler",
    watches: &[Watch::itself(AUTOSCALERS)],
    reconcile: |hand, key| boxed(hand, key),
};

fn boxed<'a>(hand: &'a Hand, key: &'a Key) -> BoxFuture<'a, Result<Next, Status>> {
    Box::pin(reconcile(hand, key))
}

async fn reconcile(hand: &Hand, key: &Key) -> Result<Next, Status> {
    let Some(mut scaler) = hand.get(AUTOSCALERS, &key.namespace, &key.name) else { return Ok(Next::Done) };
    let born = super::reading::time(&scaler, "/metadata/creationTimestamp").unwrap_or_else(|| hand.now());
    let first = later(born, PERIOD);
    if first > hand.now() {
        return Ok(Next::At(first));
    }
    let next = Ok(Next::At(later(hand.now(), PERIOD)));
    let before = scaler["status"].clone();
    let now = hand.now();
    let reference = scaler["spec"]["scaleTargetRef"].clone();
    let Some(target) = hand.named(&key.namespace, &reference) else {
        let (kind, named) = (text(&reference, "/kind"), text(&reference, "/name"));
        let plural = format!(
            "{}s.{}",
            kind.to_lowercase(),
            text(&reference, "/apiVersion").split('/').next().unwrap_or_default()
        );
        let words =
            format!("the HPA controller was unable to get the target's current scale: {plural} \"{named}\" not found");
        let saying = Saying { kind: "AbleToScale", status: "False", reason: "FailedGetScale", message: &words };
        condition::set(list_at(&mut scaler["status"], "conditions"), saying, now);
        hand.event(&scaler, Gravity::Warning, "FailedGetScale", &format!("{plural} \"{named}\" not found")).await;
        write(hand, scaler, &before).await?;
        return next;
    };
    let (present, least, most) = (
        replicas(&target.object),
        number(&scaler, "/spec/minReplicas").unwrap_or(1),
        count(&scaler, "/spec/maxReplicas"),
    );
    let wanted = present.clamp(least.min(most), most);
    let mut conditions = items(&scaler, "/status/conditions").to_vec();
    let mut say = |kind, status, reason, message: &str| {
        condition::set(&mut conditions, Saying { kind, status, reason, message }, now);
    };
    if present == 0 {
        say(
            "AbleToScale",
            "True",
            "SucceededGetScale",
            "the HPA controller was able to get the target's current scale",
        );
        let message = "scaling is disabled since the replica count of the target is zero";
        say("ScalingActive", "False", "ScalingDisabled", message);
    } else if wanted != present {
        let reason = if present > most {
            "Current number of replicas above Spec.MaxReplicas"
        } else {
            "Current number of replicas below Spec.MinReplicas"
        };
        hand.patch_any(&target, json!({ "spec": { "replicas": wanted } })).await?;
        let message = format!("the HPA controller was able to update the target scale to {wanted}");
        say("AbleToScale", "True", "SucceededRescale", &message);
        hand.event(&scaler, Gravity::Normal, "SuccessfulRescale", &format!("New size: {wanted}; reason: {reason}"))
            .await;
    } else {
        say(
            "AbleToScale",
            "True",
            "SucceededGetScale",
            "the HPA controller was able to get the target's current scale",
        );
        let (what, failure, reason) = missing_metric(&scaler);
        let message = format!("the HPA was unable to compute the replica count: {failure}");
        say("ScalingActive", "False", reason, &message);
        hand.event(&scaler, Gravity::Warning, reason, &failure).await;
        let all = items(&scaler, "/spec/metrics").len();
        let message =
            format!("invalid metrics ({all} invalid out of {all}), first error is: failed to get {what}: {failure}");
        hand.event(&scaler, Gravity::Warning, "FailedComputeMetricsReplicas", &message).await;
    }
    let desired = if wanted == present { count(&before, "/desiredReplicas") } else { wanted };
    let metrics: Vec<Value> = items(&scaler, "/spec/metrics").iter().map(|_| json!({ "type": "" })).collect();
    scaler["status"] = json!({ "conditions": conditions, "currentMetrics": metrics, "desiredReplicas": desired });
    if present > 0 {
        scaler["status"]["currentReplicas"] = present.into();
    }
    write(hand, scaler, &before).await?;
    next
}

/// What is missing, in the words of a controller that finds no metrics server.
fn missing_metric(scaler: &Value) -> (String, String, &'static str) {
    let absent = |kind: &str, api: &str, get: &str| {
        format!(
            "unable to fetch metrics from {kind}: the server could not find the requested resource (get {get}.{api})"
        )
    };
    let metric = items(scaler, "/spec/metrics").first().cloned().unwrap_or_default();
    match text(&metric, "/type") {
        "Pods" => {
            let named = text(&metric, "/pods/metric/name");
            let failure =
                format!("unable to get metric {named}: no custom metrics API (custom.metrics.k8s.io) registered");
            ("pods metric value".to_owned(), failure, "FailedGetPodsMetric")
        }
        "External" => {
            let named = text(&metric, "/external/metric/name");
            let failure = format!(
                "unable to get external metric {named}: no external metrics API (external.metrics.k8s.io) registered"
            );
            ("external metric value".to_owned(), failure, "FailedGetExternalMetric")
        }
        "ContainerResource" => {
            let named = text(&metric, "/containerResource/name");
            let failure = absent("resource metrics API", "metrics.k8s.io", "pods");
            let failure =
                format!("failed to get {named} utilization: unable to get metrics for resource {named}: {failure}");
            (format!("{named} container metric value"), failure, "FailedGetContainerResourceMetric")
        }
        _ => {
            let named = text(&metric, "/resource/name");
            let failure = absent("resource metrics API", "metrics.k8s.io", "pods");
            let failure =
                format!("failed to get {named} utilization: unable to get metrics for resource {named}: {failure}");
            (format!("{named} resource metric value"), failure, "FailedGetResourceMetric")
        }
    }
}

async fn write(hand: &Hand, scaler: Value, before: &Value) -> Result<(), Status> {
    if scaler["status"] == *before {
        return Ok(());
    }
    hand.update_status(AUTOSCALERS, scaler).await.map(|_| ())
}
