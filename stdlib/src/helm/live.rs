//! The live counterparts of a manifest's objects, and how far they are what the manifest says.
//!
//! Only reads. Does not know releases.

use std::sync::Arc;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use runbook_core::world::Cluster;
use runbook_core::{Code, Fault, Value};

use super::object;
use crate::kubectl::api::{Api, Scope};
use crate::kubectl::kind;

/// How many objects are asked for at a time; the connection has limits of its own.
const AT_A_TIME: usize = 8;

/// Finds the live counterparts of objects, in their order; `None` for one that is not there, or whose kind is not.
pub(super) async fn find_all(
    cluster: &Arc<Cluster>,
    objects: &[&Value],
    release_namespace: &str,
) -> Result<Vec<Option<Value>>, Fault> {
    let asked = objects.iter().map(|object| find(cluster, object, release_namespace));
    stream::iter(asked).buffered(AT_A_TIME).try_collect().await
}

async fn find(cluster: &Arc<Cluster>, object: &Value, release_namespace: &str) -> Result<Option<Value>, Fault> {
    let resource = match kind::of_manifest(cluster, object).await {
        Ok(resource) => resource,
        Err(fault) if fault.code == Code::NotFound => return Ok(None),
        Err(fault) => return Err(fault),
    };
    let namespace = match object::text(object, &["metadata", "namespace"]) {
        "" => release_namespace,
        namespace => namespace,
    };
    let api = Api::of(cluster, resource, &Scope::Namespace(Some(namespace.to_owned())))?;
    api.find(object::text(object, &["metadata", "name"])).await
}

/// Whether everything a manifest says holds of the live value, which may hold more: what the server fills in.
pub(super) fn holds(said: &Value, live: &Value) -> bool {
    match (said, live) {
        (Value::Object(said), Value::Object(live)) => said.iter().all(|(key, value)| match live.get(key) {
            Some(live) => holds(value, live),
            // The server drops what is empty.
            None => is_empty(value),
        }),
        (Value::Array(said), Value::Array(live)) => {
            said.len() == live.len() && said.iter().zip(live).all(|(said, live)| holds(said, live))
        }
        (said, live) => said == live,
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(map) => map.values().all(is_empty),
        Value::Array(items) => items.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Bool(on) => !on,
        Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_the_server_fills_in_or_drops_is_no_contradiction() {
        let said = json!({ "spec": { "ports": [{ "port": 443 }], "paused": false, "labels": {} } });
        assert!(holds(
            &said,
            &json!({ "spec": { "ports": [{ "port": 443, "protocol": "TCP" }], "type": "ClusterIP" } })
        ));
        assert!(!holds(&said, &json!({ "spec": { "ports": [{ "port": 444 }] } })));
        assert!(!holds(&said, &json!({ "spec": { "ports": [{ "port": 443 }, { "port": 80 }] } })));
    }
}
