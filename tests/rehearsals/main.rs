//! Bundled runbooks on a simulated cluster, run as a person runs them, on a machine that has nothing.
//!
//! What needs hundreds of runs lies in `inside/` and runs in one process, as tests of the program itself. Not known here: how the
//! simulation works.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "the program is run as a person runs it, and what is wrong in a test may panic"
)]

mod document;
mod helm;
mod refusal;

use std::path::Path;
use std::process::{Command, Output};

/// Runs the program without a home, a kubeconfig, a helm or anything else on the `PATH`.
fn bare(arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    in_folder(folder.path(), arguments)
}

/// The same in a folder of the test's own.
fn in_folder(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_runbook"))
        .args(arguments)
        .env_clear()
        .env("PATH", folder)
        .env("HOME", folder)
        .current_dir(folder)
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
fn a_rehearsal_that_stops_says_so_in_its_report_too() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.md");
    let scenario = "rolling-restart-crash";
    let output = bare(&["rolling-restart.rhai", "--rehearse", scenario, "--report", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(3), "{}", printed(&output));
    let report = fs_err::read_to_string(&file).unwrap();
    assert!(report.contains("**A rehearsal**") && report.contains(scenario), "{report}");
    let json = bare(&["rolling-restart.rhai", "--rehearse", scenario, "--output", "json"]);
    let first = printed(&json).lines().next().map(str::to_owned).unwrap_or_default();
    assert!(first.contains(&format!(r#""rehearsal":"{scenario}""#)), "{first}");
}
