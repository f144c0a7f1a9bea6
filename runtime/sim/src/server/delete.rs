//! Deleting objects: at once, after a while, or when what holds them lets go.
//!
//! Not known here: who takes away what hangs on a deleted object.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    Server,
    metadata::moment,
    order::{Order, option},
    query::{Query, dry_run},
    strategy,
};
use crate::{
    actor::json::{as_map, map_at, text},
    admission::{self, Act},
    status::Status,
    store::{Expect, Miss, Stored},
};

/// What becomes of the dependents of a deleted object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Propagation {
    /// They go after it.
    Background,
    /// They go before it.
    Foreground,
    /// They stay, without their owner.
    Orphan,
}

/// How an object is to be deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Deletion {
    /// What becomes of its dependents; the kind's own default where none is said.
    pub(crate) propagation: Option<Propagation>,
    /// Seconds that a pod is given to end; the pod's own where none is said.
    pub(crate) grace: Option<u64>,
    /// Only if the object still has this uid.
    pub(crate) uid: Option<String>,
    /// Only if the object still is at this version.
    pub(crate) version: Option<String>,
}

/// What a deletion ends with.
pub(crate) struct Deleted {
    /// The object, or the bare word that it is gone.
    pub(crate) body: Value,
    pub(crate) warnings: Vec<String>,
}

const FOREGROUND: &str = "foregroundDeletion";
/// As many seconds as a moment can be ahead: a century.
const LONGEST_GRACE: u64 = 100 * 366 * 24 * 3600;
const ORPHAN: &str = "orphan";

impl Deletion {
    /// Reads the options of a deletion: from the body, else from the query. Also says whether it is a dry run.
    pub(crate) fn read(body: Option<&Value>, query: &Query) -> Result<(Self, bool), Status> {
        let from_query = |key: &str| query.get(key).map(Value::from);
        let told = |key: &str| match body {
            Some(body) if body.get(key).is_some_and(|value| !value.is_null()) => body.get(key).cloned(),
            Some(_) => None,
            None => from_query(key),
        };
        check_options(body)?;
        let policy = told("propagationPolicy").or_else(|| from_query("propagationPolicy"));
        let propagation = match policy.as_ref().and_then(Value::as_str) {
            None | Some("") => match told("orphanDependents") {
                Some(Value::Bool(true)) => Some(Propagation::Orphan),
                Some(Value::Bool(false)) => Some(Propagation::Background),
                Some(Value::String(text)) => {
                    Some(if text == "true" { Propagation::Orphan } else { Propagation::Background })
                }
                _ => None,
            },
            Some("Background") => Some(Propagation::Background),
            Some("Foreground") => Some(Propagation::Foreground),
            Some("Orphan") => Some(Propagation::Orphan),
            Some(other) => {
                let message = format!(
                    "Unsupported value: \"{other}\": supported values: \"Foreground\", \"Background\", \"Orphan\", \"nil\""
                );
                return Err(option("DeleteOptions", "propagationPolicy", "FieldValueNotSupported", message));
            }
        };
        let grace = match told("gracePeriodSeconds") {
            Some(Value::String(text)) => text.parse().ok(),
            Some(value) => value.as_i64().map(|seconds| u64::try_from(seconds).unwrap_or(1)),
            None => None,
        };
        let precondition = |key: &str| {
            let value = body.and_then(|body| body["preconditions"][key].as_str());
            value.map(str::to_owned)
        };
        let in_body = body.and_then(|body| body["dryRun"].as_array()).into_iter().flatten().filter_map(Value::as_str);
        let is_dry = dry_run(in_body, "DeleteOptions")? || query.dry_run("DeleteOptions")?;
        Ok((Self { propagation, grace, uid: precondition("uid"), version: precondition("resourceVersion") }, is_dry))
    }
}

/// Refuses a body that is something else, and one that says twice what becomes of the dependents.
fn check_options(body: Option<&Value>) -> Result<(), Status> {
    let Some(body) = body else { return Ok(()) };
    let said = text(body, "/kind");
    if !said.is_empty() && said != "DeleteOptions" {
        let version = body["apiVersion"].as_str().unwrap_or("v1");
        return Err(Status::bad_request(format!(
            "no kind \"{said}\" is registered for version \"{version}\" in scheme \"pkg/runtime/scheme.go:111\""
        )));
    }
    let policy = text(body, "/propagationPolicy");
    if !policy.is_empty() && body["orphanDependents"].is_boolean() {
        let message =
            format!("Invalid value: \"{policy}\": orphanDependents and deletionPropagation cannot be both set");
        return Err(option("DeleteOptions", "propagationPolicy", "FieldValueInvalid", message));
    }
    Ok(())
}

