//! The tools that are found on the machine beside ours, and how each is asked for the same.
//!
//! `kubectl` and helm 3 come with the control plane. Ansible and Python's client take part where they are installed.

use std::path::PathBuf;
use std::process::Command;

use runbook_control_plane::Helm;

use crate::Fallible;
use crate::place::Place;
use crate::running::Running;

/// Reads one object and prints it.
const PYTHON: &str = "from kubernetes import client, config\n\
    config.load_kube_config()\n\
    print(client.CoreV1Api().read_namespace('default').metadata.uid)\n";

/// A tool that reads one object.
pub(crate) struct Reader {
    /// Its name for the table.
    pub(crate) name: &'static str,
    program: PathBuf,
    arguments: Vec<String>,
}

impl Reader {
    /// Starts a read of the namespace `default`.
    pub(crate) fn start(&self, place: &Place) -> Fallible<Running> {
        let mut command = place.command(&self.program)?;
        command.args(&self.arguments).env("ANSIBLE_LOCALHOST_WARNING", "false");
        Running::start(command)
    }
}

/// The tools that can be asked to read one object; `kubectl` is the first.
pub(crate) fn readers(place: &Place) -> Vec<Reader> {
    let reader = |name, program, arguments: &[&str]| Reader {
        name,
        program,
        arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
    };
    let kubectl = place.plane.kubectl().to_owned();
    let mut readers = vec![reader("kubectl get", kubectl, &["get", "namespace", "default", "-o", "json"])];
    if works("python3", &["-c", "import kubernetes"]) {
        readers.push(reader("python", "python3".into(), &["-c", PYTHON]));
    }
    if works("ansible", &["--version"]) && works("ansible-doc", &["kubernetes.core.k8s_info"]) {
        let asked = "api_version=v1 kind=Namespace name=default";
        let arguments = ["localhost", "-c", "local", "-m", "kubernetes.core.k8s_info", "-a", asked];
        readers.push(reader("ansible", "ansible".into(), &arguments));
    }
    readers
}

/// Which peers there are, with their versions.
pub(crate) fn found(place: &Place) -> Vec<String> {
    let mut found: Vec<String> = readers(place).iter().skip(1).map(|reader| reader.name.to_owned()).collect();
    let helm = place.plane.run_helm(Helm::V3, &["version", "--short"]).unwrap_or_default();
    let kubectl = place.plane.run_kubectl(&["version", "--client"]).unwrap_or_default();
    found.insert(0, format!("helm {}", helm.trim()));
    found.insert(0, format!("kubectl {}", kubectl.lines().next().unwrap_or_default()));
    for name in ["python", "ansible"] {
        if !found.iter().any(|peer| peer == name) {
            found.push(format!("{name} with a Kubernetes client: not found"));
        }
    }
    found
}

fn works(program: &str, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
}
