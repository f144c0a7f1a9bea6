//! A fault at the calls of a bundled runbook: the run stops and says what state things are in, and a run that is started again
//! from there ends where the undisturbed one does.
//!
//! A test tries some of the calls, and at least one of each kind of write; of the long upgrades one kind in four. `RUNBOOK_FAULTS=3`
//! has it try others, and `RUNBOOK_FAULTS=all` all of them in every way. Not known here: what any of the calls is for.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use runbook_sim::AuditEntry;
use runbook_sim::scenario::Trouble;
use serde_json::{Value, json};

use super::settled::differences;
use super::{Moment, Theatre, moment};

/// How long a person takes to look at it: longer than a dead run keeps its lease, and than a helm counts as still at work.
const MEANWHILE: Duration = Duration::from_mins(20);

/// What goes wrong with the n-th call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    /// It, a write, and every write after it is answered with 500, up to the end of the run.
    Down,
    /// It alone is.
    Once,
    /// It is carried out, and the answer is lost.
    Lost,
    /// It, whatever it is, and everything after it is answered with 503, up to the end of the run.
    Away,
}

/// What goes wrong with a write; with a read it is always the same.
const WAYS: [Wrong; 3] = [Wrong::Down, Wrong::Once, Wrong::Lost];

impl Wrong {
    fn at(self, n: usize) -> Vec<Trouble> {
        let mut trouble = json!({ "client": "runbook/", "verb": "write", "call": n, "times": 1, "answer": 500 });
        match self {
            Self::Down => trouble["times"] = json!(0),
            Self::Once => {}
            Self::Lost => trouble["answer"] = json!("reset"),
            Self::Away => {
                trouble = json!({ "client": "runbook/", "call": n, "times": 0, "answer": 503 });
            }
        }
        vec![serde_json::from_value(trouble).unwrap()]
    }
}

/// What tells kinds of writes apart: the verb, the resource, and who of ours writes.
fn kind(write: &AuditEntry) -> String {
    let AuditEntry { verb, group, resource, subresource, uri, .. } = write;
    let manager = uri.split(['?', '&']).find(|part| part.starts_with("fieldManager=")).unwrap_or_default();
    format!("{verb} {group}/{resource}/{subresource} {manager}")
}

/// The undisturbed run: where it begins, what it asks and writes, and where it ends.
struct Undisturbed {
    theatre: Theatre,
    begin: Moment,
    requests: Vec<AuditEntry>,
    writes: Vec<AuditEntry>,
    end: BTreeMap<String, Value>,
}

impl Undisturbed {
    fn of(runbook: &str) -> Self {
        let theatre = Theatre::of(runbook, "");
        let begin = moment(&theatre.cluster());
        let cluster = theatre.cluster_at(&begin, Vec::new());
        let ran = theatre.run(&cluster, &["all"]).exits(0);
        let end = theatre.ended(&cluster);
        Self { theatre, begin, requests: ran.requests, writes: ran.writes, end }
    }

    /// One row of the matrix; what is wrong with it in words, nothing where all is well.
    fn disturbed(&self, wrong: Wrong, n: usize) -> Result<(), String> {
        let struck = if wrong == Wrong::Away { &self.requests[n - 1..] } else { &self.writes[n - 1..n] };
        let cluster = self.theatre.cluster_at(&self.begin, wrong.at(n));
        let stopped = self.theatre.run(&cluster, &["all"]);
        let place = format!("{wrong:?} at {n}, {}", struck[0].summary());
        let went_on = stopped.exit.code() == 0;
        // What is down stays down: whoever goes on all the same has not noticed. A lease that cannot be let go of is no reason to stop.
        if went_on && wrong == Wrong::Down && struck[0].resource != "leases" {
            return Err(format!("{place}: the run went on\n{}", stopped.printed));
        }
        if !went_on && !["Now:", "RB0"].iter().all(|words| stopped.printed.contains(words)) {
            return Err(format!("{place}: it does not say what state things are in\n{}", stopped.printed));
        }
        let mut told = format!("=== first\n{}", stopped.printed);
        if !went_on {
            cluster.simulation.set_troubles(Vec::new());
            self.theatre.pass(&cluster, MEANWHILE);
            let again = self.theatre.run(&cluster, &["all"]);
            told = format!("{told}\n=== again\n{}", again.printed);
            if again.exit.code() != 0 {
                return Err(format!("{place}: it cannot be started again\n{told}"));
            }
        }
        let lines = differences(&self.end, &self.theatre.ended(&cluster));
        if lines.is_empty() { Ok(()) } else { Err(format!("{place}: it ends elsewhere\n{}\n{told}", lines.join("\n"))) }
    }
}

