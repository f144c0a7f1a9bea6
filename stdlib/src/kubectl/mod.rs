//! Objects of the cluster, natively: no `kubectl` is needed.

mod annotate;
pub mod api;
mod api_resources;
mod apply;
mod applying;
mod builtin;
pub mod can_i;
mod conditional;
mod context;
mod cordon;
mod create;
mod delete;
mod diff;
mod discovery;
mod drain;
mod events;
mod eviction;
mod exec;
mod exists;
pub mod fields;
mod get;
pub mod kind;
mod label;
mod lease;
mod list;
mod logs;
mod manifest;
mod mark;
pub mod name;
mod option;
mod outcome;
mod owners;
mod ownership;
pub mod page;
mod patch;
mod protection;
mod prune;
mod quantity;
pub mod query;
pub mod refusal;
mod removal;
pub(crate) mod request;
mod rollout;
mod rollout_history;
mod rollout_restart;
mod rollout_undo;
mod scale;
mod schedulable;
mod uncordon;
mod version;
mod watch;

use runbook_core::{Primitive, Value};

use crate::difference::Difference;

/// The manager that wrote a field last that differs, in one state of its object.
pub fn owner(object: &Value, field: &Difference) -> Option<String> {
    ownership::owner_of(object, &field.at)
}

/// The primitives of this folder, in the order of the reference page.
pub const ALL: &[&Primitive] = &[
    &get::GET,
    &list::LIST,
    &exists::EXISTS,
    &apply::APPLY,
    &create::CREATE,
    &delete::DELETE,
    &patch::PATCH,
    &diff::DIFF,
    &label::LABEL,
    &lease::LEASE,
    &annotate::ANNOTATE,
    &scale::SCALE,
    &rollout_restart::ROLLOUT_RESTART,
    &rollout_undo::ROLLOUT_UNDO,
    &rollout_history::ROLLOUT_HISTORY,
    &cordon::CORDON,
    &uncordon::UNCORDON,
    &drain::DRAIN,
    &exec::EXEC,
    &logs::LOGS,
    &events::EVENTS,
    &can_i::CAN_I,
    &version::VERSION,
    &api_resources::API_RESOURCES,
    &context::CONTEXT_OF_RUN,
    &owners::OWNERS,
];

#[cfg(test)]
mod tests;
