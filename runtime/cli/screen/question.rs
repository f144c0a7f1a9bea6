//! A question to the operator: what is asked, on which evidence, and how it can be answered beforehand.

use runbook_core::world::{Question, Style};

use crate::text::{Line, Role, Sign, Theme};

/// What stands above the place where the answer is typed. The question at the start has its own screen, the plan.
pub(crate) fn question(question: &Question, theme: Theme) -> Vec<Line> {
    if matches!(question.style, Style::Consent(_)) {
        return Vec::new();
    }
    let before = theme.sign_width() + 1;
    let title = Line::new().spans([theme.sign(Sign::Asking)]).plain(" ").strong(&question.text).hang(before);
    let mut lines = vec![
        Line::new(),
        match &question.style {
            Style::Approval { retype: Some(_) } => title.right(Role::Notice, "needs approval, cannot be undone"),
            Style::Approval { retype: None } => title.right(Role::Notice, "needs approval"),
            _ => title,
        },
    ];
    lines.extend(
        question.evidence.iter().flat_map(|text| text.lines()).map(|text| Line::of(text).indent(before + 2).hang(2)),
    );
    if let Style::Choice(choices) = &question.style {
        lines.extend(choices.iter().enumerate().map(|(index, choice)| {
            Line::new().indent(before + 2).faint(format!("{:>2}  ", index + 1)).plain(choice).hang(4)
        }));
    }
    if let Style::Approval { .. } = question.style {
        lines.push(
            Line::new().indent(before + 2).faint(format!("answered beforehand by --approve {}", question.id)).hang(2),
        );
    }
    lines
}

/// What stands before the place where the answer is typed.
pub(crate) fn prompt(question: &Question, context: Option<&str>) -> Line {
    let line = match &question.style {
        Style::Consent(_) => match context {
            Some(context) => Line::new().strong("Continue on ").accent(context).strong("?").plain(" [y/N] "),
            None => Line::new().strong("Continue?").plain(" [y/N] "),
        },
        Style::Approval { retype: Some(text) } => {
            Line::new().strong("Type ").accent(text).strong(" to approve, anything else to refuse:").plain(" ")
        }
        Style::Approval { retype: None } => Line::new().strong("Approve?").plain(" [y/N] "),
        Style::Confirm => Line::new().strong("Yes or no?").plain(" [y/n] "),
        Style::Text => Line::new().strong("Answer:").plain(" "),
        Style::Choice(choices) => Line::new().strong(format!("Which one? 1 to {}:", choices.len())).plain(" "),
    };
    // The space before the answer belongs to it.
    line.whole()
}
