//! Which ReplicaSet is the one of the present template, and how revisions are numbered.
//!
//! Not known here: how many pods any of them should have.

use serde_json::{Value, json};

use super::{DEPLOYMENTS, KIND, has_deadline, say, surge};
use crate::{
    actor::json::{annotation, map_at, name, namespace, text},
    controller::{
        Gravity, Hand,
        fingerprint::fingerprint,
        member::reference,
        reading::{count, number, replicas},
        replica_set::REPLICA_SETS,
    },
    status::Status,
};

pub(super) const REVISION: &str = "deployment.kubernetes.io/revision";
const HISTORY: &str = "deployment.kubernetes.io/revision-history";
pub(super) const DESIRED: &str = "deployment.kubernetes.io/desired-replicas";
pub(super) const MOST: &str = "deployment.kubernetes.io/max-replicas";
const HASH: &str = "pod-template-hash";

/// Annotations of a Deployment that its ReplicaSets do not take over.
const ITS_OWN: [&str; 6] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    HISTORY,
    DESIRED,
    MOST,
    "deprecated.deployment.rollback.to",
];

/// The ReplicaSets of a Deployment.
pub(super) struct Sets {
    /// That of the present template.
    pub(super) new: Option<Value>,
    /// All others, oldest first.
    pub(super) old: Vec<Value>,
}

impl Sets {
    pub(super) fn of(deployment: &Value, mut listed: Vec<Value>) -> Self {
        let order = |set: &Value| (text(set, "/metadata/creationTimestamp").to_owned(), name(set).to_owned());
        listed.sort_by_key(order);
        let wanted = bare(&deployment["spec"]["template"]);
        let new = listed.iter().position(|set| bare(&set["spec"]["template"]) == wanted);
        let new = new.map(|index| listed.remove(index));
        Self { new, old: listed }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Value> {
        self.old.iter().chain(&self.new)
    }
}

/// A template without the label that its hash is written into.
fn bare(template: &Value) -> Value {
    let mut template = template.clone();
    if let Some(labels) = template.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
        labels.shift_remove(HASH);
    }
    if let Some(metadata) = template.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.retain(|key, value| {
            key != "creationTimestamp" && value.as_object().is_none_or(|map| key == "name" || !map.is_empty())
        });
    }
    template
}

fn revision(set: &Value) -> i64 {
    annotation(set, REVISION).and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// Finds the ReplicaSet of the present template and keeps its annotations up to date; where there is none, one is made if
/// `make` says so.
pub(super) async fn settle(hand: &Hand, deployment: &mut Value, sets: &mut Sets, make: Make) -> Result<(), Status> {
    let next = sets.old.iter().map(revision).max().unwrap_or(0) + 1;
    let Some(present) = &sets.new else {
        return match make {
            Make::IfMissing => create(hand, deployment, sets, next).await,
            Make::Never => Ok(()),
        };
    };
    let mut updated = present.clone();
    annotate(deployment, &mut updated, next);
    let patience = count(deployment, "/spec/minReadySeconds");
    if count(&updated, "/spec/minReadySeconds") != patience {
        updated["spec"]["minReadySeconds"] = patience.into();
    }
    if updated != *present {
        sets.new = Some(hand.update(REPLICA_SETS, updated).await?);
        return Ok(());
    }
    let mut told = tell_revision(hand, deployment, revision(present)).await?;
    if has_deadline(deployment) && !mentions_progress(deployment) {
        let message = format!("Found new replica set \"{}\"", name(present));
        say(hand, deployment, "Progressing", "True", ("FoundNewReplicaSet", &message));
        told = true;
    }
    if told {
        *deployment = hand.update_status(DEPLOYMENTS, deployment.clone()).await?;
    }
    Ok(())
}

/// Whether a missing ReplicaSet is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Make {
    IfMissing,
    Never,
}

fn mentions_progress(deployment: &Value) -> bool {
    crate::controller::condition::find(deployment, "/status/conditions", "Progressing").is_some()
}

/// Writes the number of the present revision where `kubectl rollout` looks for it. The status is written by the caller.
async fn tell_revision(hand: &Hand, deployment: &mut Value, number: i64) -> Result<bool, Status> {
    let number = number.to_string();
    if annotation(deployment, REVISION) == Some(&number) {
        return Ok(false);
    }
    let status = deployment["status"].clone();
    let at = (namespace(deployment).to_owned(), name(deployment).to_owned());
    let patch = json!({ "metadata": { "annotations": { REVISION: number } } });
    *deployment = hand.patch_merge(DEPLOYMENTS, (&at.0, &at.1), patch).await?;
    deployment["status"] = status;
    Ok(true)
}

