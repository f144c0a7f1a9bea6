//! What the API server's own code refuses of the built-in kinds, in its words, beyond what their schemas refuse.
//!
//! The refusals that clients meet: selectors and templates that do not fit, fields that may not change, names that have
//! the wrong form. Not known here: every rule there is; what is not refused here the real server may still refuse.

mod definition;
mod pod;
mod service;
mod workload;

use serde_json::Value;

use crate::{
    actor::json::{items, text},
    schema::FieldError,
};

/// What is wrong with an object, as it is made or as it is changed from what it was.
pub(crate) fn check(group: &str, plural: &str, new: &Value, old: Option<&Value>) -> Vec<FieldError> {
    let mut faults = Vec::new();
    match (group, plural) {
        ("apps", "deployments" | "daemonsets" | "replicasets" | "statefulsets") => {
            workload::check(plural, new, old, &mut faults);
        }
        ("batch", "jobs") => workload::check_job(new, old, &mut faults),
        ("batch", "cronjobs") => workload::check_cron_job(new, &mut faults),
        ("", "pods") => pod::check(new, old, &mut faults),
        ("", "services") => service::check(new, old, &mut faults),
        ("", "secrets") => check_secret(new, old, &mut faults),
        ("", "configmaps") => check_config_map(new, old, &mut faults),
        ("rbac.authorization.k8s.io", "rolebindings" | "clusterrolebindings") => check_binding(new, old, &mut faults),
        ("policy", "poddisruptionbudgets") => check_budget(new, &mut faults),
        ("autoscaling", "horizontalpodautoscalers") => check_autoscaler(new, &mut faults),
        ("networking.k8s.io", "ingresses") => check_ingress(new, &mut faults),
        ("", "persistentvolumeclaims") => check_claim(new, old, &mut faults),
        // What an older server took may stay as it is.
        ("apiextensions.k8s.io", "customresourcedefinitions") if old.is_none_or(|old| old["spec"] != new["spec"]) => {
            definition::check(new, &mut faults);
        }
        _ => {}
    }
    faults
}

const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const KEY: &str = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
const IMMUTABLE: &str = "field is immutable";

/// A name as DNS has it: what containers, ports and volumes are called.
fn check_label(path: &str, value: &Value, faults: &mut Vec<FieldError>) {
    let Some(name) = value.as_str().filter(|name| !name.is_empty()) else { return };
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends_well = name.bytes().next().is_some_and(is_plain) && name.bytes().last().is_some_and(is_plain);
    if name.len() > 63 {
        faults.push(FieldError::invalid(path, value.clone(), "must be no more than 63 characters"));
    }
    if !ends_well || !name.bytes().all(|byte| is_plain(byte) || byte == b'-') {
        faults.push(FieldError::invalid(path, value.clone(), LABEL));
    }
}

/// A number that may not be negative.
fn check_natural(path: &str, value: Option<&Value>, faults: &mut Vec<FieldError>) {
    if let Some(value) = value.filter(|value| value.as_i64().is_some_and(|number| number < 0)) {
        faults.push(FieldError::invalid(path, value.clone(), "must be greater than or equal to 0"));
    }
}

/// A field that stays as it was made.
fn check_fixed(path: &str, new: &Value, old: &Value, faults: &mut Vec<FieldError>) {
    if new != old {
        faults.push(FieldError::invalid(path, new.clone(), IMMUTABLE));
    }
}

fn check_keys(object: &Value, fields: &[&str], faults: &mut Vec<FieldError>) {
    for field in fields {
        for key in object[*field].as_object().into_iter().flat_map(serde_json::Map::keys) {
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
            if key.is_empty() || key.len() > 253 || !key.bytes().all(is_plain) {
                faults.push(FieldError::invalid(format!("{field}[{key}]"), key.as_str().into(), KEY));
            }
        }
    }
}

fn check_secret(new: &Value, old: Option<&Value>, faults: &mut Vec<FieldError>) {
    check_keys(new, &["data"], faults);
    let required: &[&str] = match text(new, "/type") {
        "kubernetes.io/tls" => &["tls.crt", "tls.key"],
        "kubernetes.io/dockerconfigjson" => &[".dockerconfigjson"],
        "kubernetes.io/dockercfg" => &[".dockercfg"],
        "kubernetes.io/ssh-auth" => &["ssh-privatekey"],
        _ => &[],
    };
    for key in required.iter().filter(|key| new["data"].get(**key).is_none()) {
        faults.push(FieldError::required(format!("data[{key}]"), ""));
    }
    if let Some(old) = old {
        check_fixed("type", &new["type"], &old["type"], faults);
        check_sealed(new, old, &["data"], "when `immutable` is set", faults);
    }
}

