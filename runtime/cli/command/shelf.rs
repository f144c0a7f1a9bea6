//! `list`, `show`, `fork`: the bundled runbooks.
//!
//! Does not run them.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use runbook_core::engine::Header;
use runbook_core::fault::{Code, Fault};

use super::Program;
use crate::arguments::{Options, Output};
use crate::bundled;
use crate::text::{Line, Role, Span, Table};
use crate::writer::Channel;

/// One line a runbook.
pub(super) fn list(program: &Program, options: &Options) {
    let mut table = Table::new();
    for bundled in bundled::all() {
        let title = Header::of(bundled.text).title;
        if options.output == Some(Output::Json) {
            program.writer.json(&serde_json::json!({ "name": bundled.name, "title": title }));
        } else {
            table.row([Span::new(Role::Accent, bundled.name), Span::new(Role::Plain, title)]);
        }
    }
    let columns = program.writer.theme(Channel::Out).columns;
    program.writer.print(Channel::Out, &table.lines(0, columns));
}

/// The text of a runbook.
pub(super) fn show(program: &Program, name: &str) -> Result<(), Fault> {
    program.writer.text(Channel::Out, bundled::get(name)?.text);
    Ok(())
}

/// A copy of a runbook. Never writes over anything.
pub(super) fn fork(program: &Program, name: &str, file: Option<&Path>) -> Result<(), Fault> {
    let bundled = bundled::get(name)?;
    let file = file.map_or_else(|| PathBuf::from(format!("{}.rhai", bundled.name)), Path::to_owned);
    let file = if file.is_dir() { file.join(format!("{}.rhai", bundled.name)) } else { file };
    let shown = file.display().to_string();
    let failed = |error: std::io::Error| {
        let fault = Fault::new(Code::Usage, format!("`{shown}` cannot be written: {error}"));
        if error.kind() == std::io::ErrorKind::AlreadyExists {
            Fault::new(Code::Usage, format!("`{shown}` exists already, and a fork never writes over a file"))
                .hint(format!("name another file: `runbook fork {name} FILE`"))
        } else {
            fault
        }
    };
    fs_err::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&file)
        .map_err(failed)
        .and_then(|mut opened| opened.write_all(bundled.text.as_bytes()).map_err(failed))?;
    let line = Line::of(format!("{} is now in ", bundled.name)).strong(&shown).plain("; run it with ");
    program.writer.line(Channel::Out, &line.accent(format!("runbook {shown}")));
    Ok(())
}
