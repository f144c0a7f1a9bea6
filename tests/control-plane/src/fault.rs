//! What can go wrong with the test bed, in words that say what to do.

use std::fmt::Display;
use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

const PRIVILEGED: &str = "; the port of a webhook needs root, CAP_NET_BIND_SERVICE or \
     `sysctl net.ipv4.ip_unprivileged_port_start=443`";

/// A fault of the test bed. Not of what is tested.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// No binary, and nothing to build it with.
    #[error(
        "`{binary}` {version} is neither in KUBEBUILDER_ASSETS, nor on the PATH, nor in `{}`, and there is no `go` to build it; \
         install Go 1.26 or newer",
        cache.display()
    )]
    NoToolchain {
        /// What is missing.
        binary: String,
        /// At which version.
        version: String,
        /// Where it would be kept.
        cache: PathBuf,
    },

    /// A program that the test bed leans on is not on this machine.
    #[error("`{program}` is not on the PATH; {hint}")]
    NoProgram {
        /// Its name.
        program: &'static str,
        /// Where it comes from.
        hint: &'static str,
    },

    /// A folder of charts is needed and none is named.
    #[error("no folder with Istio's charts; set ISTIO_CHARTS to one that holds `base-1.29.6.tgz` and the like")]
    NoCharts,

    /// A chart is not in the folder of charts.
    #[error("`{}` is not there; put it into the folder that ISTIO_CHARTS names", .0.display())]
    NoChart(PathBuf),

    /// A command that ran to its end and failed.
    #[error("`{command}` failed ({status}):\n{output}")]
    Command {
        /// Program and arguments.
        command: String,
        /// How it ended.
        status: ExitStatus,
        /// The end of what it wrote.
        output: String,
    },

    /// A process of the control plane ended by itself.
    #[error("`{process}` has ended by itself ({status}); the end of what it said:\n{log}")]
    Ended {
        /// Which one.
        process: String,
        /// How it ended.
        status: ExitStatus,
        /// The end of its log.
        log: String,
    },

    /// Something awaited did not come.
    #[error("{what} did not happen within {seconds} s; last seen: {last}")]
    Timeout {
        /// What was awaited.
        what: String,
        /// For how long.
        seconds: u64,
        /// The last thing known about it.
        last: String,
    },

    /// A webhook's port could not be bound.
    #[error("cannot listen on {address}: {source}{}", if source.kind() == io::ErrorKind::PermissionDenied { PRIVILEGED } else { "" })]
    Port {
        /// Address and port.
        address: String,
        /// Why not.
        source: io::Error,
    },

    /// A file or a process could not be reached; the text names it.
    #[error(transparent)]
    Io(#[from] io::Error),

    /// The API server, or the way to it.
    #[error("the API server: {0}")]
    Api(#[source] Box<kube::Error>),

    /// A file that should hold YAML or JSON does not.
    #[error("cannot read {what}: {reason}")]
    Malformed {
        /// Which text.
        what: String,
        /// What is wrong with it.
        reason: String,
    },

    /// A state could not be prepared.
    #[error("cannot prepare state `{state}`: {fault}\nwarnings of the cluster:\n{warnings}")]
    Preparation {
        /// Its name.
        state: String,
        /// What went wrong.
        #[source]
        fault: Box<Fault>,
        /// The last events of type `Warning`.
        warnings: String,
    },

    /// A certificate could not be made.
    #[error("cannot make a certificate: {0}")]
    Certificate(String),
}

impl Fault {
    /// Whether the machine lacks what the tests need, as opposed to something being broken.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::NoToolchain { .. } | Self::NoProgram { .. } | Self::NoCharts | Self::NoChart(_))
    }

    /// A fault about text that cannot be read.
    pub(crate) fn malformed(what: impl Into<String>, reason: impl Display) -> Self {
        Self::Malformed { what: what.into(), reason: reason.to_string() }
    }
}

impl From<kube::Error> for Fault {
    fn from(error: kube::Error) -> Self {
        Self::Api(Box::new(error))
    }
}

impl From<rcgen::Error> for Fault {
    fn from(error: rcgen::Error) -> Self {
        Self::Certificate(error.to_string())
    }
}
