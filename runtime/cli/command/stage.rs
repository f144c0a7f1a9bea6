//! One run: puts together who watches it and what it is given, runs the script, and says how that ended.
//!
//! Does not know the command line, nor what a mode gives.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, OnceLock};

use jiff::Timestamp;
use runbook_core::engine::Runbook;
use runbook_core::journal::Journal;
use runbook_core::record::{End, Entry, Event, Finished, Observer, Run, VERSION};
use runbook_core::world::{Interrupt, Operator};
use runbook_core::{Code, Fault, Outcome, Session};
use runbook_stdlib::Address;
use serde_json::{Map, Value};
use tokio::runtime::Runtime;

use super::{Program, Trouble};
use crate::arguments::{Options, Output};
use crate::dry_run::trace::Trace;
use crate::dry_run::{Watched, rbac};
use crate::exit::Exit;
use crate::identity::{Identity, Watching};
use crate::mode::{self, Mode, Surroundings};
use crate::operator::Person;
use crate::part::Part;
use crate::plan::Held;
use crate::prompt::Prompt;
use crate::rehearsal::Scripted;
use crate::report::markdown;
use crate::reporter::{Desk, Human, Json, Listening, Loudness, Plain, Quiet, Reporter, keep_ticking};
use crate::screen::plan::Promise;
use crate::screen::{self, end, fault};
use crate::script::Found;
use crate::story::Story;
use crate::text::Line;
use crate::writer::Channel;
use crate::{defect, parameter};

/// What a run is put together from.
pub(super) struct Stage<'a> {
    pub(super) program: &'a Program,
    pub(super) found: &'a Found,
    pub(super) runbook: &'a Runbook,
    pub(super) options: &'a Options,
    pub(super) runtime: &'a Runtime,
    pub(super) interrupt: Interrupt,
    pub(super) prompt: Option<Prompt>,
    pub(super) mode: Mode,
    /// The plan that the run is held to.
    pub(super) held: Option<Arc<Held>>,
    /// Where a plan goes that is made of it.
    pub(super) part: Option<Part>,
}

/// A session, and whoever watches it.
pub(super) struct Set {
    pub(super) session: Arc<Session>,
    pub(super) story: Arc<Mutex<Story>>,
    reporter: Arc<dyn Reporter>,
    pub(super) identity: Arc<Identity>,
    pub(super) watched: Option<Watched>,
    /// Parameters that are secrets.
    pub(super) secrets: Map<String, Value>,
}