impl Server {
    /// Deletes one object, as far as it can go.
    pub(crate) async fn delete(self: &Arc<Self>, order: &Order, how: &Deletion) -> Result<Deleted, Status> {
        loop {
            let stored = self.stored(&order.place)?;
            let live = stored.value();
            let warnings = admission::validate(self, &Act::delete(order, &live), &Value::Null).await?;
            self.preconditions(order, how, &stored)?;
            if let Some(body) = self.try_delete(order, how, &stored, &live)? {
                return Ok(Deleted { body, warnings });
            }
        }
    }

    fn preconditions(&self, order: &Order, how: &Deletion, stored: &Stored) -> Result<(), Status> {
        // Here alone the API server speaks of the kind, not of the resource.
        let resource = crate::resource::GroupResource::new(&order.place.kind.group, &order.place.kind.kind);
        let failed = |what: &str, wanted: &str, held: &str, perhaps: &str| {
            let because = format!(
                "the {what} in the precondition ({wanted}) does not match the {what} in record ({held}). The object might have been {perhaps}"
            );
            Err(Status::conflict(&resource, &order.place.name, &because))
        };
        if let Some(uid) = how.uid.as_deref().filter(|uid| *uid != &*stored.uid) {
            return failed("UID", uid, &stored.uid, "deleted and then recreated");
        }
        let held = stored.version.to_string();
        if let Some(version) = how.version.as_deref().filter(|version| **version != held) {
            return failed("ResourceVersion", version, &held, "modified");
        }
        Ok(())
    }

    /// One try. None where somebody else was faster.
    fn try_delete(
        &self,
        order: &Order,
        how: &Deletion,
        stored: &Arc<Stored>,
        live: &Value,
    ) -> Result<Option<Value>, Status> {
        let (place, kind) = (&order.place, &order.place.kind);
        let mut marked = live.clone();
        mark_finalizers(kind, how, &mut marked);
        let grace = grace(kind, how, live);
        let is_held = holds(&marked);
        let is_due = live["metadata"]["deletionTimestamp"].is_string();
        if is_held || grace > 0 {
            let until = self.clock.now() + std::time::Duration::from_secs(grace);
            let metadata = map_at(&mut marked, "metadata");
            let sooner =
                metadata.get("deletionGracePeriodSeconds").and_then(Value::as_u64).is_none_or(|old| grace < old);
            if !is_due || sooner {
                metadata.insert("deletionTimestamp".to_owned(), moment(until));
                if kind.kind != "Namespace" {
                    metadata.insert("deletionGracePeriodSeconds".to_owned(), grace.into());
                }
            }
            if kind.kind == "Namespace" && kind.group.is_empty() {
                map_at(&mut marked, "status").insert("phase".to_owned(), "Terminating".into());
            }
            if !is_due && strategy::has_generation(kind) {
                let generation = live["metadata"]["generation"].as_u64().unwrap_or(0) + 1;
                map_at(&mut marked, "metadata").insert("generation".to_owned(), generation.into());
            }
            super::metadata::tidy_order(&mut marked);
            if order.is_dry() || marked == *live {
                return Ok(Some(marked));
            }
            return match self.keep(kind, &mut marked, Expect::Version(stored.version)) {
                Ok(_) => Ok(Some(marked)),
                Err(Miss::Gone) => Err(Status::not_found(&place.resource(), &place.name)),
                Err(_) => Ok(None),
            };
        }
        let gone = |mut last: Value| {
            if kind.kind == "Pod" && kind.group.is_empty() {
                // It was given no time at all, and says so.
                let metadata = map_at(&mut last, "metadata");
                metadata.insert("deletionTimestamp".to_owned(), moment(self.clock.now()));
                metadata.insert("deletionGracePeriodSeconds".to_owned(), 0.into());
                super::metadata::tidy_order(&mut last);
            }
            Some(if strategy::returns_deleted(&place.resource()) { last } else { success(order, &stored.uid) })
        };
        if order.is_dry() {
            return Ok(gone(marked));
        }
        match self.drop_object(kind, &place.namespace, &place.name, stored.version) {
            Ok(last) => Ok(gone(last.value())),
            Err(Miss::Gone) => Err(Status::not_found(&place.resource(), &place.name)),
            Err(_) => Ok(None),
        }
    }

