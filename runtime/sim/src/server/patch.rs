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
pub(crate) fn read(server: &Server, asked: &Asked, order: &Order) -> Result<Patch, Status> {
    let _ = server;
    let text = |bytes: &[u8]| {
        serde_json::from_slice(bytes).map_err(|why| Status::bad_request(format!("error decoding patch: {why}")))
    };
    let kind = &order.place.kind;
    let patch = match asked.media() {
        "application/json-patch+json" => Patch::Json(text(&asked.body)?),
        "application/merge-patch+json" => Patch::Merge(text(&asked.body)?),
        "application/strategic-merge-patch+json" if !kind.is_custom() => Patch::Strategic(text(&asked.body)?),
        "application/apply-patch+yaml" => Patch::Apply(body::yaml(&asked.body)?),
        other => {
            let strategic = if kind.is_custom() { "" } else { ", application/strategic-merge-patch+json" };
            let _ = other;
            return Err(Status::unsupported_media_type(format!(
                "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json{strategic}, application/apply-patch+yaml"
            )));
        }
    };
    let is_apply = matches!(patch, Patch::Apply(_));
    if is_apply && !order.is_named {
        return Err(super::order::option(
            "fieldManager",
            "FieldValueRequired",
            "Required value: is required for apply patch".to_owned(),
        ));
    }
    if !is_apply && order.is_forced.is_some() {
        return Err(super::order::option(
            "force",
            "FieldValueForbidden",
            "Forbidden: may not be specified for non-apply patch".to_owned(),
        ));
    }
    Ok(patch)
}

impl Patch {
    /// What it makes of an object.
    pub(crate) fn to(&self, server: &Server, order: &Order, live: &Value) -> Result<Value, Status> {
        let place = &order.place;
        let told = |why: PatchError| match why {
            PatchError::Malformed(why) => Status::bad_request(why),
            PatchError::Unprocessable(_) => Status::unprocessable(),
            PatchError::TooLarge(why) => Status::too_large(why),
            PatchError::Internal(why) => Status::internal(why),
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
        let mut applied = applied.clone();
        let warnings = shape::unknown(self, order, &mut applied)?;
        let now = self.clock.now();
        let is_there = self.store.get(&place.resource(), &place.namespace, &place.name).is_some();
        let api_version = kind.api_version();
        let how = shape::tracking(order, &api_version, now);
        if !is_there {
            if !place.below.is_empty() {
                return Err(Status::not_found(&place.resource(), &place.name));
            }
            if !text(&applied, "/metadata/uid").is_empty() || !text(&applied, "/metadata/resourceVersion").is_empty() {
                return Err(Status::not_found(&place.resource(), &place.name));
            }
            let object = crate::apply::apply(&schema, None, &applied, &how).map_err(refused)?;
            let mut written = self.make(order, object, Book::Kept).await?;
            written.warnings.splice(0..0, warnings);
            return Ok(written);
        }
        let mut written = self
            .modify(order, Basis::Any, Book::Kept, |live| {
                let how = shape::tracking(order, &api_version, now);
                let mut object = crate::apply::apply(&schema, Some(live), &applied, &how).map_err(refused)?;
                let said = text(&applied, "/metadata/resourceVersion");
                if !said.is_empty() {
                    object["metadata"]["resourceVersion"] = said.into();
                }
                Ok(object)
            })
            .await?;
        written.warnings.splice(0..0, warnings);
        Ok(written)
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
