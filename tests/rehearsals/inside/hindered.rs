//! A dry run on a cluster that does not answer every question: it ends as the undisturbed one, or says that something is not known, or
//! stops. It never tells anything else with confidence, and nothing is written.
//!
//! The cluster is a simulated one behind a loopback address, which the dry run takes for a live one. Not known here: how a cluster is
//! read.

use std::sync::{Arc, OnceLock};

use runbook_core::journal::Journal;
use runbook_sim::AuditEntry;
use runbook_sim::overlay::Validation;
use runbook_sim::scenario::Trouble;
use serde_json::{Value, json};

use super::{Moment, Theatre, asked_of, in_words, moment};
use crate::arguments::Output;
use crate::dry_run::Overlaid;
use crate::mode::{self, Mode};
use crate::rehearsal::Rehearsal;

/// A dry run that has ended.
struct Planned {
    code: u8,
    printed: String,
    /// What it says that a run would do; none where it came to no trace.
    trace: Value,
    /// What it asked of the cluster.
    requests: Vec<AuditEntry>,
}

/// What goes wrong with reads: 403, 410 and a connection that breaks, for one request or for all from there on.
fn ways() -> [(Value, u64); 5] {
    [(json!(403), 1), (json!(403), 0), (json!(410), 1), (json!("reset"), 1), (json!("reset"), 0)]
}

impl Theatre {
    /// Plans the runbook on a cluster, as `--dry-run --output json` does.
    fn plan(&self, cluster: &Arc<Rehearsal>) -> Planned {
        let mut options = self.prepared.options.clone();
        (options.dry_run, options.rehearse, options.helm) = (true, None, None);
        (options.output, options.kubeconfig) = (Some(Output::Json), Some(cluster.kubeconfig()));
        // How patiently a broken cluster is asked again is not the question here.
        options.limits.tries = 2;
        let asked = asked_of(cluster);
        let before = (self.out.text().len(), self.err.text().len());
        let exit = self.plan_with(&options);
        let (out, err) = (self.out.text(), self.err.text());
        let printed = format!("{}{}", &out[before.0..], &err[before.1..]);
        let mut lines = printed.lines().rev().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let trace = lines.find(|line| line["t"] == "trace").unwrap_or(Value::Null);
        let requests = asked.lock().unwrap().clone();
        Planned { code: exit, printed, trace, requests }
    }

    fn plan_with(&self, options: &crate::arguments::Options) -> u8 {
        let interrupt = runbook_core::world::Interrupt::default();
        let surroundings = self.program.surroundings(options, self.runtime.handle(), &interrupt);
        let planned = mode::beneath(&surroundings, &Arc::new(OnceLock::new()))
            .and_then(|live| Overlaid::over(live, Validation::Ask, &self.program.clock, self.runtime.handle()))
            .map_err(|fault| fault.to_string())
            .unwrap();
        let stage = self.stage_in(Mode::DryRun(planned), options);
        let exit = stage.play(Journal::in_memory(), "DRY-RUN".to_owned(), self.given.clone());
        exit.map_err(|stopped| in_words(&stopped)).unwrap().code()
    }
}

impl Planned {
    /// What it says that the run would write and disturb.
    fn said(&self) -> Vec<String> {
        let of = |key: &str| self.trace[key].as_array().cloned().unwrap_or_default();
        [of("writes"), of("disturbs")].concat().iter().map(Value::to_string).collect()
    }

    /// How many things it says are not known.
    fn unknowns(&self) -> usize {
        let notes = self.trace["notes"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let said = notes.filter(|note| note.starts_with("unknown")).count();
        said + self.trace.to_string().matches(r#""grade":"unknown""#).count()
    }
}

fn trouble(answer: &Value, call: usize, times: u64) -> Vec<Trouble> {
    let trouble = json!({ "client": "runbook/", "call": call, "times": times, "answer": answer });
    vec![serde_json::from_value(trouble).unwrap()]
}

/// Every read, or one in `every`, goes wrong in each way.
fn is_never_wrong(runbook: &str, every: usize) {
    let theatre = Theatre::of(runbook, "");
    let begin: Moment = moment(&theatre.cluster());
    let undisturbed = theatre.plan(&theatre.cluster_at(&begin, Vec::new()));
    assert_eq!(undisturbed.code, 0, "{}", undisturbed.printed);
    assert!(!undisturbed.said().is_empty(), "{}", undisturbed.printed);
    let (mut ends, mut found) = ([0; 3], Vec::new());
    for (turn, (answer, times)) in ways().into_iter().enumerate() {
        for call in (1..=undisturbed.requests.len()).filter(|call| (call + turn).is_multiple_of(every)) {
            let cluster = theatre.cluster_at(&begin, trouble(&answer, call, times));
            let before = cluster.simulation.objects();
            let planned = theatre.plan(&cluster);
            let place = format!("{answer} at {call} ({}), {times} times", undisturbed.requests[call - 1].summary());
            assert_eq!(before.len(), cluster.simulation.objects().len(), "{place}: something was written");
            match planned.code {
                0 if planned.said() == undisturbed.said() => ends[0] += 1,
                0 if planned.unknowns() > undisturbed.unknowns() => ends[1] += 1,
                0 => found.push(format!("{place}: it says otherwise, and is sure of it\n{}", planned.printed)),
                _ if planned.printed.contains("RB") => ends[2] += 1,
                _ => found.push(format!("{place}: it stops without a fault\n{}", planned.printed)),
            }
        }
    }
    println!("{runbook}: {} as undisturbed, {} in doubt, {} stopped", ends[0], ends[1], ends[2]);
    assert!(found.is_empty() && ends.iter().all(|n| *n > 0), "{ends:?}, {}\n{}", found.len(), found.join("\n\n"));
}

#[test]
fn a_dry_run_of_a_restart_is_never_sure_of_what_it_could_not_read() {
    is_never_wrong("rolling-restart", 4);
}

#[test]
fn a_dry_run_of_an_upgrade_is_never_sure_of_what_it_could_not_read() {
    is_never_wrong("ambient-upgrade", 60);
}
