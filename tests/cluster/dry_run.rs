//! The true dry run on the real control plane: until the run itself begins, the API server sees no write but those that it is told not
//! to carry out (T-36), and what a dry run says that a run would write is what the run then writes.

use runbook_control_plane::{ControlPlane, Helm, StandIn, State, charts_or_skip};

use serde_json::Value;

use crate::canary::{Cluster, unrevisioned};
use crate::runbook::{Ran, Runbook, charts};

/// The writes that a dry run says a run would make, as the API server would record them.
fn planned(ran: &Ran) -> Vec<String> {
    let mut lines = ran.printed.lines().rev().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let trace = lines.find(|line| line["t"] == "trace").unwrap_or_else(|| panic!("no trace:\n{}", ran.printed));
    let writes = trace["writes"].as_array().cloned().unwrap_or_default();
    writes.iter().filter_map(|write| write.as_str().map(str::to_owned)).collect()
}

/// Is a write one that a run makes as often as its time asks for? A Lease is renewed as long as a run takes, and a plan takes none.
fn is_of_time(write: &str) -> bool {
    write.contains(" coordination.k8s.io/leases ")
}

fn compared(writes: Vec<String>) -> Vec<String> {
    writes.into_iter().filter(|write| !is_of_time(write)).collect()
}

/// Plans twice, once with the API server asked and once without, and demands that nothing was written.
fn plan(runbook: &Runbook<'_>, code: i32, arguments: &[&str]) -> Vec<String> {
    let dry = |more: &[&str]| {
        runbook.run(&[arguments, &["--dry-run", "--output", "json"], more].concat()).exits(code).wrote_nothing()
    };
    let silent = dry(&["--no-server-validation"]);
    assert_eq!(silent.judged(), Vec::<String>::new());
    let asked = dry(&[]);
    let told = planned(&asked);
    assert_eq!(compared(told.clone()), compared(planned(&silent)), "that the server is asked changes nothing");
    assert!(asked.judged().len() <= told.len(), "{:#?}", asked.judged());
    told
}

/// With the built-in helm, which writes what helm 3 writes: the run then makes the same writes in the same order.
#[test]
fn a_dry_run_of_an_ambient_upgrade_writes_nothing_and_says_what_the_run_writes() {
    if charts_or_skip("a_dry_run_of_an_ambient_upgrade_writes_nothing_and_says_what_the_run_writes").is_none() {
        return;
    }
    let plane = ControlPlane::from_state(&State::ambient("1.29.6", Helm::V3)).unwrap();
    let _istiod = StandIn::start(&plane).unwrap();
    let runbook = Runbook::new(&plane, Helm::V3);
    let arguments = ["ambient-upgrade.rhai", "--target", "1.30.3", "--charts", &charts(), "--yes"];
    let told = plan(&runbook, 0, &arguments);
    let real = runbook.run(&arguments).exits(0);
    assert_eq!(compared(told), compared(real.writes()));
}

/// Refusals of prechecks stand in a dry run as they stand in a run, and neither writes.
#[test]
fn a_dry_run_of_what_a_precheck_refuses_is_refused() {
    if charts_or_skip("a_dry_run_of_what_a_precheck_refuses_is_refused").is_none() {
        return;
    }
    let cluster = Cluster::of(&unrevisioned("1.29.6", Helm::V3));
    let runbook = cluster.runbook(Helm::V3);
    let refused = ["in-place-upgrade.rhai", "--target", "1.31.0-rc.0", "--charts", &charts(), "--yes"];
    assert_eq!(plan(&runbook, 7, &refused), Vec::<String>::new());
    let precheck = ["precheck.rhai", "--for", "in-place", "--target", "1.30.3", "--charts", &charts()];
    assert_eq!(plan(&runbook, 0, &precheck), Vec::<String>::new());
}
