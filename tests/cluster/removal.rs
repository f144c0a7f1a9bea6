//! `remove-revision.rhai`: a revision goes when nothing uses it, and not a moment earlier.

use std::collections::BTreeSet;

use runbook_control_plane::{Helm, Release, State, charts_or_skip};
use serde_json::json;

use crate::canary::{Cluster, canary, namespace, none_lost, unrevisioned};
use crate::foretold::Rehearsed;
use crate::runbook::{Ran, Runbook, charts};

fn remove(runbook: &Runbook<'_>, more: &[&str]) -> Ran {
    let charts = charts();
    let soak: &[&str] = if more.contains(&"--soak") { &[] } else { &["--soak", "0s"] };
    runbook.run(&[&["remove-revision.rhai", "--charts", &charts, "--yes"], soak, more].concat())
}

/// T-09: while the default is not moved, namespaces and gateways would be injected by nobody; T-31: and then there are remote clusters.
#[test]
fn the_old_revision_goes_when_each_line_of_the_proof_is_empty() {
    if charts_or_skip("the_old_revision_goes_when_each_line_of_the_proof_is_empty").is_none() {
        return;
    }
    let cluster = Cluster::of(&unrevisioned("1.29.6", Helm::V3));
    let (mesh, runbook) = (cluster.mesh(), cluster.runbook(Helm::V3));
    canary(&runbook, "1.30.3", &["--keep-default"]).exits(0).every_write_was_announced();
    let ran = remove(&runbook, &["--revision", "default", "--approve", "all"]).exits(7).wrote_nothing();
    ran.says("any pod in namespace c (nobody would inject it)")
        .says("deployment/istio-ingress in namespace istio-ingress (nobody would inject it)")
        .says("istiod-default-validator")
        .says("gateway istio-ingress/istio-ingress-")
        .says("make another revision the default");

    canary(&runbook, "1.30.3", &["--approve", "make-default"]).exits(0).every_write_was_announced();
    assert_eq!(cluster.proxies("istio-ingress"), BTreeSet::from([("1-30-3".to_owned(), "1.30.3".to_owned())]));
    cluster.kubectl(&["create", "secret", "generic", "east", "-n", "istio-system"]);
    cluster.kubectl(&["label", "secret", "east", "-n", "istio-system", "istio/multiCluster=true"]);
    remove(&runbook, &["--revision", "default", "--approve", "all"])
        .exits(7)
        .says("secret east")
        .says("--migrated-remotes")
        .says("1 of")
        .wrote_nothing();
    assert!(mesh.releases().contains_key("istiod"));

    // The last move was a moment ago, and a day is what it should stand for.
    let soon = ["--revision", "default", "--migrated-remotes", "east", "--soak", "24h", "--approve", "all"];
    remove(&runbook, &soon).exits(7).says("the last move to another revision was at").says("--soak").wrote_nothing();

    let wanted = ["--revision", "default", "--migrated-remotes", "east"];
    remove(&runbook, &wanted).exits(6).says("remove-old").wrote_nothing();
    let wanted = [&wanted[..], &["--approve", "remove-old"]].concat();
    remove(&runbook.foretold(Rehearsed::Both), &wanted).exits(0).every_write_was_announced();
    assert!(!mesh.releases().contains_key("istiod"));
    assert!(mesh.healthy_webhooks().iter().all(|name| name != "istio-sidecar-injector"));
    let leases = cluster.kubectl(&["get", "leases", "-n", "istio-system", "-o", "name"]);
    assert!(!leases.contains("-default"), "{leases}");
    cluster.plane.apply(&namespace("c", &json!({ "istio-injection": "enabled" }), &["late"])).unwrap();
    cluster.kubectl(&["rollout", "status", "deployment/late", "-n", "c", "--timeout=120s"]);
    assert_eq!(cluster.proxies("c"), BTreeSet::from([("1-30-3".to_owned(), "1.30.3".to_owned())]));
    remove(&runbook, &wanted).exits(0).wrote_nothing().says("nothing to do");
}

