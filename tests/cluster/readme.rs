//! The README stays true: every command in it is run here, as a person would at a terminal, against a real control plane.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use runbook_control_plane::{Charts, ControlPlane, Helm, StandIn, State, charts_or_skip};

/// The code blocks of a language, in order.
fn blocks(language: &str) -> Vec<String> {
    let readme = fs_err::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let parts: Vec<_> = readme.split("```").map(str::to_owned).collect();
    let opened = parts.iter().skip(1).step_by(2);
    opened.filter_map(|block| block.strip_prefix(&format!("{language}\n")).map(str::to_owned)).collect()
}

/// The commands, without the remarks behind them.
fn commands() -> Vec<String> {
    let lines = blocks("sh").join("\n");
    lines
        .lines()
        .map(|line| line.split("  #").next().unwrap_or_default().trim().to_owned())
        .filter(|l| !l.is_empty())
        .collect()
}

/// Runs a command line at a terminal of its own, in `folder`, and answers the one question with yes.
fn at_a_terminal(plane: &ControlPlane, folder: &Path, line: &str) -> (bool, String) {
    let bin = Path::new(env!("CARGO_BIN_EXE_runbook")).parent().unwrap().to_owned();
    let environment = plane.environment(Helm::V3).unwrap();
    let path = environment.iter().find(|(name, _)| *name == "PATH").map(|(_, path)| path.clone()).unwrap_or_default();
    let folders = std::iter::once(bin).chain(std::env::split_paths(&path));
    let charts = Charts::open().unwrap().folder().to_owned();
    // A rehearsal brings charts of its own; everything else takes those of the tests.
    let charts = (!line.contains("--rehearse")).then_some(("RUNBOOK_CHARTS", charts));
    let mut child = Command::new("script")
        .args(["--quiet", "--return", "--flush", "--command", line, "/dev/null"])
        .current_dir(folder)
        .env_clear()
        .envs(environment)
        .env("PATH", std::env::join_paths(folders).unwrap())
        .env("TERM", "xterm")
        .envs(charts)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.as_mut().unwrap().write_all(b"y\n").unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn every_command_in_the_readme_works() {
    if charts_or_skip("every_command_in_the_readme_works").is_none() {
        return;
    }
    let plane = ControlPlane::from_state(&State::ambient("1.29.6", Helm::V3)).unwrap();
    let _istiod = StandIn::start(&plane).unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs_err::write(folder.path().join("restart.rhai"), &blocks("rust")[0]).unwrap();

    for command in commands() {
        let line = match command.strip_prefix("cargo run --release -- ") {
            Some(arguments) => format!("runbook {arguments}"),
            None => command.clone(),
        };
        if line == "cargo test --workspace" {
            // It is what runs this very test; that it is also what decides about a change is all there is to see.
            let ci = fs_err::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(".ci/run")).unwrap();
            assert!(ci.contains(&line), "`{line}` is not what .ci/run runs");
            continue;
        }
        let (done, printed) = at_a_terminal(&plane, folder.path(), &line);
        assert!(done, "`{command}`\n{printed}");
        assert!(!printed.trim().is_empty(), "`{command}` said nothing");
    }
}
