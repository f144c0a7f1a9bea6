//! Every bundled runbook in the scenario of its own name: it ends well, and there is nothing left to do for a second run.

use super::Theatre;

/// Runs it twice.
fn ends_well(runbook: &str) {
    let theatre = Theatre::of(runbook, "");
    let cluster = theatre.cluster();
    let ran = theatre.run(&cluster, &[]).exits(0).says("REHEARSAL").says("This was a rehearsal");
    let changes_nothing = runbook == "precheck";
    assert_eq!(ran.writes.is_empty(), changes_nothing, "{}", ran.printed);
    if runbook == "rolling-restart" {
        // Whoever asks for a restart again means it.
        return;
    }
    let again = theatre.run(&cluster, &[]).exits(0).says("REHEARSAL").says("This was a rehearsal");
    let writes: Vec<_> = again.writes.iter().map(runbook_sim::AuditEntry::summary).collect();
    assert!(writes.is_empty(), "{writes:#?}\n{}", again.printed);
    if !changes_nothing {
        again.says("nothing to do");
    }
}

#[test]
fn ambient_upgrade_ends_well() {
    ends_well("ambient-upgrade");
}

#[test]
fn canary_upgrade_ends_well() {
    ends_well("canary-upgrade");
}

#[test]
fn in_place_upgrade_ends_well() {
    ends_well("in-place-upgrade");
}

#[test]
fn remove_revision_ends_well() {
    ends_well("remove-revision");
}

#[test]
fn revision_tag_ends_well() {
    ends_well("revision-tag");
}

#[test]
fn gateway_upgrade_ends_well() {
    ends_well("gateway-upgrade");
}

#[test]
fn precheck_ends_well() {
    ends_well("precheck");
}

#[test]
fn rolling_restart_ends_well() {
    ends_well("rolling-restart");
}
