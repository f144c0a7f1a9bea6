//! What a call changes, object by object: equal changes stand together, and what there is too much of is counted.
//!
//! Does not know which call it was.

use runbook_core::Value;

use super::counted;
use crate::dry_run::view::{Fate, Field, View};
use crate::text::{Line, Role, Span, Table, Theme};

/// Changes shown of one call, each for all objects that change alike.
const CHANGES: usize = 12;

/// Fields shown of one object.
const FIELDS: usize = 4;

/// Names shown of objects that stand together.
const NAMES: usize = 4;

/// The longest value that is shown whole.
const LONGEST: usize = 64;

/// Columns stand abreast where there are so many of them.
const WIDE: usize = 90;

/// How much is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Extent {
    /// What fits on a screen; the rest is counted.
    #[default]
    Brief,
    /// Every field of every object.
    Whole,
}

/// The objects that a call changes.
pub(crate) fn changes(views: &[View], extent: Extent, indent: usize, theme: Theme) -> Vec<Line> {
    match extent {
        Extent::Brief => brief(views, indent, theme),
        Extent::Whole => views.iter().flat_map(|view| whole(view, indent)).collect(),
    }
}

fn brief(views: &[View], indent: usize, theme: Theme) -> Vec<Line> {
    let of = |fate: Fate| views.iter().filter(move |view| view.fate == fate);
    let mut lines = Vec::new();
    lines.extend(named("new", Role::Good, of(Fate::Created), indent));
    lines.extend(named("gone", Role::Bad, of(Fate::Deleted), indent));
    let differing: Vec<&View> = of(Fate::Changed).chain(of(Fate::Replaced)).collect();
    let (labels, rest): (Vec<&View>, Vec<&View>) = differing.into_iter().partition(|view| changes_only_labels(view));
    let groups = alike(&rest);
    let shown: Vec<Rows> = groups.iter().take(CHANGES).map(|group| rows(group)).collect();
    if theme.columns < indent + WIDE {
        lines.extend(shown.iter().flat_map(|rows| stacked(rows, indent)));
    } else {
        lines.extend(abreast(shown, indent, theme));
    }
    lines.extend(rest.iter().flat_map(|view| taken(view, indent)));
    let more: usize = groups.iter().skip(CHANGES).map(Vec::len).sum();
    if more > 0 {
        lines.push(beyond(
            indent,
            &format!("{} {} too", counted(more, "more object"), verb(more)),
            "--diff shows them",
        ));
    }
    if !labels.is_empty() {
        let one = if rest.is_empty() { "object" } else { "more object" };
        let words = format!("{} {} only labels", counted(labels.len(), one), verb(labels.len()));
        lines.push(beyond(indent, &words, "--diff shows them"));
    }
    lines
}

fn verb(count: usize) -> &'static str {
    if count == 1 { "changes" } else { "change" }
}

fn beyond(indent: usize, words: &str, how: &str) -> Line {
    Line::new().indent(indent).plain(words).faint(format!(" ({how})"))
}

/// Objects that come or go, by name.
fn named<'a>(word: &str, role: Role, views: impl Iterator<Item = &'a View>, indent: usize) -> Option<Line> {
    let names: Vec<String> = views.map(title).collect();
    if names.is_empty() {
        return None;
    }
    let shown = names.iter().take(NAMES * 2).cloned().collect::<Vec<_>>().join(", ");
    let more = names.len().saturating_sub(NAMES * 2);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Some(Line::new().indent(indent).span(role, format!("{word:4}  ")).plain(shown).faint(more).hang(6))
}

/// An object as it stands beside others.
fn title(view: &View) -> String {
    view.object.clone()
}

fn changes_only_labels(view: &View) -> bool {
    !view.fields.is_empty() && view.fields.iter().all(|field| field.path.contains(".labels")) && view.taken.is_empty()
}

/// Objects whose fields differ in the same way, in the order of the first of each.
fn alike<'a>(views: &[&'a View]) -> Vec<Vec<&'a View>> {
    let mut groups: Vec<Vec<&View>> = Vec::new();
    for view in views {
        let same = |group: &&mut Vec<&View>| group[0].fields == view.fields && group[0].taken == view.taken;
        match groups.iter_mut().find(same) {
            Some(group) => group.push(view),
            None => groups.push(vec![view]),
        }
    }
    groups
}

/// Objects that change alike: their names, and a row for each field.
struct Rows {
    name: String,
    fields: Vec<[Span; 2]>,
}

