//! Services.
//!
//! Not known here: which addresses are free.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::check_label;
use crate::{
    actor::json::{items, text},
    schema::FieldError,
};

const RANGE: &str = "must be between 1 and 65535, inclusive";
const PROTOCOLS: [&str; 3] = ["SCTP", "TCP", "UDP"];

pub(super) fn check(new: &Value, old: Option<&Value>, faults: &mut Vec<FieldError>) {
    let spec = &new["spec"];
    let (kind, ports) = (text(spec, "/type"), items(spec, "/ports"));
    let types = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
    if !types.contains(&kind) {
        faults.push(FieldError::one_of("spec.type", kind, &types));
    }
    if ports.is_empty() && kind != "ExternalName" && text(spec, "/clusterIP") != "None" {
        faults.push(FieldError::required("spec.ports", ""));
    }
    let mut names = HashSet::new();
    let mut numbers = HashSet::new();
    for (index, port) in ports.iter().enumerate() {
        let at = format!("spec.ports[{index}]");
        let name = text(port, "/name");
        if name.is_empty() && ports.len() > 1 {
            faults.push(FieldError::required(format!("{at}.name"), ""));
        }
        check_label(&format!("{at}.name"), &port["name"], faults);
        if !name.is_empty() && !names.insert(name) {
            faults.push(FieldError::duplicate(format!("{at}.name"), name.into()));
        }
        let protocol = text(port, "/protocol");
        for field in ["port", "targetPort"] {
            if let Some(number) = port[field].as_i64().filter(|number| !(1..=65535).contains(number)) {
                faults.push(FieldError::invalid(format!("{at}.{field}"), number.into(), RANGE));
            }
        }
        if !protocol.is_empty() && !PROTOCOLS.contains(&protocol) {
            faults.push(FieldError::one_of(format!("{at}.protocol"), protocol, &PROTOCOLS));
        }
        if !numbers.insert((port["port"].as_i64(), protocol)) {
            let shown = json!({ "port": port["port"], "protocol": port["protocol"] });
            faults.push(FieldError::duplicate(at, shown));
        }
    }
    if kind == "ExternalName" && text(spec, "/externalName").is_empty() {
        faults.push(FieldError::required("spec.externalName", ""));
    }
    let Some(old) = old.map(|old| &old["spec"]).filter(|old| text(old, "/type") != "ExternalName") else { return };
    let (before, after) = (text(old, "/clusterIP"), text(spec, "/clusterIP"));
    if kind != "ExternalName" && !before.is_empty() && before != after {
        let shown = if after.is_empty() { Value::Null } else { json!([after]) };
        faults.push(FieldError::invalid("spec.clusterIPs[0]", shown, "may not change once set"));
    }
}
