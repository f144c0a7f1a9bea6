//! Who answers a run's questions: answers given on the command line first, then a person on the terminal, else nobody.
//!
//! Never assumes an answer. Does not write them down; the seam does.

use std::sync::Arc;
use std::time::Duration;

use runbook_core::engine::DeclaredCheck;
use runbook_core::fault::{Code, Fault};
use runbook_core::param::nearest;
use runbook_core::world::{Answer, Operator, Question, Style};

use crate::identity::Identity;
use crate::prompt::Prompt;
use crate::reporter::Reporter;
use crate::screen::question;
use crate::writer::{Channel, Writer};

/// How long the question at the start waits to know which cluster it is about.
const PATIENCE: Duration = Duration::from_secs(3);

/// Answers given on the command line.
#[derive(Debug, Clone, Default)]
pub(crate) struct Beforehand {
    /// `--yes`.
    pub(crate) yes: bool,
    /// `--approve`, each.
    pub(crate) approved: Vec<String>,
    /// `--override` with its `--reason`, each.
    pub(crate) overrides: Vec<(String, String)>,
}

impl Beforehand {
    /// The answers in words, for the journal.
    pub(crate) fn in_words(&self) -> Vec<String> {
        let yes = self.yes.then(|| "--yes".to_owned());
        let approved = self.approved.iter().map(|id| format!("--approve {id}"));
        let overrides = self.overrides.iter().map(|(check, reason)| format!("--override {check} --reason {reason:?}"));
        yes.into_iter().chain(approved).chain(overrides).collect()
    }

    /// Holds each override against the checks that a runbook declares.
    ///
    /// Faults: `RB002` for a check that there is not, or that may not be overridden.
    pub(crate) fn fits(&self, declared: &[DeclaredCheck]) -> Result<(), Fault> {
        let mut may: Vec<&str> =
            declared.iter().filter(|check| check.overridable).filter_map(|c| c.id.as_deref()).collect();
        may.sort_unstable();
        may.dedup();
        let listed = if may.is_empty() {
            "no check of this runbook can be overridden".to_owned()
        } else {
            format!("these can be: {}", may.join(", "))
        };
        for (name, _) in &self.overrides {
            let named = declared.iter().any(|check| check.id.as_deref() == Some(name));
            if named && !may.contains(&name.as_str()) {
                return Err(Fault::new(Code::Usage, format!("check `{name}` cannot be overridden")).hint(listed));
            }
            // A check whose id is computed may have this one.
            if !named && declared.iter().all(|check| check.id.is_some()) {
                let fault = Fault::new(Code::Usage, format!("there is no check `{name}`"));
                return Err(match nearest(name, declared.iter().filter_map(|check| check.id.as_deref())) {
                    Some(near) => fault.hint(format!("did you mean `{near}`? {listed}")),
                    None => fault.hint(listed),
                });
            }
        }
        Ok(())
    }

    /// The answer to a question, where it was given.
    pub(crate) fn answer(&self, question: &Question) -> Option<Answer> {
        let given = match &question.style {
            Style::Consent(_) => self.yes.then(|| "--yes".to_owned()),
            Style::Approval { .. } => {
                let named = self.approved.iter().find(|id| **id == question.id);
                named.or_else(|| self.approved.iter().find(|id| *id == "all")).map(|id| format!("--approve {id}"))
            }
            Style::Confirm | Style::Text | Style::Choice(_) => None,
        };
        given.map(|by| Answer { text: "yes".to_owned(), by })
    }

    /// Why a check is let through, where it is.
    pub(crate) fn overrides(&self, check: &str) -> Option<String> {
        self.overrides.iter().find(|(id, _)| id == check).map(|(_, reason)| reason.clone())
    }
}

/// The operator of a live run.
pub(crate) struct Person {
    /// What was answered beforehand.
    pub(crate) beforehand: Beforehand,
    /// Where a person can be asked; absent where there is no terminal.
    pub(crate) prompt: Option<Prompt>,
    /// The door.
    pub(crate) writer: Arc<Writer>,
    /// Shows what a question rests on.
    pub(crate) reporter: Arc<dyn Reporter>,
    /// Which cluster the question at the start is about.
    pub(crate) identity: Arc<Identity>,
}

