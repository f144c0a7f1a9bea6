//! The gate in front of every test that needs the control plane.
//!
//! Where the machine lacks what a test needs, the test is skipped by name, with the command that provides it; where
//! `RUNBOOK_CLUSTER_TESTS=require` is set it fails instead. Anything else that goes wrong fails the test: a control plane
//! that cannot be built is no reason to skip.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::build::Binaries;
use crate::fault::Fault;
use crate::notice::say;

/// Opens for a test: the binaries are there, or are built now. `None` if the test is skipped, which has been said.
///
/// `test` is the test's own name, such as `it_starts_with_ready_nodes`.
pub fn required_or_skip(test: &str) -> Option<Binaries> {
    pass(test, Binaries::find_or_build())
}

/// Opens for a test that also needs Istio's charts, from the folder that `ISTIO_CHARTS` names.
pub fn charts_or_skip(test: &str) -> Option<PathBuf> {
    pass(test, Binaries::find_or_build().and_then(|_| charts()))
}

/// The folder of Istio's charts, as an absolute path.
pub(crate) fn charts() -> Result<PathBuf, Fault> {
    let folder = std::env::var_os("ISTIO_CHARTS").filter(|folder| !folder.is_empty()).ok_or(Fault::NoCharts)?;
    let named = PathBuf::from(folder);
    // Tests of several packages run in several folders; a relative name is meant from the workspace's root.
    let folder = if named.is_dir() { named } else { workspace().join(named) };
    if folder.is_dir() { Ok(fs_err::canonicalize(folder)?) } else { Err(Fault::NoCharts) }
}

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("this crate lies two folders below the workspace")
}

fn pass<T>(test: &str, there: Result<T, Fault>) -> Option<T> {
    let fault = match there {
        Ok(value) => return Some(value),
        Err(fault) => fault,
    };
    let required = std::env::var("RUNBOOK_CLUSTER_TESTS").is_ok_and(|value| value == "require");
    assert!(fault.is_missing() && !required, "{test}: {fault}");
    skip(test, &fault);
    None
}

/// Says that a test is skipped and how many are by now, and appends it to this process's file in `target/skipped/`.
fn skip(test: &str, fault: &Fault) {
    static SKIPPED: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let mut skipped = SKIPPED.lock().unwrap_or_else(PoisonError::into_inner);
    skipped.push(test.to_owned());
    say(&format!("skipped `{test}` ({} so far): {fault}, then `cargo test {test}`", skipped.len()));
    if let Some(file) = list() {
        let lines = skipped.join("\n") + "\n";
        let written = file.parent().map_or(Ok(()), fs_err::create_dir_all).and_then(|()| fs_err::write(&file, lines));
        written.unwrap_or_else(|error| say(&error.to_string()));
    }
}

/// `target/skipped/NAME.txt`, where NAME is that of the test binary.
fn list() -> Option<PathBuf> {
    let binary = std::env::current_exe().ok()?;
    let target = binary.ancestors().find(|folder| folder.file_name().is_some_and(|name| name == "target"))?;
    let stem = binary.file_stem()?.to_string_lossy().into_owned();
    let name = stem.rsplit_once('-').map_or(stem.as_str(), |(name, _)| name).to_owned();
    Some(target.join("skipped").join(format!("{name}.txt")))
}
