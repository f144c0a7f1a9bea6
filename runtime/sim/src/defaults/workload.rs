//! Workloads: what they do where nothing is said about it.
//!
//! Not known here: how pods are made.

use serde_json::{Value, json};

use super::{absent, each, inner, map_of, pod::fill_template, zero};

pub(super) fn fill_deployment(object: &mut Value) {
    let Some(spec) = map_of(object, "spec") else { return };
    absent(spec, "replicas", 1);
    if let Some(strategy) = map_of(spec, "strategy") {
        zero(strategy, "type", "RollingUpdate");
        if strategy["type"] == "RollingUpdate"
            && let Some(rolling) = map_of(strategy, "rollingUpdate")
        {
            absent(rolling, "maxUnavailable", "25%");
            absent(rolling, "maxSurge", "25%");
        }
    }
    absent(spec, "revisionHistoryLimit", 10);
    absent(spec, "progressDeadlineSeconds", 600);
    template(spec);
    absent(object, "status", json!({}));
}

pub(super) fn fill_replica_set(object: &mut Value) {
    let Some(spec) = map_of(object, "spec") else { return };
    absent(spec, "replicas", 1);
    template(spec);
    if let Some(status) = map_of(object, "status") {
        absent(status, "replicas", 0);
    }
}

pub(super) fn fill_replication_controller(object: &mut Value) {
    let labels = object.pointer("/spec/template/metadata/labels").cloned();
    if let Some(labels) = labels {
        if let Some(spec) = map_of(object, "spec") {
            absent(spec, "selector", labels.clone());
        }
        if let Some(metadata) = map_of(object, "metadata") {
            absent(metadata, "labels", labels);
        }
    }
    fill_replica_set(object);
}

pub(super) fn fill_daemon_set(object: &mut Value) {
    let Some(spec) = map_of(object, "spec") else { return };
    if let Some(strategy) = map_of(spec, "updateStrategy") {
        zero(strategy, "type", "RollingUpdate");
        if strategy["type"] == "RollingUpdate"
            && let Some(rolling) = map_of(strategy, "rollingUpdate")
        {
            absent(rolling, "maxUnavailable", 1);
            absent(rolling, "maxSurge", 0);
        }
    }
    absent(spec, "revisionHistoryLimit", 10);
    template(spec);
    if let Some(status) = map_of(object, "status") {
        for counter in ["currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady"] {
            absent(status, counter, 0);
        }
    }
}

pub(super) fn fill_stateful_set(object: &mut Value) {
    let Some(spec) = map_of(object, "spec") else { return };
    zero(spec, "podManagementPolicy", "OrderedReady");
    if let Some(strategy) = map_of(spec, "updateStrategy") {
        if strategy["type"].as_str().is_none_or(str::is_empty) {
            zero(strategy, "type", "RollingUpdate");
            absent(strategy, "rollingUpdate", json!({}));
        }
        if strategy["type"] == "RollingUpdate"
            && let Some(rolling) = inner(strategy, "rollingUpdate")
        {
            absent(rolling, "partition", 0);
        }
    }
    if let Some(policy) = map_of(spec, "persistentVolumeClaimRetentionPolicy") {
        zero(policy, "whenDeleted", "Retain");
        zero(policy, "whenScaled", "Retain");
    }
    absent(spec, "replicas", 1);
    absent(spec, "revisionHistoryLimit", 10);
    template(spec);
    for claim in each(spec, "volumeClaimTemplates") {
        absent(claim, "kind", "PersistentVolumeClaim");
        absent(claim, "apiVersion", "v1");
        super::plain::fill_claim(claim);
    }
    if let Some(status) = map_of(object, "status") {
        absent(status, "replicas", 0);
        absent(status, "availableReplicas", 0);
    }
}

pub(super) fn fill_job(object: &mut Value) {
    choose_pods(object);
    let labels = object.pointer("/spec/template/metadata/labels").filter(|labels| labels.is_object()).cloned();
    if let (Some(labels), Some(metadata)) = (labels, map_of(object, "metadata")) {
        absent(metadata, "labels", labels);
    }
    let Some(spec) = map_of(object, "spec") else { return };
    if spec["completions"].is_null() && spec["parallelism"].is_null() {
        absent(spec, "completions", 1);
    }
    absent(spec, "parallelism", 1);
    let retries = if spec["backoffLimitPerIndex"].is_null() { 6 } else { i32::MAX };
    absent(spec, "backoffLimit", retries);
    absent(spec, "completionMode", "NonIndexed");
    absent(spec, "suspend", false);
    let replacement = if spec["podFailurePolicy"].is_null() { "TerminatingOrFailed" } else { "Failed" };
    absent(spec, "podReplacementPolicy", replacement);
    absent(spec, "manualSelector", false);
    template(spec);
    absent(object, "status", json!({}));
}

/// A Job that does not say which pods are its own tells them by its uid, once it has one.
fn choose_pods(job: &mut Value) {
    let uid = job["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
    let named = job["metadata"]["name"].clone();
    let Some(spec) = map_of(job, "spec") else { return };
    if uid.is_empty() || spec["manualSelector"] == true || spec["selector"].is_object() {
        return;
    }
    spec["selector"] = json!({ "matchLabels": { "batch.kubernetes.io/controller-uid": uid } });
    let metadata = map_of(spec, "template").and_then(|template| map_of(template, "metadata"));
    if let Some(labels) = metadata.and_then(|metadata| map_of(metadata, "labels")) {
        for (key, value) in [("controller-uid", Value::from(uid)), ("job-name", named)] {
            absent(labels, key, value.clone());
            absent(labels, &format!("batch.kubernetes.io/{key}"), value);
        }
    }
}

pub(super) fn fill_cron_job(object: &mut Value) {
    let Some(spec) = map_of(object, "spec") else { return };
    zero(spec, "concurrencyPolicy", "Allow");
    absent(spec, "suspend", false);
    absent(spec, "successfulJobsHistoryLimit", 3);
    absent(spec, "failedJobsHistoryLimit", 1);
    if let Some(job) = map_of(spec, "jobTemplate") {
        absent(job, "metadata", json!({}));
        if let Some(spec) = map_of(job, "spec") {
            template(spec);
        }
    }
    absent(object, "status", json!({}));
}

fn template(spec: &mut Value) {
    if let Some(template) = map_of(spec, "template") {
        fill_template(template);
    }
}
