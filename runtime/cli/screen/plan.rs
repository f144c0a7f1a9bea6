//! The question's table: what will change, what will that disturb, can it be undone.

use runbook_core::record::{Plan, PlannedChange};

use crate::text::{Line, Role, Span, Table, Theme};

/// What a script's header says about itself.
#[derive(Debug, Clone, Default)]
pub(crate) struct Promise {
    /// What it changes.
    pub(crate) changes: Option<String>,
    /// How that is undone.
    pub(crate) undo: Option<String>,
}

/// What will change, as the run worked it out; where it did not, what the script's header promises.
pub(crate) fn plan(plan: &Plan, promise: &Promise, theme: Theme) -> Vec<Line> {
    let mut lines = vec![Line::new()];
    if plan.changes.is_empty() {
        lines.extend(promised(promise));
    } else {
        let title = Line::new().strong("Will change");
        lines.push(match &plan.duration {
            Some(duration) => title.right(Role::Faint, duration),
            None => title,
        });
        let mut table = Table::new();
        plan.changes.iter().for_each(|change| table.row(cells(change)));
        lines.extend(table.lines(2, theme.columns));
    }
    if !plan.disturbs.is_empty() {
        lines.push(Line::new().strong("Will disturb"));
        lines.extend(plan.disturbs.iter().map(|words| Line::of(words).indent(2).hang(2)));
    }
    // Nothing known is nothing shown: no title over an empty space.
    if lines.len() == 1 { Vec::new() } else { lines }
}

fn promised(promise: &Promise) -> Vec<Line> {
    let said = |name: &str, words: &Option<String>| {
        words.as_ref().map(|words| Line::new().strong(format!("{name:13}")).plain(words).hang(13))
    };
    said("Will change", &promise.changes).into_iter().chain(said("Undo", &promise.undo)).collect()
}

fn cells(change: &PlannedChange) -> [Span; 4] {
    let undo = if change.undo.to_lowercase().contains("undo") || change.undo.is_empty() || one_way(&change.undo) {
        change.undo.clone()
    } else {
        format!("undo: {}", change.undo)
    };
    let role = if one_way(&change.undo) { Role::Notice } else { Role::Faint };
    [
        Span::new(Role::Strong, &change.what),
        Span::new(Role::Plain, &change.change),
        Span::new(Role::Plain, &change.extent),
        Span::new(role, undo),
    ]
}

fn one_way(undo: &str) -> bool {
    undo.starts_with("one way") || undo.starts_with("cannot")
}
