//! The parts of the control plane: which Go package each binary comes from, and at which version it is pinned.
//!
//! The versions themselves stand in `modules/*/go.mod` and nowhere else. Not known here: where binaries are kept, or how
//! they are built.

use std::path::{Path, PathBuf};

/// One binary of the control plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tool {
    /// The store.
    Etcd,
    /// The API server.
    KubeApiserver,
    /// Deployments, `DaemonSets`, garbage collection and the rest.
    KubeControllerManager,
    /// Binds pods to nodes.
    KubeScheduler,
    /// The client that others use, and the peer of benchmarks.
    Kubectl,
    /// Makes nodes and pods behave as if there were kubelets.
    Kwok,
    /// The last helm 3.
    Helm3,
    /// The current helm 4.
    Helm4,
}

impl Tool {
    /// The name of the binary in a `bin` folder.
    pub fn name(self) -> &'static str {
        match self {
            Self::Etcd => "etcd",
            Self::KubeApiserver => "kube-apiserver",
            Self::KubeControllerManager => "kube-controller-manager",
            Self::KubeScheduler => "kube-scheduler",
            Self::Kubectl => "kubectl",
            Self::Kwok => "kwok",
            Self::Helm3 => "helm3",
            Self::Helm4 => "helm4",
        }
    }

    /// Names under which others keep the same binary.
    pub(super) fn names(self) -> &'static [&'static str] {
        match self {
            Self::Helm3 => &["helm3", "helm"],
            Self::Helm4 => &["helm4", "helm"],
            Self::Etcd => &["etcd"],
            Self::KubeApiserver => &["kube-apiserver"],
            Self::KubeControllerManager => &["kube-controller-manager"],
            Self::KubeScheduler => &["kube-scheduler"],
            Self::Kubectl => &["kubectl"],
            Self::Kwok => &["kwok"],
        }
    }

    /// Arguments that make it print its version and end.
    pub(super) fn version_arguments(self) -> &'static [&'static str] {
        match self {
            Self::Kubectl => &["version", "--client"],
            Self::Helm3 | Self::Helm4 => &["version", "--short"],
            _ => &["--version"],
        }
    }
}

/// Binaries that are built together, from one Go module.
pub(super) struct Part {
    /// Folder below `modules/`.
    pub(super) module: &'static str,
    /// The Go module whose version in `go.mod` is the version of the part.
    pin: &'static str,
    go_mod: &'static str,
    /// What comes out, and from which package.
    pub(super) tools: &'static [(Tool, &'static str)],
    /// Variables stamped into the binary; `{version}`, `{major}` and `{minor}` are those of the pin.
    stamps: &'static [&'static str],
    /// How long a build with cold caches took on two cores.
    pub(super) usual: &'static str,
}

