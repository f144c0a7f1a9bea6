//! Server-side apply, and who owns which field of an object after ordinary writes.
//!
//! Not known here: requests, storage, defaults of built-in kinds. Times come from whoever asks.

mod atom;
mod compare;
mod element;
mod last_applied;
mod merge;
mod owner;
#[cfg(test)]
pub(crate) mod peers;
#[cfg(test)]
mod property;
mod refusal;
mod remove;
mod set;
mod track;
mod typed;
mod update;

#[cfg(test)]
mod tests;

use jiff::Timestamp;
use serde_json::Value;

use crate::schema::Schema;
use atom::{Kind, Types};
#[cfg(test)]
pub(crate) use element::{Element, same};
use owner::{Operation, Owner, Owners, Share};
pub(crate) use refusal::{Conflict, Refusal};
pub(crate) use set::Set;
pub(crate) use track::{is_same, keep_times, track};
use typed::Duplicates;

/// Who writes, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Order<'a> {
    /// The field manager: `unknown` where it is empty.
    pub(crate) manager: &'a str,
    /// Takes fields from other owners instead of refusing.
    pub(crate) force: bool,
    pub(crate) now: Timestamp,
    /// The version in whose words the request speaks, such as `apps/v1`.
    pub(crate) api_version: &'a str,
    /// Such as `status`; empty for the object itself.
    pub(crate) subresource: &'a str,
    /// Fields that a write of this kind does not change, and so does not come to own: `status` for the object itself.
    pub(crate) resets: &'a [&'a [&'a str]],
}

impl Order<'_> {
    fn time(&self) -> String {
        self.now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    fn manager(&self) -> &str {
        if self.manager.is_empty() { "unknown" } else { self.manager }
    }
}

/// What the server never lets anybody own.
fn nobodys() -> Set {
    Set::of(&[
        &["apiVersion"],
        &["kind"],
        &["metadata"],
        &["metadata", "name"],
        &["metadata", "namespace"],
        &["metadata", "creationTimestamp"],
        &["metadata", "selfLink"],
        &["metadata", "uid"],
        &["metadata", "clusterName"],
        &["metadata", "generation"],
        &["metadata", "managedFields"],
        &["metadata", "resourceVersion"],
    ])
}

/// Does an object fit its type? Of one that does not nobody can own fields.
pub(crate) fn is_typed(schema: &Schema, object: &Value) -> bool {
    let (types, kind) = Types::of(schema);
    typed::check(types, kind, object, Duplicates::Allowed).is_ok()
}

/// What `live` becomes when `applied` is applied to it, `metadata.managedFields` included.
///
/// Where nothing changes the live object comes back with the times it had.
pub(crate) fn apply(schema: &Schema, live: Option<&Value>, applied: &Value, how: &Order<'_>) -> Result<Value, Refusal> {
    check_applied(applied, how)?;
    let mut base = live.cloned().unwrap_or_else(|| empty_like(schema, applied));
    let owners = owner::read(base.pointer("/metadata/managedFields"))
        .map_err(|why| Refusal::Internal(format!("failed to decode managed fields: {why}")))?;
    strip(&mut base);
    let once = |force: bool| apply_to(schema, &base, applied, owners.clone(), how, force);
    let outcome = match once(how.force) {
        Err(Refusal::Conflicts(conflicts)) if how.manager == "kubectl" => {
            match last_applied::still_in_conflict(schema, &base, conflicts, how) {
                Some(conflicts) => Err(Refusal::Conflicts(conflicts)),
                None => once(true),
            }
        }
        outcome => outcome,
    };
    let (mut object, owners) = outcome?;
    if how.manager == "kubectl" {
        last_applied::renew(&mut object, applied);
    }
    owner::write(&mut object, &owners);
    Ok(object)
}

fn check_applied(applied: &Value, how: &Order<'_>) -> Result<(), Refusal> {
    let said = applied["apiVersion"].as_str().unwrap_or_default();
    if said != how.api_version {
        return Err(Refusal::BadRequest(format!(
            "Incorrect version specified in apply patch. Specified patch version: {said}, expected: {}",
            how.api_version
        )));
    }
    if applied.pointer("/metadata/managedFields").is_some_and(|fields| !fields.is_null()) {
        return Err(Refusal::BadRequest("metadata.managedFields must be nil".to_owned()));
    }
    Ok(())
}

