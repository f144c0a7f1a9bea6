//! The revisions of workloads, as Deployments keep them in ReplicaSets, and DaemonSets and StatefulSets in
//! `ControllerRevision`s.
//!
//! Does not change anything.

use runbook_core::{Code, Fault, Value};
use serde_json::json;

use super::api::{Api, Scope};
use super::kind;
use super::query::Listing;
use crate::readiness::object::{controller, items, number, selector, text, uid};

/// The annotation in which a Deployment counts its revisions.
const REVISION: &str = "/metadata/annotations/deployment.kubernetes.io~1revision";
const CAUSE: &str = "/metadata/annotations/kubernetes.io~1change-cause";

/// One revision of a workload.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Revision {
    pub(super) number: i64,
    /// The ReplicaSet or `ControllerRevision` that holds it.
    pub(super) holder: Value,
}

impl Revision {
    /// The pod template of the revision, without what the controller added.
    pub(super) fn template(&self) -> Value {
        let held = self.holder.pointer("/spec/template").or_else(|| self.holder.pointer("/data/spec/template"));
        let mut template = held.cloned().unwrap_or_default();
        if let Some(labels) = template.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
            labels.shift_remove("pod-template-hash");
        }
        if let Some(template) = template.as_object_mut() {
            template.shift_remove("$patch");
        }
        template
    }

    /// As scripts get it.
    pub(super) fn to_value(&self) -> Value {
        let template = self.template();
        let images = items(&template, "/spec/containers").iter().map(|container| text(container, "/image"));
        json!({
            "revision": self.number,
            "name": text(&self.holder, "/metadata/name"),
            "change_cause": self.holder.pointer(CAUSE),
            "images": images.collect::<Vec<_>>(),
            "created": text(&self.holder, "/metadata/creationTimestamp"),
        })
    }
}

/// The revisions of a workload, oldest first.
///
/// Faults: `RB015` for kinds that have none.
pub(super) async fn revisions(api: &Api, workload: &Value) -> Result<Vec<Revision>, Fault> {
    let holders = match (api.resource().group.as_str(), api.resource().plural.as_str()) {
        ("apps", "deployments") => "replicasets",
        ("apps", "daemonsets" | "statefulsets") => "controllerrevisions",
        _ => {
            return Err(Fault::new(
                Code::WrongArgument,
                format!("{} have no rollouts; Deployments, DaemonSets and StatefulSets do", api.resource().plural),
            ));
        }
    };
    let scope = Scope::Namespace(api.namespace().map(str::to_owned));
    let held = Api::of(api.cluster(), kind::builtin(holders), &scope)?;
    let listing = Listing::labelled(selector(workload, "/spec/selector"));
    let mut found: Vec<Revision> = held
        .list(&listing)
        .await?
        .items
        .into_iter()
        .filter(|holder| controller(holder) == Some(uid(workload)))
        .filter_map(|holder| {
            let counted = text(&holder, REVISION).parse().ok();
            let number = if holders == "replicasets" { counted } else { number(&holder, "/revision") }?;
            Some(Revision { number, holder })
        })
        .collect();
    found.sort_by_key(|revision| revision.number);
    Ok(found)
}
