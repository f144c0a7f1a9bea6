//! Rehearsals inside of one process: a bundled runbook is read once and its cluster prepared once, and what a test wants of it
//! begins on a copy each time.
//!
//! All of it runs as `runbook SCRIPT --rehearse` does, screen included; only the ends of the wires are the test's. Not known here: how
//! a simulated cluster works.

mod failing;
mod fault;
mod happy;
mod hindered;
mod settled;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use runbook_core::journal::Journal;
use runbook_core::secret::Vault;
use runbook_core::world::Interrupt;
use runbook_sim::AuditEntry;
use runbook_sim::scenario::{Nodes, Scenario, Trouble};
use serde_json::{Map, Value};
use tokio::runtime::Runtime;

use super::run::{self, Prepared};
use super::stage::Stage;
use super::{Program, Trouble as Stopped};
use crate::arguments::Options;
use crate::clock::RealClock;
use crate::environment::Environment;
use crate::exit::Exit;
use crate::mode::Mode;
use crate::parameter::{self, Origins};
use crate::rehearsal::{Rehearsal, Script};
use crate::writer::tests::{Sink, captured};

/// A bundled runbook, a scenario, and a machine that has nothing.
struct Theatre {
    program: Program,
    out: Sink,
    err: Sink,
    prepared: Prepared,
    script: Script,
    given: Map<String, Value>,
    runtime: Runtime,
}

/// A run that has ended.
struct Ran {
    exit: Exit,
    /// All that it printed, with single spaces between words.
    printed: String,
    /// What it asked of the API server, in order.
    requests: Vec<AuditEntry>,
    /// What of that was to change something.
    writes: Vec<AuditEntry>,
}

/// Every object of a cluster, and what its clock showed.
struct Moment {
    at: Timestamp,
    objects: Vec<Value>,
}

impl Theatre {
    /// A runbook in a scenario of the box.
    fn of(runbook: &str, scenario: &str) -> Self {
        let (environment, vault) = (Environment::default(), Arc::new(Vault::default()));
        let (writer, out, err) = captured(vault.clone());
        let program = Program { environment, clock: Arc::new(RealClock::start()), vault, writer: Arc::new(writer) };
        let words: Vec<OsString> = ["--rehearse", scenario, "--helm", "builtin"].map(OsString::from).to_vec();
        let prepared = run::prepare(runbook, &words).map_err(|stopped| in_words(&stopped)).unwrap();
        let script = Script::find(scenario, runbook).unwrap();
        let origins = Origins {
            flags: &prepared.matches,
            file: None,
            environment: &program.environment,
            laid_down: &script.scenario.params,
            prompt: None,
            writer: &program.writer,
        };
        let given = parameter::collect(prepared.runbook.parameters(), &origins, &program.vault).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        Self { program, out, err, prepared, script, given, runtime }
    }

    /// A cluster as the scenario says, in which things go wrong from now on.
    fn cluster(&self) -> Arc<Rehearsal> {
        self.start(self.script.clone())
    }

    /// A cluster that goes on from a moment, in which this goes wrong and nothing else.
    fn cluster_at(&self, moment: &Moment, trouble: Vec<Trouble>) -> Arc<Rehearsal> {
        let scenario = Scenario {
            nodes: Some(Nodes::Count(0)),
            at: Some(moment.at),
            state: moment.objects.clone(),
            objects: Vec::new(),
            releases: Vec::new(),
            workloads: Vec::new(),
            trouble,
            ..self.script.scenario.clone()
        };
        self.start(Script { scenario, ..self.script.clone() })
    }

    fn start(&self, script: Script) -> Arc<Rehearsal> {
        let cluster = Rehearsal::start(script, &self.program.clock, self.runtime.handle()).unwrap();
        self.stage(&cluster, &self.prepared.options)
            .prepare(&self.given)
            .map_err(|stopped| in_words(&stopped))
            .unwrap();
        cluster
    }

    fn stage<'a>(&'a self, cluster: &Arc<Rehearsal>, options: &'a Options) -> Stage<'a> {
        self.stage_in(Mode::Rehearsal(cluster.clone()), options)
    }

    fn stage_in<'a>(&'a self, mode: Mode, options: &'a Options) -> Stage<'a> {
        Stage {
            program: &self.program,
            found: &self.prepared.found,
            runbook: &self.prepared.runbook,
            options,
            runtime: &self.runtime,
            interrupt: Interrupt::default(),
            prompt: None,
            mode,
            held: None,
            part: None,
        }
    }

    /// Runs the runbook on a cluster, with these approvals beside those of the scenario.
    fn run(&self, cluster: &Arc<Rehearsal>, approvals: &[&str]) -> Ran {
        let mut options = self.prepared.options.clone();
        options.beforehand.approved = approvals.iter().map(|id| (*id).to_owned()).collect();
        let asked = asked_of(cluster);
        let before = (self.out.text().len(), self.err.text().len());
        let stage = self.stage(cluster, &options);
        let exit = stage.play(Journal::in_memory(), "REHEARSAL".to_owned(), self.given.clone());
        let exit = exit.map_err(|stopped| in_words(&stopped)).unwrap();
        let printed = format!("{} {}", &self.out.text()[before.0..], &self.err.text()[before.1..]);
        let requests = asked.lock().unwrap().clone();
        let writes = requests.iter().filter(|entry| entry.is_write()).cloned().collect();
        Ran { exit, printed: printed.split_whitespace().collect::<Vec<_>>().join(" "), requests, writes }
    }

    /// Lets time pass in a cluster in which nobody of ours is at work: at once, as waiting through it costs the machine's time too.
    fn pass(&self, cluster: &Rehearsal, span: Duration) {
        let clock = cluster.simulation.clock();
        clock.advance(span);
        self.runtime.block_on(clock.wait(Duration::from_secs(3)));
    }

    /// What a cluster has come to, once pods that were on their way out are gone.
    fn ended(&self, cluster: &Rehearsal) -> BTreeMap<String, Value> {
        // What is only now told to go begins to when time has passed, and is gone when it has passed again.
        self.pass(cluster, Duration::from_mins(1));
        self.pass(cluster, Duration::from_mins(1));
        settled::settled(cluster.simulation.objects())
    }
}

impl Ran {
    /// Demands an exit code, and shows everything where it is another.
    #[track_caller]
    fn exits(self, code: u8) -> Self {
        assert_eq!(self.exit.code(), code, "\n{}", self.printed);
        self
    }

    /// Demands words in what was printed.
    #[track_caller]
    fn says(self, words: &str) -> Self {
        assert!(self.printed.contains(words), "`{words}` is missing in\n{}", self.printed);
        self
    }
}

/// What this program asks of a cluster from now on.
fn asked_of(cluster: &Rehearsal) -> Arc<Mutex<Vec<AuditEntry>>> {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = asked.clone();
    cluster.simulation.set_witness(Arc::new(move |entry: &AuditEntry| {
        if entry.client.starts_with("runbook/") {
            seen.lock().unwrap().push(entry.clone());
        }
    }));
    asked
}

/// The present moment of a cluster.
fn moment(cluster: &Rehearsal) -> Moment {
    Moment { at: cluster.simulation.clock().now(), objects: cluster.simulation.objects() }
}

fn in_words(stopped: &Stopped) -> String {
    format!("{}", stopped.fault)
}
