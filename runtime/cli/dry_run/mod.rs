//! A dry run: what each step would do to the live cluster, without touching it; and what a person gets from it: every call,
//! every change, every disruption, every right it needs.
//!
//! Does not know what a run is, nor how any of it is shown.

mod budget;
mod change;
mod collector;
mod consent;
mod disguise;
mod disruption;
mod grade;
mod lease;
mod overlaid;
pub(crate) mod rbac;
pub(crate) mod right;
pub(crate) mod total;
pub(crate) mod trace;
pub(crate) mod view;
mod watched;
mod webhook;

pub(crate) use self::disguise::Disguise;
pub(crate) use self::disruption::Disruption;
pub(crate) use self::grade::{Grade, Ground};
pub(crate) use self::overlaid::Overlaid;
pub(crate) use self::watched::Watched;