/// Which calls are tried: of the first ones of each kind of write one in `kinds`, of all others one in `every`.
struct Rows<'a> {
    undisturbed: &'a Undisturbed,
    kinds: usize,
    every: usize,
}

impl Rows<'_> {
    fn all(&self) -> Vec<(Wrong, usize)> {
        let writes = WAYS.into_iter().flat_map(|way| (1..=self.undisturbed.writes.len()).map(move |n| (way, n)));
        writes.chain((1..=self.undisturbed.requests.len()).map(|n| (Wrong::Away, n))).collect()
    }

    /// So many of the first of each kind, and of all that there are; another part of them each turn.
    fn some(&self, turn: usize) -> Vec<(Wrong, usize)> {
        let mut seen = BTreeSet::new();
        let firsts = self.undisturbed.writes.iter().enumerate().filter(|(_, write)| seen.insert(kind(write)));
        let firsts = firsts.enumerate().filter(|(place, _)| (place + turn).is_multiple_of(self.kinds));
        let of_kinds: Vec<_> = firsts.map(|(_, (at, _))| (WAYS[(at + turn) % WAYS.len()], at + 1)).collect();
        let all = self.all();
        let others = all.into_iter().enumerate().filter(|(at, _)| (at + turn).is_multiple_of(self.every));
        let mut rows = of_kinds;
        for (_, row) in others {
            if !rows.contains(&row) {
                rows.push(row);
            }
        }
        rows
    }
}

/// Disturbs the calls of a runbook, as many of them as `Rows` says where not all are asked for.
#[expect(clippy::disallowed_methods, reason = "which part of a matrix is tried is up to who runs the test")]
fn goes_on_after_a_fault(runbook: &str, kinds: usize, every: usize) {
    let undisturbed = Undisturbed::of(runbook);
    let rows = Rows { undisturbed: &undisturbed, kinds, every };
    let asked = std::env::var("RUNBOOK_FAULTS").unwrap_or_default();
    let turn = asked.parse().unwrap_or(0);
    let tried = if asked == "all" { rows.all() } else { rows.some(turn) };
    let began = std::time::Instant::now();
    let found: Vec<_> = tried.iter().filter_map(|(wrong, n)| undisturbed.disturbed(*wrong, *n).err()).collect();
    println!(
        "{runbook}: {} of {} rows in {:.0?}; {} writes among {} requests",
        tried.len(),
        rows.all().len(),
        began.elapsed(),
        undisturbed.writes.len(),
        undisturbed.requests.len()
    );
    assert!(
        found.is_empty(),
        "{} of {} rows; `RUNBOOK_FAULTS={turn}` tries them again:\n\n{}",
        found.len(),
        tried.len(),
        found.join("\n\n")
    );
}

#[test]
fn remove_revision_goes_on_after_a_fault() {
    goes_on_after_a_fault("remove-revision", 1, 30);
}

#[test]
fn revision_tag_goes_on_after_a_fault() {
    goes_on_after_a_fault("revision-tag", 1, 30);
}

#[test]
fn precheck_goes_on_after_a_fault() {
    goes_on_after_a_fault("precheck", 1, 10);
}

#[test]
fn rolling_restart_goes_on_after_a_fault() {
    goes_on_after_a_fault("rolling-restart", 1, 1);
}

#[test]
fn gateway_upgrade_goes_on_after_a_fault() {
    goes_on_after_a_fault("gateway-upgrade", 1, 60);
}

#[test]
fn in_place_upgrade_goes_on_after_a_fault() {
    goes_on_after_a_fault("in-place-upgrade", 4, 180);
}

#[test]
fn ambient_upgrade_goes_on_after_a_fault() {
    goes_on_after_a_fault("ambient-upgrade", 4, 180);
}

#[test]
fn canary_upgrade_goes_on_after_a_fault() {
    goes_on_after_a_fault("canary-upgrade", 4, 300);
}
