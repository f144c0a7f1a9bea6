//! Where it is measured: one control plane, the program, and the folder of its runs.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use http::{Method, Request};
use kube::Client;
use runbook_control_plane::{ControlPlane, Helm, Nodes};
use serde_json::Value;
use tempfile::TempDir;

use crate::Fallible;
use crate::running::Running;

/// A line that begins a call, and one that ends it: what the program says in JSON.
pub(crate) const CALLING: &str = r#""t":"calling""#;
pub(crate) const SETTLED: &str = r#""t":"settled""#;

/// A control plane, and what runs against it.
pub(crate) struct Place {
    pub(crate) plane: ControlPlane,
    folder: PathBuf,
    disk: TempDir,
}

impl Place {
    /// Starts it. Builds it before, where that was never done on this machine.
    pub(crate) fn open() -> Fallible<Self> {
        let plane = ControlPlane::in_memory(Nodes { count: 6, pods_each: 5000 })?;
        let folder = plane.folder()?;
        let disk = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
        Ok(Self { plane, folder, disk })
    }

    /// Where the program keeps its journals: on a real disk, which the control plane does not write to.
    pub(crate) fn runs(&self) -> PathBuf {
        self.disk.path().to_owned()
    }

    /// Writes a file, such as a script; gives its path.
    pub(crate) fn file(&self, name: &str, text: &str) -> Fallible<PathBuf> {
        let path = self.folder.join(name);
        fs_err::create_dir_all(path.parent().unwrap_or(&self.folder))?;
        fs_err::write(&path, text)?;
        Ok(path)
    }

    /// Any program, in an environment in which it finds the control plane.
    pub(crate) fn command(&self, program: impl AsRef<Path>) -> Fallible<Command> {
        let mut command = Command::new(program.as_ref());
        command.envs(self.plane.environment(Helm::V3)?).current_dir(&self.folder);
        Ok(command)
    }

    /// `kubectl` with arguments.
    pub(crate) fn kubectl(&self, arguments: &[&str]) -> Fallible<Command> {
        let mut command = self.command(self.plane.kubectl())?;
        command.args(arguments);
        Ok(command)
    }

    /// Starts a script, its journal on disk, its events as JSON.
    pub(crate) fn run(&self, script: &Path, arguments: &[&str]) -> Fallible<Running> {
        self.run_in(&self.runs(), script, arguments)
    }

    /// The same, its journal elsewhere.
    pub(crate) fn run_in(&self, runs: &Path, script: &Path, arguments: &[&str]) -> Fallible<Running> {
        Running::start(self.script(runs, script, arguments)?)
    }

    /// How long a script takes as a whole, its events going where nobody reads them: a reader takes part of the machine.
    pub(crate) fn took(&self, runs: &Path, script: &Path, arguments: &[&str]) -> Fallible<Duration> {
        let mut command = self.script(runs, script, arguments)?;
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let begun = Instant::now();
        let ended = command.spawn()?.wait_with_output()?;
        let took = begun.elapsed();
        if ended.status.success() { Ok(took) } else { Err(String::from_utf8_lossy(&ended.stderr).into()) }
    }

    fn script(&self, runs: &Path, script: &Path, arguments: &[&str]) -> Fallible<Command> {
        let mut command = self.command(env!("CARGO_BIN_EXE_runbook"))?;
        command.arg(script).args(arguments).args(["--yes", "--output", "json", "--journal"]).arg(runs);
        Ok(command)
    }

    /// A client of the API server, of the benchmark's own.
    pub(crate) fn client(&self) -> Client {
        self.plane.client()
    }

    /// Asks the API server for something.
    pub(crate) fn request(&self, method: Method, path: &str, body: &Value) -> Fallible<String> {
        let kind = if method == Method::PATCH { "application/merge-patch+json" } else { "application/json" };
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let request = Request::builder().method(method).uri(path).header("content-type", kind).body(body)?;
        let client = self.client();
        Ok(self.plane.block_on(async move { client.request_text(request).await })?)
    }

    /// A namespace.
    pub(crate) fn namespace(&self, name: &str) -> Fallible<()> {
        let made = serde_json::json!({ "metadata": { "name": name } });
        self.request(Method::POST, "/api/v1/namespaces", &made).map(drop)
    }

    /// How many requests the program has made so far, as the API server recorded them.
    pub(crate) fn requests(&self) -> Fallible<usize> {
        Ok(self.plane.audit()?.iter().filter(|entry| entry.user_agent.starts_with("runbook/")).count())
    }
}
