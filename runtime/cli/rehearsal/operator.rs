//! Who answers in a rehearsal: the command line first, then the scenario, and else nobody.
//!
//! Never assumes an answer to what needs an approval: a rehearsal shows where a run would stop and wait for one.

use runbook_core::fault::Fault;
use runbook_core::world::{Answer, Operator, Question, Style};
use runbook_sim::scenario::Answers;

use crate::operator::{Beforehand, nobody};

/// A scenario's answers.
pub(crate) struct Scripted {
    /// What the command line answers.
    pub(crate) beforehand: Beforehand,
    /// What the scenario answers.
    pub(crate) answers: Answers,
}

impl Scripted {
    /// Says yes to everything, as whoever prepares a cluster does.
    pub(crate) fn willing() -> Self {
        let all = vec!["all".to_owned()];
        Self { beforehand: Beforehand::default(), answers: Answers { approve: all, ..Answers::default() } }
    }
}

impl Operator for Scripted {
    fn answer(&self, question: &Question) -> Result<Answer, Fault> {
        if let Some(answer) = self.beforehand.answer(question) {
            return Ok(answer);
        }
        let by = |text: &str| Ok(Answer { text: text.to_owned(), by: "the scenario".to_owned() });
        match &question.style {
            // Nothing real is changed.
            Style::Consent(_) => Ok(Answer { text: "yes".to_owned(), by: "rehearsal".to_owned() }),
            Style::Approval { .. } if self.answers.approve.iter().any(|id| *id == question.id || id == "all") => {
                by("yes")
            }
            Style::Approval { .. } => Err(nobody(question)),
            Style::Confirm | Style::Text | Style::Choice(_) => match self.answers.text.get(&question.id) {
                Some(text) => by(text),
                None => Err(nobody(question)),
            },
        }
    }

    fn overrides(&self, check: &str) -> Option<String> {
        self.beforehand.overrides(check)
    }
}
