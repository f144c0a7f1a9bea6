//! Running the program against a control plane, and what its record and the API server's own say of it.

use std::path::PathBuf;
use std::process::Command;

use jiff::{Timestamp, ToSpan as _};
use runbook_control_plane::{AuditEntry, Charts, ControlPlane, Helm};
use runbook_core::journal;
use runbook_core::record::{Entry, Record};

use crate::foretold::{self, Rehearsed};

/// The program as one person uses it: one control plane, one helm, one folder of runs.
pub(crate) struct Runbook<'a> {
    pub(crate) plane: &'a ControlPlane,
    pub(crate) helm: Helm,
    runs: PathBuf,
    foretold: Option<Rehearsed>,
}

/// A run that has ended.
pub(crate) struct Ran {
    /// Its exit code.
    pub(crate) code: i32,
    /// All it printed: standard output, then standard error.
    pub(crate) printed: String,
    /// Its journal.
    pub(crate) records: Vec<Record>,
    /// What clients of this run asked of the API server meanwhile.
    requests: Vec<AuditEntry>,
}

/// The folder of the charts that the tests read, as `--charts` takes it.
pub(crate) fn charts() -> String {
    Charts::open().unwrap().folder().display().to_string()
}

impl<'a> Runbook<'a> {
    pub(crate) fn new(plane: &'a ControlPlane, helm: Helm) -> Self {
        let runs = plane.folder().unwrap().join("runs");
        Self { plane, helm, runs, foretold: None }
    }

    /// The same, each of whose runs is planned and rehearsed first, and has to end well and to do what was said.
    pub(crate) fn foretold(&self, rehearsed: Rehearsed) -> Self {
        Self { foretold: Some(rehearsed), runs: self.runs.clone(), ..*self }
    }

    /// Runs it to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        match self.foretold {
            Some(rehearsed) => foretold::run(self, arguments, rehearsed),
            None => self.execute(arguments),
        }
    }

    /// The same, whatever was to be foretold.
    pub(crate) fn execute(&self, arguments: &[&str]) -> Ran {
        self.look(&[arguments, &["--journal", &self.runs.display().to_string()]].concat())
    }

    /// The same for what keeps no journal.
    pub(crate) fn look(&self, arguments: &[&str]) -> Ran {
        let before = self.known_runs();
        let asked_before = self.plane.audit().unwrap().len();
        let output = Command::new(env!("CARGO_BIN_EXE_runbook"))
            .args(arguments)
            .env_clear()
            .envs(self.plane.environment(self.helm).unwrap())
            .output()
            .unwrap();
        let new = self.known_runs().into_iter().find(|run| !before.contains(run));
        let records = new.map_or_else(Vec::new, |run| journal::read(&self.runs, &run).unwrap().records);
        let asked = self.plane.audit().unwrap().split_off(asked_before);
        Ran {
            code: output.status.code().unwrap_or(-1),
            printed: format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)),
            records,
            requests: asked.into_iter().filter(is_ours).collect(),
        }
    }

    /// Runs the ambient upgrade from the charts that the tests read.
    pub(crate) fn ambient_upgrade(&self, target: &str, more: &[&str]) -> Ran {
        let charts = charts();
        self.run(&[&["ambient-upgrade.rhai", "--target", target, "--charts", &charts, "--yes"], more].concat())
    }

    fn known_runs(&self) -> Vec<String> {
        journal::list(&self.runs).unwrap().into_iter().map(|(run, _)| run).collect()
    }
}

/// The program itself and the helm that it drives; controllers, istiod and the test's own clients are others.
pub(crate) fn is_ours(entry: &AuditEntry) -> bool {
    entry.user_agent.starts_with("runbook/")
        || entry.user_agent.starts_with("Helm/")
        || entry.user_agent.starts_with("helm")
}

impl Ran {
    /// Demands an exit code, and shows everything where it is another.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\n{}", self.printed);
        self
    }

    /// Demands words in what was printed, wherever the lines were broken.
    #[track_caller]
    pub(crate) fn says(self, words: &str) -> Self {
        let unbroken = self.printed.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(unbroken.contains(words), "`{words}` is missing in\n{}", self.printed);
        self
    }

    /// What it changed, as the API server recorded it.
    pub(crate) fn writes(&self) -> Vec<String> {
        self.requests.iter().filter(|r| r.is_mutating()).map(AuditEntry::summary).collect()
    }

    /// Writes that the API server was told not to carry out.
    pub(crate) fn judged(&self) -> Vec<String> {
        let writes = |r: &&AuditEntry| r.dry_run && !matches!(r.verb.as_str(), "get" | "list" | "watch");
        self.requests.iter().filter(writes).map(AuditEntry::summary).collect()
    }

    /// Demands that nothing was changed, not even tried.
    #[track_caller]
    pub(crate) fn wrote_nothing(self) -> Self {
        assert_eq!(self.writes(), Vec::<String>::new(), "\n{}", self.printed);
        self
    }

    /// The writes that the journal announced, in words and order.
    pub(crate) fn announced(&self) -> Vec<String> {
        let intent = |record: &Record| match &record.entry {
            Entry::Intent(intent) => Some(intent.words.clone()),
            _ => None,
        };
        self.records.iter().filter_map(intent).collect()
    }

    /// The lines that a person would have typed for its writes, in order.
    pub(crate) fn commands(&self) -> Vec<String> {
        let command = |record: &Record| match &record.entry {
            Entry::Settled(settled) if settled.call.effect.writes() => settled.command.clone(),
            _ => None,
        };
        self.records.iter().filter_map(command).collect()
    }

    /// Demands that each write the API server saw lies between an intent in the journal and its settlement, and came from the tool that
    /// the intent named.
    #[track_caller]
    pub(crate) fn every_write_was_announced(self) -> Self {
        let spans = self.spans();
        let stray: Vec<_> = self
            .requests
            .iter()
            .filter(|request| request.is_mutating())
            .filter(|request| {
                // A Lease is the run's own from when it is taken to the end: renewed meanwhile, let go of last.
                if request.resource == "leases" && request.name.starts_with("runbook-") {
                    return !spans.iter().any(|s| s.primitive == "kubectl::lease hold" && s.from <= request.at);
                }
                let tool = if request.user_agent.starts_with("runbook/") { "kubectl::" } else { "helm::" };
                !spans.iter().any(|s| s.primitive.starts_with(tool) && s.from <= request.at && request.at <= s.to)
            })
            .map(|request| format!("{} {}", request.at, request.summary()))
            .collect();
        assert!(stray.is_empty(), "written without being announced: {stray:#?}\nannounced: {:#?}", self.announced());
        self
    }

    fn spans(&self) -> Vec<Span> {
        let mut spans: Vec<Span> = Vec::new();
        for record in &self.records {
            match &record.entry {
                Entry::Intent(intent) => spans.push(Span {
                    call: (intent.call.step.clone(), intent.call.ordinal),
                    primitive: intent.call.primitive.clone(),
                    // The audit log and the journal read the same clock, one to the microsecond.
                    from: record.at - 1.millisecond(),
                    to: Timestamp::MAX,
                }),
                Entry::Settled(settled) => {
                    let call = (settled.call.step.clone(), settled.call.ordinal);
                    if let Some(span) = spans.iter_mut().find(|span| span.call == call) {
                        span.to = record.at;
                    }
                }
                _ => {}
            }
        }
        spans
    }
}

/// From an intent to its settlement.
struct Span {
    call: (String, u64),
    primitive: String,
    from: Timestamp,
    to: Timestamp,
}
