//! `runbook SCRIPT`: reads the script, and what the command line says about it.
//!
//! Does not know what world the run is given, nor who watches.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command};
use runbook_core::engine::{Engine, Runbook};
use runbook_core::fault::{Code, Fault};
use runbook_core::world::Interrupt;
use serde_json::Map;
use tokio::runtime::Runtime;

use super::stage::Stage;
use super::{Lookup, Program, Trouble};
use crate::arguments::{self, Options};
use crate::dry_run::Overlaid;
use crate::exit::Exit;
use crate::mode::{Later, Mode};
use crate::parameter::{self, Origins};
use crate::part::Part;
use crate::plan::{self, Held};
use crate::prompt::Prompt;
use crate::rehearsal::{Rehearsal, Script};
use crate::screen::help::{self, Page};
use crate::script::{self, Found};
use crate::writer::Channel;
use crate::{interrupt, mode, trace};

/// Threads for futures. The script has a thread of its own.
const WORKERS: usize = 2;

/// A script that was read, and what the command line says about it.
pub(super) struct Prepared {
    pub(super) found: Found,
    pub(super) runbook: Runbook,
    pub(super) options: Options,
    pub(super) matches: ArgMatches,
}

/// Runs a script, or shows its help.
pub(super) fn run(program: &Program, asked: &str, words: &[OsString]) -> Result<Exit, Trouble> {
    let prepared = prepare(asked, words)?;
    if prepared.matches.get_flag("help") {
        show_help(program, asked, &prepared);
        return Ok(Exit::Done);
    }
    let Options { verbosity, log_format, .. } = prepared.options;
    trace::start(verbosity, log_format, &program.environment, &program.writer)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .enable_all()
        .build()
        .map_err(|error| Fault::new(Code::Internal, format!("threads cannot be started: {error}")))?;
    let exit = go(program, prepared, &runtime);
    // A thread that still waits for somebody to type must not hold up the end.
    runtime.shutdown_background();
    exit
}

/// Reads a script, and the command line by its parameters.
pub(super) fn prepare(asked: &str, words: &[OsString]) -> Result<Prepared, Trouble> {
    let found = script::find(asked)?;
    let source = found.source();
    let texts = texts(&found, &source.name);
    let folders = arguments::early(words, "--library").into_iter().map(PathBuf::from);
    let engine = Engine::new(runbook_stdlib::primitives(), runbook_stdlib::library().with_folders(folders));
    let runbook = engine.load(source).map_err(|fault| Trouble { fault: Box::new(fault), texts })?;
    let flags = parameter::flags(runbook.parameters()).map_err(|fault| pointing(fault, &runbook))?;
    let names: Vec<_> = runbook.parameters().iter().map(parameter::flag_of).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let matches = Command::new("runbook")
        .no_binary_name(true)
        .disable_help_flag(true)
        .args(arguments::options())
        .args(flags)
        .arg(Arg::new("help").short('h').long("help").action(ArgAction::SetTrue))
        .try_get_matches_from(words)
        .map_err(|error| arguments::fault(&error, &names))?;
    let options = arguments::read_options(&[&matches])?;
    options.beforehand.fits(&runbook.checks())?;
    Ok(Prepared { found, runbook, options, matches })
}

/// The texts that a fault may point into where the script cannot be loaded: its own, and those of modules it imports.
fn texts(found: &Found, script: &str) -> Lookup {
    let (script, text, folder) = (script.to_owned(), found.text.clone(), found.folder.clone());
    Box::new(move |wanted| {
        if wanted == script {
            return Some(text.clone());
        }
        let embedded = runbook_stdlib::library().text_of(wanted).map(str::to_owned);
        embedded.or_else(|| fs_err::read_to_string(folder.as_ref()?.join(wanted)).ok())
    })
}

/// A fault that may point into any text of a runbook.
fn pointing(fault: Fault, runbook: &Runbook) -> Trouble {
    let texts: Vec<_> =
        fault.stack.iter().map(|place| (place.source.clone(), runbook.text_of(&place.source))).collect();
    let found = move |wanted: &str| texts.iter().find(|(name, _)| name == wanted).and_then(|(_, text)| text.clone());
    Trouble { fault: Box::new(fault), texts: Box::new(found) }
}

fn show_help(program: &Program, asked: &str, prepared: &Prepared) {
    let theme = program.writer.theme(Channel::Out);
    let page = Page {
        script: asked,
        name: &prepared.found.name,
        header: prepared.runbook.header(),
        parameters: prepared.runbook.parameters(),
        steps: &prepared.runbook.steps(&serde_json::Map::new()),
        options: &arguments::options(),
    };
    program.writer.print(Channel::Out, &help::help(&page, theme));
}

fn go(program: &Program, prepared: Prepared, runtime: &Runtime) -> Result<Exit, Trouble> {
    let Prepared { found, runbook, mut options, matches } = prepared;
    let interrupt = Interrupt::default();
    interrupt::listen(runtime.handle(), interrupt.clone(), program.writer.clone());
    let prompt = Prompt::open(program.writer.clone(), runtime.handle().clone(), interrupt.clone());
    let script = options.rehearse.as_deref().map(|asked| Script::find(asked, &found.name)).transpose()?;
    let (nothing, plan) = (Map::new(), options.plan.as_deref().map(plan::read).transpose()?);
    let part = options.plan_out.as_deref().map(|file| Part::open(file, "a plan", "--plan-out")).transpose()?;
    if let Some(plan) = &plan {
        options.namespace.get_or_insert_with(|| plan.namespace.clone());
    }
    let from_plan = plan.as_ref().map(|plan| &plan.parameters);
    let origins = Origins {
        flags: &matches,
        file: options.params.as_deref(),
        environment: &program.environment,
        laid_down: script.as_ref().map(|script| &script.scenario.params).or(from_plan).unwrap_or(&nothing),
        prompt: prompt.as_ref(),
        writer: &program.writer,
    };
    let given = parameter::collect(runbook.parameters(), &origins, &program.vault)?;
    let held = plan.map(|plan| Held::to(plan, program.vault.clone()));
    let mode = match script {
        None if options.dry_run => {
            let surroundings = program.surroundings(&options, runtime.handle(), &interrupt);
            let live = mode::beneath(&surroundings, &Later::default())?;
            Mode::DryRun(Overlaid::over(live, options.validation, &program.clock, runtime.handle())?)
        }
        None => {
            mode::may_be_live(&options)?;
            Mode::Live
        }
        Some(script) => Mode::Rehearsal(Rehearsal::start(script, &program.clock, runtime.handle())?),
    };
    let stage = Stage {
        program,
        found: &found,
        runbook: &runbook,
        options: &options,
        runtime,
        interrupt,
        prompt,
        mode,
        held,
        part,
    };
    stage.fits(&given)?;
    let (journal, id) = stage.mode.journal(&options, &program.environment, &program.clock)?;
    stage.prepare(&given)?;
    let exit = stage.play(journal, id, given)?;
    stage.keep()?;
    Ok(exit)
}
