//! Patches as they come in: which sort, and what each makes of an object.
//!
//! Not known here: how the four sorts work.

use std::sync::Arc;

use serde_json::Value;

use super::{
    Server, body,
    door::Asked,
    modify::{Basis, Book},
    order::Order,
    shape,
    write::Written,
};
use crate::{
    actor::json::{name, text},
    apply::Refusal,
    patch::{self, PatchError},
    status::{Cause, Status},
};

/// A patch.
pub(crate) enum Patch {
    Json(Value),
    Merge(Value),
    Strategic(Value),
    Apply(Value),
}

/// Reads a patch from a request.
pub(crate) fn read(asked: &Asked, order: &Order) -> Result<Patch, Status> {
    let text = |bytes: &[u8]| {
        serde_json::from_slice(bytes).map_err(|why| Status::bad_request(format!("error decoding patch: {why}")))
    };
    let kind = &order.place.kind;
    let patch = match asked.media() {
        "application/json-patch+json" => {
            Patch::Json(of(text(&asked.body)?, Value::is_array, "[]handlers.jsonPatchOp")?)
        }
        "application/merge-patch+json" => Patch::Merge(of(text(&asked.body)?, Value::is_object, MAP)?),
        "application/strategic-merge-patch+json" if !kind.is_custom() => {
            Patch::Strategic(of(text(&asked.body)?, Value::is_object, MAP)?)
        }
        "application/apply-patch+yaml" => Patch::Apply(body::yaml(&asked.body)?),
        "application/strategic-merge-patch+json" => {
            return Err(Status::unsupported_media_type(
                "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml",
            ));
        }
        _ => {
            let mut status = Status::unsupported_media_type("415: Unsupported Media Type");
            status.details = Some(serde_json::json!({}));
            return Err(status);
        }
    };
    let is_apply = matches!(patch, Patch::Apply(_));
    if is_apply && !order.is_named {
        return Err(super::order::option(
            "PatchOptions",
            "fieldManager",
            "FieldValueRequired",
            "Required value: is required for apply patch".to_owned(),
        ));
    }
    if !is_apply && order.is_forced.is_some() {
        return Err(super::order::option(
            "PatchOptions",
            "force",
            "FieldValueForbidden",
            "Forbidden: may not be specified for non-apply patch".to_owned(),
        ));
    }
    Ok(patch)
}

/// How Go's decoder calls the map that merge patches are.
const MAP: &str = "map[string]interface {}";

/// A patch of the right JSON type.
fn of(patch: Value, is_right: fn(&Value) -> bool, wanted: &str) -> Result<Value, Status> {
    if is_right(&patch) {
        return Ok(patch);
    }
    let word = body::word(&patch);
    let message = format!("error decoding patch: json: cannot unmarshal {word} into Go value of type {wanted}");
    Err(Status::bad_request(message))
}

impl Patch {
    /// What it makes of an object.
    pub(crate) fn to(&self, server: &Server, order: &Order, live: &Value) -> Result<Value, Status> {
        let place = &order.place;
        let told = |why: PatchError| match why {
            PatchError::Malformed(why) => Status::bad_request(why),
            PatchError::Unprocessable(_) => Status::unprocessable(),
            PatchError::TooLarge(why) => Status::too_large(why),
            PatchError::Internal(why) => Status::other(500, "", why),
        };
        match self {
            Self::Json(patch) => patch::json(live, patch).map_err(told),
            Self::Merge(patch) => Ok(patch::merge(live, patch)),
            Self::Strategic(patch) => {
                let schema = shape::schema(server, &place.kind).ok_or_else(|| {
                    Status::beyond_simulation(format!("no schema of {} is recorded", place.kind.kind))
                })?;
                patch::strategic(&schema, live, patch).map_err(told)
            }
            Self::Apply(_) => Err(Status::internal("an apply is no ordinary patch")),
        }
    }
}

impl Server {
    /// Server-side apply: makes the object, or takes over the fields that are applied.
    pub(crate) async fn apply(self: &Arc<Self>, order: &Order, applied: &Value) -> Result<Written, Status> {
        let place = &order.place;
        let kind = &place.kind;
        if !applied.is_object() {
            return Err(Status::bad_request("error decoding YAML: the body of the request is no object"));
        }
        if name(applied) != place.name && !name(applied).is_empty() {
            return Err(Status::bad_request(format!(
                "the name of the object ({}) does not match the name on the URL ({})",
                name(applied),
                place.name
            )));
        }
        let schema = shape::schema(self, kind)
            .ok_or_else(|| Status::beyond_simulation(format!("no schema of {} is recorded", kind.kind)))?;
        let said = (text(applied, "/apiVersion"), text(applied, "/kind"));
        if said != (kind.api_version().as_str(), kind.kind.as_str()) {
            let (group, version) = said.0.rsplit_once('/').unwrap_or(("", said.0));
            return Err(Status::bad_request(format!("invalid object type: {group}/{version}, Kind={}", said.1)));
        }
        let now = self.clock.now();
        let is_there = self.store.get(&place.resource(), &place.namespace, &place.name).is_some();
        let api_version = kind.api_version();
        let how = shape::tracking(order, &api_version, now);
        if !is_there {
            if !place.below.is_empty() {
                return Err(Status::not_found(&place.resource(), &place.name));
            }
            let uid = text(applied, "/metadata/uid");
            if !uid.is_empty() {
                let because =
                    format!("uid mismatch: the provided object specified uid {uid}, and no existing object was found");
                return Err(Status::conflict(&place.resource(), &place.name, &because));
            }
            if !text(applied, "/metadata/resourceVersion").is_empty() {
                return Err(Status::not_found(&place.resource(), &place.name));
            }
            let object = crate::apply::apply(&schema, None, applied, &how).map_err(refused)?;
            return self.make(order, object, Book::Kept).await;
        }
        self.modify(order, Basis::Any, Book::Kept, |live| {
            let how = shape::tracking(order, &api_version, now);
            let mut object = crate::apply::apply(&schema, Some(live), applied, &how).map_err(refused)?;
            let said = text(applied, "/metadata/resourceVersion");
            if !said.is_empty() {
                object["metadata"]["resourceVersion"] = said.into();
            }
            Ok(object)
        })
        .await
    }
}

fn refused(why: Refusal) -> Status {
    match why {
        Refusal::Conflicts(conflicts) => {
            let cause = |one: &crate::apply::Conflict| Cause {
                reason: "FieldManagerConflict".to_owned(),
                message: one.message(),
                field: one.field.clone(),
            };
            let causes: Vec<Cause> = conflicts.iter().map(cause).collect();
            Status::apply_conflict(Refusal::Conflicts(conflicts).to_string(), &causes)
        }
        Refusal::BadRequest(why) => Status::bad_request(why),
        Refusal::Internal(why) => Status::other(500, "", why),
    }
}