fn check_config_map(new: &Value, old: Option<&Value>, faults: &mut Vec<FieldError>) {
    check_keys(new, &["data", "binaryData"], faults);
    if let Some(old) = old {
        check_sealed(new, old, &["data", "binaryData"], "when `immutable` is set", faults);
    }
}

/// What was declared immutable stays so, and as it is.
fn check_sealed(new: &Value, old: &Value, fields: &[&str], when: &str, faults: &mut Vec<FieldError>) {
    if old["immutable"] != true {
        return;
    }
    if new["immutable"] != true {
        faults.push(FieldError::forbidden("immutable", format!("field is immutable {when}")));
    }
    for field in fields.iter().filter(|field| new[**field] != old[**field]) {
        faults.push(FieldError::forbidden(*field, format!("field is immutable {when}")));
    }
}

fn check_binding(new: &Value, old: Option<&Value>, faults: &mut Vec<FieldError>) {
    if text(new, "/roleRef/name").is_empty() {
        faults.push(FieldError::required("roleRef.name", ""));
    }
    let Some(old) = old.filter(|old| old["roleRef"] != new["roleRef"]) else { return };
    let reference = &new["roleRef"];
    let shown = serde_json::json!({
        "APIGroup": reference["apiGroup"], "Kind": reference["kind"], "Name": reference["name"],
    });
    if old["roleRef"].is_object() {
        faults.push(FieldError::invalid("roleRef", shown, "cannot change roleRef"));
    }
}

fn check_budget(new: &Value, faults: &mut Vec<FieldError>) {
    let spec = &new["spec"];
    if spec["minAvailable"].is_null() || spec["maxUnavailable"].is_null() {
        return;
    }
    let shown = serde_json::json!({
        "MinAvailable": spec["minAvailable"], "Selector": spec["selector"],
        "MaxUnavailable": spec["maxUnavailable"], "UnhealthyPodEvictionPolicy": spec["unhealthyPodEvictionPolicy"],
    });
    faults.push(FieldError::invalid("spec", shown, "minAvailable and maxUnavailable cannot be both set"));
}

fn check_autoscaler(new: &Value, faults: &mut Vec<FieldError>) {
    let spec = &new["spec"];
    let (least, most) = (spec["minReplicas"].as_i64(), spec["maxReplicas"].as_i64());
    if let Some(least) = least.filter(|least| *least < 1) {
        faults.push(FieldError::invalid("spec.minReplicas", least.into(), "must be greater than or equal to 1"));
    }
    match most {
        Some(most) if most < 1 => {
            faults.push(FieldError::invalid("spec.maxReplicas", most.into(), "must be greater than 0"));
        }
        Some(most) if least.is_some_and(|least| least > most) => {
            let detail = "must be greater than or equal to `minReplicas`";
            faults.push(FieldError::invalid("spec.maxReplicas", most.into(), detail));
        }
        _ => {}
    }
    if text(spec, "/scaleTargetRef/kind") == "Deployment" && text(spec, "/scaleTargetRef/apiVersion").is_empty() {
        let detail = "apiVersion must specify API group";
        faults.push(FieldError::invalid("spec.scaleTargetRef.apiVersion", "".into(), detail));
    }
}

fn check_ingress(new: &Value, faults: &mut Vec<FieldError>) {
    let spec = &new["spec"];
    if items(spec, "/rules").is_empty() && spec["defaultBackend"].is_null() {
        let detail = "either `defaultBackend` or `rules` must be specified";
        faults.push(FieldError::invalid("spec", Value::Null, detail));
    }
    for (index, rule) in items(spec, "/rules").iter().enumerate() {
        for (at, path) in items(rule, "/http/paths").iter().enumerate() {
            let is_absolute = text(path, "/path").starts_with('/');
            if matches!(text(path, "/pathType"), "Exact" | "Prefix") && !is_absolute {
                let field = format!("spec.rules[{index}].http.paths[{at}].path");
                faults.push(FieldError::invalid(field, text(path, "/path").into(), "must be an absolute path"));
            }
        }
    }
}

fn check_claim(new: &Value, old: Option<&Value>, faults: &mut Vec<FieldError>) {
    let Some(old) = old else { return };
    let fixed = |claim: &Value| {
        let mut spec = claim["spec"].clone();
        if let Some(fields) = spec.as_object_mut() {
            for open in ["resources", "volumeAttributesClassName", "volumeName"] {
                fields.shift_remove(open);
            }
        }
        spec
    };
    if fixed(new) != fixed(old) {
        let detail =
            "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";
        faults.push(FieldError::forbidden("spec", detail));
    }
}

#[cfg(test)]
mod tests;
