//! How a change of an object changes who owns what.
//!
//! Not known here: how the change came about.

use serde_json::Value;

use super::atom::{Kind, Types};
use super::compare::{Comparison, compare};
use super::owner::{Owner, Owners};
use super::refusal::{Conflict, Refusal};
use super::set::Set;

/// Takes from all owners but `writer` what changed; where that is not forced and somebody owns it, refuses.
#[expect(clippy::too_many_arguments, reason = "two objects, their type, their owners, and how to go about it")]
pub(super) fn update(
    types: Types<'_>,
    kind: Kind<'_>,
    old: &Value,
    new: &Value,
    owners: &mut Owners,
    writer: Option<&Owner>,
    force: bool,
    resets: &Set,
) -> Result<Comparison, Refusal> {
    let compared = compare(types, kind, old, new)
        .map_err(|why| Refusal::Internal(format!("failed to compare objects: {why}")))?
        .without(resets);
    let changed = compared.modified.union(&compared.added);
    let mut taken = Vec::new();
    for (owner, share) in owners.iter().filter(|(owner, _)| Some(*owner) != writer) {
        let conflicts = share.set.intersection(&changed);
        if !conflicts.is_empty() {
            taken.push((owner.clone(), conflicts));
        }
    }
    if !force && !taken.is_empty() {
        return Err(Refusal::Conflicts(conflicts(taken)));
    }
    for (owner, conflicts) in taken {
        if let Some(share) = owners.get_mut(&owner) {
            share.set = share.set.difference(&conflicts);
        }
    }
    if !compared.removed.is_empty() {
        for (_, share) in owners.iter_mut().filter(|(owner, _)| Some(*owner) != writer) {
            share.set = share.set.difference(&compared.removed);
        }
    }
    owners.retain(|_, share| !share.set.is_empty());
    Ok(compared)
}

fn conflicts(mut taken: Vec<(Owner, Set)>) -> Vec<Conflict> {
    taken.sort_by_cached_key(|(owner, _)| owner.sort_key());
    let mut conflicts = Vec::new();
    for (owner, set) in taken {
        let shown = owner.shown();
        set.each(&mut Vec::new(), &mut |path| {
            let field = path.iter().map(ToString::to_string).collect();
            conflicts.push(Conflict { manager: shown.clone(), field, path: path.to_vec() });
        });
    }
    conflicts
}
