//! `gateway-upgrade.rhai`: gateways of every class, where they are and by a canary, and what it refuses.

use runbook_control_plane::{ControlPlane, Helm, Release, StandIn, State, charts_or_skip};
use serde_json::{Value, json};

use crate::foretold::Rehearsed;
use crate::mesh::{Mesh, text};
use crate::runbook::{Ran, Runbook};

/// Revision `blue` at 1.29.6 and `green` at 1.30.3. In `istio-ingress`, all asking for `blue`: a release of the gateway chart, a Deployment
/// of one's own, a Gateway that istiod keeps, and a Gateway with pods of its own.
fn gateways() -> State {
    let istiod = |revision: &str, version: &str| {
        let release = Release::of("istiod", version, Helm::V3).named(&format!("istiod-{revision}"));
        release.values(&json!({ "revision": revision }))
    };
    let ingress = Release::of("gateway", "1.29.6", Helm::V3).in_namespace("istio-ingress");
    State::named("gateways")
        .gateway_api()
        .install(Release::of("base", "1.30.3", Helm::V3).values(&json!({ "defaultRevision": "blue" })))
        .install(istiod("blue", "1.29.6"))
        .install(istiod("green", "1.30.3"))
        .install(ingress.values(&json!({ "revision": "blue", "podAnnotations": { "team": "edge" } })))
        .apply(
            "apiVersion: v1\nkind: Service\nmetadata: { name: own, namespace: istio-ingress }\nspec: { selector: { app: own }, ports: [{ port: 80 }] }\n---\n\
             apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: own, namespace: istio-ingress }\nspec:\n  replicas: 2\n  selector: { matchLabels: { app: own } }\n  \
             template:\n    metadata:\n      labels: { app: own, istio.io/rev: blue, sidecar.istio.io/inject: 'true' }\n      annotations: { inject.istio.io/templates: gateway }\n    \
             spec: { containers: [{ name: istio-proxy, image: auto }] }\n---\n\
             apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: { name: edge, namespace: istio-ingress, labels: { istio.io/rev: blue } }\n\
             spec: { gatewayClassName: istio, listeners: [{ name: http, port: 80, protocol: HTTP }] }\n---\n\
             apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: legacy, namespace: istio-ingress }\nspec:\n  selector: { matchLabels: { app: legacy } }\n  \
             template:\n    metadata: { labels: { app: legacy } }\n    spec: { containers: [{ name: proxy, image: 'registry.example/proxy:1' }] }\n---\n\
             apiVersion: v1\nkind: Service\nmetadata: { name: pair, namespace: istio-ingress }\nspec: { selector: { app: pair }, ports: [{ port: 80 }] }\n---\n\
             apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: pair-pods, namespace: istio-ingress }\nspec:\n  selector: { matchLabels: { app: pair } }\n  \
             template:\n    metadata:\n      labels: { app: pair, istio.io/rev: blue, sidecar.istio.io/inject: 'true' }\n      annotations: { inject.istio.io/templates: gateway }\n    \
             spec: { containers: [{ name: istio-proxy, image: auto }] }\n---\n\
             apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: { name: pair, namespace: istio-ingress, labels: { istio.io/rev: blue } }\n\
             spec: { gatewayClassName: istio, addresses: [{ type: Hostname, value: pair.istio-ingress.svc.cluster.local }], listeners: [{ name: http, port: 80, protocol: HTTP }] }\n",
        )
}

fn upgrade(runbook: &Runbook<'_>, gateway: &str, more: &[&str]) -> Ran {
    let fixed = ["--gateway", gateway, "--target", "1.30.3", "--revision", "green", "--timeout", "2m"];
    runbook.bundled("gateway-upgrade.rhai", &[&fixed, more].concat())
}

