//! Admission: who else has a say before an object is kept.
//!
//! First those that change it, then those that only judge it; built-in ones before webhooks, as in the API server. Not known
//! here: who answers a webhook.

mod call;
mod lifecycle;
mod pod;
mod rule;
mod webhook;

use std::sync::Arc;

use serde_json::Value;

pub use self::call::{Answerer, Call};
use crate::{
    server::{Order, Server},
    status::Status,
};

/// What a request does to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Create,
    Update,
    Delete,
}

impl Operation {
    /// As webhook rules and reviews call it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
        }
    }
}

/// What is to happen to which object.
pub(crate) struct Act<'a> {
    pub(crate) order: &'a Order,
    pub(crate) operation: Operation,
    /// Its name, empty where one is still to be generated.
    pub(crate) name: String,
    /// The labels of the object as it is sent, for selectors.
    pub(crate) labels: Value,
    /// What is there now.
    pub(crate) old: Option<&'a Value>,
}

impl<'a> Act<'a> {
    pub(crate) fn create(order: &'a Order, object: &Value) -> Self {
        let name = crate::actor::json::name(object).to_owned();
        Self { order, operation: Operation::Create, name, labels: object["metadata"]["labels"].clone(), old: None }
    }

    pub(crate) fn update(order: &'a Order, new: &Value, old: &'a Value) -> Self {
        let name = order.place.name.clone();
        let labels = new["metadata"]["labels"].clone();
        Self { order, operation: Operation::Update, name, labels, old: Some(old) }
    }

    pub(crate) fn delete(order: &'a Order, old: &'a Value) -> Self {
        let name = order.place.name.clone();
        Self { order, operation: Operation::Delete, name, labels: Value::Null, old: Some(old) }
    }

    /// The same on another part of the object.
    fn is_whole(&self) -> bool {
        self.order.place.below.is_empty()
    }
}

/// Lets everybody change the object who may. Returns their warnings.
pub(crate) async fn mutate(server: &Arc<Server>, act: &Act<'_>, object: &mut Value) -> Result<Vec<String>, Status> {
    lifecycle::check(server, act)?;
    if act.is_whole() && act.operation == Operation::Create {
        pod::complete(server, act, object)?;
    }
    webhook::mutate(server, act, object).await
}

/// Asks everybody who may refuse it. Returns their warnings.
pub(crate) async fn validate(server: &Arc<Server>, act: &Act<'_>, object: &Value) -> Result<Vec<String>, Status> {
    if act.operation == Operation::Delete {
        lifecycle::check(server, act)?;
    }
    lifecycle::policies(act)?;
    webhook::validate(server, act, object).await
}
