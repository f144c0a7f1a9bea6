//! Who answers in a dry run: the command line first, else everything is agreed to. Each question is kept.
//!
//! What only a person can know is not made up: a text that is asked for ends the run, as it would where nobody is there.

use std::sync::{Arc, Mutex, PoisonError};

use runbook_core::fault::Fault;
use runbook_core::world::{Answer, Operator, Question, Style};

use crate::operator::{Beforehand, nobody};

/// A question that the run asked, and the answer that it was given.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// What was asked, where, and on what it rests.
    pub(crate) question: Question,
    /// What was answered; none where nobody could.
    pub(crate) answer: Option<Answer>,
}

/// Agrees to everything.
pub(crate) struct Consenting {
    /// What the command line answers.
    pub(crate) beforehand: Beforehand,
    /// What was asked.
    pub(crate) asked: Arc<Mutex<Vec<Asked>>>,
}

/// Who gave an answer that nobody gave.
const BY: &str = "dry run";

impl Operator for Consenting {
    fn answer(&self, question: &Question) -> Result<Answer, Fault> {
        let assumed = |text: &str| Some(Answer { text: text.to_owned(), by: BY.to_owned() });
        let answer = self.beforehand.answer(question).or_else(|| match &question.style {
            Style::Consent(_) | Style::Approval { .. } | Style::Confirm => assumed("yes"),
            Style::Choice(choices) => choices.first().and_then(|first| assumed(first)),
            Style::Text => None,
        });
        let asked = Asked { question: question.clone(), answer: answer.clone() };
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(asked);
        answer.ok_or_else(|| nobody(question))
    }

    fn overrides(&self, check: &str) -> Option<String> {
        self.beforehand.overrides(check)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_agreed_to_and_kept_and_a_text_is_not_made_up() {
        let asked = Arc::default();
        let operator = Consenting { beforehand: Beforehand::default(), asked: Arc::clone(&asked) };
        let question = |style: Style| Question {
            id: "remove-old".to_owned(),
            step: String::new(),
            text: "Remove it".to_owned(),
            evidence: Vec::new(),
            style,
        };
        let retyped = Style::Approval { retype: Some("1-29-6".to_owned()) };
        assert_eq!(operator.answer(&question(retyped)).unwrap().by, "dry run");
        assert_eq!(operator.answer(&question(Style::Choice(vec!["a".to_owned()]))).unwrap().text, "a");
        assert!(operator.answer(&question(Style::Text)).is_err());
        let kept: Vec<bool> = asked.lock().unwrap().iter().map(|asked: &Asked| asked.answer.is_some()).collect();
        assert_eq!(kept, [true, true, false]);
    }
}