/// What stands in for an object that is not there yet: what the server's own types always write, and nothing else.
fn empty_like(schema: &Schema, object: &Value) -> Value {
    let text = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default();
    let built_in = || crate::kind::Catalogue::builtin().by_kind(text("apiVersion"), text("kind"));
    if let Some(kind) = (!schema.is_custom()).then(built_in).flatten() {
        return crate::kind::empty(&kind);
    }
    let named = ["apiVersion", "kind"].into_iter().filter_map(|key| Some((key.to_owned(), object.get(key)?.clone())));
    Value::Object(named.collect())
}

/// Takes the owners out of an object.
fn strip(object: &mut Value) -> Option<Value> {
    object.get_mut("metadata")?.as_object_mut()?.shift_remove("managedFields")
}

fn apply_to(
    schema: &Schema,
    live: &Value,
    applied: &Value,
    mut owners: Owners,
    how: &Order<'_>,
    force: bool,
) -> Result<(Value, Owners), Refusal> {
    let (types, kind) = Types::of(schema);
    if owners.is_empty() {
        // What is there was written before anybody kept track; it belongs to whoever that was.
        let before = Order { manager: "before-first-apply", ..*how };
        track::update_owners(schema, &empty_like(schema, live), live, &mut owners, &before);
    }
    let named = |object: &Value| described(object, how.api_version);
    typed::check(types, kind, applied, Duplicates::Refused)
        .map_err(|why| Refusal::Internal(format!("failed to create typed patch object ({}): {why}", named(applied))))?;
    typed::check(types, kind, live, Duplicates::Allowed)
        .map_err(|why| Refusal::Internal(format!("failed to create typed live object ({}): {why}", named(live))))?;
    let merged = merge::merge(types, kind, live, applied)
        .map_err(|why| Refusal::Internal(format!("failed to merge config: {why}")))?
        .unwrap_or_else(|| empty_like(schema, applied));
    let owner = Owner::new(how.manager(), Operation::Apply, how.api_version, how.subresource);
    let resets = Set::of(how.resets);
    let set = typed::fields(types, kind, applied).recursive_difference(&resets);
    let last = owners.remove(&owner);
    let time = last.as_ref().and_then(|last| last.time.clone());
    let share = Share { set, api_version: how.api_version.to_owned(), time };
    owners.insert(owner.clone(), share);
    let object = match last.filter(|last| !last.set.is_empty()) {
        Some(last) => prune(types, kind, &merged, &owners, &last.set),
        None => merged,
    };
    update::update(types, kind, live, &object, &mut owners, Some(&owner), force, &resets)?;
    if let Some(share) = owners.get_mut(&owner) {
        share.set = share.set.difference(&nobodys());
        if share.set.is_empty() {
            owners.remove(&owner);
        }
    }
    if element::same(live, &object) {
        return Ok((live.clone(), owners));
    }
    if let Some(share) = owners.get_mut(&owner) {
        share.time = Some(how.time());
    }
    Ok((object, owners))
}

/// Takes out what the owner applied before, does not apply now, and nobody else owns.
fn prune(types: Types<'_>, kind: Kind<'_>, merged: &Value, owners: &Owners, last: &Set) -> Value {
    let last = last.with_named_fields(types, kind);
    let pruned = remove::remove(types, kind, merged, &last);
    let owned = owners.values().fold(Set::default(), |all, share| all.union(&share.set));
    let merged_set = typed::fields(types, kind, merged).with_named_fields(types, kind);
    let pruned_set = typed::fields(types, kind, &pruned).with_named_fields(types, kind);
    let kept = pruned_set.union(&owned.with_named_fields(types, kind));
    let pruned = remove::remove(types, kind, merged, &merged_set.difference(&kept));
    let pruned_set = typed::fields(types, kind, &pruned).with_named_fields(types, kind);
    let gone = merged_set.difference(&pruned_set).intersection(&last);
    remove::remove(types, kind, merged, &gone)
}

/// An object as the server's own errors name it.
fn described(object: &Value, api_version: &str) -> String {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let kind = text("/kind");
    // The core group has no name, and its slash stays.
    let core = if api_version.contains('/') { "" } else { "/" };
    format!("{}/{}; {core}{api_version}, Kind={kind}", text("/metadata/namespace"), text("/metadata/name"))
}
