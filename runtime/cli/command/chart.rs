//! `chart diff`: what a chart changes of a release or of another chart.
//!
//! Does not know how the two are compared.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use runbook_core::fault::{Code, Fault};
use runbook_core::world::{Answer, Interrupt, Operator, Question};
use runbook_stdlib::helm::{Before, chart_change};
use serde_json::Value;
use tokio::runtime::Runtime;

use super::Program;
use crate::arguments::{Options, Output};
use crate::mode::{self, Surroundings};
use crate::screen::counted;
use crate::text::Line;
use crate::writer::Channel;

/// Labels that differ between any two versions of a chart.
const OF_VERSIONS: [&str; 2] = ["helm.sh/chart", "app.kubernetes.io/version"];

/// Compares, and says what differs.
pub(super) fn diff(program: &Program, options: &Options, before: &str, after: &str) -> Result<(), Fault> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|error| Fault::new(Code::Internal, format!("threads cannot be started: {error}")))?;
    let compared = compare(program, options, &runtime, before, after);
    runtime.shutdown_background();
    let change = compared?;
    if options.output == Some(Output::Json) {
        program.writer.json(&change);
    } else {
        program.writer.print(Channel::Out, &lines(&change));
    }
    Ok(())
}

fn compare(program: &Program, options: &Options, runtime: &Runtime, before: &str, after: &str) -> Result<Value, Fault> {
    let (before, after) = (meant(before), absolute(after));
    let named = [Some(after.as_str()), chart_of(&before)].into_iter().flatten().map(PathBuf::from).collect();
    let outside = program.surroundings(options, runtime.handle(), &Interrupt::default());
    let world = mode::look(Surroundings { operator: Arc::new(Nobody), named, ..outside });
    runtime.block_on(chart_change(&world, &before, &after))
}

/// A chart where there is such a path or it is an embedded one, else a release.
fn meant(word: &str) -> Before {
    if word.starts_with("embedded/") || Path::new(word).exists() || is_packed(word) {
        return Before::Chart(absolute(word));
    }
    match word.split_once('/') {
        Some((namespace, release)) => Before::Release(Some(namespace.to_owned()), release.to_owned()),
        None => Before::Release(None, word.to_owned()),
    }
}

fn is_packed(word: &str) -> bool {
    Path::new(word).extension().is_some_and(|end| end.eq_ignore_ascii_case("tgz"))
}

fn chart_of(before: &Before) -> Option<&str> {
    match before {
        Before::Chart(chart) => Some(chart),
        Before::Release(..) => None,
    }
}

/// A path of this machine in full; anything else as it is.
fn absolute(word: &str) -> String {
    match fs_err::canonicalize(word) {
        Ok(path) => path.display().to_string(),
        Err(_) => word.to_owned(),
    }
}

/// Nobody sits there: looking asks nothing.
struct Nobody;

impl Operator for Nobody {
    fn answer(&self, _: &Question) -> Result<Answer, Fault> {
        Err(Fault::new(Code::Internal, "a command that only looks was asked something"))
    }

    fn overrides(&self, _: &str) -> Option<String> {
        None
    }
}

fn lines(change: &Value) -> Vec<Line> {
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let list = |key: &str| change.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let (added, removed, changed) = (list("added"), list("removed"), list("changed"));
    let title = format!("{} -> {}", text(&change["chart"], "old"), text(&change["chart"], "new"));
    let mut lines = vec![Line::new().strong(title)];
    lines.extend(added.iter().map(|object| Line::of(format!("+ {}", text(object, "object"))).indent(2)));
    lines.extend(removed.iter().map(|object| Line::of(format!("- {}", text(object, "object"))).indent(2)));
    let mut alike = 0;
    for object in &changed {
        let fields = object["fields"].as_array().cloned().unwrap_or_default();
        let telling: Vec<_> = fields.iter().filter(|field| !is_of_version(&text(field, "path"))).collect();
        if telling.is_empty() {
            alike += 1;
            continue;
        }
        lines.push(Line::new().plain("~ ").strong(text(object, "object")).indent(2));
        lines.extend(telling.into_iter().flat_map(told));
    }
    if alike > 0 {
        lines.push(Line::new().faint(format!("{} only the labels of their version", differ(alike))).indent(2));
    }
    let sum = [(added.len(), "added"), (removed.len(), "removed"), (changed.len(), "changed")];
    let sum: Vec<_> = sum.iter().map(|(count, what)| format!("{count} {what}")).collect();
    lines.push(Line::of(sum.join(", ")));
    lines
}

fn differ(count: usize) -> String {
    let verb = if count == 1 { "changes" } else { "change" };
    format!("{} {verb}", counted(count, "more object"))
}

fn is_of_version(path: &str) -> bool {
    OF_VERSIONS.iter().any(|label| path.ends_with(&format!("labels[\"{label}\"]")))
}

/// One field: what was and what comes, or the lines of a long text that differ.
fn told(field: &Value) -> Vec<Line> {
    let path = field["path"].as_str().unwrap_or_default();
    if let Some(diff) = field["diff"].as_str() {
        let shown = diff.lines().filter(|line| !line.starts_with("---") && !line.starts_with("+++"));
        let head = Line::of(path).indent(6);
        return std::iter::once(head).chain(shown.map(|line| Line::of(line).indent(8).whole())).collect();
    }
    let line = match (&field["old"], &field["new"]) {
        (Value::Null, new) => format!("{path}  + {}", short(new)),
        (old, Value::Null) => format!("{path}  - {}", short(old)),
        (old, new) => format!("{path}  {} -> {}", short(old), short(new)),
    };
    vec![Line::of(line).indent(6).hang(4)]
}

fn short(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
