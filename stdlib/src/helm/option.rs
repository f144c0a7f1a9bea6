//! The parameters that primitives of this folder share, and what they say together.

use std::time::Duration;

use runbook_core::world::Cluster;
use runbook_core::{Args, Call, Code, Fault, Param, Value, World};
use serde_json::Map;

use super::reference::Reference;

pub(super) const RELEASE: Param<String> = Param::required("release", "Name of the release.");
pub(super) const CHART: Param<Reference> = Param::required(
    "chart",
    "The chart: what `helm::chart` gives, `repo/name` of a configured repository, `oci://...`, or a path that begins with `./` or `/`.",
);
pub(super) const VERSION: Param<Option<String>> =
    Param::option("version", "Version of the chart, where the chart does not say it itself; the newest if absent.");
pub(super) const NAMESPACE: Param<Option<String>> =
    Param::option("namespace", "Namespace of the release; the run's own if absent.");
pub(super) const CONTEXT: Param<Option<String>> =
    Param::option("context", "Context of the kubeconfig; the run's own if absent.");
pub(super) const TIMEOUT: Param<Option<Duration>> =
    Param::option("timeout", "How long helm may wait for any one operation, hooks included; 5m if absent.");
pub(super) const REVISION: Param<Option<i64>> =
    Param::option("revision", "Revision of the release; the last one if absent.");
pub(super) const VALUES: Param<Option<Map<String, Value>>> =
    Param::option("values", "User values, merged over `values_files`.");
pub(super) const VALUES_FILES: Param<Option<Vec<String>>> =
    Param::option("values_files", "Files of user values, merged in order.");
pub(super) const SET: Param<Option<Map<String, Value>>> = Param::option(
    "set",
    "Single values by path (`#{ \"a.b[0].c\": 1 }`), merged over `values`; a dot inside of a key is written `\\.`.",
);
pub(super) const WAIT: Param<Option<bool>> =
    Param::option("wait", "Wait until the objects are ready; false if absent.");
pub(super) const SKIP_SCHEMA: Param<Option<bool>> =
    Param::option("skip_schema_validation", "Do not check values against the chart's schema; helm 3.16 or newer.");

/// What helm waits for one operation where nothing else is said.
pub(super) const PATIENCE: Duration = Duration::from_mins(5);

/// How long helm may wait for one operation: what the call says, and never beyond the end of the step.
pub(super) fn patience(call: &Call<'_>, args: &Args) -> Duration {
    call.within(args.get(&TIMEOUT).unwrap_or(PATIENCE))
}

/// Where a release lives, as a call says it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Target {
    /// `namespace`; the cluster's own where absent.
    pub(super) namespace: Option<String>,
    /// `context`; the run's own where absent.
    pub(super) context: Option<String>,
}

impl Target {
    /// The target of a call that declares `NAMESPACE` and `CONTEXT`.
    pub(super) fn of(args: &Args) -> Self {
        Self { namespace: args.get(&NAMESPACE), context: args.get(&CONTEXT) }
    }

    /// The cluster it is in.
    pub(super) fn cluster(&self, world: &World) -> Result<std::sync::Arc<Cluster>, Fault> {
        world.clusters.get(self.context.as_deref())
    }

    /// The namespace it is in.
    pub(super) fn namespace(&self, world: &World) -> Result<String, Fault> {
        match &self.namespace {
            Some(namespace) => Ok(namespace.clone()),
            None => Ok(self.cluster(world)?.namespace.clone()),
        }
    }
}

/// The name of a release, where helm would take it as one.
///
/// Faults: `RB015` otherwise; a name that begins with a dash would be read as a flag.
pub(super) fn release_name(args: &Args) -> Result<String, Fault> {
    let name = args.get(&RELEASE);
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let well_formed = name.starts_with(plain)
        && name.ends_with(plain)
        && name.chars().all(|c| plain(c) || c == '-' || c == '.')
        && name.len() <= 53;
    if well_formed {
        return Ok(name);
    }
    Err(Fault::new(Code::WrongArgument, format!("`{name}` cannot be the name of a release"))
        .hint("lower case letters, digits, `-` and `.`, at most 53"))
}