/// T-30: charts up to 1.28.1 forget to keep one CRD; the base release goes, and every object stays.
#[test]
fn the_base_release_goes_and_every_object_stays() {
    if charts_or_skip("the_base_release_goes_and_every_object_stays").is_none() {
        return;
    }
    let group = r#"{ "apiVersion": "networking.istio.io/v1", "kind": "WorkloadGroup", "metadata": { "name": "machines", "namespace": "a" },
        "spec": { "metadata": { "labels": { "app": "machine" } }, "template": { "serviceAccount": "machine" } } }"#;
    let state = State::named("sidecar-bare-1.27.9-helm3")
        .install(Release::of("base", "1.27.9", Helm::V3))
        .install(Release::of("istiod", "1.27.9", Helm::V3))
        .apply(&namespace("a", &json!({}), &[]))
        .apply(group);
    let cluster = Cluster::of(&state);
    let (mesh, runbook) = (cluster.mesh(), cluster.runbook(Helm::V3));
    let objects = mesh.custom_resources();
    assert_eq!(objects["workloadgroups.networking.istio.io"], 1);
    remove(&runbook, &["--base", "--approve", "all"]).exits(7).says("revision default is installed").wrote_nothing();
    let wanted = ["--revision", "default", "--base", "--approve", "remove-old", "--approve", "remove-base"];
    let ran = remove(&runbook.foretold(Rehearsed::Builtin), &wanted).exits(0).every_write_was_announced();
    ran.says("workloadgroups.networking.istio.io").says("api #3592");
    assert!(mesh.releases().is_empty(), "{:?}", mesh.releases());
    none_lost(&objects, &mesh.custom_resources());
    assert!(mesh.items(&["validatingwebhookconfigurations"]).is_empty());
    remove(&runbook, &wanted).exits(0).wrote_nothing().says("nothing to do");
}

/// T-39: another mesh in the cluster has a control plane, a webhook and proxies of its own; none of them is touched or counted.
#[test]
fn a_second_mesh_is_neither_touched_nor_counted() {
    if charts_or_skip("a_second_mesh_is_neither_touched_nor_counted").is_none() {
        return;
    }
    let second = Release::of("istiod", "1.29.6", Helm::V3).named("istiod-two").in_namespace("mesh2-system");
    let second = second.values(&json!({
        "revision": "two", "global": { "istioNamespace": "mesh2-system" },
        "meshConfig": { "discoverySelectors": [{ "matchLabels": { "mesh": "two" } }] },
    }));
    let state = unrevisioned("1.29.6", Helm::V3).install(second).apply(&namespace(
        "other",
        &json!({ "istio.io/rev": "two", "mesh": "two" }),
        &["web"],
    ));
    let cluster = Cluster::of(&state);
    let (mesh, runbook) = (cluster.mesh(), cluster.runbook(Helm::V3));
    let seen = || {
        let webhook = mesh.json(&["get", "mutatingwebhookconfiguration", "istio-sidecar-injector-two-mesh2-system"]);
        let pods = mesh.items(&["pods", "-n", "other"]);
        let uids: Vec<_> = pods.iter().map(|pod| pod["metadata"]["uid"].clone()).collect();
        (webhook["metadata"]["resourceVersion"].clone(), uids, cluster.labels("other"))
    };
    let before = seen();
    assert_eq!(cluster.proxies("other"), BTreeSet::from([("two".to_owned(), "1.29.6".to_owned())]));

    // The namespaces of this mesh have no tag yet: the strategy makes one and has them follow it.
    let wanted = ["--strategy", "tag", "--tags", "prod", "--remove-old"];
    let wanted = [&wanted[..], &["--approve", "make-default", "--approve", "remove-old"]].concat();
    let ran = canary(&runbook, "1.30.3", &wanted).exits(0).every_write_was_announced();
    for namespace in ["a", "b"] {
        assert_eq!(cluster.labels(namespace), (String::new(), "prod".to_owned()));
        assert_eq!(cluster.proxies(namespace), BTreeSet::from([("1-30-3".to_owned(), "1.30.3".to_owned())]));
    }
    assert_eq!(mesh.tag("prod"), ("1-30-3".to_owned(), "1-30-3".to_owned()));
    ran.says("another mesh in mesh2-system shares the CRDs");
    assert_eq!(seen(), before);
    assert!(mesh.releases().contains_key("istiod-two") && !mesh.releases().contains_key("istiod"));
}
