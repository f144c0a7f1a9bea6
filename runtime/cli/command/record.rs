//! `runs` and `report`: what a journal is for once the run is over.
//!
//! Does not know the bytes of a journal.

use std::path::Path;

use runbook_core::fault::{Code, Fault};
use runbook_core::journal;
use runbook_core::record::End;
use serde_json::json;

use super::Program;
use crate::arguments::{Options, Output};
use crate::mode;
use crate::report::markdown;
use crate::screen::counted;
use crate::story::Story;
use crate::text::{Line, Role, Span, Table, duration};
use crate::writer::Channel;

/// Runs shown without `--all`.
const SHOWN: usize = 20;

/// The runs, newest first.
pub(super) fn runs(program: &Program, options: &Options, all: bool) -> Result<(), Fault> {
    let folder = mode::runs(options, &program.environment)?;
    let found = journal::list(&folder)?;
    let shown = if all { found.len() } else { found.len().min(SHOWN) };
    let mut table = Table::new();
    for (run, _) in &found[..shown] {
        let row = Row::read(&folder, run);
        if options.output == Some(Output::Json) {
            program.writer.json(&row.json());
        } else {
            table.row(row.cells());
        }
    }
    if options.output == Some(Output::Json) {
        return Ok(());
    }
    let columns = program.writer.theme(Channel::Out).columns;
    let mut lines = table.lines(0, columns);
    if found.is_empty() {
        lines.push(Line::of(format!("no runs in {}", folder.display())));
    }
    if shown < found.len() {
        lines.push(Line::new().faint(format!("and {} more: runbook runs --all", found.len() - shown)));
    }
    program.writer.print(Channel::Out, &lines);
    Ok(())
}

/// One run in a few words.
struct Row {
    run: String,
    story: Result<Story, Fault>,
    open: bool,
}

impl Row {
    fn read(folder: &Path, run: &str) -> Self {
        let story = journal::read(folder, run).map(|reading| Story::of(&reading.records));
        Self { run: run.to_owned(), story, open: journal::is_open(folder, run) }
    }

    fn verdict(&self) -> (Role, &'static str) {
        let Ok(story) = &self.story else { return (Role::Bad, "unreadable") };
        match story.finished.as_ref().map(|finished| finished.verdict) {
            Some(End::Done) => (Role::Good, "done"),
            Some(End::Failed) => (Role::Bad, "failed"),
            Some(End::Refused) => (Role::Notice, "refused"),
            Some(End::Waiting) => (Role::Notice, "waiting"),
            Some(End::Stopped) => (Role::Notice, "stopped"),
            None if self.open => (Role::Notice, "running"),
            None => (Role::Bad, "cut off"),
        }
    }

    fn cells(&self) -> Vec<Span> {
        let (role, verdict) = self.verdict();
        let story = self.story.as_ref().ok();
        let began =
            story.and_then(|story| story.span).map(|(began, _)| began.strftime("%Y-%m-%d %H:%M:%S").to_string());
        let took = story.and_then(|story| story.finished.as_ref()).map(|finished| duration::in_words(finished.ms));
        let cluster = story.and_then(|story| story.cluster.as_ref()).map(|cluster| cluster.context.clone());
        let runbook = story.and_then(|story| story.run.as_ref()).map(|run| run.runbook.clone());
        let rest = match &self.story {
            Ok(story) => counted(story.writes(), "write"),
            Err(fault) => fault.message.clone(),
        };
        vec![
            Span::new(Role::Strong, &self.run),
            Span::new(Role::Faint, began.unwrap_or_default()),
            Span::new(role, verdict),
            Span::new(Role::Plain, runbook.unwrap_or_default()),
            Span::new(Role::Plain, cluster.unwrap_or_default()),
            Span::new(Role::Faint, took.unwrap_or_default()),
            Span::new(Role::Plain, rest),
        ]
    }

    fn json(&self) -> serde_json::Value {
        let story = match &self.story {
            Ok(story) => story,
            Err(fault) => return json!({ "run": self.run, "verdict": self.verdict().1, "fault": fault }),
        };
        let run = story.run.as_ref();
        json!({
            "run": self.run,
            "verdict": self.verdict().1,
            "runbook": run.map(|run| &run.runbook),
            "parameters": run.map(|run| &run.parameters),
            "began": story.span.map(|(began, _)| began),
            "cluster": story.cluster,
            "writes": story.writes(),
            "ms": story.finished.as_ref().map(|finished| finished.ms),
        })
    }
}

/// The report of a run.
pub(super) fn report(program: &Program, options: &Options, run: Option<&str>) -> Result<(), Fault> {
    let folder = mode::runs(options, &program.environment)?;
    let run = named(&folder, run)?;
    let reading = journal::read(&folder, &run)?;
    program.writer.text(Channel::Out, &markdown(&Story::of(&reading.records), reading.torn));
    Ok(())
}

/// The run that is meant: by its id, by a beginning that no other has, or the newest.
fn named(folder: &Path, asked: Option<&str>) -> Result<String, Fault> {
    let found = journal::list(folder)?;
    let Some(asked) = asked else {
        return found.into_iter().next().map(|(run, _)| run).ok_or_else(|| {
            Fault::new(Code::NoRun, format!("there is no run in `{}`", folder.display()))
                .hint("runs elsewhere are found with `--journal DIR`")
        });
    };
    let wanted = asked.to_ascii_uppercase();
    let mut matching = found.iter().map(|(run, _)| run).filter(|run| run.starts_with(&wanted));
    match (matching.next(), matching.next()) {
        (Some(one), None) => Ok(one.clone()),
        (Some(first), Some(_)) if *first == wanted => Ok(wanted),
        (Some(first), Some(second)) => Err(Fault::new(
            Code::NoRun,
            format!("`{asked}` is the beginning of several runs, such as {second} and {first}"),
        )
        .hint("write more of it")),
        (None, _) => Err(Fault::new(Code::NoRun, format!("there is no run `{asked}` in `{}`", folder.display()))
            .hint("`runbook runs` lists them")),
    }
}
