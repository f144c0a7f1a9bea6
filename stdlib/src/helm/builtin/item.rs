//! The objects of a manifest with where each is: what operations are made of.
//!
//! Does not send anything but questions.

use runbook_core::Value;
use serde_json::{Map, json};

use super::super::object;
use super::record::Record;
use super::trouble::Trouble;
use super::wire::{Spot, Wire};

const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
const HELM: &str = "Helm";
const NAME: &str = "meta.helm.sh/release-name";
const NAMESPACE: &str = "meta.helm.sh/release-namespace";

/// An object and where it is.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) object: Value,
    pub(super) spot: Spot,
}

impl Item {
    /// Whether it is the same object as another one, whatever its version.
    pub(super) fn is(&self, other: &Self) -> bool {
        let (a, b) = (&self.spot, &other.spot);
        a.name == b.name
            && a.namespace == b.namespace
            && a.resource.kind == b.resource.kind
            && a.resource.group == b.resource.group
    }

    /// `Service "web" in namespace "shop"`, as helm writes it.
    fn in_words(&self) -> String {
        format!("{} \"{}\" in namespace \"{}\"", self.spot.resource.kind, self.spot.name, self.spot.namespace)
    }
}

/// The objects of a manifest, in its order.
pub(super) async fn build(wire: &Wire, manifest: &str) -> Result<Vec<Item>, Trouble> {
    let mut items = Vec::new();
    for mut object in object::parse(manifest)? {
        let spot = wire.spot(&object).await?;
        if !spot.namespace.is_empty() {
            object["metadata"]["namespace"] = json!(spot.namespace);
        }
        items.push(Item { object, spot });
    }
    Ok(items)
}

/// Marks objects as the release's own.
pub(super) fn own(items: &mut [Item], record: &Record) {
    for item in items {
        mark(&mut item.object, "labels", &[(MANAGED_BY, HELM)]);
        mark(&mut item.object, "annotations", &[(NAME, &record.name), (NAMESPACE, &record.namespace)]);
    }
}

fn mark(object: &mut Value, field: &str, marks: &[(&str, &str)]) {
    let Some(metadata) = object.as_object_mut().map(|map| map.entry("metadata").or_insert_with(|| json!({}))) else {
        return;
    };
    if !metadata[field].is_object() {
        metadata[field] = Value::Object(Map::new());
    }
    for (key, value) in marks {
        metadata[field][*key] = json!(value);
    }
}

/// Those of the objects that exist already and belong to the release; the others do not exist.
///
/// In helm's words where one belongs to somebody else.
pub(super) async fn existing(wire: &Wire, items: &[Item], record: &Record) -> Result<Vec<Item>, Trouble> {
    let mut found = Vec::new();
    for item in items {
        let Some(live) = wire.get(&item.spot).await? else { continue };
        if let Some(reason) = stranger(&live, record) {
            return Err(Trouble::words(format!(
                "{} exists and cannot be imported into the current release: {reason}",
                item.in_words()
            )));
        }
        found.push(item.clone());
    }
    Ok(found)
}

/// Those of the objects that exist already, whoever they belong to.
pub(super) async fn adopted(wire: &Wire, items: &[Item]) -> Result<Vec<Item>, Trouble> {
    let mut found = Vec::new();
    for item in items {
        if wire.get(&item.spot).await?.is_some() {
            found.push(item.clone());
        }
    }
    Ok(found)
}

/// Why a live object is not the release's own, in helm's words.
pub(super) fn stranger(live: &Value, record: &Record) -> Option<String> {
    let mut reasons = Vec::new();
    let mut check = |field: &str, what: &str, key: &str, wanted: &str| match live
        .get("metadata")
        .and_then(|metadata| metadata.get(field)?.get(key)?.as_str())
    {
        Some(found) if found == wanted => {}
        Some(found) => reasons.push(format!(
            "{what} validation error: key \"{key}\" must equal \"{wanted}\": current value is \"{found}\""
        )),
        None => {
            reasons.push(format!("{what} validation error: missing key \"{key}\": must be set to \"{wanted}\""));
        }
    };
    check("labels", "label", MANAGED_BY, HELM);
    check("annotations", "annotation", NAME, &record.name);
    check("annotations", "annotation", NAMESPACE, &record.namespace);
    (!reasons.is_empty()).then(|| format!("invalid ownership metadata; {}", reasons.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stranger_is_told_by_label_and_annotations() {
        let record = Record { name: "web".to_owned(), namespace: "shop".to_owned(), ..Record::default() };
        let mut object = json!({ "kind": "ConfigMap", "metadata": { "name": "x", "labels": null } });
        let reason = stranger(&object, &record).unwrap();
        assert!(reason.starts_with("invalid ownership metadata; label validation error: missing key"), "{reason}");
        mark(&mut object, "labels", &[(MANAGED_BY, HELM)]);
        mark(&mut object, "annotations", &[(NAME, "other"), (NAMESPACE, "shop")]);
        let reason = stranger(&object, &record).unwrap();
        assert_eq!(
            reason,
            "invalid ownership metadata; annotation validation error: key \"meta.helm.sh/release-name\" must equal \"web\": current value is \"other\""
        );
        mark(&mut object, "annotations", &[(NAME, "web")]);
        assert_eq!(stranger(&object, &record), None);
    }
}
