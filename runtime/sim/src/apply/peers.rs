//! The parts of apply, as peers' cases ask for them one by one.

use serde_json::Value;

use super::atom::Types;
use super::owner::Owners;
use super::typed::Duplicates;
use super::{Order, Refusal, Set, track, typed};
use crate::schema::Schema;

pub(crate) fn merge(schema: &Schema, below: &Value, above: &Value) -> Result<Value, String> {
    let (types, kind) = Types::of(schema);
    super::merge::merge(types, kind, below, above).map(Option::unwrap_or_default)
}

pub(crate) fn compare(schema: &Schema, old: &Value, new: &Value) -> Result<[Set; 3], String> {
    let (types, kind) = Types::of(schema);
    super::compare::compare(types, kind, old, new).map(|found| [found.removed, found.modified, found.added])
}

pub(crate) fn fields(schema: &Schema, object: &Value) -> Set {
    let (types, kind) = Types::of(schema);
    typed::fields(types, kind, object)
}

pub(crate) fn remove(schema: &Schema, object: &Value, gone: &Set) -> Value {
    let (types, kind) = Types::of(schema);
    super::remove::remove(types, kind, object, gone)
}

pub(crate) fn check(schema: &Schema, object: &Value) -> Result<(), String> {
    let (types, kind) = Types::of(schema);
    typed::check(types, kind, object, Duplicates::Refused)
}

/// An object and its owners, one write after the other.
#[derive(Default)]
pub(crate) struct Story {
    pub(crate) live: Value,
    owners: Owners,
}

impl Story {
    /// The paths in conflict where there are any.
    pub(crate) fn apply(
        &mut self,
        schema: &Schema,
        object: &Value,
        manager: &str,
        version: &str,
        force: bool,
    ) -> Result<(), Vec<String>> {
        let how = order(manager, version);
        match super::apply_to(schema, &self.live, object, self.owners.clone(), &how, force) {
            Ok((live, owners)) => {
                (self.live, self.owners) = (live, owners);
                Ok(())
            }
            Err(Refusal::Conflicts(conflicts)) => Err(conflicts.into_iter().map(|one| one.field).collect()),
            Err(other) => Err(vec![other.to_string()]),
        }
    }

    pub(crate) fn update(
        &mut self,
        schema: &Schema,
        new: &Value,
        manager: &str,
        version: &str,
    ) -> Result<(), Vec<String>> {
        let how = order(manager, version);
        if !track::update_owners(schema, &self.live, new, &mut self.owners, &how) {
            return Err(vec!["it cannot be compared".to_owned()]);
        }
        self.live = new.clone();
        Ok(())
    }

    /// Each owner, in which version, of what.
    pub(crate) fn owned(&self) -> Vec<(String, String, Set)> {
        let owned = self.owners.iter();
        owned.map(|(owner, share)| (owner.manager.clone(), share.api_version.clone(), share.set.clone())).collect()
    }
}

fn order<'a>(manager: &'a str, api_version: &'a str) -> Order<'a> {
    let now = jiff::Timestamp::UNIX_EPOCH;
    Order { manager, force: false, now, api_version, subresource: "", resets: &[] }
}
