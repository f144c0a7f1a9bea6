//! The test bed: a real Kubernetes control plane on loopback.
//!
//! Built once from pinned Go modules, started in seconds, ended without leftovers. `README.md` beside `Cargo.toml` says how
//! tests use it. Not known here: runbooks, their language, or what is under test.

#![expect(
    clippy::disallowed_methods,
    reason = "the test bed runs real processes against a real clock; the product's own rooms for those are under test"
)]

mod build;
mod cache;
mod chart;
mod fault;
mod gate;
mod kwok;
mod notice;
mod plane;
mod process;
mod record;
mod stand_in;
mod state;
mod wait;

pub use build::{Binaries, Tool, gateway_api_crds, gateway_api_version, kubernetes_version};
pub use chart::{Charts, Repository};
pub use fault::Fault;
pub use gate::{charts_or_skip, required_or_skip};
pub use kwok::{FAIL, FAIL_ON_IMAGE, FAIL_ON_NODE, Failure, READY_AFTER};
pub use plane::{AuditEntry, ControlPlane, Helm, Identity, Nodes, audit_log, in_batches, many_deployments, many_pods};
pub use record::{record, record_file, record_to_file};
pub use stand_in::StandIn;
pub use state::{Release, State};
