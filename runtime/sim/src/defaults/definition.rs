//! Definitions of custom resources.
//!
//! Not known here: schemas.

use serde_json::{Value, json};

use super::{absent, each, inner, is_empty, map_of, zero};

pub(super) fn fill(definition: &mut Value) {
    let Some(spec) = map_of(definition, "spec") else { return };
    if let Some(names) = map_of(spec, "names")
        && let Some(kind) = names["kind"].as_str().filter(|kind| !kind.is_empty()).map(str::to_owned)
    {
        zero(names, "singular", kind.to_lowercase());
        zero(names, "listKind", format!("{kind}List"));
    }
    absent(spec, "conversion", json!({ "strategy": "None" }));
    let service = inner(spec, "conversion")
        .and_then(|conversion| inner(conversion, "webhook"))
        .and_then(|webhook| inner(webhook, "clientConfig"))
        .and_then(|client| inner(client, "service"));
    if let Some(service) = service {
        absent(service, "port", 443);
    }
    let stored: Vec<Value> =
        each(spec, "versions").filter(|version| version["storage"] == true).map(|it| it["name"].clone()).collect();
    let Some(status) = map_of(definition, "status") else { return };
    if is_empty(status, "/storedVersions") {
        status["storedVersions"] = stored.into_iter().take(1).collect();
    }
    absent(status, "conditions", Value::Null);
    absent(status, "acceptedNames", json!({ "plural": "", "kind": "" }));
}
