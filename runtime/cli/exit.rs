//! The one table of exit codes.
//!
//! Does not know how a fault came about: its code, and whether anything was written, decide.

use std::process::ExitCode;

use runbook_core::fault::{Code, Fault};

/// How the program ends, for whoever started it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything was done.
    Done,
    /// The command line, the script or its surroundings make no sense; nothing was changed.
    Usage,
    /// A dry run found something to change.
    Changes,
    /// The run failed on its way.
    Failed,
    /// It failed and everything it had done was undone.
    Undone,
    /// It failed and undoing it did not work out.
    UndoIncomplete,
    /// It waits for a person's answer.
    Waiting,
    /// A check or rule refused; nothing was changed.
    Refused,
    /// Lint or a test failed.
    Unsound,
    /// A person said no, or pressed Ctrl-C.
    Stopped,
}

impl Exit {
    /// All of them, in order of their codes.
    pub(crate) const ALL: &'static [Self] = &[
        Self::Done,
        Self::Usage,
        Self::Changes,
        Self::Failed,
        Self::Undone,
        Self::UndoIncomplete,
        Self::Waiting,
        Self::Refused,
        Self::Unsound,
        Self::Stopped,
    ];

    /// What the shell sees.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Usage => 1,
            Self::Changes => 2,
            Self::Failed => 3,
            Self::Undone => 4,
            Self::UndoIncomplete => 5,
            Self::Waiting => 6,
            Self::Refused => 7,
            Self::Unsound => 8,
            Self::Stopped => 130,
        }
    }

    /// What it means, for people.
    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Usage => "usage, script or surroundings are wrong, or an internal error; nothing was changed",
            Self::Changes => "the dry run found changes (with --exit-code)",
            Self::Failed => "failed; nothing was undone",
            Self::Undone => "failed, and undone cleanly",
            Self::UndoIncomplete => "failed, and undoing it is incomplete",
            Self::Waiting => "waiting for approval",
            Self::Refused => "a check or rule refused; nothing was changed",
            Self::Unsound => "lint or a test failed",
            Self::Stopped => "interrupted, or a person said no",
        }
    }

    /// What `main` gives back.
    pub(crate) fn status(self) -> ExitCode {
        ExitCode::from(self.code())
    }

    /// Ends the program where it stands.
    pub(crate) fn at_once(self) -> ! {
        std::process::exit(self.code().into())
    }

    /// How a run ends that ended by a fault after that many writes were sent.
    pub(crate) fn of(fault: &Fault, writes: u64) -> Self {
        match fault.code {
            Code::Interrupted | Code::Declined => Self::Stopped,
            Code::NeedsApproval => Self::Waiting,
            _ if writes > 0 => Self::Failed,
            Code::ChecksFailed
            | Code::RefusedByRule
            | Code::Required
            | Code::HeldByAnother
            | Code::PlanUnfit
            | Code::OffPlan => Self::Refused,
            Code::Internal
            | Code::Usage
            | Code::ScriptSyntax
            | Code::Import
            | Code::Parameter
            | Code::StepId
            | Code::WriteInRead
            | Code::NoCluster
            | Code::HelmMissing
            | Code::JournalFailed
            | Code::NoRun
            | Code::FileAccess => Self::Usage,
            _ => Self::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_after_writes_is_a_failed_run_and_so_is_a_lost_journal() {
        for code in [Code::ChecksFailed, Code::JournalFailed] {
            assert_eq!(Exit::of(&Fault::new(code, ""), 1), Exit::Failed);
        }
        assert_eq!(Exit::of(&Fault::new(Code::ChecksFailed, ""), 0), Exit::Refused);
        assert_eq!(Exit::of(&Fault::new(Code::NeedsApproval, ""), 4), Exit::Waiting);
        assert_eq!(Exit::of(&Fault::new(Code::Declined, ""), 0).code(), 130);
    }
}
