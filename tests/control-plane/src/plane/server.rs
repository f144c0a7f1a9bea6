//! The command lines of the control plane's processes.

use std::path::{Path, PathBuf};

use super::certificate::{Certificates, Identity};
use crate::build::{Binaries, Tool};
use crate::process::Launch;

/// Where a control plane keeps and finds what its processes need.
pub(crate) struct Servers<'a> {
    pub(crate) binaries: &'a Binaries,
    pub(crate) certificates: &'a Certificates,
    pub(crate) folder: &'a Path,
    /// As the API server is told: `127.77.0.0/16`.
    pub(crate) service_range: String,
    pub(crate) etcd_port: u16,
    pub(crate) peer_port: u16,
    pub(crate) api_port: u16,
}

impl Servers<'_> {
    /// Where the audit log is.
    pub(crate) fn audit_log(folder: &Path) -> PathBuf {
        folder.join("audit.log")
    }

    /// Where etcd keeps its data.
    pub(crate) fn data(folder: &Path) -> PathBuf {
        folder.join("etcd")
    }

    /// The kubeconfig of one identity.
    pub(crate) fn kubeconfig(folder: &Path, identity: Identity) -> PathBuf {
        folder.join(format!("{}.kubeconfig", identity.user().replace(':', "-")))
    }

    pub(crate) fn etcd(&self) -> Launch {
        let client = format!("http://127.0.0.1:{}", self.etcd_port);
        let peer = format!("http://127.0.0.1:{}", self.peer_port);
        self.launch(
            Tool::Etcd,
            vec![
                format!("--data-dir={}", Self::data(self.folder).display()),
                format!("--listen-client-urls={client}"),
                format!("--advertise-client-urls={client}"),
                format!("--listen-peer-urls={peer}"),
                format!("--initial-advertise-peer-urls={peer}"),
                format!("--initial-cluster=default={peer}"),
                // Nothing here has to outlive the power supply.
                "--unsafe-no-fsync".to_owned(),
                "--log-level=warn".to_owned(),
            ],
        )
    }

    pub(crate) fn api_server(&self) -> Launch {
        let (certificate, key) = self.certificates.of(Identity::Server);
        let (private, public) = self.certificates.service_accounts();
        let policy = self.folder.join("audit-policy.yaml");
        self.launch(
            Tool::KubeApiserver,
            vec![
                format!("--etcd-servers=http://127.0.0.1:{}", self.etcd_port),
                format!("--secure-port={}", self.api_port),
                "--bind-address=127.0.0.1".to_owned(),
                "--advertise-address=127.0.0.1".to_owned(),
                // An endpoint may not be a loopback address.
                "--endpoint-reconciler-type=none".to_owned(),
                format!("--service-cluster-ip-range={}", self.service_range),
                "--authorization-mode=RBAC".to_owned(),
                "--allow-privileged=true".to_owned(),
                format!("--client-ca-file={}", self.certificates.authority().display()),
                format!("--tls-cert-file={}", certificate.display()),
                format!("--tls-private-key-file={}", key.display()),
                "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
                format!("--service-account-signing-key-file={}", private.display()),
                format!("--service-account-key-file={}", public.display()),
                format!("--audit-policy-file={}", policy.display()),
                format!("--audit-log-path={}", Self::audit_log(self.folder).display()),
                // In MB: one file, whatever a benchmark does.
                "--audit-log-maxsize=100000".to_owned(),
                // Loopback and one client with all rights: its own limits would only measure themselves.
                "--max-requests-inflight=3000".to_owned(),
                "--max-mutating-requests-inflight=1000".to_owned(),
            ],
        )
    }

    pub(crate) fn controller_manager(&self) -> Launch {
        let (private, _) = self.certificates.service_accounts();
        self.launch(
            Tool::KubeControllerManager,
            vec![
                self.kubeconfig_flag(Identity::ControllerManager),
                "--leader-elect=false".to_owned(),
                "--secure-port=0".to_owned(),
                format!("--service-account-private-key-file={}", private.display()),
                format!("--root-ca-file={}", self.certificates.authority().display()),
                "--kube-api-qps=1000".to_owned(),
                "--kube-api-burst=2000".to_owned(),
                "--concurrent-deployment-syncs=20".to_owned(),
                "--concurrent-replicaset-syncs=20".to_owned(),
                "--concurrent-namespace-syncs=20".to_owned(),
            ],
        )
    }

    pub(crate) fn scheduler(&self) -> Launch {
        self.launch(
            Tool::KubeScheduler,
            vec![
                self.kubeconfig_flag(Identity::Scheduler),
                "--leader-elect=false".to_owned(),
                "--secure-port=0".to_owned(),
                "--kube-api-qps=1000".to_owned(),
                "--kube-api-burst=2000".to_owned(),
            ],
        )
    }

    pub(crate) fn kwok(&self, stages: &Path) -> Launch {
        self.launch(
            Tool::Kwok,
            vec![
                self.kubeconfig_flag(Identity::Kwok),
                "--manage-all-nodes".to_owned(),
                format!("--config={}", stages.display()),
            ],
        )
    }

    fn kubeconfig_flag(&self, identity: Identity) -> String {
        format!("--kubeconfig={}", Self::kubeconfig(self.folder, identity).display())
    }

    /// Where a server writes what it has to say.
    pub(crate) fn log(folder: &Path, tool: Tool) -> PathBuf {
        folder.join(format!("{}.log", tool.name()))
    }

    fn launch(&self, tool: Tool, arguments: Vec<String>) -> Launch {
        Launch {
            name: tool.name(),
            program: self.binaries.path(tool).to_owned(),
            arguments,
            log: Self::log(self.folder, tool),
        }
    }
}
