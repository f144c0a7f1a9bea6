//! Every scenario in the box, rehearsed with the helm that is built in and with the real helm 3 and helm 4: the same ends, and the
//! same writes, one by one.
//!
//! Not known here: what a scenario is about, nor what its runbook should do.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use runbook_control_plane::{AuditEntry, Binaries, Tool, audit_log, in_batches, required_or_skip};

use super::{in_folder, printed};

/// How a rehearsal ended, and what it wrote.
#[derive(Debug, PartialEq, Eq)]
struct Ended {
    code: Option<i32>,
    /// The code of the fault that it ended with, if it did.
    fault: Option<String>,
    writes: Vec<String>,
}

/// The names of a folder's files that end so, in order.
fn names(folder: &str, end: &str) -> Vec<String> {
    let files = fs_err::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let files = files.filter(|file| file.extension().is_some_and(|found| found == end));
    let mut names: Vec<_> = files.map(|file| file.file_stem().unwrap().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// The runbook that a scenario of the box is for: the longest name that its own begins with.
fn runbook_of(scenario: &str) -> String {
    let own = names("runbooks", "rhai").into_iter().filter(|name| scenario.starts_with(name)).max_by_key(String::len);
    own.unwrap_or_else(|| panic!("`{scenario}` begins with the name of no runbook"))
}

/// Rehearses a scenario on a machine that has this helm and nothing else. `how` is what `--helm` says.
fn rehearse(scenario: &str, helm: &Path, how: &str) -> (Ended, String) {
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(helm, folder.path().join("helm")).unwrap();
    let log = folder.path().join("audit.log");
    let (script, file) = (format!("{}.rhai", runbook_of(scenario)), log.display().to_string());
    let output = in_folder(folder.path(), &[&script, "--rehearse", scenario, "--helm", how, "--audit-log", &file]);
    let said = printed(&output);
    let asked = audit_log(&log).unwrap_or_else(|why| panic!("{scenario}: {why}\n{said}"));
    // Istiod and the controllers write too, each when its turn comes.
    let is_of_the_run =
        |entry: &AuditEntry| ["runbook/", "Helm/", "helm"].iter().any(|who| entry.user_agent.starts_with(who));
    // A Lease is renewed as often as a run's time asks for.
    let writes =
        asked.into_iter().filter(|entry| is_of_the_run(entry) && entry.is_mutating() && entry.resource != "leases");
    let writes = in_batches(writes.map(|entry| entry.summary()).collect());
    let fault = said.lines().find_map(|line| {
        let word = line.split_whitespace().next()?;
        (word.len() == 5 && word.starts_with("RB0")).then(|| word.to_owned())
    });
    (Ended { code: output.status.code(), fault, writes }, said)
}

/// Every scenario, two at a time: a spawned helm is waited for most of the time.
fn are_alike(binaries: &Binaries, tool: Tool) {
    let (helm, scenarios, next) = (binaries.path(tool), names("runbooks/scenarios", "yaml"), AtomicUsize::new(0));
    let one = |scenario: &str| {
        let (ours, told) = rehearse(scenario, helm, "builtin");
        let (real, said) = rehearse(scenario, helm, &helm.display().to_string());
        // Helm keeps to itself why it could not delete something; the one that is built in says it.
        let is_reasonless = real.fault.as_deref() == Some("RB041") && ours.fault.is_some();
        let fault = |ended: &Ended| if is_reasonless { None } else { ended.fault.clone() };
        let lines = |ended: &Ended| format!("{:?} {:?}\n{}\n", ended.code, fault(ended), ended.writes.join("\n"));
        let (first, second) = (lines(&ours), lines(&real));
        if first == second {
            return None;
        }
        let differing = similar::TextDiff::from_lines(&first, &second).unified_diff().context_radius(3).to_string();
        Some(format!(
            "{scenario}: the built-in helm (-), {} (+):\n{differing}\n=== built in\n{told}\n=== real\n{said}",
            helm.display()
        ))
    };
    let work = || {
        let mut found = Vec::new();
        while let Some(scenario) = scenarios.get(next.fetch_add(1, Ordering::Relaxed)) {
            found.extend(one(scenario));
        }
        found
    };
    let found = std::thread::scope(|scope| {
        let workers = [(); 2].map(|()| scope.spawn(work));
        workers.map(|worker| worker.join().unwrap()).concat()
    });
    assert!(scenarios.len() > 20 && found.is_empty(), "{} of {}\n{}", found.len(), scenarios.len(), found.join("\n\n"));
}

#[test]
fn every_scenario_goes_as_with_helm_3() {
    let Some(binaries) = required_or_skip("every_scenario_goes_as_with_helm_3") else { return };
    are_alike(&binaries, Tool::Helm3);
}

#[test]
fn every_scenario_goes_as_with_helm_4() {
    let Some(binaries) = required_or_skip("every_scenario_goes_as_with_helm_4") else { return };
    are_alike(&binaries, Tool::Helm4);
}
