//! Runs templates: Go's `text/template`, with what Helm adds to it, inside bounds.
//!
//! Not known here: charts, files and how manifests are sorted.

pub(crate) mod builtin;
mod call;
mod field;
mod state;
mod world;

pub(crate) use call::{Function, Param, Work};
pub(crate) use state::{Set, execute};
pub(crate) use world::{Failure, World};