/// Image and revision of every running pod with a proxy whose labels match.
fn proxies(mesh: &Mesh<'_>, selector: &str) -> Vec<(String, String)> {
    let pods = mesh.items(&["pods", "-n", "istio-ingress", "-l", selector]);
    let live = pods.iter().filter(|pod| pod["metadata"].get("deletionTimestamp").is_none());
    live.map(|pod| {
        let image = text(&pod["spec"]["containers"][0]["image"]);
        (image.rsplit(':').next().unwrap().to_owned(), text(&pod["metadata"]["annotations"]["istio.io/rev"]))
    })
    .collect()
}

fn service(mesh: &Mesh<'_>, name: &str) -> Value {
    mesh.json(&["get", "service", name, "-n", "istio-ingress"])["spec"].clone()
}

fn green() -> (String, String) {
    ("1.30.3".to_owned(), "green".to_owned())
}

/// T-19, T-20 and the classes that are not upgraded: each refusal with its remedy, and what the remedy leads to.
#[test]
fn a_gateway_moves_by_a_canary_behind_its_own_service() {
    if charts_or_skip("a_gateway_moves_by_a_canary_behind_its_own_service").is_none() {
        return;
    }
    let plane = ControlPlane::from_state(&gateways()).unwrap();
    let _istiod = StandIn::start(&plane).unwrap();
    let (mesh, runbook) = (Mesh(&plane), Runbook::new(&plane, Helm::V3));
    let canary = ["--strategy", "canary"];

    // T-19: the namespace's label wins over the pod's.
    plane.run_kubectl(&["label", "namespace", "istio-ingress", "istio.io/rev=blue"]).unwrap();
    upgrade(&runbook, "istio-ingress", &canary)
        .exits(7)
        .says(
            "would be injected by blue, not by green: the label istio.io/rev=blue of the namespace wins over the pod's",
        )
        .says("kubectl label namespace istio-ingress istio.io/rev-")
        .wrote_nothing();
    plane.run_kubectl(&["label", "namespace", "istio-ingress", "istio.io/rev-"]).unwrap();

    // T-20: the second release of the official page is behind a Service of its own.
    let literal =
        Release::of("gateway", "1.30.3", Helm::V3).named("istio-ingress-canary").in_namespace("istio-ingress");
    literal.values(&json!({ "revision": "green" })).install(&plane).unwrap();
    upgrade(&runbook, "istio-ingress", &canary)
        .exits(7)
        .says("its own Service, a second load balancer")
        .says("labels.app=istio-ingress, labels.istio=ingress, service.type=None, autoscaling.enabled=false")
        .wrote_nothing();
    plane.run_helm(Helm::V3, &["uninstall", "istio-ingress-canary", "-n", "istio-ingress", "--wait"]).unwrap();

    let before = service(&mesh, "istio-ingress");
    let ran = upgrade(&runbook, "istio-ingress", &canary).exits(6).says("--approve finish").every_write_was_announced();
    let (held, sent): (Vec<_>, Vec<_>) = ran.announced().into_iter().partition(|words| words.starts_with("hold lease"));
    assert_eq!((held.len(), sent.len()), (1, 1), "{sent:#?}");
    let mut both = proxies(&mesh, "app=istio-ingress,istio=ingress");
    both.sort();
    assert_eq!(both, [("1.29.6".to_owned(), "blue".to_owned()), green()]);
    let slices =
        mesh.items(&["endpointslices", "-n", "istio-ingress", "-l", "kubernetes.io/service-name=istio-ingress"]);
    let endpoints: usize = slices.iter().map(|slice| slice["endpoints"].as_array().map_or(0, Vec::len)).sum();
    assert_eq!(endpoints, 2, "one Service sees both");
    let scalers = mesh.items(&["horizontalpodautoscalers", "-n", "istio-ingress"]);
    assert_eq!(scalers.len(), 1, "two scalers over one selector stop scaling");

    let finish = [&canary[..], &["--approve", "finish"]].concat();
    upgrade(&runbook.foretold(Rehearsed::Both), "istio-ingress", &finish).exits(0).every_write_was_announced();
    assert_eq!(proxies(&mesh, "app=istio-ingress,istio=ingress"), [green()]);
    assert_eq!(service(&mesh, "istio-ingress"), before);
    let releases = mesh.releases();
    assert_eq!(releases["istio-ingress"], "gateway-1.30.3 deployed");
    assert!(!releases.contains_key("istio-ingress-canary"), "{releases:?}");
    let values = mesh.values("istio-ingress", "istio-ingress");
    assert_eq!(values, json!({ "revision": "green", "podAnnotations": { "team": "edge" } }));
    upgrade(&runbook, "istio-ingress", &canary).exits(0).says("nothing to do").wrote_nothing();
}

