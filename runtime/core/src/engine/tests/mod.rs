//! What the engine promises, as claims. Each trap of Rhai that we promise to handle has one.

mod bench;
mod call;
mod fault;
mod import;
mod language;
mod limit;
mod namesake;
mod parameter;
mod step;
