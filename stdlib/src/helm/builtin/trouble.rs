//! What stops an operation: words of helm, which are sorted into the registry where the real helm's are, or a fault that is
//! one already, such as a connection that is lost.

use runbook_core::Fault;

use super::super::tool::failure;

/// What stops an operation.
#[derive(Debug, Clone)]
pub(in crate::helm) enum Trouble {
    /// In helm's words.
    Words(String),
    /// In ours.
    Fault(Box<Fault>),
    /// The real helm may do it, the built-in one does not; why, where there is no other.
    Beyond(Box<Fault>),
}

impl Trouble {
    /// In helm's words.
    pub(super) fn words(words: impl Into<String>) -> Self {
        Self::Words(words.into())
    }

    /// What the built-in helm does not do.
    pub(super) fn beyond(fault: Fault) -> Self {
        Self::Beyond(Box::new(fault))
    }

    /// The same, with what was being done before it: `failed pre-install: ...`.
    pub(super) fn during(self, doing: &str) -> Self {
        match self {
            Self::Words(words) => Self::Words(format!("{doing}: {words}")),
            other => other,
        }
    }

    /// What a release's description says of it.
    pub(super) fn in_words(&self) -> String {
        match self {
            Self::Words(words) => words.clone(),
            Self::Fault(fault) | Self::Beyond(fault) => fault.message.clone(),
        }
    }

    /// The fault a script sees.
    pub(in crate::helm) fn into_fault(self) -> Fault {
        match self {
            Self::Words(words) => failure::told(&words),
            Self::Fault(fault) | Self::Beyond(fault) => *fault,
        }
    }
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Self::Fault(Box::new(fault))
    }
}
