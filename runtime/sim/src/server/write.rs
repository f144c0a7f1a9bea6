//! Making an object: the road from what was sent to what is stored.
//!
//! Not known here: how the request came, and what the kinds mean.

use std::sync::Arc;

use serde_json::Value;

use super::{Server, body, metadata, modify::Book, order::Order, render, shape, strategy};
use crate::{
    actor::json::{map_at, name, text},
    admission::{self, Act},
    status::Status,
    store::{Expect, Miss},
};

/// What a write ends with.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) object: Value,
    pub(crate) code: u16,
    pub(crate) warnings: Vec<String>,
}

impl Server {
    /// Makes an object.
    pub(crate) async fn create(self: &Arc<Self>, order: &Order, object: Value) -> Result<Written, Status> {
        self.make(order, object, Book::Open).await
    }

    /// Makes an object; an apply has noted its owners already.
    pub(crate) async fn make(self: &Arc<Self>, order: &Order, object: Value, book: Book) -> Result<Written, Status> {
        let base = text(&object, "/metadata/generateName").to_owned();
        let is_generated = name(&object).is_empty() && !base.is_empty();
        let mut tries = 0;
        loop {
            match self.try_create(order, object.clone(), book).await {
                // Five letters may meet those of another.
                Err(status) if is_generated && status.reason == "AlreadyExists" && tries < 8 => tries += 1,
                other => return other,
            }
        }
    }

    async fn try_create(self: &Arc<Self>, order: &Order, object: Value, book: Book) -> Result<Written, Status> {
        let mut object = object;
        let place = &order.place;
        let kind = &place.kind;
        body::is_of(kind, &object)?;
        if !text(&object, "/metadata/resourceVersion").is_empty() {
            return Err(Status::other(500, "", "resourceVersion should not be set on objects to be created"));
        }
        metadata::settle(place, &mut object)?;
        metadata::wipe(&mut object);
        let mut warnings = self.read_in(order, &mut object)?;
        strategy::count_templates(kind, None, &mut object);
        if book == Book::Open {
            shape::note(self, order, None, &mut object);
        }
        let act = Act::create(order, &object);
        warnings.extend(admission::mutate(self, &act, &mut object).await?);
        strategy::convert(kind, &mut object);
        if name(&object).is_empty() {
            let base = text(&object, "/metadata/generateName");
            if !base.is_empty() {
                let made = metadata::generated(base, || self.letter());
                map_at(&mut object, "metadata").insert("name".to_owned(), made.into());
            }
        }
        metadata::found(&mut object, self.uid(), self.clock.now(), strategy::has_generation(kind));
        strategy::keep_other_part(kind, "", None, &mut object);
        strategy::prepare_namespace(kind, &mut object);
        shape::default(self, kind, &mut object);
        self.allot(kind, None, &mut object)?;
        metadata::tidy(&mut object);
        shape::check(self, kind, &object, None)?;
        warnings.extend(shape::warnings(kind, &object, None));
        let act = Act::create(order, &object);
        warnings.extend(admission::validate(self, &act, &object).await?);
        let mut object = render::arrange(&kind.kind, &kind.api_version(), object);
        if order.is_dry() {
            if self.store.get(&place.resource(), text(&object, "/metadata/namespace"), name(&object)).is_some() {
                return Err(Status::already_exists(&place.resource(), name(&object)));
            }
            return Ok(Written { object, code: 201, warnings });
        }
        match self.keep(kind, &mut object, Expect::Absent) {
            Ok(_) => Ok(Written { object, code: 201, warnings }),
            Err(Miss::Exists) => Err(Status::already_exists(&place.resource(), name(&object))),
            Err(_) => Err(Status::internal("an object could be neither made nor found")),
        }
    }

    /// Takes out of an object what the kind does not have, and fills in what is left to it.
    pub(crate) fn read_in(&self, order: &Order, object: &mut Value) -> Result<Vec<String>, Status> {
        let kind = &order.place.kind;
        let warnings = shape::unknown(self, order, object)?;
        strategy::convert(kind, object);
        shape::default(self, kind, object);
        Ok(warnings)
    }
}
