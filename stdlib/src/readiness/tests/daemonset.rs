//! The DaemonSet rule, node by node.

use serde_json::{Value, json};

use super::super::{Rule, Source, Verdict};
use super::{FORBIDDEN, doomed, not_ready, patience, pod, ready, related, waiting};

fn daemonset(strategy: &str) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "DaemonSet",
        "metadata": { "name": "ztunnel", "namespace": "shop", "uid": "ds", "generation": 2 },
        "spec": {
            "selector": { "matchLabels": { "app": "ztunnel" } }, "updateStrategy": { "type": strategy },
            "template": { "spec": { "nodeSelector": { "kubernetes.io/os": "linux" } } },
        },
        "status": { "observedGeneration": 2, "updatedNumberScheduled": 2 },
    })
}

fn node(name: &str, spec: &Value, ready: bool) -> (Source, Value) {
    let node = json!({
        "metadata": { "name": name, "uid": format!("uid-{name}"), "labels": { "kubernetes.io/os": "linux" } },
        "spec": spec,
        "status": { "conditions": [{ "type": "Ready", "status": if ready { "True" } else { "Unknown" } }] },
    });
    (Source::Nodes, node)
}

fn revision(number: i64, hash: &str) -> (Source, Value) {
    let object = json!({
        "metadata": {
            "name": format!("ztunnel-{hash}"), "uid": format!("cr-{hash}"),
            "labels": { "controller-revision-hash": hash }, "ownerReferences": [{ "uid": "ds", "controller": true }],
        },
        "revision": number,
    });
    (Source::ControllerRevisions, object)
}

fn on(node: &str, name: &str, hash: &str, container: &Value) -> (Source, Value) {
    let mut pod = pod(name, "ds", node, container);
    pod["metadata"]["labels"] = json!({ "controller-revision-hash": hash });
    (Source::Pods, pod)
}

fn verdict(set: &Value, found: &[(Source, Value)]) -> Verdict {
    let mut all = vec![revision(1, "old"), revision(2, "new")];
    all.extend_from_slice(found);
    Rule::DaemonSet.verdict(set, Some(&related(&all)), &patience())
}

fn nodes() -> [(Source, Value); 2] {
    [node("node-1", &json!({}), true), node("node-2", &json!({}), true)]
}

#[test]
fn it_cannot_be_told_from_the_status_alone() {
    let mut set = daemonset("RollingUpdate");
    assert_eq!(Rule::DaemonSet.verdict(&set, None, &patience()), Verdict::Unknown);
    set["status"]["observedGeneration"] = json!(1);
    not_ready(
        &Rule::DaemonSet.verdict(&set, None, &patience()),
        "",
        &["generation 2 is not acted on yet, its status is of 1"],
    );
}

#[test]
fn every_node_needs_one_ready_pod_of_the_current_revision_whatever_the_strategy() {
    let [one, two] = nodes();
    let half = [one.clone(), two.clone(), on("node-1", "z-a", "new", &ready()), on("node-2", "z-b", "old", &ready())];
    let progress = "1 of 2 nodes have a ready pod of the current revision";
    not_ready(&verdict(&daemonset("RollingUpdate"), &half), progress, &["z-b   node-2   still of the old revision"]);
    not_ready(
        &verdict(&daemonset("OnDelete"), &half),
        progress,
        &[
            "z-b   node-2   still of the old revision",
            "its update strategy is OnDelete: 1 old pod stays until someone deletes them",
        ],
    );
    let done = [one, two, on("node-1", "z-a", "new", &ready()), on("node-2", "z-c", "new", &ready())];
    for strategy in ["RollingUpdate", "OnDelete"] {
        assert_eq!(verdict(&daemonset(strategy), &done), Verdict::Ready);
    }
}

#[test]
fn as_long_as_the_newest_revision_is_not_known_old_pods_do_not_pass_for_new_ones() {
    let [one, two] = nodes();
    let found =
        [revision(1, "old"), one, two, on("node-1", "z-a", "old", &ready()), on("node-2", "z-b", "old", &ready())];
    let mut set = daemonset("RollingUpdate");
    set["status"]["updatedNumberScheduled"] = json!(0);
    let verdict = Rule::DaemonSet.verdict(&set, Some(&related(&found)), &patience());
    not_ready(&verdict, "0 of 2 pods updated, as its controller counts", &[]);
}

