//! Which helm a run drives.
//!
//! Plain data: how it is called is known in the script library.

use std::path::PathBuf;
use std::sync::OnceLock;

/// What does the work of helm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Program {
    /// The real one, in a process of its own.
    File(PathBuf),
    /// The one that is built in: it renders charts and keeps releases as helm does, over the run's own connection.
    Builtin,
}

impl Program {
    /// What `--helm` calls the one that is built in.
    pub const BUILTIN: &'static str = "builtin";

    /// The file, where it is one.
    pub fn file(&self) -> Option<&std::path::Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Builtin => None,
        }
    }
}

/// What answers where a helm would only read releases or render charts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reads {
    /// The one that is built in, whichever helm writes: both keep releases in the same Secrets.
    #[default]
    Builtin,
    /// The helm that writes: releases are kept where only it looks.
    Program,
}

/// Which helm, and what it is told about the cluster.
#[derive(Debug, Clone, Default)]
pub struct Helm {
    /// The program. Where absent, a call faults with what is needed.
    pub program: Option<Program>,
    /// The real helm in whose place the one that is built in does the work: that one then has the ways of its version.
    pub stands_for: Option<PathBuf>,
    /// What answers where nothing is written.
    pub reads: Reads,
    /// `--kubeconfig`, where the run was given one.
    pub kubeconfig: Option<PathBuf>,
    /// `--kube-context`, where the run was given one.
    pub context: Option<String>,
    /// Environment for the program: all of it, nothing is inherited.
    pub environment: Vec<(String, String)>,
    /// What the program said its version is: asked once, by the first call that needs it. Start with `OnceLock::new()`.
    pub version: OnceLock<semver::Version>,
}
