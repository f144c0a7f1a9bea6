//! Waiting: by watching, saying why, and ending early on what cannot succeed.

use runbook_core::Primitive;

/// The primitives of this folder, in the order of the reference page.
pub const ALL: &[&Primitive] = &[];
