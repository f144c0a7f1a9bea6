//! `runbook SCRIPT`: reads the script and its parameters, runs it, and says how that ended.
//!
//! Does not know what world the run is given; the mode does.

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};

use clap::{Arg, ArgAction, ArgMatches, Command};
use runbook_core::engine::{Engine, Runbook};
use runbook_core::fault::{Code, Fault};
use runbook_core::journal::Journal;
use runbook_core::record::{End, Entry, Event, Finished, Observer, Run, VERSION};
use runbook_core::world::{Clock as _, Interrupt};
use runbook_core::{Outcome, Session};
use serde_json::{Map, Value};
use tokio::runtime::Runtime;

use super::{Program, Trouble};
use crate::arguments::{self, Options, Output};
use crate::exit::Exit;
use crate::identity::{Identity, Watching};
use crate::mode::{self, Surroundings};
use crate::operator::Person;
use crate::parameter::{self, Origins};
use crate::prompt::Prompt;
use crate::reporter::{Desk, Human, Json, Listening, Plain, Reporter, keep_ticking};
use crate::screen::help::{self, Page};
use crate::screen::plan::Promise;
use crate::screen::{end, fault};
use crate::script::{self, Found};
use crate::story::Story;
use crate::text::Line;
use crate::writer::Channel;
use crate::{defect, interrupt, trace};

/// Threads for futures. The script has a thread of its own.
const WORKERS: usize = 2;

/// A script that was read, and what the command line says about it.
struct Prepared {
    found: Found,
    runbook: Runbook,
    options: Options,
    matches: ArgMatches,
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

fn prepare(asked: &str, words: &[OsString]) -> Result<Prepared, Trouble> {
    let found = script::find(asked)?;
    let source = found.source();
    let (name, text) = (source.name.clone(), source.text.clone());
    let folders = early(words, "--library").into_iter().map(PathBuf::from);
    let engine = Engine::new(runbook_stdlib::primitives(), runbook_stdlib::library().with_folders(folders));
    let runbook = engine.load(source).map_err(|fault| Trouble {
        fault: Box::new(fault),
        texts: Box::new(move |wanted| (wanted == name).then(|| text.clone())),
    })?;
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
    Ok(Prepared { found, runbook, options, matches })
}

/// The values of an option that is needed before it is known which options there are.
fn early(words: &[OsString], option: &str) -> Vec<OsString> {
    let mut values = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.to_str().map(|word| word.strip_prefix(option)) {
            Some(Some("")) => values.extend(words.next().cloned()),
            Some(Some(rest)) => values.extend(rest.strip_prefix('=').map(OsString::from)),
            _ => {}
        }
    }
    values
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
        steps: &prepared.runbook.steps(),
        options: &arguments::options(),
    };
    program.writer.print(Channel::Out, &help::help(&page, theme));
}

fn go(program: &Program, prepared: Prepared, runtime: &Runtime) -> Result<Exit, Trouble> {
    let Prepared { found, runbook, options, matches } = prepared;
    let interrupt = Interrupt::default();
    interrupt::listen(runtime.handle(), interrupt.clone(), program.writer.clone());
    let prompt = Prompt::open(program.writer.clone(), runtime.handle().clone(), interrupt.clone());
    let origins = Origins {
        flags: &matches,
        file: options.params.as_deref(),
        environment: &program.environment,
        prompt: prompt.as_ref(),
        writer: &program.writer,
    };
    let given = parameter::collect(runbook.parameters(), &origins, &program.vault)?;
    let runs = mode::runs(&options, &program.environment)?;
    let (journal, id) = mode::journal(&runs, &*program.clock)?;
    let stage = Stage { program, found: &found, runbook: &runbook, options: &options, runtime, interrupt, prompt };
    let set = stage.set(journal, &given);
    keep_ticking(runtime.handle(), program.clock.clone(), set.reporter.clone());
    let began = program.clock.elapsed();
    let outcome = set.session.record(Entry::Run(Box::new(stage.opening(id, &given)))).and_then(|()| {
        let run = || runbook.run(set.session.clone(), given);
        catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| Err(defect::fault()))
    });
    let took = program.clock.elapsed().saturating_sub(began);
    stage.end(&set, &outcome, u64::try_from(took.as_millis()).unwrap_or(u64::MAX))
}

fn finished(outcome: &Outcome, exit: Exit, (writes, changed): (u64, u64), ms: u64) -> Finished {
    let verdict = match exit {
        Exit::Done => End::Done,
        Exit::Waiting => End::Waiting,
        Exit::Refused => End::Refused,
        Exit::Stopped => End::Stopped,
        _ => End::Failed,
    };
    let summary = outcome.as_ref().ok().and_then(Value::as_str).map(str::to_owned);
    Finished { verdict, fault: outcome.as_ref().err().cloned(), changed, writes, summary, ms }
}

