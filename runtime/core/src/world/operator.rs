//! Who answers questions: a person on a terminal, or answers given beforehand.

use crate::fault::Fault;
use crate::record::Plan;

/// A question to the operator.
#[derive(Debug, Clone)]
pub struct Question {
    /// What `--approve` calls it.
    pub id: String,
    /// The step path.
    pub step: String,
    /// What is asked, as a sentence.
    pub text: String,
    /// On which evidence: a line each.
    pub evidence: Vec<String>,
    /// What kind of answer.
    pub style: Style,
}

/// What kind of answer a question wants.
#[derive(Debug, Clone)]
pub enum Style {
    /// The one question at the start: may this run change the cluster? `--yes` answers it.
    Consent(Plan),
    /// An approval inside the run. Only `--approve` answers it beforehand.
    Approval {
        /// A text to type, for what cannot be undone.
        retype: Option<String>,
    },
    /// Yes or no; the run goes on either way.
    Confirm,
    /// A text.
    Text,
    /// One of these.
    Choice(Vec<String>),
}

/// An answer and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// `yes`, `no`, or the text.
    pub text: String,
    /// `terminal`, `--yes`, `--approve remove-old`, `--approve all`.
    pub by: String,
}

/// Who answers questions.
pub trait Operator: Send + Sync {
    /// Answers.
    ///
    /// Faults: `RB060` where nobody is there to answer and no answer was given beforehand. Never an assumption.
    fn answer(&self, question: &Question) -> Result<Answer, Fault>;

    /// The reason given with `--override` for a check, where there is one.
    fn overrides(&self, check: &str) -> Option<String>;
}
