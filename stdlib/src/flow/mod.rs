//! Steering a run: checks, inverses, approvals, requirements, parallel work, words for the record.
//!
//! None of these reaches the cluster by itself.

mod approve;
mod ask;
mod attach;
mod check;
mod choose;
mod confirm;
mod keep;
mod log;
mod note;
mod option;
mod parallel;
mod plan;
mod refuse;
mod require;
mod retry;
mod table;
mod undo;

use runbook_core::Primitive;

/// The primitives of this folder, in the order of the reference page.
pub const ALL: &[&Primitive] = &[
    &check::CHECK,
    &undo::UNDO,
    &plan::PLAN,
    &approve::APPROVE,
    &confirm::CONFIRM,
    &ask::ASK,
    &choose::CHOOSE,
    &require::REQUIRE,
    &refuse::REFUSE,
    &parallel::PARALLEL,
    &retry::RETRY,
    &log::INFO,
    &log::WARN,
    &log::ERROR,
    &note::NOTE,
    &table::TABLE,
    &attach::ATTACH,
    &keep::KEEP,
];