/// Names, fields and changes in columns.
fn abreast(shown: Vec<Rows>, indent: usize, theme: Theme) -> Vec<Line> {
    let mut table = Table::new();
    for Rows { mut name, fields } in shown {
        for [label, change] in fields {
            table.row([Span::new(Role::Strong, std::mem::take(&mut name)), label, change]);
        }
    }
    table.lines(indent, theme.columns)
}

/// The same where there is no room for columns: fields stand below the names.
fn stacked(rows: &Rows, indent: usize) -> Vec<Line> {
    let name = Line::new().indent(indent).strong(&rows.name).hang(2);
    let field = |[label, change]: &[Span; 2]| {
        let gap = if change.text.is_empty() { "" } else { "  " };
        Line::new().indent(indent + 2).spans([label.clone()]).plain(gap).spans([change.clone()]).hang(2)
    };
    std::iter::once(name).chain(rows.fields.iter().map(field)).collect()
}

fn rows(group: &[&View]) -> Rows {
    let view = group[0];
    let names = group.iter().take(NAMES).map(|view| title(view)).collect::<Vec<_>>().join(", ");
    let more = group.len().saturating_sub(NAMES);
    let mut name = if more > 0 { format!("{names} and {more} more") } else { names };
    if view.fate == Fate::Replaced {
        name = format!("{name} (made anew)");
    }
    let alone = containers(view) < 2;
    // What says most comes first.
    let mut differing: Vec<&Field> = view.fields.iter().collect();
    differing.sort_by_key(|field| rank(&field.path));
    let only = differing.iter().any(|field| !field.path.contains(".labels"));
    let left: Vec<&&Field> = differing.iter().filter(|field| only && field.path.contains(".labels")).collect();
    let shown: Vec<&&Field> = differing.iter().filter(|field| !only || !field.path.contains(".labels")).collect();
    let mut fields: Vec<[Span; 2]> = shown.iter().take(FIELDS).map(|field| cells(field, alone)).collect();
    let rest = shown.len().saturating_sub(FIELDS) + left.len();
    if rest > 0 {
        let words = format!("and {}", counted(rest, "more field"));
        fields.push([Span::new(Role::Faint, words), Span::new(Role::Plain, "")]);
    }
    Rows { name, fields }
}

/// How many containers the fields of an object are about.
fn containers(view: &View) -> usize {
    let mut found: Vec<&str> = view.fields.iter().filter_map(|field| container(&field.path)).collect();
    found.sort_unstable();
    found.dedup();
    found.len()
}

fn container(path: &str) -> Option<&str> {
    let (_, rest) = path.split_once("ontainers[name=")?;
    rest.split_once(']').map(|(name, _)| name)
}

fn rank(path: &str) -> u8 {
    let last = path.rsplit('.').next().unwrap_or(path);
    match () {
        () if last == "image" => 0,
        () if last == "replicas" => 1,
        () if path.contains(".env[") || path.contains(".args") => 2,
        () if path.contains(".labels") || path.contains(".annotations") => 4,
        () => 3,
    }
}

fn cells(field: &Field, alone: bool) -> [Span; 2] {
    let (label, name) = label(&field.path, alone);
    let value = |value: &Value| shown(value.get("value").filter(|_| name.is_some()).unwrap_or(value));
    let named = |value: String| match &name {
        Some(name) => format!("{name}={value}"),
        None => value,
    };
    let change = match (&field.old, &field.new, &field.lines) {
        (_, _, Some(lines)) => lines_in_words(lines),
        (Some(old), Some(new), _) => match &name {
            Some(name) => format!("{name} {} → {}", value(old), value(new)),
            None => format!("{} → {}", value(old), value(new)),
        },
        (None, Some(new), _) => format!("+ {}", named(value(new))),
        (Some(old), None, _) => format!("- {}", named(value(old))),
        (None, None, _) => String::new(),
    };
    [Span::new(Role::Faint, label), Span::new(Role::Plain, change)]
}

fn lines_in_words(diff: &str) -> String {
    let count = |sign: char| {
        diff.lines()
            .filter(|line| line.starts_with(sign) && !line.starts_with("---") && !line.starts_with("+++"))
            .count()
    };
    format!("{} added, {} removed", counted(count('+'), "line"), counted(count('-'), "line"))
}

