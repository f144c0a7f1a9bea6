//! Definitions of custom resources: their names are accepted, and they are established.
//!
//! Not known here: schemas, and what is served under a definition.

use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::{
    Controller, Hand, Key, Next, Watch,
    condition::{self, Saying},
    reading::is_leaving,
};
use crate::{
    actor::json::{items, list_at, map_at, name, text},
    resource::{GroupResource, Resource},
    server::Deletion,
    status::Status,
    store::Stored,
};

pub(super) const DEFINITIONS: Resource = Resource::of("apiextensions.k8s.io", "v1", "customresourcedefinitions");
const CLEANUP: &str = "customresourcecleanup.apiextensions.k8s.io";

pub(super) const DEFINITION: Controller = Controller {
    name: "kube-apiserver",
    watches: &[Watch::itself(DEFINITIONS)],
    reconcile: |hand, key| boxed(hand, key),
};

fn boxed<'a>(hand: &'a Hand, key: &'a Key) -> BoxFuture<'a, Result<Next, Status>> {
    Box::pin(reconcile(hand, key))
}

async fn reconcile(hand: &Hand, key: &Key) -> Result<Next, Status> {
    let Some(mut definition) = hand.get(DEFINITIONS, "", &key.name) else { return Ok(Next::Done) };
    if is_leaving(&definition) {
        return terminate(hand, definition).await;
    }
    let before = definition["status"].clone();
    let now = hand.now();
    let conflict = conflict(hand, &definition);
    let accepted =
        if conflict.is_none() { definition["spec"]["names"].clone() } else { before["acceptedNames"].clone() };
    let status = map_at(&mut definition, "status");
    status.insert("acceptedNames".to_owned(), accepted);
    if conflict.is_none() {
        let stored = stored_versions(&definition);
        map_at(&mut definition, "status").insert("storedVersions".to_owned(), stored);
    }
    let conditions = list_at(&mut definition["status"], "conditions");
    let was_established = conditions.iter().any(|it| it["type"] == "Established" && it["status"] == "True");
    let (names, established) = match &conflict {
        Some((reason, message)) => {
            (("False", *reason, message.as_str()), ("False", "NotAccepted", "not all names are accepted"))
        }
        None => (
            ("True", "NoConflicts", "no conflicts found"),
            ("True", "InitialNamesAccepted", "the initial names have been accepted"),
        ),
    };
    for (kind, (status, reason, message)) in [("NamesAccepted", names), ("Established", established)] {
        if kind == "Established" && was_established {
            continue;
        }
        condition::set(conditions, Saying { kind, status, reason, message }, now);
    }
    if definition["status"] != before {
        hand.update_status(DEFINITIONS, definition).await?;
    } else if !items(&definition, "/metadata/finalizers").iter().any(|it| it == CLEANUP) {
        let mut finalizers = items(&definition, "/metadata/finalizers").to_vec();
        finalizers.push(CLEANUP.into());
        let version = definition["metadata"]["resourceVersion"].clone();
        let patch = json!({ "metadata": { "finalizers": finalizers, "resourceVersion": version } });
        hand.patch_merge(DEFINITIONS, ("", &key.name), patch).await?;
    }
    Ok(Next::Done)
}

/// Versions in which objects may be stored: those of before, and the present one.
fn stored_versions(definition: &Value) -> Value {
    let mut stored = items(definition, "/status/storedVersions").to_vec();
    let present = items(definition, "/spec/versions").iter().find(|version| version["storage"] == true);
    if let Some(present) = present.map(|version| version["name"].clone()).filter(|name| !stored.contains(name)) {
        stored.push(present);
    }
    stored.into()
}

/// The names that a definition has got for its objects; none as long as there are others in the way.
struct Accepted {
    group: String,
    names: Value,
}

impl Accepted {
    fn of(stored: &Stored) -> Self {
        let definition = stored.value();
        let is_accepted = condition::holds(&definition, "NamesAccepted");
        Self {
            group: text(&definition, "/spec/group").to_owned(),
            names: if is_accepted { definition["status"]["acceptedNames"].clone() } else { Value::Null },
        }
    }
}

/// The first of its names that another definition of the group has already.
fn conflict(hand: &Hand, definition: &Value) -> Option<(&'static str, String)> {
    for other in hand.stored(DEFINITIONS, None) {
        let accepted = other.part(Accepted::of);
        if accepted.group != text(definition, "/spec/group") || other.name() == name(definition) {
            continue;
        }
        let names = &accepted.names;
        let ours = &definition["spec"]["names"];
        for (field, reason) in [
            ("plural", "PluralConflict"),
            ("singular", "SingularConflict"),
            ("kind", "KindConflict"),
            ("listKind", "ListKindConflict"),
        ] {
            if ours[field].is_string() && ours[field] == names[field] {
                return Some((reason, format!("{} is already in use", ours[field])));
            }
        }
    }
    None
}

/// Its objects go first, then it goes itself.
async fn terminate(hand: &Hand, mut definition: Value) -> Result<Next, Status> {
    let mut finalizers = items(&definition, "/metadata/finalizers").to_vec();
    if !finalizers.iter().any(|finalizer| finalizer == CLEANUP) {
        return Ok(Next::Done);
    }
    let resource = GroupResource::new(text(&definition, "/spec/group"), text(&definition, "/spec/names/plural"));
    let left = hand.all_of(&resource);
    for held in left.iter().filter(|held| !is_leaving(&held.object)) {
        match hand.delete_any(held, Deletion::default()).await {
            Err(status) if !status.is_not_found() => return Err(status),
            _ => {}
        }
    }
    let now = hand.now();
    if !hand.all_of(&resource).is_empty() {
        let message = "CustomResource deletion is in progress";
        let saying = Saying { kind: "Terminating", status: "True", reason: "InstanceDeletionInProgress", message };
        if condition::set(list_at(&mut definition["status"], "conditions"), saying, now) {
            hand.update_status(DEFINITIONS, definition).await?;
        }
        // Those that have finalizers leave in their own time.
        return Ok(Next::At(super::reading::later(now, 1)));
    }
    finalizers.retain(|finalizer| finalizer != CLEANUP);
    let at = name(&definition).to_owned();
    match hand.patch_merge(DEFINITIONS, ("", &at), json!({ "metadata": { "finalizers": finalizers } })).await {
        Err(status) if !status.is_not_found() => Err(status),
        _ => Ok(Next::Done),
    }
}