#[test]
fn during_a_surge_the_old_pod_has_to_go_and_a_leaving_one_is_forgotten() {
    let [one, _] = nodes();
    let both = [one.clone(), on("node-1", "z-a", "new", &ready()), on("node-1", "z-b", "old", &ready())];
    not_ready(
        &verdict(&daemonset("RollingUpdate"), &both),
        "0 of 1 nodes have a ready pod of the current revision",
        &["z-b   node-1   old, not gone yet"],
    );
    let mut leaving = both.clone();
    leaving[2].1["metadata"]["deletionTimestamp"] = json!("2026-03-01T12:00:00Z");
    assert_eq!(verdict(&daemonset("RollingUpdate"), &leaving), Verdict::Ready);
    leaving[1].1["metadata"]["deletionTimestamp"] = json!("2026-03-01T12:00:00Z");
    not_ready(
        &verdict(&daemonset("RollingUpdate"), &leaving),
        "0 of 1 nodes have a ready pod of the current revision",
        &["z-a   node-1   is being deleted, its successor is not there yet"],
    );
}

#[test]
fn only_nodes_that_it_wants_a_pod_on_count() {
    let mut windows = node("node-w", &json!({}), true);
    windows.1["metadata"]["labels"] = json!({ "kubernetes.io/os": "windows" });
    let tainted = node("node-t", &json!({ "taints": [{ "key": "gpu", "effect": "NoSchedule" }] }), true);
    let fading = json!({ "taints": [{ "key": "node.kubernetes.io/not-ready", "effect": "NoExecute" }] });
    let down = node("node-d", &json!({ "unschedulable": true }), false);
    let base = [node("node-1", &json!({}), true), on("node-1", "z-a", "new", &ready()), windows, tainted, down];
    assert_eq!(verdict(&daemonset("RollingUpdate"), &base), Verdict::Ready);
    // A cordoned node that is up still runs pods, and so does one that is not ready at the moment.
    for (node, expected) in [
        (node("node-c", &json!({ "unschedulable": true }), true), "-   node-c   no pod"),
        (node("node-n", &fading, false), "-   node-n   no pod: the node is not ready"),
    ] {
        let mut found = base.to_vec();
        found.push(node);
        not_ready(
            &verdict(&daemonset("RollingUpdate"), &found),
            "1 of 2 nodes have a ready pod of the current revision",
            &[expected],
        );
    }
    let mut tolerant = daemonset("RollingUpdate");
    tolerant["spec"]["template"]["spec"] = json!({
        "tolerations": [{ "operator": "Exists" }],
        "affinity": { "nodeAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": { "nodeSelectorTerms": [
            { "matchExpressions": [{ "key": "kubernetes.io/os", "operator": "NotIn", "values": ["windows"] }] },
        ] } } },
    });
    not_ready(
        &verdict(&tolerant, &base),
        "1 of 2 nodes have a ready pod of the current revision",
        &["-   node-t   no pod"],
    );
}

#[test]
fn an_image_refused_on_one_node_dooms_it_and_names_the_node() {
    let [one, two] = nodes();
    let found = [
        one,
        two,
        on("node-1", "z-a", "new", &ready()),
        on("node-2", "z-b", "new", &waiting("ImagePullBackOff", FORBIDDEN)),
    ];
    let verdict = verdict(&daemonset("RollingUpdate"), &found);
    doomed(&verdict, "image example.com/shop/app:2 cannot be pulled (403 Forbidden)");
    let Verdict::Doomed(standing, doom) = verdict else { unreachable!() };
    assert_eq!(standing.reasons, ["z-b   node-2   ImagePullBackOff: example.com/shop/app:2: 403 Forbidden"]);
    assert!(doom.evidence[0].starts_with("pod z-b, node-2: "), "{:?}", doom.evidence);
}

#[test]
fn pods_that_must_have_been_ready_for_a_while_are_counted_by_the_controller() {
    let [one, _] = nodes();
    let found = [one, on("node-1", "z-a", "new", &ready())];
    let mut set = daemonset("RollingUpdate");
    set["spec"]["minReadySeconds"] = json!(30);
    not_ready(&verdict(&set, &found), "0 of 1 pods available", &[]);
    set["status"]["numberAvailable"] = json!(1);
    assert_eq!(verdict(&set, &found), Verdict::Ready);
}
