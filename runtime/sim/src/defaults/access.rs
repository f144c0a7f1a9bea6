//! Roles and their bindings.
//!
//! Not known here: who may do what.

use serde_json::{Value, json};

use super::{absent, each, inner, map_of, zero};

const GROUP: &str = "rbac.authorization.k8s.io";

pub(super) fn fill(plural: &str, object: &mut Value) {
    match plural {
        "rolebindings" | "clusterrolebindings" => {
            if let Some(role) = map_of(object, "roleRef") {
                zero(role, "apiGroup", GROUP);
            }
            for subject in each(object, "subjects") {
                if subject["kind"] == "ServiceAccount" {
                    if subject["apiGroup"] == ""
                        && let Some(fields) = subject.as_object_mut()
                    {
                        fields.shift_remove("apiGroup");
                    }
                } else {
                    zero(subject, "apiGroup", GROUP);
                }
            }
        }
        "roles" | "clusterroles" => {
            absent(object, "rules", Value::Null);
            if let Some(rule) = inner(object, "aggregationRule") {
                absent(rule, "clusterRoleSelectors", json!([]));
            }
        }
        _ => {}
    }
}
