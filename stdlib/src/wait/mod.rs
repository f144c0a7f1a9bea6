//! Waiting: by watching, saying why, and ending early on what cannot succeed.

mod all;
mod any;
mod ask;
mod condition;
mod crd;
mod deleted;
mod describe;
mod endpoints;
mod engine;
mod evidence;
mod exists;
mod feed;
mod field;
mod goal;
mod job;
mod lookup;
pub(crate) mod objects;
mod option;
mod pause;
mod pods;
mod reach;
mod ready;
mod rollout;
mod stable;
mod that;
mod track;
mod webhook;
mod words;

#[cfg(test)]
mod tests;

use runbook_core::Primitive;

/// The primitives of this folder, in the order of the reference page.
pub const ALL: &[&Primitive] = &[
    &ready::READY,
    &rollout::ROLLOUT,
    &deleted::DELETED,
    &exists::EXISTS,
    &condition::CONDITION,
    &job::JOB,
    &field::FIELD,
    &that::THAT,
    &pods::PODS,
    &endpoints::ENDPOINTS,
    &crd::CRD,
    &webhook::WEBHOOK,
    &stable::STABLE,
    &all::ALL,
    &any::ANY,
    &pause::PAUSE,
];
