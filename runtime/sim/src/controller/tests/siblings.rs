//! Pods that come as copies while a cluster is prepared: no other than those that came the long way.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Bench, DEPLOYMENTS, template, workload};
use crate::{
    actor::json::{items, text},
    controller::Habits,
    resource::Resource,
};

const NODES: Resource = Resource::core("nodes");
const DAEMON_SETS: Resource = Resource::of("apps", "v1", "daemonsets");

async fn beginning() -> Bench {
    Bench::new(Habits { begins: true, ..Habits::default() }).await
}

/// A pod without what is its own.
fn alike(mut pod: Value) -> Value {
    for field in ["name", "uid", "resourceVersion", "creationTimestamp", "generateName", "managedFields"] {
        pod["metadata"][field].take();
    }
    pod["metadata"]["ownerReferences"][0]["uid"].take();
    pod["spec"]["nodeName"].take();
    for field in ["podIP", "podIPs", "hostIP", "hostIPs", "startTime"] {
        pod["status"][field].take();
    }
    pod["status"]["containerStatuses"][0]["containerID"].take();
    pod["status"]["containerStatuses"][0]["state"].take();
    for condition in pod["status"]["conditions"].as_array_mut().into_iter().flatten() {
        condition["lastTransitionTime"].take();
    }
    let mut words = pod.to_string();
    // The volume with the account's token has a name of its own.
    for volume in items(&pod, "/spec/volumes") {
        words = words.replace(text(volume, "/name"), "volume");
    }
    serde_json::from_str(&words).unwrap()
}

fn each(pods: &[Value], pointer: &str) -> BTreeSet<String> {
    pods.iter().map(|pod| text(pod, pointer).to_owned()).collect()
}

#[tokio::test]
async fn copies_are_what_they_would_have_become() {
    let (long, short) = (Bench::new(Habits::default()).await, beginning().await);
    for bench in [&long, &short] {
        bench.create(DEPLOYMENTS, &workload("Deployment", "web", 12)).await;
        bench.pass(5000).await;
        assert_eq!(bench.get(DEPLOYMENTS, "web")["status"]["readyReplicas"], 12);
    }
    let (made, copied) = (long.pods(), short.pods());
    assert_eq!(copied.len(), 12);
    let expected = alike(made[0].clone());
    for pod in made.iter().chain(&copied) {
        assert_eq!(alike(pod.clone()), expected);
    }
    for own in ["/metadata/name", "/metadata/uid", "/status/podIP", "/status/containerStatuses/0/containerID"] {
        assert_eq!(each(&copied, own).len(), 12, "{own}");
    }
    for node in ["node-1", "node-2", "node-3"] {
        let there: Vec<_> = copied.iter().filter(|pod| text(pod, "/spec/nodeName") == node).cloned().collect();
        assert_eq!(there.len(), 4, "{node}");
        let stands = short.hand.get(NODES, "", node).unwrap();
        let address = text(&stands, "/status/addresses/0/address").to_owned();
        assert_eq!(each(&there, "/status/hostIP"), [address].into());
    }
    let writes = |bench: &Bench| bench.simulation.server().store.version();
    assert!(writes(&short) * 3 < writes(&long) * 2, "{} and {}", writes(&short), writes(&long));
}

#[tokio::test]
async fn what_has_no_room_waits_as_it_would_have() {
    let bench = beginning().await;
    for node in ["node-1", "node-2", "node-3"] {
        let room = json!({ "status": { "allocatable": { "cpu": "64", "memory": "1Gi", "pods": "3" } } });
        bench.hand.patch_status(NODES, ("", node), room).await.unwrap();
    }
    bench.create(DEPLOYMENTS, &workload("Deployment", "web", 12)).await;
    bench.pass(5000).await;
    assert_eq!(bench.get(DEPLOYMENTS, "web")["status"]["readyReplicas"], 9);
    let waiting: Vec<_> = bench.pods().into_iter().filter(|pod| pod["status"]["phase"] == "Pending").collect();
    assert_eq!(waiting.len(), 3);
    let said = bench.events(text(&waiting[0], "/metadata/name"));
    assert!(said.iter().any(|(reason, why)| reason == "FailedScheduling" && why.contains("Too many pods")), "{said:?}");
}

#[tokio::test]
async fn pods_that_mind_where_others_are_come_the_long_way() {
    let bench = beginning().await;
    let mut web = workload("Deployment", "web", 10);
    web["spec"]["template"]["spec"]["affinity"] = json!({ "podAntiAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution":
            [{ "topologyKey": "kubernetes.io/hostname", "labelSelector": { "matchLabels": { "app": "web" } } }],
    } });
    for node in ["node-1", "node-2", "node-3"] {
        let named = json!({ "metadata": { "labels": { "kubernetes.io/hostname": node } } });
        bench.hand.patch_merge(NODES, ("", node), named).await.unwrap();
    }
    bench.create(DEPLOYMENTS, &web).await;
    bench.pass(5000).await;
    assert_eq!(bench.get(DEPLOYMENTS, "web")["status"]["readyReplicas"], 3);
}

#[tokio::test]
async fn every_node_has_its_copy() {
    let bench = beginning().await;
    for number in 4..=12 {
        bench.create(NODES, &json!({ "metadata": { "name": format!("node-{number}") } })).await;
    }
    let mut agent = workload("DaemonSet", "agent", 0);
    agent["spec"] = json!({ "selector": { "matchLabels": { "app": "agent" } }, "template": template("agent", "a:1") });
    bench.create(DAEMON_SETS, &agent).await;
    bench.pass(5000).await;
    assert_eq!(bench.get(DAEMON_SETS, "agent")["status"]["numberReady"], 12);
    let pods = bench.pods();
    let term = "/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms/0/matchFields/0/values/0";
    for pod in &pods {
        assert_eq!(text(pod, term), text(pod, "/spec/nodeName"));
    }
    assert_eq!(each(&pods, "/spec/nodeName").len(), 12);
}
