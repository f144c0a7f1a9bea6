//! What the API server says over the wire: its version, its paths, its resources and their schemas.

use http::Request;
use kube::Client;
use serde_json::{Map, Value, json};

use super::Schemas;
use crate::fault::Fault;

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// All that discovery says, as one document, and the schemas of all group versions.
pub(super) async fn read(client: &Client) -> Result<(Value, Schemas), Fault> {
    let mut groups = Vec::new();
    for root in ["/api", "/apis"] {
        let mut answer = get(client, root, AGGREGATED).await?;
        groups.append(answer["items"].as_array_mut().ok_or_else(|| strange(root))?);
    }
    let mut schemas = Schemas::new();
    for group in &mut groups {
        let name = group["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        for version in group["versions"].as_array_mut().ok_or_else(|| strange(&name))? {
            let path = match (name.as_str(), version["version"].as_str().unwrap_or_default()) {
                ("", version) => format!("api/{version}"),
                (name, version) => format!("apis/{name}/{version}"),
            };
            let listed = get(client, &format!("/{path}"), "application/json").await?;
            add_storage_hashes(version, &listed);
            let document = get(client, &format!("/openapi/v3/{path}"), "application/json").await?;
            add_schemas(&mut schemas, &document, &path)?;
        }
    }
    let discovery = json!({
        "version": get(client, "/version", "application/json").await?,
        "paths": get(client, "/", "application/json").await?["paths"],
        "groups": groups,
    });
    Ok((discovery, schemas))
}

async fn get(client: &Client, path: &str, accept: &str) -> Result<Value, Fault> {
    let request = Request::get(path).header("accept", accept).body(Vec::new()).expect("a path of the API server's own");
    Ok(client.request(request).await?)
}

fn strange(what: &str) -> Fault {
    Fault::malformed("the API server's discovery", format!("`{what}` is not what it was"))
}

/// Only the older form of discovery has them.
fn add_storage_hashes(version: &mut Value, listed: &Value) {
    let resources = version["resources"].as_array_mut().into_iter().flatten();
    for resource in resources {
        let same =
            listed["resources"].as_array().into_iter().flatten().find(|other| other["name"] == resource["resource"]);
        if let Some(hash) = same.and_then(|same| same.get("storageVersionHash")) {
            resource["storageVersionHash"] = hash.clone();
        }
    }
}

/// Adds the schemas of one document. The same name means the same everywhere, but for the marks of those that every group has.
fn add_schemas(all: &mut Schemas, document: &Value, path: &str) -> Result<(), Fault> {
    for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
        let mut schema = without_prose(schema);
        if let Some(marks) = schema.get_mut("x-kubernetes-group-version-kind").and_then(Value::as_array_mut)
            && name.starts_with("io.k8s.apimachinery.")
        {
            // Each document adds its own group to that of all.
            marks.retain(|mark| mark["group"] == "");
        }
        match all.get(name) {
            Some(known) if *known != schema => {
                return Err(Fault::malformed(
                    format!("the schemas of {path}"),
                    format!("`{name}` is another one elsewhere"),
                ));
            }
            Some(_) => {}
            None => drop(all.insert(name.clone(), schema)),
        }
    }
    Ok(())
}

fn without_prose(schema: &Value) -> Value {
    match schema {
        Value::Object(fields) => Value::Object(fields.iter().filter_map(without_prose_of).collect()),
        Value::Array(items) => Value::Array(items.iter().map(without_prose).collect()),
        other => other.clone(),
    }
}

/// A description is prose, and a property of that name is not.
fn without_prose_of((key, value): (&String, &Value)) -> Option<(String, Value)> {
    match (key.as_str(), value) {
        ("description", Value::String(_)) => None,
        ("properties", Value::Object(properties)) => {
            let kept: Map<_, _> = properties.iter().map(|(name, value)| (name.clone(), without_prose(value))).collect();
            Some((key.clone(), Value::Object(kept)))
        }
        _ => Some((key.clone(), without_prose(value))),
    }
}
