//! Plan files: what a dry run found is saved, and a later run is held to it, call by call.
//!
//! Does not know how a dry run comes to its calls, nor how a run makes them.

mod bound;
mod course;
mod draw;
mod file;
mod likeness;

pub(crate) use self::bound::{Given, cluster, moved, start};
pub(crate) use self::course::Held;
pub(crate) use self::draw::{Drawing, draw};
pub(crate) use self::file::{Call, Plan, read};
