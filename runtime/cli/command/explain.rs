//! `help`: exit codes, faults, and the commands.
//!
//! Does not know what a code means; their tables do.

use runbook_core::fault::{Code, Fault, Reach};
use runbook_core::param::nearest;

use super::Program;
use crate::arguments;
use crate::exit::Exit;
use crate::text::{Line, Role, Span, Table};
use crate::writer::Channel;

/// What can be explained beside the commands.
const TOPICS: [&str; 2] = ["exit-codes", "faults"];

/// Explains a topic or a command; without one, everything in short.
pub(super) fn help(program: &Program, topic: Option<&str>) -> Result<(), Fault> {
    let columns = program.writer.theme(Channel::Out).columns;
    let mut command = arguments::command().term_width(columns);
    let text = match topic {
        None => command.render_help().to_string(),
        Some("exit-codes") => {
            program.writer.print(Channel::Out, &exit_codes(columns));
            return Ok(());
        }
        Some("faults") => {
            program.writer.print(Channel::Out, &faults(columns));
            return Ok(());
        }
        Some(name) => {
            let names: Vec<String> = command.get_subcommands().map(|known| known.get_name().to_owned()).collect();
            match command.find_subcommand_mut(name) {
                Some(found) => {
                    found.clone().bin_name(format!("runbook {name}")).term_width(columns).render_help().to_string()
                }
                None => return Err(unknown(name, &names)),
            }
        }
    };
    program.writer.text(Channel::Out, &text);
    Ok(())
}

fn unknown(name: &str, commands: &[String]) -> Fault {
    let fault = Fault::new(Code::Usage, format!("there is nothing to explain about `{name}`"));
    match nearest(name, TOPICS.into_iter().chain(commands.iter().map(String::as_str))) {
        Some(near) => fault.hint(format!("did you mean `runbook help {near}`?")),
        None => {
            fault.hint("there are `exit-codes`, `faults` and the commands; `runbook SCRIPT --help` explains a script")
        }
    }
}

fn exit_codes(columns: usize) -> Vec<Line> {
    let mut table = Table::new();
    for exit in Exit::ALL {
        table.row([Span::new(Role::Strong, format!("{:>3}", exit.code())), Span::new(Role::Plain, exit.meaning())]);
    }
    table.lines(0, columns)
}

fn faults(columns: usize) -> Vec<Line> {
    let mut table = Table::new();
    for code in Code::ALL {
        let kind = serde_json::to_value(code.kind()).expect("a kind is a word");
        let reach = if code.reach() == Reach::Script { "" } else { "ends the run" };
        table.row([
            Span::new(Role::Strong, code.id()),
            Span::new(Role::Accent, kind.as_str().unwrap_or_default()),
            Span::new(Role::Faint, reach),
            Span::new(Role::Plain, code.summary()),
        ]);
    }
    let mut lines = vec![
        Line::of(
            "A code is permanent. The second column is what scripts compare with: `catch (e) { if e.kind == \"timeout\" ... }`.",
        ),
        Line::of("What ends the run cannot be caught."),
        Line::new(),
    ];
    lines.extend(table.lines(0, columns));
    lines
}
