//! Brings objects into the cluster as helm does: applied by the server, or patched from here; what a release no longer has
//! goes.
//!
//! Does not know what a release is.

use runbook_core::Value;
use serde_json::{Map, json};

use super::super::object;
use super::item::Item;
use super::patch::{self, Custom};
use super::trouble::Trouble;
use super::wire::{Answer, MANAGER, Refusal, Spot, Wire};

/// How often a write is sent again that another one came before.
const TRIES: usize = 5;

/// Where kubectl writes down what it applied; who owns it does not matter to an apply by the server.
const LAST_APPLIED: &str = "f:kubectl.kubernetes.io/last-applied-configuration";

/// How objects are brought in.
#[derive(Debug, Clone, Copy)]
pub(super) struct How {
    pub(super) side: Side,
    /// How custom resources are compared where they are patched from here.
    pub(super) custom: Custom,
}

/// Who works out what changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// The server; fields of others are taken or not.
    Server {
        /// Whether conflicts are won by force.
        force: bool,
        /// Whether what helm wrote as an update before becomes its own apply first.
        migrate: bool,
    },
    /// We do, by patches.
    Client,
}

/// Creates objects; all are tried, and what went wrong is told together.
pub(super) async fn create(wire: &Wire, items: &[Item], how: How) -> Result<(), Trouble> {
    let mut errors = Vec::new();
    for item in items {
        match create_one(wire, item, how).await {
            Err(Trouble::Words(words)) => errors.push(words),
            other => other?,
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(Trouble::words(errors.join("\n"))) }
}

async fn create_one(wire: &Wire, item: &Item, how: How) -> Result<(), Trouble> {
    if let Side::Server { force, .. } = how.side {
        return apply(wire, item, force).await;
    }
    match wire.create(&item.spot, &item.object).await? {
        Answer::Done(_) => Ok(()),
        Answer::Refused(refusal) => Err(Trouble::words(refusal.message)),
    }
}

async fn apply(wire: &Wire, item: &Item, force: bool) -> Result<(), Trouble> {
    match wire.apply(&item.spot, &item.object, force).await? {
        Answer::Done(_) => Ok(()),
        Answer::Refused(refusal) => Err(Trouble::words(format!(
            "{} {}: {}",
            if refusal.is_conflict() {
                "conflict occurred while applying object"
            } else {
                "server-side apply failed for object"
            },
            item.spot.in_words(),
            refusal.message
        ))),
    }
}

/// Brings what was applied before to what shall be there: creates, changes, and deletes what is no longer wanted, unless the
/// live object says that it is to be kept.
pub(super) async fn update(wire: &Wire, before: &[Item], after: &[Item], how: How) -> Result<(), Trouble> {
    let mut errors = Vec::new();
    for item in after {
        let Some(live) = wire.get(&item.spot).await? else {
            create_one(wire, item, how).await.map_err(|trouble| trouble.during("failed to create resource"))?;
            continue;
        };
        let original = before.iter().find(|other| other.is(item)).map_or(&live, |other| &other.object);
        match update_one(wire, item, original, &live, how).await {
            Err(Trouble::Words(words)) => errors.push(words),
            other => other?,
        }
    }
    if errors.is_empty() {
        for item in before.iter().filter(|item| !after.iter().any(|other| other.is(item))) {
            match remove(wire, item).await {
                Err(Trouble::Words(words)) => errors.push(words),
                other => other?,
            }
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(Trouble::words(errors.join(" && "))) }
}

async fn update_one(wire: &Wire, item: &Item, original: &Value, live: &Value, how: How) -> Result<(), Trouble> {
    if let Side::Server { force, migrate } = how.side {
        if migrate {
            take_over_own(wire, &item.spot, live).await?;
        }
        return apply(wire, item, force).await;
    }
    let patch = patch::make(&item.spot.resource, original, &item.object, live, how.custom);
    if patch.is_empty() {
        return Ok(());
    }
    match wire.patch(&item.spot, patch.form, &patch.body).await? {
        Answer::Done(_) => Ok(()),
        Answer::Refused(Refusal { message, .. }) => Err(Trouble::words(format!(
            "cannot patch \"{}\" with kind {}: {message}",
            item.spot.name, item.spot.resource.kind
        ))),
    }
}

async fn remove(wire: &Wire, item: &Item) -> Result<(), Trouble> {
    let Some(live) = wire.get(&item.spot).await? else { return Ok(()) };
    if object::is_kept(&live) {
        return Ok(());
    }
    wire.delete(&item.spot).await.map_err(|trouble| {
        let spot = &item.spot;
        trouble.during(&format!(
            "failed to delete resource namespace={}, name={}, kind={}",
            spot.namespace, spot.name, spot.resource.kind
        ))
    })
}

/// What helm wrote by patches it must own as an apply before the server applies for it: else fields that the chart drops
/// would stay for ever.
async fn take_over_own(wire: &Wire, spot: &Spot, live: &Value) -> Result<(), Trouble> {
    let mut live = live.clone();
    for _ in 0..TRIES {
        let Some(patch) = ownership_patch(&live) else { return Ok(()) };
        match wire.patch(spot, "application/json-patch+json", &patch).await? {
            Answer::Done(_) => return Ok(()),
            Answer::Refused(refusal) if refusal.is_conflict() => match wire.get(spot).await? {
                Some(now) => live = now,
                None => return Ok(()),
            },
            Answer::Refused(refusal) => {
                return Err(Trouble::words(format!(
                    "failed to patch object to upgrade CSA field manager {}: {}",
                    spot.in_words(),
                    refusal.message
                )));
            }
        }
    }
    Err(Trouble::words(format!("{} changes faster than it can be patched", spot.in_words())))
}

/// Helm's updates become its apply; `None` where there are none.
fn ownership_patch(live: &Value) -> Option<Value> {
    let mut entries = live.pointer("/metadata/managedFields")?.as_array()?.clone();
    let text = |entry: &Value, key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let by = |entry: &Value, operation: &str| {
        text(entry, "manager") == MANAGER
            && text(entry, "operation") == operation
            && text(entry, "subresource").is_empty()
    };
    if !entries.iter().any(|entry| by(entry, "Update")) {
        return None;
    }
    let at = if let Some(at) = entries.iter().position(|entry| by(entry, "Apply")) {
        at
    } else {
        let at = entries.iter().position(|entry| by(entry, "Update"))?;
        entries[at]["operation"] = json!("Apply");
        at
    };
    let version = text(&entries[at], "apiVersion");
    let update = entries.iter().find(|entry| by(entry, "Update") && text(entry, "apiVersion") == version).cloned();
    let mut owned = entries[at]["fieldsV1"].as_object().cloned().unwrap_or_default();
    if let Some(more) = update.as_ref().and_then(|entry| entry.get("fieldsV1")?.as_object()) {
        unite(&mut owned, more);
    }
    if let Some(annotations) = owned.get_mut("f:metadata").and_then(|m| m.get_mut("f:annotations")) {
        annotations.as_object_mut().map(|map| map.shift_remove(LAST_APPLIED));
    }
    entries[at]["fieldsV1"] = Value::Object(owned);
    entries.retain(|entry| !by(entry, "Update"));
    Some(json!([
        { "op": "replace", "path": "/metadata/managedFields", "value": entries },
        { "op": "replace", "path": "/metadata/resourceVersion", "value": live.pointer("/metadata/resourceVersion")? },
    ]))
}

fn unite(fields: &mut Map<String, Value>, more: &Map<String, Value>) {
    for (key, value) in more {
        match (fields.get_mut(key), value) {
            (Some(Value::Object(fields)), Value::Object(more)) => unite(fields, more),
            _ => {
                fields.insert(key.clone(), value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_helm_updated_becomes_what_it_applied() {
        let live = json!({ "metadata": { "resourceVersion": "7", "managedFields": [
            { "manager": "helm", "operation": "Update", "apiVersion": "v1", "fieldsV1": { "f:data": { "f:a": {}, "f:b": {} } } },
            { "manager": "kubectl", "operation": "Update", "apiVersion": "v1", "fieldsV1": { "f:data": { "f:c": {} } } },
        ] } });
        let patch = ownership_patch(&live).unwrap();
        assert_eq!(patch[0]["value"][0]["operation"], "Apply");
        assert_eq!(patch[0]["value"].as_array().unwrap().len(), 2);
        assert_eq!(patch[1]["value"], "7");
        let mut both = live.clone();
        both["metadata"]["managedFields"][1] = json!({ "manager": "helm", "operation": "Apply", "apiVersion": "v1", "fieldsV1": { "f:data": { "f:c": {} } } });
        let patch = ownership_patch(&both).unwrap();
        assert_eq!(patch[0]["value"].as_array().unwrap().len(), 1);
        assert_eq!(patch[0]["value"][0]["fieldsV1"], json!({ "f:data": { "f:c": {}, "f:a": {}, "f:b": {} } }));
        let mut applied = live;
        applied["metadata"]["managedFields"].as_array_mut().unwrap().remove(0);
        assert_eq!(ownership_patch(&applied), None);
    }
}
