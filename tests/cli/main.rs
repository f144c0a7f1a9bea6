//! What the program says: each test runs it in an empty environment and compares everything it printed, and its exit code.
//!
//! Does not know its insides. Nothing here needs a cluster.

#![expect(clippy::unwrap_used, reason = "what is wrong in a test may panic")]
#![expect(clippy::needless_raw_string_hashes, reason = "snapbox writes what it compares with so")]

mod bench;
mod chart;
mod fault;
mod help;
mod output;
mod parameter;
mod plan;
mod question;
mod record;
mod script;
mod shelf;
mod snapshot;
mod trace;
