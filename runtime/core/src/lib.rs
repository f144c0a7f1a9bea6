//! How a runbook runs: the engine, the seam, effects, the journal and faults.
//!
//! Owns no socket, clock, process or terminal: all of those arrive in a [`World`].

pub mod arg;
pub mod claim;
pub mod command;
pub mod course;
pub mod digest;
pub mod effect;
pub mod engine;
pub mod fault;
pub mod journal;
pub mod param;
pub mod primitive;
pub mod record;
pub mod scope;
pub mod secret;
pub mod session;
mod tally;
pub mod world;

pub use arg::{Arg, Args, Function};
pub use effect::{Effect, Repeat};
pub use fault::{Code, Fault, Kind};
pub use param::Param;
pub use primitive::{Call, Example, Outcome, Primitive};
pub use session::Session;
pub use world::World;

pub use engine::{Engine, Header, Library, Limits, Parameter, Runbook, Source};

/// A plain value as it crosses between script and world.
pub use serde_json::Value;
