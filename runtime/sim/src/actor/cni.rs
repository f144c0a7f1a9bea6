//! What Istio's CNI agent shows in the API: on nodes where it is ready it takes the pods of ambient namespaces into the
//! mesh and marks them.
//!
//! Not known here: istiod, or how traffic is redirected.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokio::sync::Notify;

use super::{
    Pace,
    api::{Api, Fault, Part, Resource, has_code},
    json::{annotation, items, label, name, namespace, text},
    mirror::Mirror,
};

const PODS: Resource = Resource::core("pods");
const MODE: &str = "istio.io/dataplane-mode";
const REDIRECTION: &str = "ambient.istio.io/redirection";
/// How long events are gathered before they are acted on.
const GATHER: Duration = Duration::from_millis(40);

struct Cluster {
    agents: Mirror,
    pods: Mirror,
    namespaces: Mirror,
    configuration: Mirror,
}

/// Acts for ever. Pods are followed only once an agent has been seen.
pub(crate) async fn run(api: &Api, pace: &Arc<dyn Pace>) {
    let cluster = Cluster {
        agents: Mirror::new(PODS, Some("k8s-app=istio-cni-node")).trimmed(keep_what_decides),
        pods: Mirror::new(PODS, None).trimmed(keep_what_decides),
        namespaces: Mirror::new(Resource::core("namespaces"), None),
        configuration: Mirror::new(Resource::core("configmaps"), Some("app=istio-cni")),
    };
    let changed = Notify::new();
    let seen = async {
        while cluster.agents.all().is_empty() {
            changed.notified().await;
        }
    };
    tokio::select! {
        () = cluster.agents.follow(api, &**pace, &changed) => {}
        () = async {
            seen.await;
            tokio::select! {
                () = cluster.pods.follow(api, &**pace, &changed) => {}
                () = cluster.namespaces.follow(api, &**pace, &changed) => {}
                () = cluster.configuration.follow(api, &**pace, &changed) => {}
                () = act(&cluster, api, &**pace, &changed) => {}
            }
        } => {}
    }
}

async fn act(cluster: &Cluster, api: &Api, pace: &dyn Pace, changed: &Notify) {
    let mut last = None;
    loop {
        let mirrors = [&cluster.pods, &cluster.namespaces, &cluster.configuration];
        let done = if mirrors.into_iter().all(Mirror::is_complete) {
            let _at_work = pace.at_work();
            round(cluster, api, &mut last).await
        } else {
            Ok(())
        };
        if let Err(fault) = done {
            tracing::debug!(%fault, "a pod could not be marked");
            pace.pause(Duration::from_secs(1)).await;
            continue;
        }
        changed.notified().await;
        pace.pause(GATHER).await;
    }
}

/// By what pods were last looked at: the agent, and the states of the copies that it was read from.
struct Known {
    agent: Agent,
    of: (u64, u64),
}

/// Marks the pods that are to be looked at. `last` is by what they were last all looked at.
async fn round(cluster: &Cluster, api: &Api, last: &mut Option<Known>) -> Result<(), Fault> {
    let of = (cluster.configuration.state(), cluster.agents.state());
    let (agent, elsewhere) = match last.take() {
        Some(known) if known.of == of => (known.agent, Some(BTreeSet::new())),
        before => {
            let agent = Agent::of(&cluster.configuration.all(), &cluster.agents.all());
            let Some(agent) = agent else { return Ok(()) };
            let before = before.filter(|before| before.agent.excluded == agent.excluded);
            let elsewhere = before.map(|before| {
                let nodes = before.agent.ready_nodes.symmetric_difference(&agent.ready_nodes);
                nodes.cloned().collect::<BTreeSet<_>>()
            });
            (agent, elsewhere)
        }
    };
    let (pods, namespaces) = (cluster.pods.news(), cluster.namespaces.news());
    let pods = match &elsewhere {
        Some(nodes) if namespaces.is_empty() => {
            let is_there = |pod: &Arc<Value>| nodes.contains(text(pod, "/node"));
            let all = if nodes.is_empty() { Vec::new() } else { cluster.pods.all() };
            all.into_iter().filter(is_there).chain(pods.into_iter().filter(|pod| !is_there(pod))).collect()
        }
        _ => cluster.pods.all(),
    };
    for pod in pods {
        let in_namespace = cluster.namespaces.get("", namespace(&pod));
        let Some(mark) = agent.mark(&pod, in_namespace.as_deref()) else { continue };
        let patch = json!({ "metadata": { "annotations": { REDIRECTION: mark } } });
        let at = (namespace(&pod), name(&pod));
        match api.merge(PODS, "install-cni", Part::Status, at, &patch).await {
            Ok(written) => cluster.pods.put(written),
            Err(fault) if has_code(&fault, 404) || has_code(&fault, 409) => {}
            Err(fault) => return Err(fault),
        }
    }
    *last = Some(Known { agent, of });
    Ok(())
}

