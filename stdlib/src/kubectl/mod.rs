//! Objects of the cluster, natively: no `kubectl` is needed.

mod annotate;
pub mod api;
mod builtin;
mod cordon;
mod discovery;
mod exists;
mod get;
pub mod kind;
mod label;
mod list;
mod mark;
pub mod name;
mod option;
mod outcome;
pub mod page;
pub mod query;
pub mod refusal;
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
    &label::LABEL,
    &annotate::ANNOTATE,
    &scale::SCALE,
    &cordon::CORDON,
    &uncordon::UNCORDON,
];
