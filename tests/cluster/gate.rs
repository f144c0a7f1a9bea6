//! What happens on a machine that lacks what the tests here need.

use std::process::{Command, Output};

/// Runs one test of this very binary on a machine with no Go, no binaries and no charts.
fn on_a_bare_machine(required: &str) -> Output {
    let nothing = tempfile::tempdir().unwrap();
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "control_plane::it_starts_with_ready_nodes_of_the_api_servers_version"])
        .env_clear()
        .env("PATH", nothing.path())
        .env("RUNBOOK_TEST_CACHE", nothing.path())
        .env("RUNBOOK_CLUSTER_TESTS", required)
        .output()
        .unwrap()
}

#[test]
fn a_test_is_skipped_by_name_with_what_provides_it() {
    let done = on_a_bare_machine("");
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}");
    assert!(said.contains("skipped `it_starts_with_ready_nodes_of_the_api_servers_version` (1 so far)"), "{said}");
    assert!(said.contains("install Go"), "{said}");
}

#[test]
fn a_required_test_fails_instead_of_being_skipped() {
    let done = on_a_bare_machine("require");
    assert!(!done.status.success());
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(said.contains("install Go"), "{said}");
}
