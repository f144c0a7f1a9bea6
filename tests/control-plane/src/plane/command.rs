//! Running helm and kubectl against a control plane, away from whatever the person who runs the tests has configured.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use super::{ControlPlane, Helm};
use crate::build::Tool;
use crate::fault::Fault;
use crate::process::tail;

impl ControlPlane {
    /// The environment in which a program finds this control plane, `helm` as the one asked for, and none of the
    /// person's own settings: `KUBECONFIG`, `HOME`, `PATH` and Helm's folders.
    pub fn environment(&self, helm: Helm) -> Result<Vec<(&'static str, OsString)>, Fault> {
        let home = self.folder()?.join("home");
        fs_err::create_dir_all(&home)?;
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(self.helm_folder(helm)?).chain(std::env::split_paths(&path));
        let path = std::env::join_paths(folders).map_err(|error| Fault::malformed("the PATH", error))?;
        Ok(vec![
            ("KUBECONFIG", self.kubeconfig().into_os_string()),
            ("PATH", path),
            ("HELM_CACHE_HOME", home.join("helm/cache").into_os_string()),
            ("HELM_CONFIG_HOME", home.join("helm/config").into_os_string()),
            ("HELM_DATA_HOME", home.join("helm/data").into_os_string()),
            ("HOME", home.into_os_string()),
        ])
    }

    /// Runs helm to its end and returns what it printed; a fault if it fails.
    pub fn run_helm(&self, helm: Helm, arguments: &[&str]) -> Result<String, Fault> {
        self.run(self.helm(helm), helm, arguments)
    }

    /// Runs kubectl to its end and returns what it printed; a fault if it fails.
    pub fn run_kubectl(&self, arguments: &[&str]) -> Result<String, Fault> {
        self.run(self.binaries().path(Tool::Kubectl), Helm::V4, arguments)
    }

    /// Applies YAML as a person would, server-side, with the field manager `kubectl`.
    pub fn apply(&self, yaml: &str) -> Result<(), Fault> {
        let mut file = tempfile::NamedTempFile::new_in(self.folder()?)?;
        std::io::Write::write_all(&mut file, yaml.as_bytes())?;
        self.run_kubectl(&["apply", "--server-side", "-f", &file.path().to_string_lossy()]).map(drop)
    }

    fn run(&self, program: &Path, helm: Helm, arguments: &[&str]) -> Result<String, Fault> {
        let output = Command::new(program).args(arguments).envs(self.environment(helm)?).output()?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        Err(Fault::Command {
            command: format!("{} {}", program.display(), arguments.join(" ")),
            status: output.status,
            output: tail(&String::from_utf8_lossy(&output.stderr), 20),
        })
    }
}
