//! A run of which it is known beforehand what it will do: by a dry run on the live cluster, and by rehearsals on a snapshot of it.
//!
//! Neither of them writes anything (T-36). What the run then writes has to be what they said, call by call, and the objects that
//! it leaves those of their traces, field by field.

use runbook_control_plane::{AuditEntry, audit_log, in_batches};
use serde_json::Value;

use crate::prediction::{self, Objects};
use crate::runbook::{Ran, Runbook, is_ours};

/// Who does the work of helm in a rehearsal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rehearsed {
    /// No one: only the dry run is made.
    Not,
    /// The one that is built in.
    Builtin,
    /// That, and then the real one that the run drives.
    Both,
}

/// What somebody said that a run would do.
struct Told {
    /// Who.
    by: String,
    trace: Value,
    writes: Vec<String>,
}

/// Is a write one that a run makes as often as its time asks for? A Lease is renewed as long as a run takes, and a plan takes none.
fn is_of_time(write: &str) -> bool {
    write.contains(" coordination.k8s.io/leases ")
}

/// The note of the last move holds a second: it is written again where the next move comes in another one, and clusters are not alike fast.
const LAST_MOVE: &str = "patch configmaps istio-system/runbook-revisions";

/// Writes in an order that neither chance nor time has a part in.
pub(crate) fn ordered(writes: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut lines: Vec<_> = writes.into_iter().filter(|write| !is_of_time(write)).collect();
    let first = lines.iter().position(|write| write == LAST_MOVE);
    let mut place = 0..;
    lines.retain(|write| place.next() == first || write != LAST_MOVE);
    in_batches(lines)
}

/// The trace that a dry run printed.
pub(crate) fn trace(ran: &Ran) -> Value {
    let mut lines = ran.printed.lines().rev().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.find(|line| line["t"] == "trace").unwrap_or_else(|| panic!("no trace:\n{}", ran.printed))
}

/// The writes that a trace says a run would make, as the API server would record them.
pub(crate) fn planned(trace: &Value) -> Vec<String> {
    let writes = trace["writes"].as_array().cloned().unwrap_or_default();
    writes.iter().filter_map(|write| write.as_str().map(str::to_owned)).collect()
}

fn plan(runbook: &Runbook<'_>, arguments: &[&str], file: &str) -> Told {
    let how = ["--dry-run", "--output", "json", "--plan-out", file];
    let ran = runbook.execute(&[arguments, &how].concat()).exits(0).wrote_nothing();
    let trace = trace(&ran);
    let writes = planned(&trace);
    assert!(ran.judged().len() <= writes.len(), "{:#?}", ran.judged());
    Told { by: "the dry run".to_owned(), trace, writes }
}

/// What rehearsals on a snapshot of the cluster say.
fn rehearse(runbook: &Runbook<'_>, arguments: &[&str], rehearsed: Rehearsed) -> Vec<Told> {
    if rehearsed == Rehearsed::Not {
        return Vec::new();
    }
    let folder = tempfile::tempdir_in(runbook.plane.folder().unwrap()).unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (snapshot, log) = (path("snapshot.yaml"), path("audit.log"));
    runbook.look(&["snapshot", "--out", &snapshot]).exits(0).wrote_nothing();
    let real = runbook.plane.helm(runbook.helm).display().to_string();
    let mut helms = vec!["builtin".to_owned()];
    if rehearsed == Rehearsed::Both {
        helms.push(real);
    }
    let mut told = Vec::new();
    for helm in helms {
        let how = ["--rehearse", &snapshot, "--helm", &helm, "--audit-log", &log, "--trace", "--output", "json"];
        let ran = runbook.execute(&[arguments, &how].concat()).exits(0).wrote_nothing();
        let asked = audit_log(log.as_ref()).unwrap().into_iter();
        let writes = asked.filter(|entry| is_ours(entry) && entry.is_mutating());
        let writes = writes.map(|entry| AuditEntry::summary(&entry)).collect();
        told.push(Told { by: format!("the rehearsal with {helm}"), trace: trace(&ran), writes });
    }
    told
}

/// Plans a run and rehearses it, makes it as one that is held to the plan, and demands that it did what was said.
pub(crate) fn run(runbook: &Runbook<'_>, arguments: &[&str], rehearsed: Rehearsed) -> Ran {
    let folder = tempfile::tempdir_in(runbook.plane.folder().unwrap()).unwrap();
    let file = folder.path().join("plan.json").display().to_string();
    let plan = plan(runbook, arguments, &file);
    let before = prediction::read(runbook.plane, &plan.writes);
    let mut told = rehearse(runbook, arguments, rehearsed);
    told.insert(0, plan);
    let ran = runbook.execute(&[arguments, &["--plan", &file]].concat()).exits(0);
    let wrote = ran.writes();
    assert!(!wrote.is_empty(), "a run that writes nothing says nothing of what was foretold");
    let found = prediction::read(runbook.plane, &wrote);
    for told in &told {
        told.is_what_was_written(&wrote);
        told.is_what_was_left(&before, &found);
    }
    ran
}

impl Told {
    fn is_what_was_written(&self, wrote: &[String]) {
        let (told, wrote) = (ordered(self.writes.clone()), ordered(wrote.to_vec()));
        if told != wrote {
            let (told, wrote) = (told.join("\n") + "\n", wrote.join("\n") + "\n");
            let differing = similar::TextDiff::from_lines(&told, &wrote);
            let differing = differing.unified_diff().context_radius(3).to_string();
            panic!("{} said otherwise (-) than the run wrote (+):\n{differing}", self.by);
        }
    }

    fn is_what_was_left(&self, before: &Objects, found: &Objects) {
        let lines = prediction::differences(&prediction::predicted(before, &self.trace), found);
        assert!(lines.is_empty(), "{} predicted other objects than the run left:\n{}", self.by, lines.join("\n"));
    }
}
