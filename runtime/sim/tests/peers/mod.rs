//! Peers' own cases: the tables of test cases in the Go modules that the API server is made of, read where Go keeps them and run
//! against ours.
//!
//! Nothing of them is kept here. A case passes or stands in the list of differences with its reason, and nothing stands there
//! that passes. Not known here: what any table means.

mod json_patch;
mod ownership;
mod smd;
mod strategic;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// A case that does not come out as the peer has it, by the beginning of its name, and why that is so.
type Difference = (&'static str, &'static str);

/// The cases that ran, and those that did not come out.
struct Cases {
    differences: &'static [Difference],
    run: usize,
    failed: Vec<(String, String)>,
}

impl Cases {
    fn new(differences: &'static [Difference]) -> Self {
        Self { differences, run: 0, failed: Vec::new() }
    }

    fn add(&mut self, name: &str, outcome: Result<(), String>) {
        self.run += 1;
        if let Err(why) = outcome {
            self.failed.push((name.to_owned(), why));
        }
    }

    /// All came out but those that are known not to; and there were as many as there have to be.
    #[track_caller]
    fn settle(self, least: usize) {
        let is_known = |name: &str| self.differences.iter().any(|(known, _)| name.starts_with(known));
        let strange: Vec<_> = self.failed.iter().filter(|(name, _)| !is_known(name)).collect();
        for (name, why) in &strange {
            println!("--- {name}\n{why}");
        }
        assert!(strange.is_empty(), "{} of {} cases come out otherwise", strange.len(), self.run);
        let fails = |known: &str| self.failed.iter().any(|(name, _)| name.starts_with(known));
        let stale: Vec<_> = self.differences.iter().filter(|(known, _)| !fails(known)).collect();
        assert!(stale.is_empty(), "no longer different: {stale:?}");
        println!("{} cases, {} of them otherwise", self.run, self.failed.len());
        assert!(self.run >= least, "only {} cases were found, of {least}", self.run);
    }
}

/// The same, or both shown.
fn equal(ours: &Value, theirs: &Value) -> Result<(), String> {
    if crate::apply::same(ours, theirs) { Ok(()) } else { Err(format!("ours   {ours}\ntheirs {theirs}")) }
}

/// Where a Go module lies, downloaded if it does not yet. `None` where there is no Go: then the test is skipped by name.
fn module(test: &str, path: &str) -> Option<PathBuf> {
    if let Err(why) = go(Path::new("."), &["version"]) {
        #[expect(clippy::disallowed_methods, reason = "this is how a machine says that nothing may be skipped")]
        let required = std::env::var("RUNBOOK_CLUSTER_TESTS").is_ok_and(|value| value == "require");
        assert!(!required, "{test}: {why}");
        println!("skipped `{test}`: {why}; install Go, then `cargo test -p runbook-sim {test}`");
        return None;
    }
    Some(download(path.trim()).unwrap_or_else(|why| panic!("{test}: {why}")))
}

fn download(path: &str) -> Result<PathBuf, String> {
    let modules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/control-plane/modules/kubernetes");
    let pinned = fs_err::read_to_string(modules.join("go.mod")).map_err(|error| error.to_string())?;
    let line =
        pinned.lines().map(str::trim).find_map(|line| line.strip_prefix("require ").unwrap_or(line).strip_prefix(path));
    let version =
        line.and_then(|rest| rest.split_whitespace().next()).ok_or_else(|| format!("{path} is not pinned"))?;
    let told = go(&modules, &["mod", "download", "-json", &format!("{path}@{version}")])?;
    let told: Value = serde_json::from_str(&told).map_err(|error| error.to_string())?;
    told["Dir"].as_str().map(PathBuf::from).ok_or_else(|| told["Error"].to_string())
}

/// The tables in Go files, by the names of their variables.
fn tables(folder: &Path, files: &[&str]) -> Value {
    let reader = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers");
    let files: Vec<_> = files.iter().map(|file| folder.join(file).display().to_string()).collect();
    let arguments: Vec<&str> = ["run", "cases.go"].into_iter().chain(files.iter().map(String::as_str)).collect();
    let told = go(&reader, &arguments).expect("Go that downloads a module also runs a program");
    serde_json::from_str(&told).expect("the reader writes JSON")
}

#[expect(clippy::disallowed_methods, reason = "no process of the product: Go reads Go for a test")]
fn go(folder: &Path, arguments: &[&str]) -> Result<String, String> {
    let output =
        Command::new("go").args(arguments).current_dir(folder).output().map_err(|error| format!("go: {error}"))?;
    if output.status.success() {
        return String::from_utf8(output.stdout).map_err(|error| error.to_string());
    }
    Err(format!("go {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr)))
}

/// YAML as the peers write it in their sources: indented by tabs where their source is.
fn yaml(text: &str) -> Value {
    let lines: Vec<&str> = text.lines().skip_while(|line| line.trim().is_empty()).collect();
    let tabs = lines.first().map_or(0, |line| line.chars().take_while(|c| *c == '\t').count());
    let stripped: Vec<&str> = lines.iter().map(|line| line.get(tabs..).unwrap_or_default()).collect();
    let text = stripped.join("\n");
    if text.trim().is_empty() {
        return Value::Null;
    }
    // Go's reader of YAML looks no further than the first document goes, and some have a brace too many after it.
    let shorter = text.trim_end().strip_suffix('}').unwrap_or_default();
    let read = serde_saphyr::from_str(&text);
    read.unwrap_or_else(|why| serde_saphyr::from_str(shorter).unwrap_or_else(|_| panic!("{why}:\n{text}")))
}
