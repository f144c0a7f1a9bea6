//! What a script may call: every primitive, and the part of the library that is written in Rhai.
//!
//! Does not know modes, terminals or journals; a primitive sees its [`runbook_core::Call`] and nothing else.

mod address;
#[cfg(test)]
#[path = "tests/bench.rs"]
mod bench;
pub mod cluster;
pub mod difference;
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

pub use address::Address;
pub use library::library;

use runbook_core::Primitive;

/// Every primitive, in the order of the reference page.
pub fn primitives() -> Vec<&'static Primitive> {
    [helm::ALL, kubectl::ALL, wait::ALL, flow::ALL, value::ALL].concat()
}
