//! A check and what it found.

use runbook_core::record::{Check, Verdict};

use crate::text::{Line, Role, Sign, Theme, clean, width};

/// Titles up to this width stand in a column beside what was found; longer ones stand above it.
const COLUMN: usize = 26;

/// How wide the column of titles is for these checks.
pub(crate) fn column<'a>(checks: impl Iterator<Item = &'a Check>) -> usize {
    checks.map(|check| width(&clean(&check.title))).filter(|w| *w <= COLUMN).max().unwrap_or_default().max(14)
}

/// A check as lines: verdict, title, what was found, what to do.
pub(crate) fn check(check: &Check, column: usize, indent: usize, theme: Theme) -> Vec<Line> {
    let sign = theme.sign(match (check.verdict, &check.overridden) {
        (Verdict::Pass, _) => Sign::Done,
        (Verdict::Warn, _) | (Verdict::Fail, Some(_)) => Sign::Warning,
        (Verdict::Fail, None) => Sign::Failed,
    });
    let role = sign.role;
    let before = theme.sign_width() + 1;
    let title = Line::new().indent(indent).spans([sign]).plain(" ");
    let wide = width(&clean(&check.title));
    let inner = Line::new().indent(indent + before + if wide > column { 2 } else { column + 2 });
    let mut lines = Vec::new();
    if wide > column || check.message.is_empty() {
        lines.push(title.plain(&check.title).hang(before));
        if !check.message.is_empty() {
            lines.push(inner.clone().span(said(check.verdict), &check.message));
        }
    } else {
        let gap = " ".repeat(column + 2 - wide);
        lines.push(
            title.plain(&check.title).plain(gap).span(said(check.verdict), &check.message).hang(before + column + 2),
        );
    }
    if check.verdict != Verdict::Pass {
        lines.extend(check.fix.iter().map(|fix| inner.clone().span(Role::Accent, fix)));
    }
    if let Some(reason) = &check.overridden {
        lines.push(inner.clone().span(role, format!("let through with --override {}: {reason}", check.id)));
    } else if check.verdict == Verdict::Fail && check.overridable {
        lines.push(inner.faint(format!("or let it through: --override {} --reason \"...\"", check.id)));
    }
    lines
}

fn said(verdict: Verdict) -> Role {
    if verdict == Verdict::Pass { Role::Faint } else { Role::Plain }
}