impl Operator for Person {
    fn answer(&self, question: &Question) -> Result<Answer, Fault> {
        let cluster = match question.style {
            Style::Consent(_) => self.identity.known(PATIENCE),
            _ => None,
        };
        if let Some(answer) = self.beforehand.answer(question) {
            return Ok(answer);
        }
        let Some(prompt) = &self.prompt else { return Err(nobody(question)) };
        self.reporter.asking();
        let theme = self.writer.theme(Channel::Err);
        self.writer.print(Channel::Err, &question::question(question, theme));
        let line = question::prompt(question, cluster.as_ref().map(|cluster| cluster.context.as_str()));
        loop {
            let typed = prompt.line(&line)?;
            if let Some(text) = understood(question, typed.as_deref()) {
                return Ok(Answer { text, by: "terminal".to_owned() });
            }
        }
    }

    fn overrides(&self, check: &str) -> Option<String> {
        self.beforehand.overrides(check)
    }
}

/// What was typed, as an answer; `None` where it is none and must be asked again. The end of input is a no.
fn understood(question: &Question, typed: Option<&str>) -> Option<String> {
    let typed = typed.map(str::trim);
    let yes_or_no = |silence: Option<&str>| match typed.map(str::to_ascii_lowercase).as_deref() {
        Some("y" | "yes") => Some("yes".to_owned()),
        Some("n" | "no") | None => Some("no".to_owned()),
        Some("") => silence.map(str::to_owned),
        Some(_) => None,
    };
    match &question.style {
        Style::Consent(_) | Style::Approval { retype: None } => yes_or_no(Some("no")),
        Style::Approval { retype: Some(text) } => {
            Some(if typed == Some(text.as_str()) { "yes" } else { "no" }.to_owned())
        }
        Style::Confirm => yes_or_no(None),
        Style::Text => typed.filter(|text| !text.is_empty()).map(str::to_owned),
        Style::Choice(choices) => {
            let typed = typed?;
            let by_number = typed.parse::<usize>().ok().and_then(|number| choices.get(number.checked_sub(1)?));
            choices.iter().find(|choice| *choice == typed).or(by_number).cloned()
        }
    }
}

/// The fault where nobody answers.
pub(crate) fn nobody(question: &Question) -> Fault {
    let (message, hint) = match &question.style {
        Style::Consent(_) => (
            "the run is about to make its first change, and nobody is there to say yes".to_owned(),
            "pass `--yes`, or run it on a terminal".to_owned(),
        ),
        Style::Approval { .. } => (
            format!("approval `{}` is needed, and nobody is there to give it: {}", question.id, question.text),
            format!("pass `--approve {}`, or run it on a terminal", question.id),
        ),
        Style::Confirm | Style::Text | Style::Choice(_) => (
            format!("a question needs a person, and nobody is there: {}", question.text),
            "run it on a terminal; this question cannot be answered beforehand".to_owned(),
        ),
    };
    let fault = Fault::new(Code::NeedsApproval, message).about(question.id.clone()).hint(hint);
    question.evidence.iter().fold(fault, Fault::seen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use runbook_core::record::Plan;

    fn question(id: &str, style: Style) -> Question {
        Question { id: id.to_owned(), step: String::new(), text: "Remove it".to_owned(), evidence: Vec::new(), style }
    }

    #[test]
    fn yes_answers_the_start_alone_and_approve_answers_approvals_alone() {
        let given = Beforehand { yes: true, approved: vec!["remove-old".to_owned()], overrides: Vec::new() };
        let by = |question: &Question| given.answer(question).map(|answer| answer.by);
        assert_eq!(by(&question("start", Style::Consent(Plan::default()))).as_deref(), Some("--yes"));
        assert_eq!(
            by(&question("remove-old", Style::Approval { retype: None })).as_deref(),
            Some("--approve remove-old")
        );
        assert_eq!(by(&question("other", Style::Approval { retype: None })), None);
        assert_eq!(by(&question("remove-old", Style::Confirm)), None);
        let all = Beforehand { approved: vec!["all".to_owned()], ..Beforehand::default() };
        assert_eq!(all.answer(&question("other", Style::Approval { retype: None })).unwrap().by, "--approve all");
    }

    #[test]
    fn silence_is_a_no_and_a_retyped_name_must_be_exact() {
        let consent = question("start", Style::Consent(Plan::default()));
        assert_eq!(understood(&consent, Some("\n")).as_deref(), Some("no"));
        assert_eq!(understood(&consent, None).as_deref(), Some("no"));
        assert_eq!(understood(&consent, Some("maybe")), None);
        let retype = question("remove", Style::Approval { retype: Some("1-29-6".to_owned()) });
        assert_eq!(understood(&retype, Some("yes")).as_deref(), Some("no"));
        assert_eq!(understood(&retype, Some("1-29-6\n")).as_deref(), Some("yes"));
        let choice = question("which", Style::Choice(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(understood(&choice, Some("2")).as_deref(), Some("b"));
        assert_eq!(understood(&choice, Some("0")), None);
    }
}