/// Where the agents are, and what they leave alone.
struct Agent {
    ready_nodes: BTreeSet<String>,
    excluded: BTreeSet<String>,
}

impl Agent {
    /// None where no agent is in ambient mode.
    fn of(configuration: &[Arc<Value>], agents: &[Arc<Value>]) -> Option<Self> {
        let configuration = configuration.iter().find(|one| one["data"]["AMBIENT_ENABLED"] == "true")?;
        let excluded = text(configuration, "/data/EXCLUDE_NAMESPACES").split(',').map(|one| one.trim().to_owned());
        let ready = agents.iter().filter(|pod| pod["ready"] == true);
        let ready_nodes = ready.map(|pod| text(pod, "/node").to_owned()).collect();
        Some(Self { ready_nodes, excluded: excluded.filter(|one| !one.is_empty()).collect() })
    }

    /// The new value of a pod's mark: `enabled`, or null to take it away; none where nothing is to be done.
    fn mark(&self, pod: &Value, in_namespace: Option<&Value>) -> Option<Value> {
        if !self.ready_nodes.contains(text(pod, "/node")) || pod["running"] != true {
            return None;
        }
        let marked = annotation(pod, REDIRECTION) == Some("enabled");
        let wanted = self.captures(pod, in_namespace);
        match (wanted, marked) {
            (true, false) => Some("enabled".into()),
            (false, true) => Some(Value::Null),
            _ => None,
        }
    }

    fn captures(&self, pod: &Value, in_namespace: Option<&Value>) -> bool {
        let mode = label(pod, MODE).or_else(|| in_namespace.and_then(|one| label(one, MODE)));
        let has_sidecar = annotation(pod, "sidecar.istio.io/status").is_some();
        mode == Some("ambient")
            && pod["host"] != true
            && !has_sidecar
            && !self.excluded.contains(namespace(pod))
            && label(pod, "app") != Some("ztunnel")
    }
}

fn keep_what_decides(pod: &mut Value) {
    let is = |condition: &str| {
        items(pod, "/status/conditions").iter().any(|one| one["type"] == condition && one["status"] == "True")
    };
    let metadata = &pod["metadata"];
    let annotations = &metadata["annotations"];
    let kept = json!({
        "metadata": {
            "name": metadata["name"],
            "namespace": metadata["namespace"],
            "resourceVersion": metadata["resourceVersion"],
            "labels": metadata["labels"],
            "annotations": {
                REDIRECTION: annotations[REDIRECTION],
                "sidecar.istio.io/status": annotations["sidecar.istio.io/status"],
            },
        },
        "node": pod["spec"]["nodeName"],
        "host": pod["spec"]["hostNetwork"],
        "running": pod["status"]["phase"] == "Running" && metadata.get("deletionTimestamp").is_none(),
        "ready": is("Ready"),
    });
    *pod = kept;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent() -> Agent {
        let configuration = json!({ "data": { "AMBIENT_ENABLED": "true", "EXCLUDE_NAMESPACES": "kube-system" } });
        Agent::of(&[Arc::new(configuration)], &[Arc::new(json!({ "node": "node-1", "ready": true }))]).unwrap()
    }

    fn pod(change: impl Fn(&mut Value)) -> Value {
        let mut pod = json!({
            "metadata": { "name": "web", "namespace": "amb", "labels": {}, "annotations": {} },
            "spec": { "nodeName": "node-1" },
            "status": { "phase": "Running" },
        });
        change(&mut pod);
        keep_what_decides(&mut pod);
        pod
    }

    #[test]
    fn pods_of_ambient_namespaces_are_marked_where_the_agent_is_ready() {
        let ambient = json!({ "metadata": { "labels": { MODE: "ambient" } } });
        assert_eq!(agent().mark(&pod(|_| ()), Some(&ambient)), Some("enabled".into()));
        let elsewhere = pod(|pod| pod["spec"]["nodeName"] = "node-2".into());
        assert_eq!(agent().mark(&elsewhere, Some(&ambient)), None);
        assert_eq!(agent().mark(&pod(|_| ()), Some(&json!({ "metadata": {} }))), None);
    }

    #[test]
    fn a_pod_that_leaves_the_mesh_loses_its_mark() {
        let marked = pod(|pod| pod["metadata"]["annotations"][REDIRECTION] = "enabled".into());
        assert_eq!(agent().mark(&marked, Some(&json!({ "metadata": {} }))), Some(Value::Null));
    }

    #[test]
    fn pods_with_a_sidecar_or_a_refusal_stay_out() {
        let ambient = json!({ "metadata": { "labels": { MODE: "ambient" } } });
        let sidecar = pod(|pod| pod["metadata"]["annotations"]["sidecar.istio.io/status"] = "{}".into());
        let refuses = pod(|pod| pod["metadata"]["labels"][MODE] = "none".into());
        let host = pod(|pod| pod["spec"]["hostNetwork"] = true.into());
        for pod in [sidecar, refuses, host] {
            assert_eq!(agent().mark(&pod, Some(&ambient)), None, "{pod}");
        }
    }
}
