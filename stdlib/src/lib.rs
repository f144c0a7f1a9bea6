//! What a script may call: every primitive, and the part of the library that is written in Rhai.
//!
//! Does not know modes, terminals or journals; a primitive sees its [`runbook_core::Call`] and nothing else.

#[cfg(test)]
#[path = "tests/bench.rs"]
mod bench;
pub mod cluster;
mod command;
pub mod flow;
pub mod helm;
pub mod kubectl;
mod library;
mod path;
mod process;
pub mod readiness;
pub mod value;
pub mod wait;
mod yaml;

pub use library::library;

use runbook_core::Primitive;

/// Every primitive, in the order of the reference page.
pub fn primitives() -> Vec<&'static Primitive> {
    [helm::ALL, kubectl::ALL, wait::ALL, flow::ALL, value::ALL].concat()
}
