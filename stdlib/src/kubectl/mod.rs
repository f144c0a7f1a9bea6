//! Objects of the cluster, natively: no `kubectl` is needed.

use runbook_core::Primitive;

/// The primitives of this folder, in the order of the reference page.
pub const ALL: &[&Primitive] = &[];
