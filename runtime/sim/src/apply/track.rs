//! Ordinary writes: whoever changes a field owns it from then on.
//!
//! Not known here: applying, and what a write changes.

use serde_json::Value;

use super::atom::Types;
use super::element::Element;
use super::owner::{self, Operation, Owner, Owners, Share};
use super::set::Set;
use super::update::update;
use super::{Order, empty_like, is_typed, nobodys, strip};
use crate::schema::Schema;

/// More owners by ordinary writes than that are put together, the oldest first.
const MOST_UPDATERS: usize = 10;
const ANCIENT: &str = "ancient-changes";

/// Brings `metadata.managedFields` of an object that is about to be written up to date.
///
/// `old` is what is there now, none where the object is created.
pub(crate) fn track(schema: &Schema, old: Option<&Value>, new: &mut Value, how: &Order<'_>) {
    let nothing = Value::Null;
    let had = old.and_then(|old| old.pointer("/metadata/managedFields"));
    let said = strip(new);
    let mut owners = match said.as_ref().filter(|_| how.subresource.is_empty()) {
        Some(said) if is_reset(said) => Owners::new(),
        Some(said) => match owner::read(Some(said)) {
            Ok(owners) if !owners.is_empty() => owners,
            _ => owner::read(had).unwrap_or_default(),
        },
        None => owner::read(had).unwrap_or_default(),
    };
    let is_there = old.is_some_and(|old| old.pointer("/metadata/uid").unwrap_or(&nothing).is_string());
    if owners.is_empty() && is_there {
        // Nobody kept track of this object so far, and only an apply begins to.
        return;
    }
    // That the old one has its owners with it does not matter: they are nobody's.
    let empty = old.is_none().then(|| empty_like(schema, new));
    if update_owners(schema, old.or(empty.as_ref()).unwrap_or(&nothing), new, &mut owners, how) {
        cap(&mut owners);
        owner::write(new, &owners);
    }
}

/// `[]` and `[{}]` ask to forget all owners.
fn is_reset(said: &Value) -> bool {
    said.as_array().is_some_and(|entries| match entries.as_slice() {
        [] => true,
        [only] => only.as_object().is_some_and(serde_json::Map::is_empty),
        _ => false,
    })
}

/// Gives what changed between two objects to whoever changed it; `false` where they cannot be compared.
pub(super) fn update_owners(schema: &Schema, old: &Value, new: &Value, owners: &mut Owners, how: &Order<'_>) -> bool {
    if !is_typed(schema, new) || !is_typed(schema, old) {
        return false;
    }
    let (types, kind) = Types::of(schema);
    let mut resets = Set::of(how.resets);
    resets.insert(&["metadata", "managedFields"].map(Element::field));
    let Ok(compared) = update(types, kind, old, new, owners, None, true, &resets) else { return false };
    let set = compared.modified.union(&compared.added).recursive_difference(&resets).difference(&nobodys());
    if !set.is_empty() {
        let owner = Owner::new(how.manager(), Operation::Update, how.api_version, how.subresource);
        let had = owners.get(&owner);
        let set = had.map_or_else(|| set.clone(), |had| set.union(&had.set));
        // Whoever scales owns the replicas since no time: the server's way through `scale` loses it.
        let time = if how.subresource == "scale" { had.and_then(|had| had.time.clone()) } else { Some(how.time()) };
        owners.insert(owner, Share { set, api_version: how.api_version.to_owned(), time });
    }
    true
}

/// Puts the oldest owners by ordinary writes together, version by version, until there are few enough.
fn cap(owners: &mut Owners) {
    let mut updaters: Vec<_> = owners.iter().filter(|(owner, _)| owner.operation == Operation::Update).collect();
    let mut surplus = updaters.len().saturating_sub(MOST_UPDATERS);
    if surplus == 0 {
        return;
    }
    updaters.sort_by_cached_key(|(owner, share)| (share.time.clone().unwrap_or_default(), owner.sort_key()));
    let oldest: Vec<Owner> = updaters.into_iter().map(|(owner, _)| owner.clone()).collect();
    let mut first: std::collections::BTreeMap<String, Owner> = std::collections::BTreeMap::new();
    for owner in oldest {
        if surplus == 0 {
            return;
        }
        let Some(version) = owners.get(&owner).map(|share| share.api_version.clone()) else { continue };
        let Some(earliest) = first.get(&version) else {
            first.insert(version, owner);
            continue;
        };
        let bucket = Owner::new(ANCIENT, Operation::Update, &version, "");
        if !owners.contains_key(&bucket)
            && let Some(share) = owners.remove(earliest)
        {
            owners.insert(bucket.clone(), share);
        }
        if owner == bucket {
            continue;
        }
        let Some(share) = owners.remove(&owner) else { continue };
        if let Some(together) = owners.get_mut(&bucket) {
            together.set = share.set.union(&together.set);
            together.time = share.time;
        }
        surplus -= 1;
    }
}

/// Where two objects are the same but for the times of their owners, the new one takes the old one's times, so that a write
/// that changes nothing is none.
pub(crate) fn keep_times(old: &Value, new: &mut Value) {
    if old != new && is_same(old, new) {
        *new = old.clone();
    }
}

/// Do two states differ in nothing but the times of their owners?
pub(crate) fn is_same(old: &Value, new: &Value) -> bool {
    let (before, after) = (&old["metadata"], &new["metadata"]);
    is_same_but("metadata", old, new) && is_same_but("managedFields", before, after) && {
        match (&before["managedFields"], &after["managedFields"]) {
            (Value::Array(before), Value::Array(after)) => {
                before.len() == after.len()
                    && before.iter().zip(after).all(|(before, after)| is_same_but("time", before, after))
            }
            (before, after) => before == after,
        }
    }
}

/// Do two objects have the same fields, but for one?
fn is_same_but(field: &str, old: &Value, new: &Value) -> bool {
    let (Value::Object(old), Value::Object(new)) = (old, new) else { return old == new };
    let others = |object: &serde_json::Map<String, Value>| object.len() - usize::from(object.contains_key(field));
    others(old) == others(new)
        && old.iter().filter(|(key, _)| *key != field).all(|(key, value)| new.get(key) == Some(value))
}
