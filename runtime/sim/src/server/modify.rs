//! Changing an object: replaced whole, or patched.
//!
//! Not known here: how the request came, and what patches mean.

use std::sync::Arc;

use serde_json::Value;

use super::{Server, body, metadata, order::Order, render, shape, strategy, write::Written};
use crate::{
    actor::json::{map_at, name, text},
    admission::{self, Act},
    apply,
    status::Status,
    store::{Expect, Miss, Stored},
};

/// How often a patch is tried again when somebody else was faster.
const TRIES: usize = 8;

/// Who writes down what the change touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Book {
    /// It is an ordinary change: the fields that differ now belong to its manager.
    Open,
    /// It is an apply, which has kept the book itself.
    Kept,
}

/// Which version a change may be made to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Basis {
    /// Whatever is there, unless the object names a version.
    Any,
    /// The version that the object names, which some kinds demand.
    Named,
}

impl Server {
    /// Replaces an object by another.
    pub(crate) async fn replace(self: &Arc<Self>, order: &Order, object: Value) -> Result<Written, Status> {
        let place = &order.place;
        body::is_of(&place.kind, &object)?;
        if !name(&object).is_empty() && name(&object) != place.name {
            return Err(Status::bad_request(format!(
                "the name of the object ({}) does not match the name on the URL ({})",
                name(&object),
                place.name
            )));
        }
        if name(&object).is_empty() {
            return Err(Status::bad_request(
                "the name of the object (based on URL) was undeterminable: name must be provided",
            ));
        }
        let resource = place.resource();
        let is_there = self.store.get(&resource, &place.namespace, &place.name).is_some();
        if !is_there && place.below.is_empty() && strategy::creates_on_update(&resource) {
            return self.create(order, object).await;
        }
        self.modify(order, Basis::Named, Book::Open, |_| Ok(object.clone())).await
    }

    /// Changes an object to what `change` makes of it.
    pub(crate) async fn modify(
        self: &Arc<Self>,
        order: &Order,
        basis: Basis,
        book: Book,
        change: impl Fn(&Value) -> Result<Value, Status> + Send + Sync,
    ) -> Result<Written, Status> {
        let mut tries = 0;
        loop {
            let stored = self.stored(&order.place)?;
            let live = self.in_version(order, &stored);
            let new = change(&live)?;
            let said = text(&new, "/metadata/resourceVersion").to_owned();
            let is_bound =
                !said.is_empty() && (basis == Basis::Named || text(&live, "/metadata/resourceVersion") != said);
            self.may_write(order, &stored, &new, basis)?;
            match self.try_modify(order, &stored, live, new, book).await? {
                Some(written) => return Ok(written),
                None if is_bound || tries >= TRIES => {
                    return Err(Status::stale(&order.place.resource(), &order.place.name));
                }
                None => tries += 1,
            }
        }
    }

    /// The live object in the version that the path is about.
    fn in_version(&self, order: &Order, stored: &Stored) -> Value {
        let mut live = stored.value();
        if live["apiVersion"] != order.place.kind.api_version() {
            live["apiVersion"] = order.place.kind.api_version().into();
        }
        live
    }

    fn may_write(&self, order: &Order, stored: &Stored, new: &Value, basis: Basis) -> Result<(), Status> {
        let (place, resource) = (&order.place, order.place.resource());
        let said = text(new, "/metadata/resourceVersion");
        if said.is_empty() || said == "0" {
            if basis == Basis::Named && !strategy::overwrites(&place.kind) {
                let cause = crate::status::Cause {
                    reason: "FieldValueInvalid".to_owned(),
                    message: "Invalid value: 0: must be specified for an update".to_owned(),
                    field: "metadata.resourceVersion".to_owned(),
                };
                return Err(Status::invalid(&place.kind.group, &place.kind.plural, &place.name, &[cause]));
            }
        } else if said.parse::<u64>().is_err() {
            let message = format!("Invalid value: \"{said}\": strconv.ParseUint: parsing \"{said}\": invalid syntax");
            let cause = crate::status::Cause {
                reason: "FieldValueInvalid".to_owned(),
                message,
                field: "metadata.resourceVersion".to_owned(),
            };
            return Err(Status::invalid(&place.kind.group, &place.kind.kind, &place.name, &[cause]));
        } else if said != stored.version.to_string() {
            return Err(Status::stale(&resource, &place.name));
        }
        let uid = text(new, "/metadata/uid");
        if !uid.is_empty() && uid != &*stored.uid {
            if basis == Basis::Any {
                let cause = crate::status::Cause {
                    reason: "FieldValueInvalid".to_owned(),
                    message: format!("Invalid value: \"{uid}\": field is immutable"),
                    field: "metadata.uid".to_owned(),
                };
                // Metadata is looked at twice: for every kind, and by the kind.
                let causes = [cause.clone(), cause];
                return Err(Status::invalid(&place.kind.group, &place.kind.kind, &place.name, &causes));
            }
            let because = format!(
                "StorageError: invalid object, Code: 4, Key: /registry/{}/{}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: {uid}, UID in object meta: {}",
                place.kind.plural,
                stored.key(),
                stored.uid
            );
            return Err(Status::conflict(&resource, &place.name, &because));
        }
        Ok(())
    }