    /// Deletes all objects of a collection that are wanted, and answers with the list of them.
    pub(crate) async fn delete_collection(
        self: &Arc<Self>,
        order: &Order,
        query: &Query,
        how: &Deletion,
    ) -> Result<Value, Status> {
        let wanted = super::read::Wanted::of(&order.place, query)?;
        let place = &order.place;
        let namespace = Some(place.namespace.as_str()).filter(|namespace| !namespace.is_empty());
        let objects = self.store.all(&place.resource(), namespace);
        let version = self.store.version();
        let mut items = Vec::new();
        for object in objects.iter().filter(|object| wanted.holds(object)) {
            let mut one = order.clone();
            object.namespace().clone_into(&mut one.place.namespace);
            object.name().clone_into(&mut one.place.name);
            match self.delete(&one, how).await {
                Ok(_) => {
                    let mut item = object.value();
                    if !place.kind.is_custom() {
                        as_map(&mut item).shift_remove("kind");
                        as_map(&mut item).shift_remove("apiVersion");
                    }
                    items.push(item);
                }
                Err(status) if status.is_not_found() => {}
                Err(status) => return Err(status),
            }
        }
        Ok(json!({
            "kind": place.kind.list_kind, "apiVersion": place.kind.api_version(),
            "metadata": { "resourceVersion": version.to_string() }, "items": items,
        }))
    }
}

/// The finalizers that the propagation asks for.
fn mark_finalizers(kind: &crate::kind::Kind, how: &Deletion, object: &mut Value) {
    let held: Vec<String> = object["metadata"]["finalizers"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|one| one.as_str().map(str::to_owned))
        .collect();
    let has = |one: &str| held.iter().any(|other| other == one);
    let wanted = match how.propagation {
        Some(Propagation::Foreground) => Some(FOREGROUND),
        Some(Propagation::Orphan) => Some(ORPHAN),
        None if has(ORPHAN) || strategy::orphans_by_default(kind) => Some(ORPHAN),
        None if has(FOREGROUND) => Some(FOREGROUND),
        Some(Propagation::Background) | None => None,
    };
    let kept = held.iter().map(String::as_str).filter(|one| *one != FOREGROUND && *one != ORPHAN);
    let finalizers: Vec<_> = kept.chain(wanted).collect();
    let metadata = map_at(object, "metadata");
    if finalizers.is_empty() {
        metadata.shift_remove("finalizers");
    } else {
        metadata.insert("finalizers".to_owned(), finalizers.into());
    }
}

fn holds(object: &Value) -> bool {
    let some = |list: &Value| list.as_array().is_some_and(|list| !list.is_empty());
    some(&object["metadata"]["finalizers"])
        || (object["kind"] == "Namespace" && object["apiVersion"] == "v1" && some(&object["spec"]["finalizers"]))
}

/// How many seconds the object is given to end. Only pods are given any.
fn grace(kind: &crate::kind::Kind, how: &Deletion, object: &Value) -> u64 {
    if kind.kind != "Pod" || !kind.group.is_empty() {
        return 0;
    }
    let is_over = matches!(text(object, "/status/phase"), "Failed" | "Succeeded");
    if text(object, "/spec/nodeName").is_empty() || is_over {
        return 0;
    }
    let wanted = how.grace.or_else(|| object["spec"]["terminationGracePeriodSeconds"].as_u64());
    wanted.unwrap_or(30).min(LONGEST_GRACE)
}

fn success(order: &Order, uid: &str) -> Value {
    let kind = &order.place.kind;
    let mut details = json!({ "name": order.place.name });
    if !kind.group.is_empty() {
        details["group"] = kind.group.as_str().into();
    }
    details["kind"] = kind.plural.as_str().into();
    details["uid"] = uid.into();
    json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_come_from_the_body_and_else_from_the_query() {
        let query = Query::of("propagationPolicy=Foreground&gracePeriodSeconds=5");
        let (how, is_dry) = Deletion::read(None, &query).unwrap();
        assert_eq!((how.propagation, how.grace, is_dry), (Some(Propagation::Foreground), Some(5), false));
        let body = json!({ "propagationPolicy": "Orphan", "dryRun": ["All"], "preconditions": { "uid": "u" } });
        let (how, is_dry) = Deletion::read(Some(&body), &Query::default()).unwrap();
        assert_eq!((how.propagation, how.uid.as_deref(), is_dry), (Some(Propagation::Orphan), Some("u"), true));
        assert!(Deletion::read(None, &Query::of("propagationPolicy=Up")).is_err());
    }
}
