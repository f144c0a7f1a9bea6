//! What each command does.
//!
//! Does not know how the command line is read.

mod chart;
mod explain;
mod planned;
mod record;
mod run;
mod shelf;
mod sim;
mod snapshot;
mod stage;

// How bundled runbooks fare in every scenario is looked at from in here: hundreds of runs, and not one process.
#[cfg(test)]
#[path = "../../../tests/rehearsals/inside/mod.rs"]
mod rehearsals;

use std::ffi::OsString;
use std::sync::Arc;

use runbook_core::fault::Fault;
use runbook_core::secret::Vault;
use runbook_core::world::{Clock as _, Interrupt};
use tokio::runtime::Handle;

use crate::arguments::{self, Asked, Options};
use crate::clock::RealClock;
use crate::environment::Environment;
use crate::exit::Exit;
use crate::mode::Surroundings;
use crate::rehearsal::Scripted;
use crate::screen::fault;
use crate::text::Line;
use crate::writer::{Channel, Writer};
use crate::{defect, trace};

/// What every command has at hand.
pub(crate) struct Program {
    environment: Environment,
    clock: Arc<RealClock>,
    vault: Arc<Vault>,
    writer: Arc<Writer>,
}

/// A fault, and where the texts are that it points into.
pub(crate) struct Trouble {
    fault: Box<Fault>,
    texts: Lookup,
}

/// The text of a script by its name.
type Lookup = Box<dyn Fn(&str) -> Option<String>>;

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Self { fault: Box::new(fault), texts: Box::new(|_| None) }
    }
}

impl Program {
    /// A program that has done nothing yet.
    pub(crate) fn start() -> Self {
        let environment = Environment::read();
        let vault = Arc::new(Vault::default());
        let writer = Arc::new(Writer::open(&environment, vault.clone()));
        Self { environment, clock: Arc::new(RealClock::start()), vault, writer }
    }

    /// Does what the command line says.
    pub(crate) fn run(&self, words: &[OsString]) -> Exit {
        let trouble = match defect::guarded(|| self.dispatch(words)) {
            Ok(Ok(exit)) => return exit,
            Ok(Err(trouble)) => trouble,
            Err(fault) => fault.into(),
        };
        self.writer.live(Vec::new());
        let exit = Exit::of(&trouble.fault, 0);
        let told = self.masked(&trouble.fault);
        let mut lines = fault::fault(&told, &*trouble.texts, exit, self.writer.theme(Channel::Err));
        if told.hint.is_some() {
            lines.push(Line::new());
            lines.extend(fault::next(&told));
        }
        self.writer.print(Channel::Err, &lines);
        if arguments::early(words, "--output").last().is_some_and(|form| form == "json") {
            let at = self.clock.now();
            self.writer.json(&serde_json::json!({ "at": at, "t": "fault", "fault": told, "exit": exit.code() }));
        }
        exit
    }

    /// What is outside of every run: the machine's clock, no script, and consent to whatever prepares a cluster.
    fn surroundings<'a>(&'a self, options: &'a Options, runtime: &Handle, interrupt: &Interrupt) -> Surroundings<'a> {
        Surroundings {
            options,
            environment: &self.environment,
            runtime: runtime.clone(),
            clock: self.clock.clone(),
            operator: Arc::new(Scripted::willing()),
            interrupt: interrupt.clone(),
            secrets: self.vault.clone(),
            folder: None,
            named: Vec::new(),
        }
    }

    /// A fault without secrets. Its texts are masked before they are laid out: a secret must not hide in a line break.
    fn masked(&self, told: &Fault) -> Fault {
        let mut value = serde_json::to_value(told).expect("a fault is plain data");
        self.vault.mask_value(&mut value);
        Fault::from_value(&value).expect("masking changes texts, not their shape")
    }

    fn dispatch(&self, words: &[OsString]) -> Result<Exit, Trouble> {
        let (asked, options) = arguments::read(words, self.writer.theme(Channel::Out).columns)?;
        if let Asked::Run { script, words } = &asked {
            return run::run(self, script, words);
        }
        trace::start(options.verbosity, options.log_format, &self.environment, &self.writer)?;
        match &asked {
            Asked::List => shelf::list(self, &options),
            Asked::Show { name } => shelf::show(self, name)?,
            Asked::Fork { name, file } => shelf::fork(self, name, file.as_deref())?,
            Asked::Runs { all } => record::runs(self, &options, *all)?,
            Asked::Report { run } => record::report(self, &options, run.as_deref())?,
            Asked::ChartDiff { before, after } => chart::diff(self, &options, before, after)?,
            Asked::Snapshot { out, only } => snapshot::take(self, &options, out.as_deref(), only)?,
            Asked::Sim { scenario, charts } => sim::serve(self, &options, scenario.as_deref(), charts.as_deref())?,
            Asked::Help { topic } => explain::help(self, topic.as_deref())?,
            Asked::Text(text) => self.writer.text(Channel::Out, text),
            Asked::Run { .. } => unreachable!("handled above"),
        }
        Ok(Exit::Done)
    }
}