/// All parts, in the order in which they are built: what a control plane needs comes first.
pub(super) const PARTS: [Part; 5] = [
    Part {
        module: "etcd",
        pin: "go.etcd.io/etcd/server/v3",
        go_mod: include_str!("../../modules/etcd/go.mod"),
        tools: &[(Tool::Etcd, ".")],
        stamps: &[],
        usual: "1 minute",
    },
    Part {
        module: "kubernetes",
        pin: "k8s.io/kubernetes",
        go_mod: include_str!("../../modules/kubernetes/go.mod"),
        tools: &[
            (Tool::KubeApiserver, "k8s.io/kubernetes/cmd/kube-apiserver"),
            (Tool::KubeControllerManager, "k8s.io/kubernetes/cmd/kube-controller-manager"),
            (Tool::KubeScheduler, "k8s.io/kubernetes/cmd/kube-scheduler"),
            (Tool::Kubectl, "k8s.io/kubernetes/cmd/kubectl"),
        ],
        // Unstamped it calls itself v0.0.0, which charts refuse.
        stamps: &[
            "k8s.io/component-base/version.gitVersion={version}",
            "k8s.io/component-base/version.gitMajor={major}",
            "k8s.io/component-base/version.gitMinor={minor}",
            // What clients put into their user agent.
            "k8s.io/client-go/pkg/version.gitVersion={version}",
        ],
        usual: "7 minutes",
    },
    Part {
        module: "kwok",
        pin: "sigs.k8s.io/kwok",
        go_mod: include_str!("../../modules/kwok/go.mod"),
        tools: &[(Tool::Kwok, "sigs.k8s.io/kwok/cmd/kwok")],
        stamps: &["sigs.k8s.io/kwok/pkg/consts.Version={version}"],
        usual: "2 minutes",
    },
    Part {
        module: "helm3",
        pin: "helm.sh/helm/v3",
        go_mod: include_str!("../../modules/helm3/go.mod"),
        tools: &[(Tool::Helm3, "helm.sh/helm/v3/cmd/helm")],
        // The second one as in helm's own Makefile: the Kubernetes that `helm template` assumes.
        stamps: &[
            "helm.sh/helm/v3/internal/version.version={version}",
            "helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor=37",
        ],
        usual: "2 minutes",
    },
    Part {
        module: "helm4",
        pin: "helm.sh/helm/v4",
        go_mod: include_str!("../../modules/helm4/go.mod"),
        tools: &[(Tool::Helm4, "helm.sh/helm/v4/cmd/helm")],
        stamps: &["helm.sh/helm/v4/internal/version.version={version}"],
        usual: "3 minutes",
    },
];

impl Part {
    /// The pinned version, such as `v1.36.3`.
    pub(super) fn version(&self) -> &'static str {
        pinned(self.go_mod, self.pin)
    }

    /// The linker flags of its build.
    pub(super) fn ldflags(&self) -> String {
        let version = self.version();
        let mut numbers = version.trim_start_matches('v').split('.');
        let (major, minor) = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
        let mut flags = String::from("-s -w");
        for stamp in self.stamps {
            let stamp = stamp.replace("{version}", version).replace("{major}", major).replace("{minor}", minor);
            flags.push_str(" -X ");
            flags.push_str(&stamp);
        }
        flags
    }
}

/// The version of Kubernetes that the control plane runs, such as `v1.36.3`.
pub fn kubernetes_version() -> &'static str {
    pinned(include_str!("../../modules/kubernetes/go.mod"), "k8s.io/kubernetes")
}

/// The version of the Gateway API whose CRDs are installed unless another is asked for.
pub fn gateway_api_version() -> &'static str {
    pinned(include_str!("../../modules/gateway-api/go.mod"), "sigs.k8s.io/gateway-api")
}

/// The version that a `go.mod` requires of a module.
fn pinned(go_mod: &'static str, module: &str) -> &'static str {
    go_mod
        .lines()
        .filter_map(|line| line.trim().trim_start_matches("require ").strip_prefix(module)?.strip_prefix(' '))
        .filter_map(|rest| rest.split_whitespace().next())
        .find(|version| version.starts_with('v'))
        .expect("every module folder pins the module it is named after")
}

/// The folder of the Go module that pins Kubernetes and all that it is made of.
pub(crate) fn kubernetes_modules() -> PathBuf {
    modules().join("kubernetes")
}

/// The folder that holds the pinned Go modules.
pub(super) fn modules() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("modules")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_pinned_in_its_go_mod() {
        for part in PARTS {
            assert!(part.version().split('.').count() == 3, "{}: {}", part.module, part.version());
            assert!(modules().join(part.module).join("go.sum").is_file(), "{} has no go.sum", part.module);
        }
    }

    #[test]
    fn the_api_server_is_stamped_with_its_version() {
        let kubernetes = PARTS.iter().find(|part| part.module == "kubernetes").unwrap();
        let flags = kubernetes.ldflags();
        assert!(flags.contains(&format!("gitVersion={}", kubernetes_version())), "{flags}");
        assert!(!flags.contains('{'), "{flags}");
    }
}
