//! The actors: programs that live in a cluster and change it on their own, as Istio's control plane does.
//!
//! An actor is a controller over `kube::Client`. It owns no socket, no certificate and no clock: requests to its
//! webhooks are handed in, and time comes from the [`Pace`] it is given.

pub(crate) mod api;
pub(crate) mod cni;
pub mod istiod;
pub(crate) mod json;
mod mirror;
mod pace;

pub use istiod::Fleet;
pub use pace::Pace;
