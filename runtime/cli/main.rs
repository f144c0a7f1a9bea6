//! The program `runbook`.

mod arguments;
mod bundled;
mod clock;
mod command;
mod defect;
mod dry_run;
mod environment;
mod exit;
mod id;
mod identity;
mod interrupt;
mod mode;
mod operator;
mod parameter;
mod part;
mod plan;
mod prompt;
mod rehearsal;
mod report;
mod reporter;
mod screen;
mod script;
mod snapshot;
mod story;
mod text;
mod trace;
mod writer;

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// Simulations and charts are trees of small pieces: the system's allocator took a quarter of their time.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args_os().collect();
    command::Program::start().run(&words).status()
}
