//! The bytes of the journal: append-only JSON Lines, flushed to disk where it matters, and read back.
//!
//! Does not know what is worth recording: the seam decides, [`crate::record`] has the words.

mod reader;
mod writer;

pub use reader::{Reading, is_open, list, read, stored};
pub use writer::{Flush, Journal, Kept};

/// Largest answer that stands in a line; a larger one is compressed beside the journal.
pub const INLINE: usize = 4 * 1024;

/// File name of the journal in the folder of its run.
pub const FILE: &str = "journal.jsonl";

/// File name of the run's key, readable by its owner alone.
const KEY: &str = "key";
