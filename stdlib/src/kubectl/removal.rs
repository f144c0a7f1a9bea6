//! Deletes one object, and no other of the same name that comes after it.
//!
//! Does not know which objects may go.

use runbook_core::{Fault, Value};

use super::api::Api;
use super::outcome::{Trace, settle};
use super::query::Deletion;
use super::refusal;
use crate::readiness::object::text;

/// Asks for the deletion of the object of that uid; one that is gone meanwhile is deleted.
pub(super) async fn remove(api: &Api, name: &str, uid: &str, deletion: &Deletion) -> Result<(), Fault> {
    let sent = settle(
        api,
        name,
        async || api.delete(name, deletion).await,
        |live| match live {
            Some(live)
                if text(&live, "/metadata/uid") == uid && text(&live, "/metadata/deletionTimestamp").is_empty() =>
            {
                Trace::NotDone
            }
            _ => Trace::Done(Value::Null),
        },
    );
    match sent.await {
        // Gone meanwhile is gone.
        Err(fault) if refusal::object_absent(&fault) => Ok(()),
        other => other.map(|_| ()),
    }
}
