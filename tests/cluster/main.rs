//! The runbooks on a real control plane, and the control plane itself.
//!
//! Where the machine has neither its binaries nor Go, every test here is skipped by name; see `tests/control-plane`.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests run real processes against a real clock, and what is wrong in them may panic"
)]

mod ambient;
mod bench;
mod canary;
mod chart;
mod control_plane;
mod dry_run;
mod example;
mod foretold;
mod gate;
mod gateway;
mod gone;
mod helm;
mod hindered;
mod in_place;
mod injection;
mod kubectl;
mod lease;
mod line;
mod mesh;
mod precheck;
mod prediction;
mod readme;
mod record;
mod removal;
mod revision_tag;
mod runbook;
mod sidecar;
mod state;
mod truth;
mod umbrella;
mod wait;
