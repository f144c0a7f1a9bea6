//! One process to be: what to run, and where its words go.

use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::fault::Fault;

/// What to run.
pub(crate) struct Launch {
    /// What it is called in faults, and its log.
    pub(crate) name: &'static str,
    /// The binary.
    pub(crate) program: PathBuf,
    /// Its arguments.
    pub(crate) arguments: Vec<String>,
    /// The file that gets its output.
    pub(crate) log: PathBuf,
}

impl Launch {
    /// Spawns it so that it ends with the thread that calls this, even when that thread ends by `kill -9`.
    ///
    /// In a process group of its own: a Ctrl-C on the terminal is for the test, which then ends its children in order.
    pub(super) fn spawn(&self) -> Result<Child, Fault> {
        let log = File::from(fs_err::File::create(&self.log)?);
        Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "--"])
            .arg(&self.program)
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0)
            .spawn()
            .map_err(|error| match error.kind() {
                std::io::ErrorKind::NotFound => {
                    Fault::NoProgram { program: "setpriv", hint: "it is part of util-linux, 2.33 or newer" }
                }
                _ => error.into(),
            })
    }
}