impl Stage<'_> {
    /// Runs the script.
    pub(super) fn play(&self, journal: Journal, id: String, given: Map<String, Value>) -> Result<Exit, Trouble> {
        let clock = self.mode.clock(&self.program.clock);
        let set = self.set(journal, &given);
        // A screen is looked at in the machine's time, whatever time a run has.
        keep_ticking(self.runtime.handle(), self.program.clock.clone(), set.reporter.clone());
        let began = clock.elapsed();
        let opening = self.opening(id, &given);
        let outcome = set.session.record(Entry::Run(Box::new(opening))).and_then(|()| self.bind(&set)).and_then(|()| {
            let run = || self.runbook.run(set.session.clone(), given);
            let outcome = catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| Err(defect::fault()));
            self.held_to(&set, outcome)
        });
        let took = clock.elapsed().saturating_sub(began);
        self.end(&set, &outcome, u64::try_from(took.as_millis()).unwrap_or(u64::MAX))
    }

    /// Prepares a simulated cluster, where it is one.
    pub(super) fn prepare(&self, given: &Map<String, Value>) -> Result<(), Trouble> {
        let Mode::Rehearsal(rehearsal) = &self.mode else { return Ok(()) };
        let charts = given.get("charts").and_then(Value::as_str).unwrap_or_default();
        let operator = Scripted::willing();
        let world = self.mode.world(self.surroundings(Arc::new(operator), given), &Arc::new(OnceLock::new()));
        Ok(rehearsal.prepare(world, charts, self.options.audit_log.as_deref())?)
    }

    /// Serves a simulated cluster after its rehearsal, where that was asked for, until Ctrl-C.
    pub(super) fn keep(&self) -> Result<(), Trouble> {
        match &self.mode {
            Mode::Rehearsal(rehearsal) if self.options.keep => {
                let Program { writer, clock, .. } = self.program;
                rehearsal.serve(writer, clock, self.runtime.handle(), &self.interrupt);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn surroundings<'a>(&'a self, operator: Arc<dyn Operator>, given: &Map<String, Value>) -> Surroundings<'a> {
        Surroundings {
            clock: self.mode.clock(&self.program.clock),
            operator,
            folder: self.found.folder.as_deref(),
            named: parameter::named(self.runbook.parameters(), given),
            ..self.program.surroundings(self.options, self.runtime.handle(), &self.interrupt)
        }
    }

    fn set(&self, journal: Journal, given: &Map<String, Value>) -> Set {
        let program = self.program;
        let identity = Identity::new(self.runtime.handle().clone(), program.clock.clone());
        let watched = self.mode.watched(self.options);
        let reporter = self.reporter(watched.as_ref());
        let operator = Person {
            beforehand: self.options.beforehand.clone(),
            prompt: self.prompt.clone(),
            writer: program.writer.clone(),
            reporter: reporter.clone(),
            identity: identity.clone(),
        };
        let later = Arc::new(OnceLock::new());
        let surroundings = self.surroundings(self.mode.operator(operator), given);
        let story = Arc::new(Mutex::new(Story::default()));
        let mut observers: Vec<Box<dyn Observer>> = vec![
            Box::new(Listening(reporter.clone())),
            Box::new(Keeping(story.clone())),
            Box::new(Watching(identity.clone())),
        ];
        observers.extend(watched.as_ref().map(Watched::observer));
        observers.extend(self.held.clone().map(|held| Box::new(Following(held)) as Box<dyn Observer>));
        let session = Session::new(self.mode.world(surroundings, &later), journal, observers);
        later.get_or_init(|| Arc::downgrade(&session));
        identity.attach(&session);
        Set { session, story, reporter, identity, watched, secrets: self.secrets(given) }
    }

    fn reporter(&self, watched: Option<&Watched>) -> Arc<dyn Reporter> {
        let program = self.program;
        let header = self.runbook.header();
        let desk = Desk {
            writer: program.writer.clone(),
            clock: self.mode.clock(&program.clock),
            promise: Promise { changes: header.changes.clone(), undo: header.undo.clone() },
            helm: mode::helm(self.options, &program.environment).and_then(|helm| helm.file().map(ToOwned::to_owned)),
        };
        let fitting = if program.writer.is_terminal(Channel::Out) { Output::Human } else { Output::Plain };
        if self.options.rbac {
            return Arc::new(Quiet::new(desk, Loudness::Silent));
        }
        match self.options.output.unwrap_or(fitting) {
            Output::Human | Output::Plain if watched.is_some() => Arc::new(Quiet::new(desk, Loudness::Opening)),
            Output::Human => Arc::new(Human::new(desk)),
            Output::Plain => Arc::new(Plain::new(desk)),
            Output::Json => Arc::new(Json::new(desk)),
        }
    }

    fn opening(&self, run: String, given: &Map<String, Value>) -> Run {
        let environment = &self.program.environment;
        let parameters = parameter::shown(self.runbook.parameters(), given);
        let user = environment.get("SUDO_USER").or(environment.get("USER")).or(environment.get("LOGNAME"));
        Run {
            version: VERSION,
            run,
            runbook: self.found.name.clone(),
            title: self.runbook.header().title.clone(),
            source: self.found.origin.clone(),
            digest: self.runbook.digest().to_owned(),
            steps: self.runbook.steps(&parameters),
            parameters,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            beforehand: self.options.beforehand.in_words(),
            by: user.map(str::to_owned),
            rehearsal: self.mode.scenario().map(str::to_owned),
            dry_run: self.mode.is_dry_run(),
            plan: self.plan_in_words(),
        }
    }

    /// Shows what a run without consequences would do.
    fn show_trace(&self, set: &Set) -> Option<Trace> {
        let watched = set.watched.as_ref()?;
        let Program { writer, vault, .. } = self.program;
        let address = Address { context: self.options.context.clone(), namespace: self.options.namespace.clone() };
        let story = set.story.lock().expect("no thread panics while it holds this lock");
        let mut trace =
            watched.trace(&set.session, &story, vault, &|command| address.on(command), &self.mode.undecided());
        trace.notes.extend(self.mode.notes());
        trace.writes = self.mode.writes();
        match self.options.output {
            _ if self.options.rbac => writer.text(Channel::Out, &rbac::manifests(&self.found.name, &trace.rights)),
            Some(Output::Json) => {
                let mut value = serde_json::to_value(&trace).expect("a trace is plain data");
                value["t"] = "trace".into();
                writer.json(&value);
            }
            _ => {
                let theme = writer.theme(Channel::Out);
                writer.print(Channel::Out, &screen::trace::trace(&trace, self.options.extent, theme));
            }
        }
        Some(trace)
    }

    /// Writes the report to the file that `--report` names.
    fn keep_report(&self, set: &Set) -> Result<(), Trouble> {
        let Some(path) = &self.options.report else { return Ok(()) };
        let text = markdown(&set.story.lock().expect("no thread panics while it holds this lock"), false);
        fs_err::write(path, text).map_err(|error| {
            Fault::new(Code::Usage, format!("the report cannot be written: {error}"))
                .hint("the run is over; name another file with `--report FILE` next time")
                .into()
        })
    }

    /// Writes the last record, and says how it ended.
    fn end(&self, set: &Set, outcome: &Outcome, ms: u64) -> Result<Exit, Trouble> {
        let program = self.program;
        set.identity.finish();
        let exit = outcome.as_ref().err().map_or(Exit::Done, |fault| Exit::of(fault, set.session.counts().0));
        let written = set.session.finish(finished(outcome, exit, set.session.counts(), ms));
        set.reporter.close();
        let planned = self.planned(set);
        let trace = self.show_trace(set);
        let theme = program.writer.theme(Channel::Err);
        if let Err(told) = outcome {
            let mut told = program.masked(told);
            if told.code == Code::ChecksFailed && !matches!(self.options.output, Some(Output::Json)) {
                // The checks stand just above, each with its place among the others.
                told.evidence.clear();
                told.stack.clear();
            }
            let lines = fault::fault(&told, &|name| self.runbook.text_of(name), exit, theme);
            program.writer.print(Channel::Err, &[vec![Line::new()], lines].concat());
        }
        let channel = if exit == Exit::Done { Channel::Out } else { Channel::Err };
        let is_data = self.options.rbac || self.options.output == Some(Output::Json);
        if channel == Channel::Err || !is_data {
            let story = set.story.lock().expect("no thread panics while it holds this lock");
            program.writer.print(channel, &end::end(&story, program.writer.theme(channel)));
        }
        self.keep_report(set)?;
        self.save(set, planned, trace.as_ref(), exit)?;
        // A run that failed has said why already.
        if exit != Exit::Done {
            return Ok(exit);
        }
        written?;
        let changes = self.options.exit_code && trace.is_some_and(|trace| trace.changes());
        Ok(if changes { Exit::Changes } else { exit })
    }
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

impl Set {
    /// When the run began, by its own clock.
    pub(super) fn began(&self) -> Timestamp {
        let story = self.story.lock().expect("no thread panics while it holds this lock");
        story.span.map(|(began, _)| began).expect("a run that has a record began")
    }
}

/// Tells a plan how calls ended.
struct Following(Arc<Held>);

impl Observer for Following {
    fn observe(&self, event: &Event<'_>) {
        self.0.observe(event);
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
