//! Bundled runbooks on a simulated cluster, run as a person runs them, on a machine that has nothing.
//!
//! Not known here: how the simulation works.

#![expect(clippy::disallowed_methods, reason = "the program is run as a person runs it")]

use std::process::{Command, Output};

/// Runs the program without a home, a kubeconfig, a helm or anything else on the `PATH`.
fn bare(arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    Command::new(env!("CARGO_BIN_EXE_runbook"))
        .args(arguments)
        .env_clear()
        .env("PATH", folder.path())
        .env("HOME", folder.path())
        .current_dir(folder.path())
        .output()
        .expect("the program starts")
}

fn printed(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn a_bare_machine_rehearses_the_whole_ambient_upgrade() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.md");
    let output = bare(&["ambient-upgrade.rhai", "--rehearse", "--report", file.to_str().unwrap()]);
    let text = printed(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("REHEARSAL") && text.contains("This was a rehearsal"), "{text}");
    assert!(text.contains("stand-in istiod 1.30.3"), "what stands in for the real charts is called so:\n{text}");
    let report = fs_err::read_to_string(&file).unwrap();
    assert!(
        report.starts_with("# ambient\\-upgrade: done") || report.starts_with("# ambient-upgrade: done"),
        "{report}"
    );
    assert!(report.contains("**A rehearsal**"), "{report}");
    for release in ["istio-base", "istiod", "istio-cni", "ztunnel"] {
        assert!(report.contains(&format!("upgrade {release}")), "{release} was not upgraded:\n{report}");
    }
}

#[test]
fn a_node_that_cannot_pull_the_new_image_stops_it_and_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = folder.path().join("pull.yaml");
    let calm = include_str!("../../runbooks/scenarios/ambient-upgrade.yaml");
    let failing = format!("{calm}failures:\n- {{ how: image-pull, node: node-1, image: 'ztunnel:1.30.3' }}\n");
    fs_err::write(&scenario, failing).unwrap();
    let output = bare(&["ambient-upgrade.rhai", "--rehearse", scenario.to_str().unwrap()]);
    let text = printed(&output);
    assert_eq!(output.status.code(), Some(3), "{text}");
    assert!(text.contains("node-1") && text.contains("daemonset/ztunnel"), "{text}");
}

#[test]
fn a_scenario_that_cannot_be_understood_is_refused_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = folder.path().join("wrong.yaml");
    fs_err::write(&scenario, "about: Wrong.\nnodez: 3\n").unwrap();
    let output = bare(&["ambient-upgrade.rhai", "--rehearse", scenario.to_str().unwrap()]);
    let text = printed(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("nodez") && text.contains("line 2"), "{text}");
}
