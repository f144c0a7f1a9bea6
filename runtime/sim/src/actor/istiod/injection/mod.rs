//! The mutating webhook: puts a proxy into a pod.
//!
//! Pure: a pod and the settings of one istiod go in, the changed pod comes out. Not known here: which istiod was asked,
//! or why the API server asked it.

mod owner;
mod patch;
mod pod;
mod probe;
mod prometheus;
mod required;

pub(crate) use patch::json_patch;
pub(crate) use pod::{Injection, Sidecar, inject, mesh_dot};
pub(crate) use required::required;

/// The container that every proxy runs in.
const PROXY: &str = "istio-proxy";
/// What one injection did, for the next one and for tools.
const STATUS: &str = "sidecar.istio.io/status";