/// G1 to G4 where they are; G5 and what is not there are refused with what to do.
#[test]
fn gateways_of_every_class_move_where_they_are() {
    if charts_or_skip("gateways_of_every_class_move_where_they_are").is_none() {
        return;
    }
    let plane = ControlPlane::from_state(&gateways()).unwrap();
    let _istiod = StandIn::start(&plane).unwrap();
    let (mesh, runbook) = (Mesh(&plane), Runbook::new(&plane, Helm::V3));
    upgrade(&runbook, "legacy", &[])
        .exits(7)
        .says("was not made by Istio's gateway chart")
        .says("helm install legacy-new istio/gateway --version 1.30.3 -n istio-ingress --set labels.app=legacy,service.type=None")
        .says("--take-ownership")
        .wrote_nothing();
    upgrade(&runbook, "nothing", &[])
        .says("there is no gateway istio-ingress/nothing")
        .says("istio-ingress/edge")
        .wrote_nothing();
    upgrade(&runbook, "edge", &["--strategy", "canary"]).exits(7).says("it has no canary").wrote_nothing();
    let older = ["--gateway", "istio-ingress", "--target", "1.29.6", "--revision", "green"];
    runbook
        .bundled("gateway-upgrade.rhai", &older)
        .exits(7)
        .says("revision green, which gives gateway istio-ingress its proxy, runs 1.30.3, not 1.29.6")
        .wrote_nothing();

    let kept = [service(&mesh, "istio-ingress"), service(&mesh, "own"), service(&mesh, "edge-istio")];
    let canary = &["--strategy", "canary", "--approve", "finish"][..];
    for (name, selector, pods, more) in [
        ("istio-ingress", "app=istio-ingress", 1, &[][..]),
        ("own", "app=own", 2, canary),
        ("edge", "gateway.networking.k8s.io/gateway-name=edge", 1, &[][..]),
    ] {
        upgrade(&runbook.foretold(Rehearsed::Builtin), name, more).exits(0).every_write_was_announced();
        assert_eq!(proxies(&mesh, selector), vec![green(); pods], "{name}");
        upgrade(&runbook, name, more).exits(0).says("nothing to do").wrote_nothing();
    }
    assert_eq!([service(&mesh, "istio-ingress"), service(&mesh, "own"), service(&mesh, "edge-istio")], kept);

    // G4: routes are served by whoever owns the Gateway, so it and its pods move together, the Gateway first.
    let before = service(&mesh, "pair");
    let ran = upgrade(&runbook.foretold(Rehearsed::Builtin), "pair", &[]).exits(0).every_write_was_announced();
    let announced = ran.announced();
    let position = |words: &str| {
        announced.iter().position(|one| one.contains(words)).unwrap_or_else(|| panic!("{words}: {announced:#?}"))
    };
    assert!(position("label gateways.gateway.networking.k8s.io/pair") < position("patch deployment/pair-pods"));
    assert_eq!(proxies(&mesh, "app=pair"), [green()]);
    let gateway = mesh.json(&["get", "gateways.gateway.networking.k8s.io", "pair", "-n", "istio-ingress"]);
    assert_eq!((&gateway["metadata"]["labels"]["istio.io/rev"], service(&mesh, "pair")), (&json!("green"), before));
    upgrade(&runbook, "pair", &[]).exits(0).says("nothing to do").wrote_nothing();
}
