//! Garbage: objects whose owners are gone, or are going and take them along.
//!
//! Keys are objects of whatever kind, or owners that are gone: the name says which. Not known here: any kind.

use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::{
    Controller, Hand, Held, Key, Next, Watch,
    reading::{flag, is_leaving},
};
use crate::{
    actor::json::{items, namespace, text},
    resource::GroupResource,
    server::{Deletion, Propagation},
    status::Status,
    store::Event,
};

const FOREGROUND: &str = "foregroundDeletion";
const ORPHAN: &str = "orphan";

pub(super) const GARBAGE: Controller = Controller {
    name: "garbage-collector",
    watches: &[Watch::everything(keys)],
    reconcile: |hand, key| boxed(hand, key),
};

fn boxed<'a>(hand: &'a Hand, key: &'a Key) -> BoxFuture<'a, Result<Next, Status>> {
    Box::pin(reconcile(hand, key))
}

/// An owner that is gone, an object that is new and has owners, and one that is going and is held by us.
fn keys(hand: &Hand, event: &Event) -> Vec<Key> {
    let mut keys = Vec::new();
    if event.is_deletion {
        if hand.has_dependents(&event.new.uid) {
            keys.push(Key::new("", &format!("gone/{}", event.new.uid)));
        }
        // The owner may wait for its last dependent.
        for owner in &event.new.owners {
            keys.extend(address(hand, event.new.namespace(), (&owner.api_version, &owner.kind), &owner.name));
        }
        return keys;
    }
    let has_new_owners = event.old.as_ref().is_none_or(|old| old.owners != event.new.owners);
    let holds = |word: &str| contains(event.new.bytes(), word);
    let is_held = || holds("\"deletionTimestamp\"") && (holds(FOREGROUND) || holds("\"orphan\""));
    if (!event.new.owners.is_empty() && has_new_owners) || is_held() {
        let object = event.new.value();
        let kind = (text(&object, "/apiVersion"), text(&object, "/kind"));
        keys.extend(address(hand, event.new.namespace(), kind, event.new.name()));
    }
    keys
}

/// The key of an object of whatever kind.
fn address(hand: &Hand, namespace: &str, (api_version, kind): (&str, &str), name: &str) -> Option<Key> {
    let (resource, is_namespaced) = hand.resource_of(api_version, kind)?;
    let namespace = if is_namespaced { namespace } else { "" };
    Some(Key::new(namespace, &format!("at/{}/{}/{name}", resource.group, resource.plural)))
}

fn contains(bytes: &[u8], word: &str) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| text.contains(word))
}

async fn reconcile(hand: &Hand, key: &Key) -> Result<Next, Status> {
    let parts: Vec<&str> = key.name.splitn(4, '/').collect();
    match parts[..] {
        ["gone", uid] => {
            for dependent in hand.dependents(uid) {
                attend(hand, &dependent).await?;
            }
        }
        ["at", group, plural, name] => {
            if let Some(held) = hand.get_any(&GroupResource::new(group, plural), &key.namespace, name) {
                attend_owner(hand, &held).await?;
            }
        }
        _ => {}
    }
    Ok(Next::Done)
}

async fn attend_owner(hand: &Hand, held: &Held) -> Result<(), Status> {
    if !is_leaving(&held.object) {
        return attend(hand, held).await;
    }
    let uid = text(&held.object, "/metadata/uid");
    let finalizers = items(&held.object, "/metadata/finalizers");
    if finalizers.iter().any(|finalizer| finalizer == ORPHAN) {
        for dependent in hand.dependents(uid) {
            disown(hand, &dependent, |owner| owner["uid"] != uid).await?;
        }
        return release(hand, held, ORPHAN).await;
    }
    if finalizers.iter().any(|finalizer| finalizer == FOREGROUND) {
        let blocks = |dependent: &Held| {
            let owners = items(&dependent.object, "/metadata/ownerReferences").iter();
            owners.into_iter().any(|owner| owner["uid"] == uid && flag(owner, "/blockOwnerDeletion"))
        };
        for dependent in hand.dependents(uid) {
            attend(hand, &dependent).await?;
        }
        if !hand.dependents(uid).iter().any(blocks) {
            return release(hand, held, FOREGROUND).await;
        }
    }
    Ok(())
}

/// Deletes an object none of whose owners stays.
async fn attend(hand: &Hand, held: &Held) -> Result<(), Status> {
    let owners = items(&held.object, "/metadata/ownerReferences");
    if owners.is_empty() || is_leaving(&held.object) {
        return Ok(());
    }
    let space = namespace(&held.object);
    let (mut staying, mut waiting, mut gone) = (0, false, Vec::new());
    for owner in owners {
        if !hand.knows(owner) {
            // A kind that is not served says nothing about whether its objects are there.
            staying += 1;
            continue;
        }
        match hand.owner(space, owner) {
            None => gone.push(owner["uid"].clone()),
            Some(found) if is_waiting(&found.object) => waiting = true,
            Some(_) => staying += 1,
        }
    }
    if staying > 0 {
        if gone.is_empty() {
            return Ok(());
        }
        return disown(hand, held, |owner| !gone.contains(&owner["uid"])).await;
    }
    let propagation = match () {
        () if waiting && hand.has_dependents(text(&held.object, "/metadata/uid")) => Some(Propagation::Foreground),
        () if items(&held.object, "/metadata/finalizers").iter().any(|it| it == ORPHAN) => Some(Propagation::Orphan),
        () if items(&held.object, "/metadata/finalizers").iter().any(|it| it == FOREGROUND) => {
            Some(Propagation::Foreground)
        }
        () => Some(Propagation::Background),
    };
    let how =
        Deletion { propagation, uid: Some(text(&held.object, "/metadata/uid").to_owned()), ..Deletion::default() };
    match hand.delete_any(held, how).await {
        Err(status) if !status.is_not_found() => Err(status),
        _ => Ok(()),
    }
}

fn is_waiting(owner: &Value) -> bool {
    is_leaving(owner) && items(owner, "/metadata/finalizers").iter().any(|finalizer| finalizer == FOREGROUND)
}

async fn disown(hand: &Hand, held: &Held, stays: impl Fn(&Value) -> bool) -> Result<(), Status> {
    let owners = items(&held.object, "/metadata/ownerReferences").iter();
    let kept: Vec<Value> = owners.into_iter().filter(|owner| stays(owner)).cloned().collect();
    let kept = if kept.is_empty() { Value::Null } else { kept.into() };
    patch(hand, held, json!({ "metadata": { "ownerReferences": kept } })).await
}

async fn release(hand: &Hand, held: &Held, finalizer: &str) -> Result<(), Status> {
    let finalizers = items(&held.object, "/metadata/finalizers").iter();
    let kept: Vec<Value> = finalizers.into_iter().filter(|it| *it != finalizer).cloned().collect();
    let kept = if kept.is_empty() { Value::Null } else { kept.into() };
    patch(hand, held, json!({ "metadata": { "finalizers": kept } })).await
}

async fn patch(hand: &Hand, held: &Held, patch: Value) -> Result<(), Status> {
    match hand.patch_any(held, patch).await {
        Err(status) if !status.is_not_found() => Err(status),
        _ => Ok(()),
    }
}
