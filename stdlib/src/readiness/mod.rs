//! When an object is ready, kind by kind, with the reason in words where it is not.
//!
//! Pure: objects in, verdicts out. Does not know how objects are fetched, watched or shown, nor what time it is.

pub mod crd;
mod creation;
pub mod daemonset;
pub mod deployment;
pub mod endpoints;
pub mod gateway;
pub mod job;
pub mod kstatus;
pub mod namespace;
pub mod node;
pub(crate) mod object;
pub mod pod;
pub mod pvc;
pub mod related;
pub mod rule;
pub mod service;
pub mod statefulset;
pub mod trouble;
pub mod verdict;
pub mod webhook;

use std::time::Duration;

pub use related::{Finding, Origin, Query, Related, Source};
pub use rule::Rule;
pub use verdict::{Doom, Patience, Standing, Verdict, Witness};

/// Events are only looked at where a wait takes longer than this: most are over before.
pub(crate) const EVENTS_AFTER: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests;