async fn create(hand: &Hand, deployment: &mut Value, sets: &mut Sets, next: i64) -> Result<(), Status> {
    let mut template = deployment["spec"]["template"].clone();
    let hash = fingerprint(&template, count(deployment, "/status/collisionCount"));
    let metadata = map_at(&mut template, "metadata");
    let labels = metadata.entry("labels").or_insert_with(|| json!({}));
    labels[HASH] = hash.as_str().into();
    let labels = labels.clone();
    let mut selector = deployment["spec"]["selector"].clone();
    map_at(&mut selector, "matchLabels").insert(HASH.to_owned(), hash.as_str().into());
    let mut stem = name(deployment).to_owned();
    stem.truncate(253 - 1 - hash.len());
    let mut set = json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {
            "name": format!("{stem}-{hash}"), "namespace": namespace(deployment), "labels": labels,
            "ownerReferences": [reference(deployment, KIND)],
        },
        "spec": { "replicas": 0, "selector": selector, "template": template },
    });
    if let Some(patience) = number(deployment, "/spec/minReadySeconds").filter(|seconds| *seconds > 0) {
        set["spec"]["minReadySeconds"] = patience.into();
    }
    let size = super::rollout::next_size(deployment, sets.old.iter(), &set);
    set["spec"]["replicas"] = size.into();
    annotate(deployment, &mut set, next);
    annotate_size(deployment, &mut set);
    let made = match hand.create(REPLICA_SETS, set.clone()).await {
        Ok(made) => made,
        Err(status) if status.code == 409 && status.reason == "AlreadyExists" => {
            let collisions = count(deployment, "/status/collisionCount") + 1;
            map_at(deployment, "status").insert("collisionCount".to_owned(), collisions.into());
            hand.update_status(DEPLOYMENTS, deployment.clone()).await?;
            return Err(status);
        }
        Err(status) => return Err(failed(hand, deployment, &set, status).await),
    };
    if size > 0 {
        let message = format!("Scaled up replica set {} from 0 to {size}", name(&made));
        hand.event(deployment, Gravity::Normal, "ScalingReplicaSet", &message).await;
    }
    let mut told = tell_revision(hand, deployment, next).await?;
    if has_deadline(deployment) {
        let message = format!("Created new replica set \"{}\"", name(&made));
        say(hand, deployment, "Progressing", "True", ("NewReplicaSetCreated", &message));
        told = true;
    }
    if told {
        *deployment = hand.update_status(DEPLOYMENTS, deployment.clone()).await?;
    }
    sets.new = Some(made);
    Ok(())
}

async fn failed(hand: &Hand, deployment: &mut Value, set: &Value, status: Status) -> Status {
    if status.message.contains("because it is being terminated") {
        return status;
    }
    let message = format!("Failed to create new replica set \"{}\": {}", name(set), status.message);
    if has_deadline(deployment) {
        say(hand, deployment, "Progressing", "False", ("ReplicaSetCreateError", &message));
        // Whether this is written or not, the failure itself is what counts.
        let _ = hand.update_status(DEPLOYMENTS, deployment.clone()).await;
    }
    hand.event(deployment, Gravity::Warning, "ReplicaSetCreateError", &message).await;
    status
}

/// Takes over the Deployment's annotations and numbers the revision. One that is rolled back to keeps its former numbers.
fn annotate(deployment: &Value, set: &mut Value, next: i64) {
    let former = annotation(set, REVISION).map(str::to_owned);
    let metadata = map_at(set, "metadata");
    let annotations = metadata.entry("annotations").or_insert_with(|| json!({}));
    let taken = deployment["metadata"]["annotations"].as_object();
    for (key, value) in taken.into_iter().flatten().filter(|(key, _)| !ITS_OWN.contains(&key.as_str())) {
        annotations[key] = value.clone();
    }
    let known: i64 = former.as_deref().and_then(|number| number.parse().ok()).unwrap_or(0);
    if known >= next {
        return;
    }
    annotations[REVISION] = next.to_string().into();
    if let Some(former) = former {
        let history = annotations.get(HISTORY).and_then(Value::as_str).filter(|history| !history.is_empty());
        annotations[HISTORY] = history.map_or_else(|| former.clone(), |history| format!("{history},{former}")).into();
    }
}

/// Says on a ReplicaSet how large its Deployment is to be, and may be at most.
pub(super) fn annotate_size(deployment: &Value, set: &mut Value) {
    let wanted = replicas(deployment);
    let annotations = map_at(set, "metadata").entry("annotations").or_insert_with(|| json!({}));
    annotations[DESIRED] = wanted.to_string().into();
    annotations[MOST] = (wanted + surge(deployment)).to_string().into();
}

/// Deletes the oldest ReplicaSets beyond those that are kept to roll back to.
pub(super) async fn clean(hand: &Hand, deployment: &Value, sets: &Sets) -> Result<(), Status> {
    let kept = number(deployment, "/spec/revisionHistoryLimit").and_then(|it| usize::try_from(it).ok());
    let Some(kept) = kept.filter(|kept| *kept < i32::MAX as usize) else { return Ok(()) };
    let mut cleanable: Vec<&Value> =
        sets.old.iter().filter(|set| !crate::controller::reading::is_leaving(set)).collect();
    let surplus = cleanable.len().saturating_sub(kept);
    cleanable.sort_by_key(|set| revision(set));
    for set in cleanable.into_iter().take(surplus) {
        let is_observed = count(set, "/metadata/generation") <= count(set, "/status/observedGeneration");
        if count(set, "/status/replicas") != 0 || replicas(set) != 0 || !is_observed {
            continue;
        }
        match hand.delete(REPLICA_SETS, (namespace(set), name(set)), crate::server::Deletion::default()).await {
            Err(status) if !status.is_not_found() => return Err(status),
            _ => {}
        }
    }
    Ok(())
}
