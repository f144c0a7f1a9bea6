//! Objects of the cluster, natively: no `kubectl` is needed.

mod annotate;
pub mod api;
mod apply;
mod applying;
mod builtin;
mod conditional;
mod cordon;
mod create;
mod delete;
mod diff;
mod difference;
mod discovery;
mod exists;
mod get;
pub mod kind;
mod label;
mod list;
mod manifest;
mod mark;
pub mod name;
mod option;
mod outcome;
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
mod scale;
mod schedulable;
mod uncordon;
mod watch;

use runbook_core::Primitive;

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
    &annotate::ANNOTATE,
    &scale::SCALE,
    &cordon::CORDON,
    &uncordon::UNCORDON,
];

#[cfg(test)]
mod tests;
