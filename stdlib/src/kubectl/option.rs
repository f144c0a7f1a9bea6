//! The parameters that primitives of this folder share, and what they say together.

use std::sync::Arc;

use runbook_core::world::Cluster;
use runbook_core::{Args, Call, Fault, Param};

use super::api::{Api, Scope};
use runbook_core::command::Command;

pub(super) const KIND: Param<String> =
    Param::required("kind", "Kind, by any name the cluster knows: `deploy`, `Deployment`, `deployments.apps`.");
pub(super) const NAME: Param<String> = Param::required("name", "Name of the object.");
pub(super) const NAMESPACE: Param<Option<String>> =
    Param::option("namespace", "Namespace; the run's own if absent. Means nothing for kinds without namespaces.");
pub(super) const CONTEXT: Param<Option<String>> =
    Param::option("context", "Context of the kubeconfig; the run's own if absent.");
pub(super) const ALL_NAMESPACES: Param<Option<bool>> =
    Param::option("all_namespaces", "Look in all namespaces; false if absent.");
pub(super) const SELECTOR: Param<Option<String>> =
    Param::option("selector", "Only objects with these labels: `app=web,tier in (a, b),!canary`.");
pub(super) const FIELD_SELECTOR: Param<Option<String>> =
    Param::option("field_selector", "Only objects with these fields: `status.phase=Running`.");
pub(super) const MANAGED_FIELDS: Param<Option<bool>> =
    Param::option("managed_fields", "Keep `metadata.managedFields`; false if absent.");
pub(super) const FIELD_MANAGER: Param<Option<String>> =
    Param::option("field_manager", "In whose name fields are written; `runbook` if absent.");

/// In whose name fields are written where a script does not say.
pub(super) const MANAGER: &str = "runbook";

/// Where a call looks, as its options say.
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

    /// The target of a call that declares `CONTEXT` alone.
    pub(super) fn of_context(args: &Args) -> Self {
        Self { namespace: None, context: args.get(&CONTEXT) }
    }

    /// The cluster.
    pub(super) fn cluster(&self, call: &Call<'_>) -> Result<Arc<Cluster>, Fault> {
        call.world.clusters.get(self.context.as_deref())
    }

    /// The scope.
    pub(super) fn scope(&self) -> Scope {
        Scope::Namespace(self.namespace.clone())
    }

    /// Objects of a kind there.
    pub(super) async fn open(&self, cluster: &Arc<Cluster>, kind: &str) -> Result<Api, Fault> {
        Api::open(cluster, kind, &self.scope()).await
    }

    /// An object for people: `deployment/web in shop`.
    pub(super) fn words(&self, kind: &str, name: &str) -> String {
        format!("{}/{name}{}", kind.to_lowercase(), self.place())
    }

    /// ` in shop`, where a namespace was named.
    pub(super) fn place(&self) -> String {
        self.namespace.as_ref().map(|namespace| format!(" in {namespace}")).unwrap_or_default()
    }

    /// The flags that say the same.
    pub(super) fn flags(&self, command: Command) -> Command {
        command.flag("--namespace", self.namespace.as_ref()).flag("--context", self.context.as_ref())
    }
}
