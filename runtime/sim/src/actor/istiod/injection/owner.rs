//! What a pod belongs to: the workload whose name its proxy reports.

use serde_json::Value;

use crate::actor::json::{items, label, name, text};

/// The workload of a pod, as far as the pod's own metadata tells.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) api_version: String,
    pub(super) kind: String,
    pub(super) name: String,
}

impl Owner {
    /// The controller in the owner references of a generated pod, a ReplicaSet standing for its Deployment; else the pod.
    pub(super) fn of(pod: &Value) -> Self {
        let controller = items(pod, "/metadata/ownerReferences").iter().find(|owner| owner["controller"] == true);
        let generated = !text(pod, "/metadata/generateName").is_empty();
        let Some(controller) = controller.filter(|_| generated) else {
            return Self { api_version: "v1".into(), kind: "Pod".into(), name: name(pod).into() };
        };
        let (api_version, kind) = (text(controller, "/apiVersion"), text(controller, "/kind"));
        let (kind, name) = workload(pod, kind, text(controller, "/name"));
        Self { api_version: api_version.into(), kind: kind.into(), name: name.into() }
    }
}

fn workload<'a>(pod: &Value, kind: &'a str, owner: &'a str) -> (&'a str, &'a str) {
    let without = |hash: Option<&str>| owner.strip_suffix(hash.filter(|hash| !hash.is_empty())?)?.strip_suffix('-');
    match kind {
        "ReplicaSet" => {
            if let Some(name) = without(label(pod, "pod-template-hash")) {
                return ("Deployment", name);
            }
            without(label(pod, "rollouts-pod-template-hash")).map_or((kind, owner), |name| ("Rollout", name))
        }
        "Job" => match owner.rsplit_once('-') {
            Some((cron_job, stamp)) if stamp.len() >= 8 && stamp.bytes().all(|byte| byte.is_ascii_digit()) => {
                ("CronJob", cron_job)
            }
            _ => (kind, owner),
        },
        _ => (kind, owner),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(kind: &str, owner: &str) -> Value {
        json!({ "metadata": {
            "generateName": "x-",
            "labels": { "pod-template-hash": "7887448d46" },
            "ownerReferences": [{ "apiVersion": "apps/v1", "kind": kind, "name": owner, "controller": true }],
        }})
    }

    #[test]
    fn a_replica_set_stands_for_its_deployment() {
        let owner = Owner::of(&pod("ReplicaSet", "web-7887448d46"));
        assert_eq!((owner.kind.as_str(), owner.name.as_str()), ("Deployment", "web"));
        assert_eq!(Owner::of(&pod("ReplicaSet", "web-other")).kind, "ReplicaSet");
    }

    #[test]
    fn a_job_of_a_cron_job_reports_the_cron_job() {
        assert_eq!(Owner::of(&pod("Job", "backup-29012345")).name, "backup");
        assert_eq!(Owner::of(&pod("Job", "backup-once")).kind, "Job");
    }
}
