//! Other people's programs against the simulation: the real kubectl, helm 3 and helm 4, as a person would use them on
//! `runbook sim`.
//!
//! Where a machine has neither the control plane's binaries nor Go, every test here is skipped by name.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests run real programs against a real clock, and what is wrong in them may panic"
)]

mod helm;
mod kubectl;
mod place;
