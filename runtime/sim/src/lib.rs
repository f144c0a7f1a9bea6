//! The simulated cluster: what answers as a Kubernetes API server would, and who acts on it.
//!
//! Not known here: scripts, journals, modes. Whether the API server behind a `kube::Client` is real or simulated is not
//! known either: the actors run unchanged against both.

#![allow(
    dead_code,
    unused_imports,
    clippy::unused_async,
    clippy::unused_self,
    reason = "the seams stand before those who use them"
)]

pub mod actor;
mod admission;
mod apply;
mod audit;
mod controller;
mod defaults;
#[cfg(fuzzing)]
pub mod fuzzing;
mod kind;
mod listen;
pub mod overlay;
mod patch;
#[cfg(test)]
#[path = "../tests/peers/mod.rs"]
mod peers;
mod quantity;
mod resource;
pub mod scenario;
mod schema;
mod selector;
mod server;
mod simulation;
mod status;
mod store;
pub mod time;

pub use admission::{Answerer, Call};
pub use audit::{AuditEntry, Witness};
pub use controller::{Failing, Failure, Habits};
pub use listen::Listening;
pub use server::onlooker::{Asking, Author, Change, Onlooker, Scope, Subject};
pub use simulation::{Options, Service, Simulation};
pub use status::Status;
