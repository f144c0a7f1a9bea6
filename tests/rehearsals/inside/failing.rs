//! The scenarios in which something is wrong: each stops its runbook where the real thing would, with the fault that belongs to it
//! and with what state things are in.

use std::collections::BTreeSet;

use super::Theatre;
use crate::bundled;

/// A scenario, the exit code, the code of the fault, and words that name the cause.
type Case = (&'static str, u8, &'static str, &'static [&'static str]);

/// What is found beforehand changes nothing (7), what needs a person waits for one (6), what breaks on the way stops (3).
const CASES: &[Case] = &[
    ("ambient-upgrade-unpullable", 3, "RB", &["node-1", "daemonset/ztunnel", "not finished Upgrade ztunnel"]),
    ("ambient-upgrade-two-minors", 7, "RB070", &["1.28.10", "nothing was changed"]),
    (
        "ambient-upgrade-unavailable",
        3,
        "RB",
        &["istio-cni", "not finished Upgrade the CNI agent", "not begun Upgrade ztunnel"],
    ),
    ("canary-upgrade-crash", 3, "RB", &["istiod-1-30-3", "not finished Install istiod"]),
    ("canary-upgrade-contradiction", 7, "RB070", &["namespace both", "IST0123", "nothing was changed"]),
    ("canary-upgrade-undecided", 6, "RB", &["--approve make-default", "not finished Make 1-30-3 the default"]),
    ("in-place-upgrade-pinned", 7, "RB070", &["pin global.tag to 1.29.6", "nothing was changed"]),
    ("in-place-upgrade-unready", 3, "RB", &["deployment/web", "not finished Restart the workloads of shop"]),
    ("remove-revision-used", 7, "RB070", &["namespace bank", "nothing was changed"]),
    ("remove-revision-forbidden", 3, "RB", &["mutatingwebhookconfigurations", "not finished Remove istiod-1-29-6"]),
    ("revision-tag-missing", 7, "RB070", &["revision red is not installed", "nothing was changed"]),
    ("revision-tag-taken", 3, "RB", &["tag prod"]),
    ("gateway-upgrade-unready", 3, "RB", &["istio-ingress-canary", "not finished Install istio-ingress-canary"]),
    ("gateway-upgrade-label", 7, "RB070", &["istio.io/rev=blue of the namespace wins", "nothing was changed"]),
    ("precheck-contradiction", 7, "RB070", &["namespace both", "IST0123", "nothing was changed"]),
    ("precheck-forbidden", 3, "RB", &["mutatingwebhookconfigurations", "nothing was changed"]),
    ("rolling-restart-crash", 3, "RB", &["crash-looping", "not finished Restart deployment/web"]),
    ("rolling-restart-paused", 3, "RB", &["paused", "nothing was changed"]),
];

/// The runbook that a scenario's name begins with.
fn runbook_of(scenario: &str) -> &'static str {
    let all = bundled::all();
    let own = all.iter().filter(|bundled| scenario.starts_with(bundled.name)).max_by_key(|bundled| bundled.name.len());
    own.unwrap_or_else(|| panic!("`{scenario}` begins with the name of no runbook")).name
}

fn stops(cases: impl Iterator<Item = &'static Case>) {
    for (scenario, code, fault, words) in cases {
        let theatre = Theatre::of(runbook_of(scenario), scenario);
        let mut ran = theatre.run(&theatre.cluster(), &[]).exits(*code).says("REHEARSAL").says("This was a rehearsal");
        ran = ran.says(fault).says("Now:");
        for words in *words {
            ran = ran.says(words);
        }
    }
}

/// Each half in a test of its own: they run beside one another.
#[test]
fn a_scenario_in_which_something_is_wrong_stops_its_runbook_and_says_where() {
    stops(CASES.iter().step_by(2));
}

#[test]
fn a_scenario_in_which_something_is_wrong_stops_its_runbook_and_says_why() {
    stops(CASES.iter().skip(1).step_by(2));
}

#[test]
fn every_runbook_has_a_scenario_that_ends_well_and_two_that_do_not() {
    let scenarios: BTreeSet<_> = bundled::scenarios().into_iter().collect();
    for bundled in bundled::all() {
        assert!(scenarios.contains(bundled.name), "{} has no scenario of its name", bundled.name);
        let failing =
            scenarios.iter().filter(|name| **name != bundled.name && runbook_of(name) == bundled.name).count();
        assert!(failing >= 2, "{} has {failing} failing scenarios", bundled.name);
    }
    let tried: BTreeSet<_> = CASES.iter().map(|(scenario, ..)| *scenario).collect();
    let known: BTreeSet<_> = bundled::all().into_iter().map(|bundled| bundled.name).collect();
    let untried: Vec<_> = scenarios.iter().filter(|name| !tried.contains(*name) && !known.contains(*name)).collect();
    assert!(untried.is_empty(), "never rehearsed: {untried:?}");
}
