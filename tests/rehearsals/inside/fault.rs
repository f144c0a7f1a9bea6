//! A fault at the writes of a bundled runbook: the run stops and says what state things are in, and a run that is started again from
//! there ends where the undisturbed one does.
//!
//! Not known here: what any of the writes is for.

use std::collections::BTreeMap;
use std::time::Duration;

use runbook_sim::scenario::Trouble;
use serde_json::{Value, json};

use super::settled::{differences, settled};
use super::{Moment, Ran, Theatre, moment};

/// How long a person takes to look at it: longer than a dead run keeps its lease.
const MEANWHILE: Duration = Duration::from_mins(5);

/// What goes wrong with the n-th write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    /// It and every write after it is answered with 500, up to the end of the run.
    Down,
    /// It alone is.
    Once,
    /// It is carried out, and the answer is lost.
    Lost,
}

impl Wrong {
    fn at(self, n: usize) -> Vec<Trouble> {
        let (times, answer) = match self {
            Self::Down => (0, json!(500)),
            Self::Once => (1, json!(500)),
            Self::Lost => (1, json!("reset")),
        };
        let trouble = json!({ "client": "runbook/", "verb": "write", "call": n, "times": times, "answer": answer });
        vec![serde_json::from_value(trouble).unwrap()]
    }
}

/// The undisturbed run: where it begins, what it writes and where it ends.
struct Undisturbed {
    theatre: Theatre,
    begin: Moment,
    writes: Vec<String>,
    end: BTreeMap<String, Value>,
}

impl Undisturbed {
    fn of(runbook: &str) -> Self {
        let theatre = Theatre::of(runbook, "");
        let begin = moment(&theatre.cluster());
        let cluster = theatre.cluster_at(&begin, Vec::new());
        let ran = theatre.run(&cluster, &["all"]).exits(0);
        let end = settled(cluster.simulation.objects());
        let writes = ran.writes.iter().map(runbook_sim::AuditEntry::summary).collect();
        Self { theatre, begin, writes, end }
    }

    /// One row of the matrix; what is wrong with it in words, nothing where all is well.
    fn disturbed(&self, wrong: Wrong, n: usize) -> Result<(), String> {
        let write = &self.writes[n - 1];
        let cluster = self.theatre.cluster_at(&self.begin, wrong.at(n));
        let stopped = self.theatre.run(&cluster, &["all"]);
        let place = format!("write {n}, {write}, {wrong:?}");
        let state = |ran: &Ran| ["Now:", "RB0"].iter().all(|words| ran.printed.contains(words));
        // A lost answer may be made good by looking; a lease that cannot be renewed or let go of once is no reason to stop.
        let may_go_on = wrong == Wrong::Lost || write.contains("leases ");
        if stopped.exit.code() == 0 && !may_go_on {
            return Err(format!("{place}: the run went on\n{}", stopped.printed));
        }
        if stopped.exit.code() != 0 && !state(&stopped) {
            return Err(format!("{place}: it does not say what state things are in\n{}", stopped.printed));
        }
        cluster.simulation.set_troubles(Vec::new());
        cluster.simulation.clock().advance(MEANWHILE);
        let again = self.theatre.run(&cluster, &["all"]);
        if again.exit.code() != 0 {
            return Err(format!(
                "{place}: it cannot be started again\n{}\n=== first\n{}",
                again.printed, stopped.printed
            ));
        }
        let found = settled(cluster.simulation.objects());
        let lines = differences(&self.end, &found);
        if lines.is_empty() {
            Ok(())
        } else {
            Err(format!(
                "{place}: it ends elsewhere\n{}\n=== first\n{}\n=== again\n{}",
                lines.join("\n"),
                stopped.printed,
                again.printed
            ))
        }
    }
}

/// Disturbs every `step`-th write and the last, each in another way than the one before.
fn goes_on_after_a_fault(runbook: &str, step: usize) {
    let undisturbed = Undisturbed::of(runbook);
    let count = undisturbed.writes.len();
    let mut rows: Vec<_> = (1..=count).step_by(step).collect();
    if rows.last() != Some(&count) {
        rows.push(count);
    }
    let ways = [Wrong::Down, Wrong::Once, Wrong::Lost].into_iter().cycle();
    let found: Vec<_> = rows.iter().zip(ways).filter_map(|(n, wrong)| undisturbed.disturbed(wrong, *n).err()).collect();
    assert!(found.is_empty(), "{} of {} rows:\n\n{}", found.len(), rows.len(), found.join("\n\n"));
}

#[test]
fn rolling_restart_goes_on_after_a_fault() {
    goes_on_after_a_fault("rolling-restart", 1);
}
