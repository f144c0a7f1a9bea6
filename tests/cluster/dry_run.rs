//! The true dry run on the real control plane: the API server sees no write but those that it is told not to carry out (T-36), whether it is
//! asked about them or not.
//!
//! That a run writes what its dry run said is shown where each runbook runs, by `foretold`.

use runbook_control_plane::{Helm, charts_or_skip};

use crate::canary::{Cluster, unrevisioned};
use crate::foretold::{Rehearsed, ordered, planned, trace};
use crate::hindered::account;
use crate::runbook::{Runbook, charts};

/// Plans twice, once with the API server asked and once without, and demands that nothing was written.
fn plan(runbook: &Runbook<'_>, code: i32, arguments: &[&str]) -> Vec<String> {
    let dry = |more: &[&str]| {
        runbook.run(&[arguments, &["--dry-run", "--output", "json"], more].concat()).exits(code).wrote_nothing()
    };
    let silent = dry(&["--no-server-validation"]);
    assert_eq!(silent.judged(), Vec::<String>::new());
    let asked = dry(&[]);
    let told = planned(&trace(&asked));
    assert_eq!(ordered(told.clone()), ordered(planned(&trace(&silent))), "that the server is asked changes nothing");
    assert!(asked.judged().len() <= told.len(), "{:#?}", asked.judged());
    assert_eq!(asked.judged().is_empty(), told.is_empty(), "the server is asked about what is there: {told:#?}");
    told
}

#[test]
fn a_dry_run_writes_nothing_whether_the_server_is_asked_or_not() {
    if charts_or_skip("a_dry_run_writes_nothing_whether_the_server_is_asked_or_not").is_none() {
        return;
    }
    let cluster = Cluster::of(&unrevisioned("1.29.6", Helm::V3));
    let runbook = cluster.runbook(Helm::V3);
    let in_place = |target: &'static str| ["in-place-upgrade.rhai", "--target", target, "--yes"];
    let (charts, with) = (charts(), "--charts");
    let told = plan(&runbook, 0, &[&in_place("1.30.3")[..], &[with, &charts]].concat());
    assert!(told.iter().any(|write| write == "patch apps/deployments istio-system/istiod"), "{told:#?}");
    // Refusals of prechecks stand in a dry run as they stand in a run.
    let refused = plan(&runbook, 7, &[&in_place("1.31.0-rc.0")[..], &[with, &charts]].concat());
    assert_eq!(refused, Vec::<String>::new());
    // The roles that it prints let the run through, and hold nothing that a person would have to add.
    let arguments = [&in_place("1.30.3")[..], &[with, &charts]].concat();
    let roles = runbook.run(&[&arguments[..], &["--dry-run", "--rbac"]].concat()).exits(0).wrote_nothing().printed;
    cluster.plane.apply(&roles).unwrap();
    let account = account(&cluster, "runbook-in-place-upgrade").display().to_string();
    let ran = runbook.run(&[&arguments[..], &["--kubeconfig", &account]].concat()).exits(0);
    assert_eq!(ordered(told), ordered(ran.writes()));
    let precheck = ["precheck.rhai", "--for", "in-place", "--target", "1.30.3", with, &charts];
    assert_eq!(plan(&runbook, 0, &precheck), Vec::<String>::new());
    // And the smallest of runbooks does what was said.
    let restart = ["rolling-restart.rhai", "--name", "web", "--namespace", "a", "--yes"];
    let ran = runbook.foretold(Rehearsed::Both).run(&restart).every_write_was_announced();
    assert_eq!(ordered(ran.writes()), ["patch apps/deployments a/web"]);
}
