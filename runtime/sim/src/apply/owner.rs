//! Who owns which fields, as `metadata.managedFields` has it.
//!
//! Not known here: schemas, and how ownership changes.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::set::Set;

/// What an owner did to own its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Operation {
    Apply,
    Update,
}

impl Operation {
    fn word(self) -> &'static str {
        match self {
            Self::Apply => "Apply",
            Self::Update => "Update",
        }
    }
}

/// What tells owners apart. An applier is the same whatever version it applies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Owner {
    pub(super) manager: String,
    pub(super) operation: Operation,
    pub(super) api_version: String,
    pub(super) subresource: String,
}

impl Owner {
    pub(super) fn new(manager: &str, operation: Operation, api_version: &str, subresource: &str) -> Self {
        let api_version = if operation == Operation::Apply { "" } else { api_version };
        Self {
            manager: manager.to_owned(),
            operation,
            api_version: api_version.to_owned(),
            subresource: subresource.to_owned(),
        }
    }

    /// How a conflict speaks of it.
    pub(super) fn shown(&self) -> String {
        let mut shown = crate::schema::quote(&self.manager);
        if !self.subresource.is_empty() {
            shown = format!("{shown} with subresource {}", crate::schema::quote(&self.subresource));
        }
        if self.operation == Operation::Update {
            shown = format!("{shown} using {}", self.api_version);
        }
        shown
    }

    /// What the server's own identifiers sort by.
    pub(super) fn sort_key(&self) -> String {
        let mut key = Map::new();
        for (name, value) in [
            ("manager", self.manager.as_str()),
            ("operation", self.operation.word()),
            ("apiVersion", &self.api_version),
            ("subresource", &self.subresource),
        ] {
            if !value.is_empty() {
                key.insert(name.to_owned(), Value::String(value.to_owned()));
            }
        }
        Value::Object(key).to_string()
    }
}

/// What one owner owns, in the words of which version, since when.
#[derive(Clone, Debug)]
pub(super) struct Share {
    pub(super) set: Set,
    pub(super) api_version: String,
    pub(super) time: Option<String>,
}

/// All owners of one object.
pub(super) type Owners = BTreeMap<Owner, Share>;

/// Reads `metadata.managedFields`.
pub(super) fn read(entries: Option<&Value>) -> Result<Owners, String> {
    let mut owners = Owners::new();
    for (at, entry) in entries.and_then(Value::as_array).into_iter().flatten().enumerate() {
        let text = |key: &str| entry[key].as_str().unwrap_or_default();
        let operation = match text("operation") {
            "Apply" => Operation::Apply,
            "Update" => Operation::Update,
            _ => return Err("operation must be `Apply` or `Update`".to_owned()),
        };
        if text("apiVersion").is_empty() {
            return Err("apiVersion must not be empty".to_owned());
        }
        match text("fieldsType") {
            "FieldsV1" => {}
            "" => return Err(format!("missing fieldsType in managed fields entry {at}")),
            other => return Err(format!("invalid fieldsType {other:?} in managed fields entry {at}")),
        }
        let share = Share {
            set: Set::read(&entry["fieldsV1"]).map_err(|why| format!("error decoding set: {why}"))?,
            api_version: text("apiVersion").to_owned(),
            time: entry["time"].as_str().map(str::to_owned),
        };
        owners.insert(Owner::new(text("manager"), operation, text("apiVersion"), text("subresource")), share);
    }
    Ok(owners)
}

/// Writes `metadata.managedFields` into an object, or takes it out where nobody owns anything.
pub(super) fn write(object: &mut Value, owners: &Owners) {
    let Some(meta) = object.get_mut("metadata").and_then(Value::as_object_mut) else { return };
    if owners.is_empty() {
        meta.shift_remove("managedFields");
        return;
    }
    let mut sorted: Vec<_> = owners.iter().collect();
    sorted.sort_by(|(left, one), (right, other)| {
        let key = |owner: &Owner, share: &Share| {
            (owner.operation, share.time.clone().unwrap_or_default(), owner.manager.clone(), share.api_version.clone())
        };
        key(left, one).cmp(&key(right, other)).then_with(|| left.subresource.cmp(&right.subresource))
    });
    let entries = sorted.into_iter().map(|(owner, share)| entry(owner, share)).collect();
    meta.insert("managedFields".to_owned(), Value::Array(entries));
}

fn entry(owner: &Owner, share: &Share) -> Value {
    let mut entry = json!({
        "manager": owner.manager,
        "operation": owner.operation.word(),
        "apiVersion": share.api_version,
    });
    let map = entry.as_object_mut().into_iter().next();
    if let Some(map) = map {
        if let Some(time) = &share.time {
            map.insert("time".to_owned(), Value::String(time.clone()));
        }
        map.insert("fieldsType".to_owned(), Value::String("FieldsV1".to_owned()));
        map.insert("fieldsV1".to_owned(), share.set.written());
        if !owner.subresource.is_empty() {
            map.insert("subresource".to_owned(), Value::String(owner.subresource.clone()));
        }
    }
    entry
}
