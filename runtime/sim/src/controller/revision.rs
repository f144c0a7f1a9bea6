//! `ControllerRevisions`: what the templates of a DaemonSet or a StatefulSet were, and in which order.
//!
//! Not known here: which pods are of which revision.

use serde_json::{Value, json};

use super::{
    Hand,
    fingerprint::fingerprint,
    member::reference,
    reading::{count, number},
};
use crate::{
    actor::json::{label, name, namespace, text},
    resource::Resource,
    server::Deletion,
    status::Status,
};

pub(super) const REVISIONS: Resource = Resource::of("apps", "v1", "controllerrevisions");

/// The revisions of a workload, oldest first.
pub(super) fn of_owner(hand: &Hand, uid: &str) -> Vec<Value> {
    let mut found = hand.owned_by(REVISIONS, uid);
    found.sort_by_key(|revision| (count(revision, "/revision"), name(revision).to_owned()));
    found
}

/// Whose revisions these are, and how they are marked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Marks {
    /// API version and kind of the owner.
    pub(super) kind: (&'static str, &'static str),
    /// The label that carries the hash.
    pub(super) label: &'static str,
}

/// The hash that a revision's pods are told by.
pub(super) fn hash(revision: &Value, marks: Marks) -> &str {
    label(revision, marks.label).unwrap_or_default()
}

/// The revision of the present template: an earlier one of the same template becomes the newest again, or one is made.
pub(super) async fn present(hand: &Hand, owner: &Value, marks: Marks, known: &mut Vec<Value>) -> Result<Value, Status> {
    let mut template = owner["spec"]["template"].clone();
    template["$patch"] = "replace".into();
    let data = json!({ "spec": { "template": template } });
    let next = known.iter().map(|revision| count(revision, "/revision")).max().unwrap_or(0) + 1;
    if let Some(index) = known.iter().rposition(|revision| revision["data"] == data) {
        if index + 1 == known.len() {
            return Ok(known[index].clone());
        }
        let mut again = known.remove(index);
        again["revision"] = next.into();
        let again = hand.update(REVISIONS, again).await?;
        known.push(again.clone());
        return Ok(again);
    }
    let mut collisions = number(owner, "/status/collisionCount").unwrap_or(0);
    loop {
        let hash = fingerprint(&owner["spec"]["template"], collisions);
        let mut labels = owner["spec"]["template"]["metadata"].get("labels").cloned().unwrap_or_else(|| json!({}));
        labels[marks.label] = hash.as_str().into();
        let mut metadata = json!({
            "name": format!("{}-{hash}", name(owner)), "namespace": namespace(owner), "labels": labels,
            "ownerReferences": [reference(owner, marks.kind)],
        });
        let taken = owner["metadata"]["annotations"].as_object().cloned().unwrap_or_default();
        let mut taken = Value::Object(taken);
        if let Some(fields) = taken.as_object_mut() {
            fields.shift_remove("kubectl.kubernetes.io/last-applied-configuration");
        }
        if taken.as_object().is_some_and(|taken| !taken.is_empty()) {
            metadata["annotations"] = taken;
        }
        let revision = json!({
            "apiVersion": "apps/v1", "kind": "ControllerRevision", "metadata": metadata, "data": data, "revision": next,
        });
        match hand.create(REVISIONS, revision).await {
            Ok(made) => {
                known.push(made.clone());
                return Ok(made);
            }
            Err(status) if status.reason == "AlreadyExists" && collisions < 16 => collisions += 1,
            Err(status) => return Err(status),
        }
    }
}

/// Deletes the oldest revisions that nothing uses, beyond those that are kept.
pub(super) async fn clean(
    hand: &Hand,
    owner: &Value,
    known: &[Value],
    is_used: impl Fn(&Value) -> bool,
) -> Result<(), Status> {
    let Some(kept) = number(owner, "/spec/revisionHistoryLimit").and_then(|kept| usize::try_from(kept).ok()) else {
        return Ok(());
    };
    let unused: Vec<&Value> = known.iter().filter(|revision| !is_used(revision)).collect();
    let surplus = unused.len().saturating_sub(kept);
    for revision in unused.into_iter().take(surplus) {
        let at = (text(revision, "/metadata/namespace"), name(revision));
        match hand.delete(REVISIONS, at, Deletion::default()).await {
            Err(status) if !status.is_not_found() => return Err(status),
            _ => {}
        }
    }
    Ok(())
}
