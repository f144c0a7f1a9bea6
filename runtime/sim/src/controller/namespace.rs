//! Namespaces that are being deleted: what lies in them goes first.
//!
//! Not known here: what is put into a new one.

use std::collections::BTreeMap;

use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::{
    Controller, Hand, Key, Next, Watch,
    condition::{self, Saying},
    reading::{is_leaving, later},
};
use crate::{
    actor::json::{items, list_at, text},
    resource::Resource,
    server::{Deletion, Propagation},
    status::Status,
};

const NAMESPACES: Resource = Resource::core("namespaces");

pub(super) const NAMESPACE: Controller = Controller {
    name: "namespace-controller",
    watches: &[Watch::itself(NAMESPACES)],
    reconcile: |hand, key| boxed(hand, key),
};

fn boxed<'a>(hand: &'a Hand, key: &'a Key) -> BoxFuture<'a, Result<Next, Status>> {
    Box::pin(reconcile(hand, key))
}

async fn reconcile(hand: &Hand, key: &Key) -> Result<Next, Status> {
    // This one works in the name of the manager of all controllers.
    let hand = &hand.under("kube-controller-manager");
    let Some(namespace) = hand.get(NAMESPACES, "", &key.name) else { return Ok(Next::Done) };
    let holds_itself = items(&namespace, "/spec/finalizers").iter().any(|finalizer| finalizer == "kubernetes");
    if !is_leaving(&namespace) || !holds_itself {
        return Ok(Next::Done);
    }
    for held in hand.contents(&key.name).iter().filter(|held| !is_leaving(&held.object)) {
        let how = Deletion { propagation: Some(Propagation::Background), ..Deletion::default() };
        match hand.delete_any(held, how).await {
            Err(status) if !status.is_not_found() => return Err(status),
            _ => {}
        }
    }
    let left = hand.contents(&key.name);
    let mut remaining: BTreeMap<String, usize> = BTreeMap::new();
    let mut holding: BTreeMap<String, usize> = BTreeMap::new();
    for held in &left {
        // The core group has no name, and its dot stays.
        *remaining.entry(format!("{}.{}", held.resource.plural, held.resource.group)).or_default() += 1;
        for finalizer in items(&held.object, "/metadata/finalizers").iter().filter_map(Value::as_str) {
            *holding.entry(finalizer.to_owned()).or_default() += 1;
        }
    }
    tell(hand, namespace, &remaining, &holding).await?;
    if left.is_empty() {
        hand.finalize(&key.name).await?;
        return Ok(Next::Done);
    }
    Ok(Next::At(later(hand.now(), 1)))
}

async fn tell(
    hand: &Hand,
    mut namespace: Value,
    remaining: &BTreeMap<String, usize>,
    holding: &BTreeMap<String, usize>,
) -> Result<(), Status> {
    let words = |counts: &BTreeMap<String, usize>, verb: &str| {
        let one = |(what, count): (&String, &usize)| format!("{what} {verb} {count} resource instances");
        counts.iter().map(one).collect::<Vec<_>>().join(", ")
    };
    let content = format!("Some resources are remaining: {}", words(remaining, "has"));
    let finalizers = format!("Some content in the namespace has finalizers remaining: {}", words(holding, "in"));
    let now = hand.now();
    let before = namespace["status"].clone();
    let conditions = list_at(&mut namespace["status"], "conditions");
    let mut say = |kind, status, reason, message: &str| {
        condition::set(conditions, Saying { kind, status, reason, message }, now);
    };
    say("NamespaceDeletionDiscoveryFailure", "False", "ResourcesDiscovered", "All resources successfully discovered");
    say(
        "NamespaceDeletionGroupVersionParsingFailure",
        "False",
        "ParsedGroupVersions",
        "All legacy kube types successfully parsed",
    );
    let deleted = "All content successfully deleted, may be waiting on finalization";
    say("NamespaceDeletionContentFailure", "False", "ContentDeleted", deleted);
    if remaining.is_empty() {
        say("NamespaceContentRemaining", "False", "ContentRemoved", "All content successfully removed");
    } else {
        say("NamespaceContentRemaining", "True", "SomeResourcesRemain", &content);
    }
    if holding.is_empty() {
        let message = "All content-preserving finalizers finished";
        say("NamespaceFinalizersRemaining", "False", "ContentHasNoFinalizers", message);
    } else {
        say("NamespaceFinalizersRemaining", "True", "SomeFinalizersRemain", &finalizers);
    }
    if namespace["status"] == before {
        return Ok(());
    }
    let status = json!({ "status": namespace["status"] });
    hand.patch_status(NAMESPACES, ("", text(&namespace, "/metadata/name")), status).await.map(|_| ())
}
