//! Which kinds of objects there are: the built-in ones, as the real API server was recorded to serve them, and those that
//! CRDs add.
//!
//! `record.bin` is written by `cargo run -p runbook-control-plane -- record` and never by hand. Not known here: objects, requests,
//! or what any kind does.

mod catalogue;
mod custom;
mod definition;
mod discovery;
mod field;
mod openapi;
mod record;
mod shape;
#[cfg(test)]
mod tests;

pub(crate) use catalogue::Catalogue;
pub(crate) use custom::Conflict;
pub(crate) use definition::{Custom, Kind, Source, Subresource};
pub(crate) use discovery::{Root, core_versions};
pub(crate) use field::{Field, Presence, fields};
pub(crate) use openapi::{schemas, schemas_of_kinds};
pub(crate) use record::{paths, schema as recorded_schema, schema_names, version};
pub(crate) use shape::{as_go_writes, empty};
