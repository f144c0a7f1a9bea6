//! A fault: what happened, where in the script, what was seen, and what to do next. Never a stack of internals.

use runbook_core::fault::{Fault, Place};

use crate::exit::Exit;
use crate::text::{Line, Role, Theme};

/// Spaces that a tab in a script becomes.
const TAB: &str = "    ";

/// More evidence than this is for the report.
const EVIDENCE: usize = 20;

/// Texts of scripts by their names.
pub(crate) type Texts<'a> = &'a dyn Fn(&str) -> Option<String>;

/// A fault as lines.
pub(crate) fn fault(fault: &Fault, texts: Texts<'_>, exit: Exit, theme: Theme) -> Vec<Line> {
    let code = fault.code.id();
    let mut message = fault.message.lines();
    let mut lines = vec![
        Line::new()
            .span(Role::Bad, code)
            .plain("  ")
            .strong(message.next().unwrap_or_default())
            .right(Role::Faint, format!("exit {}", exit.code()))
            .hang(code.len() + 2),
    ];
    lines.extend(message.map(|rest| Line::of(rest).indent(code.len() + 2)));
    if !fault.stack.is_empty() {
        lines.push(Line::new());
        lines.extend(place(&fault.stack, texts, theme));
    }
    if !fault.evidence.is_empty() {
        lines.push(Line::new());
    }
    let evidence: Vec<_> = fault.evidence.iter().flat_map(|seen| seen.lines()).collect();
    lines.extend(evidence.iter().take(EVIDENCE).map(|seen| Line::of(*seen).indent(2).hang(2)));
    if evidence.len() > EVIDENCE {
        lines.push(Line::new().indent(2).faint(format!("and {} lines more", evidence.len() - EVIDENCE)));
    }
    lines
}

/// What to do about it.
pub(crate) fn next(fault: &Fault) -> Vec<Line> {
    fault.hint.iter().flat_map(|hint| labelled("Next", hint)).collect()
}

/// Lines under a short name.
pub(crate) fn labelled(name: &str, text: &str) -> Vec<Line> {
    text.lines()
        .enumerate()
        .map(|(index, line)| {
            let label = if index == 0 { format!("{name}:") } else { String::new() };
            Line::new().strong(format!("{label:6}")).plain(line).hang(6)
        })
        .collect()
}

fn place(stack: &[Place], texts: Texts<'_>, theme: Theme) -> Vec<Line> {
    let inner = &stack[0];
    let mut title = Line::new().indent(2).accent(named(inner)).hang(2);
    for outer in &stack[1..] {
        title = title.faint(", called from ").accent(named(outer));
    }
    let text = texts(&inner.source);
    let excerpt = text.as_deref().and_then(|text| text.lines().nth(inner.line.checked_sub(1)?));
    std::iter::once(title).chain(excerpt.into_iter().flat_map(|line| marked(inner, line, theme))).collect()
}

fn named(place: &Place) -> String {
    if place.line == 0 { place.source.clone() } else { format!("{}:{}", place.source, place.line) }
}

/// The line of the script, and a mark under the word at which it happened.
fn marked(place: &Place, line: &str, theme: Theme) -> Vec<Line> {
    let number = place.line.to_string();
    let gutter =
        |number: &str| Line::new().indent(3).faint(format!("{number:>0$} | ", place.line.to_string().len())).cut();
    let before: String = line.chars().take(place.column.saturating_sub(1)).collect();
    let at = before.replace('\t', TAB).chars().count();
    let behind = line.chars().skip(place.column.saturating_sub(1));
    let word = behind.take_while(|c| c.is_alphanumeric() || "_:".contains(*c)).count().max(1);
    let text = line.replace('\t', TAB);
    let room = theme.columns.saturating_sub(number.len() + 6);
    // What stands far to the right is shown by leaving out what stands before it.
    let left_out = if at + word < room { 0 } else { (at + word + 2).saturating_sub(room).min(at) };
    let shown: String = text.trim_end().chars().skip(left_out).collect();
    let shown = if left_out > 0 { format!("…{}", shown.chars().skip(1).collect::<String>()) } else { shown };
    let mut lines = vec![gutter(&number).plain(shown)];
    if place.column > 0 {
        lines.push(gutter("").plain(" ".repeat(at - left_out)).span(Role::Bad, "^".repeat(word)));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{Charset, Colour};
    use runbook_core::fault::Code;

    const THEME: Theme = Theme { columns: 60, charset: Charset::Unicode, colour: Colour::Never };

    #[test]
    fn a_mark_far_to_the_right_stays_on_the_screen() {
        let mut broken = Fault::new(Code::Thrown, "no");
        broken.stack = vec![Place { source: "a.rhai".to_owned(), line: 1, column: 101 }];
        let line = format!("{}throw \"no\";", " ".repeat(100));
        let lines = fault(&broken, &|_| Some(line.clone()), Exit::Failed, THEME);
        let (text, mark) = (lines[lines.len() - 2].text(), lines[lines.len() - 1].text());
        assert_eq!(text.find("throw"), text.find('…').map(|_| mark.find("^^^^^").unwrap() + '…'.len_utf8() - 1));
        assert!(mark.len() + 3 <= 60, "{mark}");
    }

    #[test]
    fn the_mark_stands_under_the_call_even_behind_a_tab() {
        let mut broken = Fault::new(Code::NotReady, "deployment/web is not ready").seen("log  no").hint("fix it");
        broken.stack = vec![
            Place { source: "std/istio".to_owned(), line: 2, column: 2 },
            Place { source: "a.rhai".to_owned(), line: 9, column: 1 },
        ];
        let texts = |source: &str| (source == "std/istio").then(|| "first\n\twait::ready(\"x\");".to_owned());
        let shown: Vec<_> = fault(&broken, &texts, Exit::Failed, THEME)
            .iter()
            .map(|l| format!("{}{}", " ".repeat(l.indent), l.text()))
            .collect();
        assert_eq!(
            shown,
            [
                "RB031  deployment/web is not readyexit 3",
                "",
                "  std/istio:2, called from a.rhai:9",
                "   2 |     wait::ready(\"x\");",
                "     |     ^^^^^^^^^^^",
                "",
                "  log  no",
            ]
        );
    }
}
