//! `--help` of a script: what it says about itself, its parameters, its steps, what it changes and how that is undone.

use clap::Arg;
use runbook_core::engine::{Header, Parameter, ParameterKind};
use runbook_core::record::Planned;
use serde_json::Value;

use super::value_in_words;
use crate::parameter::{flag_of, value_name, variable};
use crate::text::{Line, Role, Span, Table, Theme};

/// What a help page is made of.
pub(crate) struct Page<'a> {
    /// The script as the person named it.
    pub(crate) script: &'a str,
    /// Its name.
    pub(crate) name: &'a str,
    pub(crate) header: &'a Header,
    pub(crate) parameters: &'a [Parameter],
    pub(crate) steps: &'a [Planned],
    /// The options that every run has.
    pub(crate) options: &'a [Arg],
}

/// The page.
pub(crate) fn help(page: &Page<'_>, theme: Theme) -> Vec<Line> {
    let mut lines =
        vec![Line::new().strong(page.name).plain("   ").plain(&page.header.title).hang(page.name.len() + 3)];
    lines.extend(words(page.header));
    let labelled = |name: &str, text: &Option<String>| {
        text.as_ref().map(|text| Line::new().strong(format!("{name:9}")).plain(text).hang(9))
    };
    let promises: Vec<_> = [labelled("Changes", &page.header.changes), labelled("Undo", &page.header.undo)]
        .into_iter()
        .flatten()
        .collect();
    if !promises.is_empty() {
        lines.push(Line::new());
        lines.extend(promises);
    }
    lines.extend(usage(page));
    lines.extend(parameters(page.parameters, theme));
    lines.extend(steps(page.steps));
    lines.extend(options(page.options, theme));
    lines
}

/// The header without its first sentence and the labelled paragraphs, which stand elsewhere on the page.
fn words(header: &Header) -> Vec<Line> {
    let mut lines = Vec::new();
    for (index, paragraph) in header.text.split("\n\n").enumerate() {
        if paragraph.starts_with("Changes:") || paragraph.starts_with("Undo:") {
            continue;
        }
        let joined = paragraph.lines().map(str::trim).collect::<Vec<_>>().join(" ");
        let rest = if index == 0 {
            joined.strip_prefix(&header.title).unwrap_or(&joined).trim_start_matches('.')
        } else {
            &joined
        };
        if !rest.trim().is_empty() {
            lines.push(Line::new());
            lines.push(Line::of(rest.trim()).indent(2));
        }
    }
    lines
}

fn usage(page: &Page<'_>) -> Vec<Line> {
    let mut line = Line::new().strong("Usage    ").plain(format!("runbook {}", page.script)).hang(9);
    for parameter in page.parameters.iter().filter(|parameter| parameter.required()) {
        line = line.plain(format!(" --{} {}", flag_of(parameter), value_name(parameter)));
    }
    if page.parameters.iter().any(|parameter| !parameter.required()) {
        line = line.plain(" [--PARAMETER VALUE]...");
    }
    vec![Line::new(), line.plain(" [OPTIONS]")]
}

fn parameters(declared: &[Parameter], theme: Theme) -> Vec<Line> {
    if declared.is_empty() {
        return Vec::new();
    }
    let mut table = Table::new();
    for parameter in declared {
        let flag = match parameter.kind {
            ParameterKind::Bool => format!("--{}", flag_of(parameter)),
            _ => format!("--{} {}", flag_of(parameter), value_name(parameter)),
        };
        table.row([Span::new(Role::Accent, flag), Span::new(Role::Plain, meaning(parameter))]);
    }
    let example = variable(&declared[0]);
    let mut lines = vec![
        Line::new(),
        Line::new()
            .strong("Parameters")
            .faint(format!("   also from --params FILE, or from the environment as {example}")),
    ];
    lines.extend(table.lines(2, theme.columns));
    lines
}

fn meaning(parameter: &Parameter) -> String {
    let mut words = vec![parameter.help.clone()];
    if !parameter.choices.is_empty() {
        words.push(format!("one of {}", parameter.choices.join(", ")));
    }
    words.push(match &parameter.fallback {
        None => "required".to_owned(),
        Some(Value::Null) => "optional".to_owned(),
        Some(Value::String(text)) if text.is_empty() => "optional".to_owned(),
        Some(Value::Array(items)) if items.is_empty() => "optional".to_owned(),
        Some(Value::Object(map)) if map.is_empty() => "optional".to_owned(),
        Some(_) if parameter.kind == ParameterKind::Secret => "optional".to_owned(),
        Some(value) => format!("else {}", value_in_words(value)),
    });
    words.join(" · ")
}

fn steps(planned: &[Planned]) -> Vec<Line> {
    if planned.is_empty() {
        return Vec::new();
    }
    let mut lines =
        vec![Line::new(), Line::new().strong("Steps").faint("   as far as they can be seen without running it")];
    let mut number = 0;
    for step in planned {
        if step.depth == 0 {
            number += 1;
        }
        let inner = "  ".repeat(step.depth + 2);
        let mark = if step.depth == 0 { format!("{number:>2}  ") } else { inner };
        lines.push(Line::new().indent(2).faint(mark).plain(&step.title).hang(4));
    }
    lines
}

fn options(options: &[Arg], theme: Theme) -> Vec<Line> {
    let mut table = Table::new();
    for option in options {
        let long = option.get_long().unwrap_or_default();
        let short = option.get_short().map_or_else(|| "    ".to_owned(), |short| format!("-{short}, "));
        let value = option.get_value_names().filter(|_| option.get_action().takes_values()).and_then(<[_]>::first);
        let value = value.map_or_else(String::new, |value| format!(" {value}"));
        let help = option.get_help().map(ToString::to_string).unwrap_or_default();
        table.row([Span::new(Role::Accent, format!("{short}--{long}{value}")), Span::new(Role::Plain, help)]);
    }
    let mut lines = vec![Line::new(), Line::new().strong("Options of every run")];
    lines.extend(table.lines(2, theme.columns));
    lines
}
