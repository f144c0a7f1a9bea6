//! A dry run: what each step would do to the live cluster, without touching it.
//!
//! Does not know what a run is.

mod consent;
mod lease;
mod overlaid;

pub(crate) use overlaid::Overlaid;
