//! How sure a statement of a trace is.
//!
//! Does not know what is stated.

use serde::Serialize;

use super::collector::Made;
use runbook_core::effect::Effect;

/// What a run stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Ground {
    /// A live cluster is read; what the run writes stays in memory.
    Live,
    /// Everything is simulated.
    Simulated,
}

/// How sure a statement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Grade {
    /// It comes from the live cluster, or from its API server's own dry run.
    Exact,
    /// It comes from a simulation: of the cluster, or of what an earlier step would have made of it.
    Simulated,
    /// Nobody knows: an answer was assumed.
    Assumed,
    /// It could not be established.
    Unknown,
}

impl Grade {
    /// How sure it is what a call did.
    pub(super) fn of(made: &Made, ground: Ground) -> Self {
        match made.call.effect {
            // What no request was made for comes from files and from what is known already.
            Effect::Pure => Self::Exact,
            // Whatever is written of what the plan has changed before, only the simulation can say what becomes of it.
            Effect::Write(_) if made.judged.accepted > 0 && made.judged.accepted == made.judged.writes => Self::Exact,
            Effect::Write(_) => Self::Simulated,
            Effect::Read | Effect::Wait if made.requests.touched > 0 => Self::Simulated,
            Effect::Read | Effect::Wait if made.requests.untouched == 0 => Self::Exact,
            Effect::Read | Effect::Wait => match ground {
                Ground::Live => Self::Exact,
                Ground::Simulated => Self::Simulated,
            },
        }
    }

    /// One word for people.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Simulated => "simulated",
            Self::Assumed => "assumed",
            Self::Unknown => "unknown",
        }
    }
}
