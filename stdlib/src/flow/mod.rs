//! Steering a run: checks, inverses, approvals, requirements, parallel work, words for the record.

use runbook_core::Primitive;

/// The primitives of this folder, in the order of the reference page.
pub const ALL: &[&Primitive] = &[];