/// A path in the words of people: what it is about, and where that has a name of its own, which.
fn label(path: &str, alone: bool) -> (String, Option<String>) {
    let path = path.strip_prefix("spec.template.").unwrap_or(path);
    for (part, word) in [("metadata.labels", "label"), ("metadata.annotations", "annotation")] {
        if let Some(rest) = path.strip_prefix(part) {
            let key = rest.trim_start_matches(['.', '[', '"']).trim_end_matches([']', '"']);
            return (word.to_owned(), (!key.is_empty()).then(|| key.to_owned()));
        }
    }
    let Some(container) = container(path) else { return (path.to_owned(), None) };
    let (_, rest) = path.split_once(&format!("[name={container}]")).unwrap_or((path, ""));
    let rest = rest.trim_start_matches('.');
    let within = |label: &str| if alone { label.to_owned() } else { format!("{container} {label}") };
    if let Some(variable) = rest.strip_prefix("env[name=") {
        let (name, below) = variable.split_once(']').unwrap_or((variable, ""));
        let below = below.strip_prefix(".value").unwrap_or(below);
        return (within(&format!("env{below}")), Some(name.to_owned()));
    }
    (if rest.is_empty() { format!("container {container}") } else { within(rest) }, None)
}

/// A value as a person reads it, cut where it is long.
fn shown(value: &Value) -> String {
    let text = match value {
        Value::String(text) if text.is_empty() || text.contains(' ') || text.contains('\n') => {
            Value::from(text.as_str()).to_string()
        }
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}… ({} characters)", &text[..end], text.chars().count()),
        None => text,
    }
}

/// Every field of an object.
fn whole(view: &View, indent: usize) -> Vec<Line> {
    let (word, role) = match view.fate {
        Fate::Created => ("new", Role::Good),
        Fate::Deleted => ("gone", Role::Bad),
        Fate::Changed => ("differs", Role::Plain),
        Fate::Replaced => ("made anew", Role::Notice),
    };
    let place = if view.namespace.is_empty() { String::new() } else { format!(" in {}", view.namespace) };
    let mut lines = vec![Line::new().indent(indent).strong(&view.object).plain(place).span(role, format!("  {word}"))];
    let inside = indent + 2;
    if let Some(whole) = &view.whole {
        let yaml = serde_yaml::to_string(whole).unwrap_or_default();
        lines.extend(yaml.lines().map(|line| Line::new().indent(inside).span(Role::Good, format!("+ {line}")).hang(2)));
    }
    for field in &view.fields {
        lines.push(Line::new().indent(inside).faint(&field.path).hang(2));
        if let Some(diff) = &field.lines {
            let shown = diff.lines().filter(|line| !line.starts_with("@@"));
            lines.extend(shown.map(|line| Line::new().indent(inside + 2).span(side(line), line).hang(2)));
            continue;
        }
        lines.extend(field.old.iter().flat_map(|old| valued("-", old, inside + 2)));
        lines.extend(field.new.iter().flat_map(|new| valued("+", new, inside + 2)));
    }
    lines.extend(taken(view, inside));
    if view.hidden > 0 {
        let words = format!("{} that only the server writes", counted(view.hidden, "field"));
        lines.push(Line::new().indent(inside).faint(words));
    }
    lines
}

fn side(line: &str) -> Role {
    match line.chars().next() {
        Some('-') => Role::Bad,
        Some('+') => Role::Good,
        _ => Role::Faint,
    }
}

/// A value on one side of a difference: maps and lists as YAML.
fn valued(sign: &str, value: &Value, indent: usize) -> Vec<Line> {
    let text = match value {
        Value::Object(_) | Value::Array(_) => serde_yaml::to_string(value).unwrap_or_default(),
        Value::String(text) if text.is_empty() => "\"\"".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    text.lines().map(|line| Line::new().indent(indent).span(side(sign), format!("{sign} {line}")).hang(2)).collect()
}

/// Fields that somebody else owned.
fn taken(view: &View, indent: usize) -> Vec<Line> {
    let one = |taken: &crate::dry_run::view::Taken| {
        let more = taken.fields.len().saturating_sub(2);
        let fields = taken.fields.iter().take(2).cloned().collect::<Vec<_>>().join(", ");
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        Line::new()
            .indent(indent)
            .span(Role::Notice, format!("taken from {}", taken.from))
            .plain(format!(": {} {fields}{more}", view.object))
            .faint(format!(" now owned by {}", taken.by))
            .hang(2)
    };
    view.taken.iter().map(one).collect()
}
