//! Two revisions side by side: who owns which Gateway, and who injects.

use std::time::Duration;

use runbook_control_plane::{Helm, Release, State};
use serde_json::json;

use crate::mesh::{Mesh, gateway};

const OLD: &str = "docker.io/istio/proxyv2:1.29.6";
const NEW: &str = "registry.istio.io/release/proxyv2:1.30.3";

const WORKLOAD: &str = "
apiVersion: v1
kind: Namespace
metadata: {name: edge}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: nginx, image: nginx}]}
";

/// An un-revisioned 1.29.6 with a Gateway in `edge` and one beside a workload in `shop`, and a revision `1-30-3` beside it.
fn canary(test: &str) -> Option<Mesh> {
    let release = |chart, version| Release::of(chart, version, Helm::V3);
    let state = State::named("canary-1.29.6-1.30.3")
        .gateway_api()
        .install(release("base", "1.30.3").values(&json!({ "defaultRevision": "default" })))
        .install(release("istiod", "1.29.6"))
        .apply(WORKLOAD)
        .apply(&[gateway("edge", "edge", "", "istio"), gateway("shop", "inner", "", "istio")].concat())
        .install(release("istiod", "1.30.3").named("istiod-1-30-3").values(&json!({ "revision": "1-30-3" })));
    let mesh = Mesh::start(test, Helm::V3, &state)?;
    assert_eq!((image(&mesh, "edge-istio"), image(&mesh, "inner-istio")), (OLD.to_owned(), OLD.to_owned()));
    Some(mesh)
}

fn image(mesh: &Mesh, gateway: &str) -> String {
    mesh.gateways()[gateway].1.clone()
}

#[test]
fn a_tag_that_moves_takes_its_gateways_along_and_nothing_else() {
    let Some(mesh) = canary("a_tag_that_moves_takes_its_gateways_along_and_nothing_else") else { return };
    mesh.tag("prod", "1.29.6", "");
    mesh.kubectl(&["label", "namespace", "edge", "istio.io/rev=prod"]);
    mesh.wait(Duration::from_secs(1));
    let before = mesh.gateways();
    assert_eq!(before["edge-istio"].1, OLD);

    mesh.tag("prod", "1.30.3", "1-30-3");
    mesh.until("the Gateway of the tag is on the new proxy", |mesh| image(mesh, "edge-istio") == NEW);
    assert_eq!(mesh.gateways()["inner-istio"], before["inner-istio"]);

    mesh.tag("prod", "1.29.6", "");
    mesh.until("and back", |mesh| image(mesh, "edge-istio") == OLD);
}

/// istio F-46: nobody asked for a restart.
#[test]
fn a_namespace_that_is_relabelled_takes_its_gateways_along_at_once() {
    let Some(mesh) = canary("a_namespace_that_is_relabelled_takes_its_gateways_along_at_once") else { return };
    let before = mesh.list("pods -n shop -l app=web");
    mesh.kubectl(&["label", "namespace", "shop", "istio-injection-", "istio.io/rev=1-30-3"]);
    mesh.until("the Gateway is on the new proxy", |mesh| image(mesh, "inner-istio") == NEW);
    assert_eq!(image(&mesh, "edge-istio"), OLD);
    let after = mesh.list("pods -n shop -l app=web");
    assert_eq!(after[0]["metadata"]["uid"], before[0]["metadata"]["uid"], "the workload waits for its restart");
}

#[test]
fn a_tag_default_beside_an_unrevisioned_istiod_is_a_storm_until_the_gateway_says_whose_it_is() {
    let Some(mesh) = canary("a_tag_default_beside_an_unrevisioned_istiod_is_a_storm") else { return };
    mesh.tag("default", "1.30.3", "1-30-3");
    mesh.until("both undo each other", |mesh| mesh.gateways()["edge-istio"].0 > 6);
    let high = mesh.gateways()["edge-istio"].0;
    mesh.until("without end", |mesh| mesh.gateways()["edge-istio"].0 > high + 4);

    // In the same overlap both webhooks inject, and the old proxy stays.
    mesh.kubectl(&["rollout", "restart", "deployment/web", "--namespace", "shop"]);
    mesh.kubectl(&["rollout", "status", "deployment/web", "--namespace", "shop", "--timeout=60s"]);
    mesh.until("one pod is left", |mesh| mesh.list("pods -n shop -l app=web").len() == 1);
    let pod = mesh.one("pods -n shop -l app=web");
    assert_eq!(pod["spec"]["initContainers"][1]["image"], OLD);
    assert_eq!(pod["metadata"]["annotations"]["istio.io/rev"], "default");

    for (namespace, gateway) in [("edge", "edge"), ("shop", "inner")] {
        mesh.kubectl(&["label", "gateway", gateway, "--namespace", namespace, "istio.io/rev=1-30-3"]);
    }
    mesh.until("the new revision has them", |mesh| {
        image(mesh, "edge-istio") == NEW && image(mesh, "inner-istio") == NEW
    });
    mesh.wait(Duration::from_secs(1));
    let still = mesh.gateways();
    mesh.wait(Duration::from_secs(3));
    assert_eq!(mesh.gateways(), still);
}

#[test]
fn leadership_follows_the_tag_default_and_leases_outlive_their_istiod() {
    let Some(mesh) = canary("leadership_follows_the_tag_default_and_leases_outlive_their_istiod") else { return };
    let holds = |mesh: &Mesh, revision: &str| {
        let map = mesh.one("configmap istio-leader -n istio-system");
        let record =
            map["metadata"]["annotations"]["control-plane.alpha.kubernetes.io/leader"].as_str().unwrap().to_owned();
        record.contains(&format!("\"holderKey\":\"{revision}\""))
    };
    assert!(holds(&mesh, "default"), "a second revision takes nothing from the first");
    for (namespace, gateway) in [("edge", "edge"), ("shop", "inner")] {
        mesh.kubectl(&["label", "gateway", gateway, "--namespace", namespace, "istio.io/rev=1-30-3"]);
    }
    mesh.tag("default", "1.30.3", "1-30-3");
    mesh.until("the revision that the tag points to leads", |mesh| holds(mesh, "1-30-3"));
    mesh.plane.run_helm(Helm::V3, &["uninstall", "istiod", "--namespace", "istio-system", "--wait"]).unwrap();
    let leases: Vec<_> = mesh.list("leases -n istio-system").iter().map(crate::mesh::name).collect();
    assert!(leases.contains(&"istio-gateway-deployment-default".to_owned()), "{leases:?}");
    assert!(leases.contains(&"istio-gateway-status-leader-default".to_owned()), "{leases:?}");
}
