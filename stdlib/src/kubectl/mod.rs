//! Objects of the cluster, natively: no `kubectl` is needed.

pub mod api;
mod builtin;
mod discovery;
pub mod kind;
pub mod name;
pub mod page;
pub mod query;
pub mod refusal;
pub(crate) mod request;
mod watch;

use runbook_core::Primitive;

/// The primitives of this folder, in the order of the reference page.
pub const ALL: &[&Primitive] = &[];