/// What a run is put together from.
struct Stage<'a> {
    program: &'a Program,
    found: &'a Found,
    runbook: &'a Runbook,
    options: &'a Options,
    runtime: &'a Runtime,
    interrupt: Interrupt,
    prompt: Option<Prompt>,
}

/// A session, and whoever watches it.
struct Set {
    session: Arc<Session>,
    story: Arc<Mutex<Story>>,
    reporter: Arc<dyn Reporter>,
    identity: Arc<Identity>,
}

impl Stage<'_> {
    fn set(&self, journal: Journal, given: &Map<String, Value>) -> Set {
        let program = self.program;
        let identity = Identity::new(self.runtime.handle().clone(), program.clock.clone());
        let reporter = self.reporter();
        let operator = Person {
            beforehand: self.options.beforehand.clone(),
            prompt: self.prompt.clone(),
            writer: program.writer.clone(),
            reporter: reporter.clone(),
            identity: identity.clone(),
        };
        let later = Arc::new(OnceLock::new());
        let surroundings = Surroundings {
            options: self.options,
            environment: &program.environment,
            runtime: self.runtime.handle().clone(),
            clock: program.clock.clone(),
            operator: Arc::new(operator),
            interrupt: self.interrupt.clone(),
            secrets: program.vault.clone(),
            folder: self.found.folder.as_deref(),
            named: parameter::named(self.runbook.parameters(), given),
        };
        let story = Arc::new(Mutex::new(Story::default()));
        let session = Session::new(
            mode::run(surroundings, &later),
            journal,
            vec![
                Box::new(Listening(reporter.clone())),
                Box::new(Keeping(story.clone())),
                Box::new(Watching(identity.clone())),
            ],
        );
        later.get_or_init(|| Arc::downgrade(&session));
        identity.attach(&session);
        Set { session, story, reporter, identity }
    }

    fn reporter(&self) -> Arc<dyn Reporter> {
        let program = self.program;
        let header = self.runbook.header();
        let desk = Desk {
            writer: program.writer.clone(),
            clock: program.clock.clone(),
            promise: Promise { changes: header.changes.clone(), undo: header.undo.clone() },
            helm: mode::helm(self.options, &program.environment),
        };
        let fitting = if program.writer.is_terminal(Channel::Out) { Output::Human } else { Output::Plain };
        match self.options.output.unwrap_or(fitting) {
            Output::Human => Arc::new(Human::new(desk)),
            Output::Plain => Arc::new(Plain::new(desk)),
            Output::Json => Arc::new(Json::new(desk)),
        }
    }

    fn opening(&self, run: String, given: &Map<String, Value>) -> Run {
        let environment = &self.program.environment;
        let user = environment.get("SUDO_USER").or(environment.get("USER")).or(environment.get("LOGNAME"));
        Run {
            version: VERSION,
            run,
            runbook: self.found.name.clone(),
            title: self.runbook.header().title.clone(),
            source: self.found.origin.clone(),
            digest: self.runbook.digest().to_owned(),
            parameters: parameter::shown(self.runbook.parameters(), given),
            program: env!("CARGO_PKG_VERSION").to_owned(),
            steps: self.runbook.steps(),
            beforehand: self.options.beforehand.in_words(),
            by: user.map(str::to_owned),
        }
    }

    /// Writes the last record, and says how it ended.
    fn end(&self, set: &Set, outcome: &Outcome, ms: u64) -> Result<Exit, Trouble> {
        let program = self.program;
        set.identity.finish();
        let exit = outcome.as_ref().err().map_or(Exit::Done, |fault| Exit::of(fault, set.session.counts().0));
        let written = set.session.finish(finished(outcome, exit, set.session.counts(), ms));
        set.reporter.close();
        let theme = program.writer.theme(Channel::Err);
        if let Err(told) = outcome {
            let lines = fault::fault(&program.masked(told), &|name| self.runbook.text_of(name), exit, theme);
            program.writer.print(Channel::Err, &[vec![Line::new()], lines].concat());
        }
        let channel = if exit == Exit::Done { Channel::Out } else { Channel::Err };
        if channel == Channel::Err || self.options.output != Some(Output::Json) {
            let story = set.story.lock().expect("no thread panics while it holds this lock");
            program.writer.print(channel, &end::end(&story, program.writer.theme(channel)));
        }
        // A run that failed has said why already.
        if exit == Exit::Done { Ok(written.map(|()| exit)?) } else { Ok(exit) }
    }
}

/// Keeps the story for the end.
struct Keeping(Arc<Mutex<Story>>);

impl Observer for Keeping {
    fn observe(&self, event: &Event<'_>) {
        if let Event::Recorded(record) = event {
            self.0.lock().expect("no thread panics while it holds this lock").tell(record);
        }
    }
}
