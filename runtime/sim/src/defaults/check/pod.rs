//! Pods and their templates.
//!
//! Not known here: whether what they mention exists.

use std::collections::HashSet;

use serde_json::Value;

use super::check_label;
use crate::{
    actor::json::{items, text},
    quantity::Quantity,
    schema::FieldError,
};

const PULL_POLICIES: [&str; 3] = ["Always", "IfNotPresent", "Never"];

pub(super) fn check(new: &Value, old: Option<&Value>, faults: &mut Vec<FieldError>) {
    check_spec("spec", &new["spec"], faults);
    let Some(old) = old else { return };
    if fixed(&new["spec"]) != fixed(&old["spec"]) {
        let detail = "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";
        faults.push(FieldError::forbidden("spec", detail));
    }
}

/// What of a pod never changes.
fn fixed(spec: &Value) -> Value {
    let mut spec = spec.clone();
    for list in ["containers", "initContainers"] {
        for container in spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(fields) = container.as_object_mut() {
                for open in ["image", "resources"] {
                    fields.shift_remove(open);
                }
            }
        }
    }
    if let Some(fields) = spec.as_object_mut() {
        let open = [
            "activeDeadlineSeconds",
            "tolerations",
            "terminationGracePeriodSeconds",
            "nodeName",
            "schedulingGates",
            "ephemeralContainers",
        ];
        for field in open {
            fields.shift_remove(field);
        }
    }
    spec
}

pub(super) fn check_template(path: &str, template: &Value, faults: &mut Vec<FieldError>) {
    check_spec(&format!("{path}.spec"), &template["spec"], faults);
}

fn check_spec(path: &str, spec: &Value, faults: &mut Vec<FieldError>) {
    if items(spec, "/containers").is_empty() {
        faults.push(FieldError::required(format!("{path}.containers"), ""));
    }
    let volumes: HashSet<&str> = items(spec, "/volumes").iter().map(|volume| text(volume, "/name")).collect();
    let mut seen = HashSet::new();
    for (index, volume) in items(spec, "/volumes").iter().enumerate() {
        let field = format!("{path}.volumes[{index}].name");
        check_label(&field, &volume["name"], faults);
        if !seen.insert(text(volume, "/name")) {
            faults.push(FieldError::duplicate(field, volume["name"].clone()));
        }
    }
    let mut names = HashSet::new();
    for list in ["initContainers", "containers"] {
        for (index, container) in items(spec, &format!("/{list}")).iter().enumerate() {
            let at = format!("{path}.{list}[{index}]");
            check_container(&at, container, &volumes, faults);
            if !names.insert(text(container, "/name")) {
                faults.push(FieldError::duplicate(format!("{at}.name"), container["name"].clone()));
            }
        }
    }
}

fn check_container(at: &str, container: &Value, volumes: &HashSet<&str>, faults: &mut Vec<FieldError>) {
    check_label(&format!("{at}.name"), &container["name"], faults);
    if text(container, "/image").is_empty() {
        faults.push(FieldError::required(format!("{at}.image"), ""));
    }
    for (index, port) in items(container, "/ports").iter().enumerate() {
        let field = format!("{at}.ports[{index}].containerPort");
        match port["containerPort"].as_i64() {
            Some(0) => faults.push(FieldError::required(field, "")),
            Some(number) if !(1..=65535).contains(&number) => {
                faults.push(FieldError::invalid(field, number.into(), "must be between 1 and 65535, inclusive"));
            }
            _ => {}
        }
    }
    for (index, variable) in items(container, "/env").iter().enumerate() {
        let (field, name) = (format!("{at}.env[{index}].name"), text(variable, "/name"));
        let is_plain = |byte: u8| (b' '..=b'~').contains(&byte) && byte != b'=';
        if !name.is_empty() && !name.bytes().all(is_plain) {
            let detail =
                "a valid environment variable name must consist only of printable ASCII characters other than '='";
            faults.push(FieldError::invalid(field, name.into(), detail));
        }
    }
    for (index, mount) in items(container, "/volumeMounts").iter().enumerate() {
        let name = text(mount, "/name");
        if !name.is_empty() && !volumes.contains(name) {
            let field = format!("{at}.volumeMounts[{index}].name");
            let fault = crate::schema::FieldErrorKind::NotFound;
            faults.push(FieldError::new(fault, field, Some(name.into()), ""));
        }
    }
    let policy = text(container, "/imagePullPolicy");
    if !policy.is_empty() && !PULL_POLICIES.contains(&policy) {
        faults.push(FieldError::one_of(format!("{at}.imagePullPolicy"), policy, &PULL_POLICIES));
    }
    let resources = &container["resources"];
    for (name, wanted) in resources["requests"].as_object().into_iter().flatten() {
        let amount = |value: &Value| Quantity::parse(value.as_str()?).map(Quantity::millis);
        let limit = resources["limits"].get(name).and_then(amount);
        if let (Some(asked), Some(limit)) = (amount(wanted), limit)
            && asked > limit
        {
            let shown = text(resources, &format!("/limits/{}", name.replace('~', "~0").replace('/', "~1")));
            let detail = format!("must be less than or equal to {name} limit of {shown}");
            faults.push(FieldError::invalid(format!("{at}.resources.requests"), wanted.clone(), detail));
        }
    }
}
