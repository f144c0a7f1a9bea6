//! Releases by the built-in helm and by the real ones: the same operations, each on the real API server, leave the same
//! objects and the same records, and what one began the other finishes.
//!
//! Where the machine has neither the control plane's binaries nor Go, every test here is skipped by name; see
//! `tests/control-plane`.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests run real processes against a real clock, and what is wrong in them may panic"
)]

#[expect(dead_code, reason = "the bench is shared with the tests on the cluster, which need more of it")]
#[path = "../cluster/bench.rs"]
mod bench;
mod chart;
mod handover;
mod live;
mod refusal;
mod same;
mod stage;
mod trace;
