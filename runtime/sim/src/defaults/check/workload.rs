//! Workloads: selectors, templates, and what may change.
//!
//! Not known here: pods beyond what a template has in common with them.

use serde_json::{Value, json};

use super::{IMMUTABLE, check_fixed, check_natural, pod};
use crate::{
    actor::json::{selects, text},
    schema::FieldError,
};

pub(super) fn check(plural: &str, new: &Value, old: Option<&Value>, faults: &mut Vec<FieldError>) {
    let spec = &new["spec"];
    if plural != "daemonsets" {
        check_natural("spec.replicas", spec.get("replicas"), faults);
    }
    for field in ["minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"] {
        check_natural(&format!("spec.{field}"), spec.get(field), faults);
    }
    check_selector(spec, faults);
    pod::check_template("spec.template", &spec["template"], faults);
    let policy = text(spec, "/template/spec/restartPolicy");
    if !policy.is_empty() && policy != "Always" {
        let path = "spec.template.spec.restartPolicy";
        faults.push(FieldError::one_of(path, policy, &["Always"]));
    }
    check_strategy(plural, spec, faults);
    let Some(old) = old else { return };
    if plural == "statefulsets" {
        check_identity(spec, &old["spec"], faults);
    } else {
        check_fixed("spec.selector", &spec["selector"], &old["spec"]["selector"], faults);
    }
}

fn check_selector(spec: &Value, faults: &mut Vec<FieldError>) {
    let selector = &spec["selector"];
    if selector.is_null() {
        faults.push(FieldError::required("spec.selector", ""));
    }
    let is_empty = selector.as_object().is_some_and(serde_json::Map::is_empty);
    if is_empty {
        let detail = "empty selector is invalid for deployment";
        faults.push(FieldError::invalid("spec.selector", selector.clone(), detail));
    }
    let labels = spec["template"]["metadata"].get("labels").cloned().unwrap_or_else(|| json!({}));
    if selector.is_null() || (!is_empty && !selects(selector, &labels)) {
        let shown = if labels.as_object().is_some_and(serde_json::Map::is_empty) { Value::Null } else { labels };
        let detail = "`selector` does not match template `labels`";
        faults.push(FieldError::invalid("spec.template.metadata.labels", shown, detail));
    }
}

fn check_strategy(plural: &str, spec: &Value, faults: &mut Vec<FieldError>) {
    let (field, supported): (&str, &[&str]) = match plural {
        "deployments" => ("strategy", &["Recreate", "RollingUpdate"]),
        "daemonsets" | "statefulsets" => ("updateStrategy", &["OnDelete", "RollingUpdate"]),
        _ => return,
    };
    let kind = &spec[field]["type"];
    if let Some(word) = kind.as_str().filter(|word| !supported.contains(word)) {
        faults.push(FieldError::one_of(format!("spec.{field}.type"), word, supported));
    }
    if plural != "deployments" {
        return;
    }
    let rolling = &spec[field]["rollingUpdate"];
    if kind == "Recreate" && !rolling.is_null() {
        let detail = "may not be specified when strategy `type` is 'Recreate'";
        faults.push(FieldError::forbidden("spec.strategy.rollingUpdate", detail));
    }
    let is_zero = |value: &Value| *value == 0 || *value == "0%";
    if kind == "RollingUpdate" && is_zero(&rolling["maxUnavailable"]) && is_zero(&rolling["maxSurge"]) {
        let detail = "may not be 0 when `maxSurge` is 0";
        let path = "spec.strategy.rollingUpdate.maxUnavailable";
        faults.push(FieldError::invalid(path, rolling["maxUnavailable"].clone(), detail));
    }
}

/// A StatefulSet stays who it is.
fn check_identity(new: &Value, old: &Value, faults: &mut Vec<FieldError>) {
    const OPEN: [&str; 7] = [
        "replicas",
        "ordinals",
        "template",
        "updateStrategy",
        "revisionHistoryLimit",
        "persistentVolumeClaimRetentionPolicy",
        "minReadySeconds",
    ];
    let fixed = |spec: &Value| {
        let fields = spec.as_object().into_iter().flatten().filter(|(key, _)| !OPEN.contains(&key.as_str()));
        Value::Object(fields.map(|(key, value)| (key.clone(), value.clone())).collect())
    };
    if fixed(new) != fixed(old) {
        let detail = "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";
        faults.push(FieldError::forbidden("spec", detail));
    }
}

pub(super) fn check_job(new: &Value, old: Option<&Value>, faults: &mut Vec<FieldError>) {
    let spec = &new["spec"];
    for field in ["parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished"] {
        check_natural(&format!("spec.{field}"), spec.get(field), faults);
    }
    check_job_template("spec.template", &spec["template"], faults);
    let Some(old) = old else { return };
    let old = &old["spec"];
    if text(spec, "/completionMode") != "Indexed" {
        check_fixed("spec.completions", &spec["completions"], &old["completions"], faults);
    }
    check_fixed("spec.selector", &spec["selector"], &old["selector"], faults);
    check_fixed("spec.completionMode", &spec["completionMode"], &old["completionMode"], faults);
    // A Job that rests may still be given other nodes.
    if spec["template"] != old["template"] && old["suspend"] != true {
        faults.push(FieldError::invalid("spec.template", spec["template"].clone(), IMMUTABLE));
    }
}

pub(super) fn check_cron_job(new: &Value, faults: &mut Vec<FieldError>) {
    let schedule = text(new, "/spec/schedule");
    let fields: Vec<&str> = schedule.split_whitespace().collect();
    if schedule.is_empty() {
        faults.push(FieldError::required("spec.schedule", ""));
    } else if !schedule.starts_with('@') && fields.len() != 5 {
        let detail = format!("expected exactly 5 fields, found {}: [{}]", fields.len(), fields.join(" "));
        faults.push(FieldError::invalid("spec.schedule", schedule.into(), detail));
    }
    check_job_template("spec.jobTemplate.spec.template", &new["spec"]["jobTemplate"]["spec"]["template"], faults);
}

fn check_job_template(path: &str, template: &Value, faults: &mut Vec<FieldError>) {
    pod::check_template(path, template, faults);
    if text(template, "/spec/restartPolicy") == "Always" {
        let detail = "valid values: \"OnFailure\", \"Never\"";
        faults.push(FieldError::required(format!("{path}.spec.restartPolicy"), detail));
    }
}
