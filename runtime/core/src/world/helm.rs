//! Which helm a run drives.
//!
//! Plain data: how it is called is known in the script library.

use std::path::PathBuf;
use std::sync::OnceLock;

/// Which helm, and what it is told about the cluster.
#[derive(Debug, Clone, Default)]
pub struct Helm {
    /// The program. Where absent, a call faults with what is needed.
    pub program: Option<PathBuf>,
    /// `--kubeconfig`, where the run was given one.
    pub kubeconfig: Option<PathBuf>,
    /// `--kube-context`, where the run was given one.
    pub context: Option<String>,
    /// Environment for the program: all of it, nothing is inherited.
    pub environment: Vec<(String, String)>,
    /// What the program said its version is: asked once, by the first call that needs it. Start with `OnceLock::new()`.
    pub version: OnceLock<semver::Version>,
}
