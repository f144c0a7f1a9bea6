//! YAML as `sigs.k8s.io/yaml` reads and writes it: version 1.1, by way of JSON.
//!
//! Not known here: what a document means.

mod emit;
mod pretty;
mod read;
mod resolve;
mod scalar;

pub(crate) use emit::emit;
pub(crate) use pretty::pretty;
pub(crate) use read::read;
