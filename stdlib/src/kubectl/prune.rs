//! Deletes what was applied before and is in the source no longer. Only kinds of the source, in its namespaces, with the labels
//! that the script names, applied by the same field manager, belonging to no other object, and never a protected kind.

use runbook_core::Fault;

use super::api::{Api, Scope};
use super::applying::{Applied, Applying};
use super::ownership;
use super::protection;
use super::query::{Deletion, Listing, ManagedFields};
use super::removal::remove;
use crate::readiness::object::{items, name, text, uid};

/// Prunes, and answers the titles of what was deleted.
pub(super) async fn prune(applying: &Applying, applied: &[Applied], selector: &str) -> Result<Vec<String>, Fault> {
    let mut places: Vec<&Applied> = Vec::new();
    for one in applied {
        let known = places.iter().any(|place| place.resource == one.resource && place.namespace == one.namespace);
        if !known && protection::takes_along(&one.resource).is_none() {
            places.push(one);
        }
    }
    let mut pruned = Vec::new();
    for place in places {
        let api = Api::of(&applying.cluster, place.resource.clone(), &Scope::Namespace(place.namespace.clone()))?;
        let listing = Listing { managed_fields: ManagedFields::Kept, ..Listing::labelled(Some(selector.to_owned())) };
        for object in api.list(&listing.metadata_only()).await?.items {
            let stays = applied.iter().any(|one| {
                one.resource == place.resource && one.namespace == place.namespace && one.name == name(&object)
            });
            let ours = ownership::has_applied(&object, &applying.manager);
            let on_its_own = items(&object, "/metadata/ownerReferences").is_empty();
            if !stays && ours && on_its_own && text(&object, "/metadata/deletionTimestamp").is_empty() {
                let deletion = Deletion { uid: Some(uid(&object).to_owned()), ..Deletion::default() };
                remove(&api, name(&object), uid(&object), &deletion).await?;
                pruned.push(api.title(name(&object)));
            }
        }
    }
    Ok(pruned)
}
