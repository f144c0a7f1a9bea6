//! The true dry run on the real control plane: what it says that a run would write is what the run then writes, and until then the API
//! server sees no write but those that it is told not to carry out (T-36).

use runbook_control_plane::{Charts, ControlPlane, Helm, StandIn, State, charts_or_skip};

use crate::runbook::{Ran, Runbook};

/// The writes that a dry run says a run would make, as the API server would record them.
fn planned(ran: &Ran) -> Vec<String> {
    let mut told = ran.printed.lines().skip_while(|line| !line.contains("Nothing was written. A run would"));
    assert!(told.next().is_some(), "\n{}", ran.printed);
    let verbs = ["create ", "update ", "patch ", "delete ", "deletecollection "];
    told.map(str::trim)
        .filter(|line| verbs.iter().any(|verb| line.starts_with(verb)))
        .map(|line| line.split(", which the API server").next().unwrap_or_default().to_owned())
        .collect()
}

/// What the real run writes and its plan does not say, or says otherwise, and why.
fn beside_the_plan(write: &str) -> bool {
    // A Lease is renewed as long as a run takes; a plan takes no time.
    write.starts_with("update coordination.k8s.io/leases ")
}

fn compared(writes: Vec<String>) -> Vec<String> {
    writes.into_iter().filter(|write| !beside_the_plan(write)).collect()
}

/// Plans a run, demands that nothing was written, runs it, and demands that it writes what was planned, in that order.
fn plan_then_run(plane: &ControlPlane, arguments: &[&str]) {
    let runbook = Runbook::new(plane, Helm::V3);
    let helm = plane.helm(Helm::V3).display().to_string();
    let dry = |more: &[&str]| {
        runbook.run(&[arguments, &["--dry-run", "--helm", &helm], more].concat()).exits(0).wrote_nothing()
    };
    let silent = dry(&["--no-server-validation"]);
    assert_eq!(silent.judged(), Vec::<String>::new());
    let asked = dry(&[]);
    let (told, told_silently) = (planned(&asked), planned(&silent));
    assert_eq!(told, told_silently, "whether the server is asked changes nothing that it accepts");
    println!("{} writes planned, {} of them judged, by {:?}", told.len(), asked.judged().len(), asked.verbs());
    let real = runbook.run(arguments).exits(0);
    assert_eq!(compared(told), compared(real.writes()));
}

#[test]
fn a_dry_run_of_an_ambient_upgrade_writes_nothing_and_says_what_the_run_writes() {
    if charts_or_skip("a_dry_run_of_an_ambient_upgrade_writes_nothing_and_says_what_the_run_writes").is_none() {
        return;
    }
    let plane = ControlPlane::from_state(&State::ambient("1.29.6", Helm::V3)).unwrap();
    let _istiod = StandIn::start(&plane).unwrap();
    let charts = Charts::open().unwrap().folder().display().to_string();
    plan_then_run(&plane, &["ambient-upgrade.rhai", "--target", "1.30.3", "--charts", &charts, "--yes"]);
}
