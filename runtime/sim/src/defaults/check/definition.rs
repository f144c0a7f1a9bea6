//! Definitions of custom resources.
//!
//! Not known here: whether their names are taken, and whether rules in CEL compile.

use serde_json::{Map, Value, json};

use crate::{
    actor::json::{items, name, text},
    schema::FieldError,
};

pub(super) fn check(new: &Value, faults: &mut Vec<FieldError>) {
    let spec = &new["spec"];
    let wanted = format!("{}.{}", text(spec, "/names/plural"), text(spec, "/group"));
    if name(new) != wanted {
        let detail = "must be spec.names.plural+\".\"+spec.group";
        faults.push(FieldError::invalid("metadata.name", name(new).into(), detail));
    }
    check_scope(text(spec, "/scope"), faults);
    let versions = items(spec, "/versions");
    if versions.iter().filter(|version| version["storage"] == true).count() != 1 {
        let shown = versions.iter().map(|version| shown(version, versions.len())).collect();
        faults.push(FieldError::invalid(
            "spec.versions",
            shown,
            "must have exactly one version marked as storage version",
        ));
        if versions.iter().all(|version| version["storage"] != true) {
            let detail = "must have at least one stored version";
            faults.push(FieldError::invalid("status.storedVersions", Value::Null, detail));
        }
    }
    for (index, version) in versions.iter().enumerate() {
        let schema = &version["schema"]["openAPIV3Schema"];
        let path = format!("spec.versions[{index}].schema.openAPIV3Schema");
        if !schema.is_object() {
            faults.push(FieldError::required(path, ""));
            continue;
        }
        // What is the same for all versions is kept, and told of, in one place.
        let path = if versions.len() == 1 { "spec.validation.openAPIV3Schema".to_owned() } else { path };
        match text(schema, "/type") {
            "object" => {}
            "" => faults.push(FieldError::required(format!("{path}.type"), "must not be empty at the root")),
            other => {
                faults.push(FieldError::invalid(format!("{path}.type"), other.into(), "must be object at the root"));
            }
        }
        check_below(&path, schema, faults);
    }
}

fn check_scope(scope: &str, faults: &mut Vec<FieldError>) {
    const SCOPES: [&str; 2] = ["Cluster", "Namespaced"];
    match scope {
        "" => faults.push(FieldError::required("spec.scope", "")),
        known if SCOPES.contains(&known) => {}
        other => faults.push(FieldError::one_of("spec.scope", other, &SCOPES)),
    }
}

/// Every place in a schema says of which type it is, unless it takes anything or either of two.
fn check_below(path: &str, schema: &Value, faults: &mut Vec<FieldError>) {
    let mut visit = |path: String, schema: &Value, what: &str| {
        let takes = |mark: &str| schema[mark] == true;
        let is_open = takes("x-kubernetes-int-or-string") || takes("x-kubernetes-preserve-unknown-fields");
        if text(schema, "/type").is_empty() && !is_open && schema.is_object() {
            let detail = format!("must not be empty for specified {what}");
            faults.push(FieldError::required(format!("{path}.type"), detail));
        }
        check_below(&path, schema, faults);
    };
    let mut properties: Vec<_> = schema["properties"].as_object().into_iter().flat_map(Map::iter).collect();
    properties.sort_by_key(|(key, _)| *key);
    for (key, below) in properties {
        visit(format!("{path}.properties[{key}]"), below, "object fields");
    }
    if schema["items"].is_object() {
        visit(format!("{path}.items"), &schema["items"], "array items");
    }
    if schema["additionalProperties"].is_object() {
        visit(format!("{path}.additionalProperties"), &schema["additionalProperties"], "object fields");
    }
}

/// A version as Go writes it; what is the same for all of them is kept elsewhere.
fn shown(version: &Value, of: usize) -> Value {
    let own = |field: &str| if of == 1 { Value::Null } else { version[field].clone() };
    json!({
        "Name": version["name"], "Served": version["served"] == true, "Storage": version["storage"] == true,
        "Deprecated": version["deprecated"] == true, "DeprecationWarning": version["deprecationWarning"],
        "Schema": own("schema"), "Subresources": own("subresources"),
        "AdditionalPrinterColumns": own("additionalPrinterColumns"), "SelectableFields": own("selectableFields"),
    })
}
