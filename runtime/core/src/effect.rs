//! What a call may do to the world.
//!
//! Does not know which primitive has which effect: each declares its own.

use serde::{Deserialize, Serialize};

/// What a call may do to the world. Every primitive states one; there is no default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// Computes, or only steers the script. Never reaches the world and is never recorded.
    Pure,
    /// Asks the world and leaves it as it was.
    Read,
    /// Watches the cluster until something holds or time runs out.
    Wait,
    /// Changes the world.
    Write(Repeat),
}

/// Whether a write whose answer was lost may simply be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Repeat {
    /// Sending it twice does what sending it once does.
    Safe,
    /// It must be looked at first, and where that does not decide it, asked.
    Ask,
}

impl Effect {
    /// Whether the call changes the world.
    pub fn writes(self) -> bool {
        matches!(self, Self::Write(_))
    }

    /// One word for people: `pure`, `read`, `wait` or `write`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pure => "pure",
            Self::Read => "read",
            Self::Wait => "wait",
            Self::Write(_) => "write",
        }
    }
}