    /// One try. None where somebody else was faster.
    async fn try_modify(
        self: &Arc<Self>,
        order: &Order,
        stored: &Arc<Stored>,
        live: Value,
        mut new: Value,
        book: Book,
    ) -> Result<Option<Written>, Status> {
        let (place, kind) = (&order.place, &order.place.kind);
        body::is_of(kind, &new)?;
        metadata::settle(place, &mut new)?;
        if name(&new) != place.name {
            return Err(Status::bad_request(format!(
                "the name of the object ({}) does not match the name on the URL ({})",
                name(&new),
                place.name
            )));
        }
        let mut warnings = self.read_in(order, &mut new)?;
        metadata::carry(&live, &mut new);
        // Owners are noted of what was sent, before the part that is not asked about is put back: where that does not even fit
        // its type, nobody owns anything from then on.
        let is_odd = book == Book::Open
            && kind.is_custom()
            && place.below.is_empty()
            && new.get("status") != live.get("status")
            && !shape::is_typed(self, kind, &new);
        if !order.is_of_no_part() {
            strategy::keep_other_part(kind, &place.below, Some(&live), &mut new);
        }
        strategy::count_templates(kind, Some(&live), &mut new);
        if is_odd {
            map_at(&mut new, "metadata").shift_remove("managedFields");
        } else if book == Book::Open {
            shape::note(self, order, Some(&live), &mut new);
        }
        let act = Act::update(order, &new, &live);
        warnings.extend(admission::mutate(self, &act, &mut new).await?);
        metadata::carry(&live, &mut new);
        if kind.group.is_empty() && kind.kind == "Namespace" {
            strategy::name_namespace(&mut new);
        }
        self.allot(kind, Some(&live), &mut new)?;
        if place.below != "status"
            && !order.is_of_no_part()
            && strategy::has_generation(kind)
            && strategy::is_new_generation(kind, &live, &new)
        {
            let generation = live["metadata"]["generation"].as_u64().unwrap_or(0) + 1;
            map_at(&mut new, "metadata").insert("generation".to_owned(), generation.into());
        }
        metadata::tidy(&mut new);
        shape::check(self, kind, &new, Some(&live))?;
        warnings.extend(shape::warnings(kind, &new, Some(&live)));
        let act = Act::update(order, &new, &live);
        warnings.extend(admission::validate(self, &act, &new).await?);
        let mut new = render::arrange(&kind.kind, &kind.api_version(), new);
        let version = stored.version;
        map_at(&mut new, "metadata").insert("resourceVersion".to_owned(), version.to_string().into());
        if order.is_dry() {
            return Ok(Some(Written { object: new, code: 200, warnings }));
        }
        if apply::is_same(&live, &new) {
            return Ok(Some(Written { object: live, code: 200, warnings }));
        }
        if is_let_go(&new) {
            return Ok(self.let_go(place, stored, &mut new)?.map(|object| Written { object, code: 200, warnings }));
        }
        match self.keep(kind, &mut new, Expect::Version(version)) {
            Ok(_) => Ok(Some(Written { object: new, code: 200, warnings })),
            Err(Miss::Gone) => Err(Status::not_found(&place.resource(), &place.name)),
            Err(_) => Ok(None),
        }
    }

    /// The last finalizer of an object that is being deleted is gone, and so is the object.
    fn let_go(&self, place: &super::path::Place, stored: &Stored, new: &mut Value) -> Result<Option<Value>, Status> {
        let resource = place.resource();
        match self.drop_object(&place.kind, &place.namespace, &place.name, stored.version) {
            Ok(last) => {
                map_at(new, "metadata").insert("resourceVersion".to_owned(), last.version.to_string().into());
                Ok(Some(new.take()))
            }
            Err(Miss::Gone) => Err(Status::not_found(&resource, &place.name)),
            Err(_) => Ok(None),
        }
    }
}

/// Is it being deleted, with nothing that holds it any more?
fn is_let_go(object: &Value) -> bool {
    let metadata = &object["metadata"];
    let is_held = |list: &Value| list.as_array().is_some_and(|list| !list.is_empty());
    metadata["deletionTimestamp"].is_string()
        && !is_held(&metadata["finalizers"])
        && !(object["kind"] == "Namespace" && is_held(&object["spec"]["finalizers"]))
        && metadata["deletionGracePeriodSeconds"].as_u64().unwrap_or(0) == 0
}
