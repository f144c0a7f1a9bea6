//! What every test of an upgrade takes for granted about prepared states and the stand-in of istiod.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use kube::Client;
use runbook_control_plane::{
    Charts, ControlPlane, FAIL, FAIL_ON_IMAGE, FAIL_ON_NODE, Failure, Fault, Helm, Release, StandIn, State,
    charts_or_skip,
};
use serde_json::{Value, json};

fn ok<T>(result: Result<T, Fault>) -> T {
    result.unwrap_or_else(|fault| panic!("{fault}"))
}

async fn list(client: &Client, path: &str) -> Vec<Value> {
    let request = http::Request::get(path).body(Vec::new()).unwrap();
    let list: Value = client.request(request).await.unwrap_or_else(|error| panic!("{path}: {error}"));
    list["items"].as_array().cloned().unwrap_or_default()
}

/// The resource versions of all objects that nobody has a reason to touch while nothing happens, by path, namespace and name.
fn versions(plane: &ControlPlane) -> BTreeMap<String, String> {
    const PATHS: [&str; 12] = [
        "/api/v1/pods",
        "/api/v1/services",
        "/api/v1/secrets",
        "/api/v1/namespaces",
        "/apis/apps/v1/deployments",
        "/apis/apps/v1/daemonsets",
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
        "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
        "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
        "/apis/gateway.networking.k8s.io/v1/gateways",
        "/apis/networking.istio.io/v1/virtualservices",
        "/apis/security.istio.io/v1/authorizationpolicies",
    ];
    let mut found = BTreeMap::new();
    plane.block_on(async {
        for path in PATHS {
            for object in list(&plane.client(), path).await {
                let of = |field: &str| object["metadata"][field].as_str().unwrap_or_default().to_owned();
                found.insert(format!("{path} {}/{} {}", of("namespace"), of("name"), of("uid")), of("resourceVersion"));
            }
        }
    });
    found
}

#[test]
fn a_restored_state_has_the_same_objects_each_time() {
    if charts_or_skip("a_restored_state_has_the_same_objects_each_time").is_none() {
        return;
    }
    let state = State::ambient("1.29.6", Helm::V3);
    // Each range of service addresses keeps its own, and which one is free is up to the other tests: until one comes again.
    let mut first: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    loop {
        let plane = ok(ControlPlane::from_state(&state));
        let _stand_in = (!first.is_empty()).then(|| ok(StandIn::start(&plane)));
        let range = plane.service_range();
        let found = versions(&plane);
        assert!(found.len() > 50, "{found:#?}");
        match first.get(&range) {
            Some(before) => return assert_eq!(*before, found),
            None => first.insert(range, found),
        };
    }
}

#[test]
fn a_release_of_either_helm_installs_with_wait_and_its_webhooks_answer() {
    if charts_or_skip("a_release_of_either_helm_installs_with_wait_and_its_webhooks_answer").is_none() {
        return;
    }
    for helm in [Helm::V3, Helm::V4] {
        let plane = ok(ControlPlane::start());
        let _stand_in = ok(StandIn::start(&plane));
        for chart in ["base", "istiod"] {
            ok(Release::of(chart, "1.30.3", helm).install(&plane));
        }
        ok(plane.run_kubectl(&["create", "namespace", "shop"]));
        ok(plane.run_kubectl(&["label", "namespace", "shop", "istio-injection=enabled"]));
        ok(plane.run_kubectl(&["create", "deployment", "web", "--namespace=shop", "--image=web:1"]));
        let rollout = ["rollout", "status", "deployment/web", "--namespace=shop", "--timeout=30s"];
        ok(plane.run_kubectl(&rollout));
        let pod = plane.block_on(list_one(&plane, "/api/v1/namespaces/shop/pods"));
        let proxy = |containers: &Value| {
            containers
                .as_array()
                .unwrap()
                .iter()
                .find(|one| one["name"] == "istio-proxy")
                .map(|one| one["image"].clone())
        };
        let image = proxy(&pod["spec"]["initContainers"]).or_else(|| proxy(&pod["spec"]["containers"])).unwrap();
        assert!(image.as_str().unwrap().contains("1.30.3"), "{image}");
    }
}

async fn list_one(plane: &ControlPlane, path: &str) -> Value {
    let mut all = list(&plane.client(), path).await;
    assert_eq!(all.len(), 1, "{path}");
    all.remove(0)
}

#[test]
fn a_pending_release_is_one_that_helm_refuses_to_touch() {
    if charts_or_skip("a_pending_release_is_one_that_helm_refuses_to_touch").is_none() {
        return;
    }
    let state =
        State::named("pending").install(Release::of("base", "1.29.6", Helm::V3)).pending("istio-base", "istio-system");
    let plane = ok(ControlPlane::from_state(&state));
    let package = ok(ok(Charts::open()).package("base", "1.30.3"));
    let upgrade = ["upgrade", "istio-base", &package.to_string_lossy(), "--namespace=istio-system"];
    let refused = plane.run_helm(Helm::V3, &upgrade).unwrap_err().to_string();
    assert!(refused.contains("another operation (install/upgrade/rollback) is in progress"), "{refused}");
    let history = ok(plane.run_helm(Helm::V3, &["history", "istio-base", "--namespace=istio-system", "--output=json"]));
    let history: Value = serde_json::from_str(&history).unwrap();
    assert_eq!([&history[0]["status"], &history[1]["status"]], ["deployed", "pending-upgrade"]);
}

#[test]
fn a_release_that_fails_as_upgraded_is_well_as_installed() {
    if charts_or_skip("a_release_that_fails_as_upgraded_is_well_as_installed").is_none() {
        return;
    }
    let annotations = json!({ FAIL: Failure::ImagePull.value(), FAIL_ON_NODE: "node-2", FAIL_ON_IMAGE: ":1.30.3" });
    let ztunnel = |version| Release::of("ztunnel", version, Helm::V3).values(&json!({ "podAnnotations": annotations }));
    let state = State::named("ztunnel-fails-as-1.30.3").install(ztunnel("1.29.6"));
    let plane = ok(ControlPlane::from_state(&state));
    let package = ok(ok(Charts::open()).package("ztunnel", "1.30.3"));
    let package = package.to_string_lossy();
    ok(plane.run_helm(Helm::V3, &["upgrade", "ztunnel", &package, "--namespace=istio-system", "--reuse-values=false"]));
    let begun = Instant::now();
    loop {
        let pods = plane.block_on(list(&plane.client(), "/api/v1/namespaces/istio-system/pods"));
        let failing =
            |pod: &&Value| pod["status"]["containerStatuses"][0]["state"]["waiting"]["reason"] == "ImagePullBackOff";
        let nodes: Vec<_> = pods.iter().filter(failing).map(|pod| pod["spec"]["nodeName"].clone()).collect();
        if nodes == ["node-2"] {
            return;
        }
        assert!(nodes.is_empty() && begun.elapsed() < Duration::from_mins(4), "failing on {nodes:?}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn nothing_answers_for_istiods_that_have_died() {
    if charts_or_skip("nothing_answers_for_istiods_that_have_died").is_none() {
        return;
    }
    let plane = ok(ControlPlane::from_state(&State::ambient("1.29.6", Helm::V3)));
    let entry = "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: { name: late, namespace: shop }\n\
                 spec: { hosts: [late.example.com], resolution: DNS, ports: [{ number: 443, name: tls, protocol: TLS }] }";
    let stand_in = ok(StandIn::start(&plane));
    ok(plane.apply(entry));
    drop(stand_in);
    let refused = plane.apply(&entry.replace("name: late", "name: later")).unwrap_err().to_string();
    assert!(refused.contains("failed calling webhook"), "{refused}");
    let _again = ok(StandIn::start(&plane));
    let begun = Instant::now();
    while let Err(fault) = plane.apply(&entry.replace("name: late", "name: later")) {
        assert!(begun.elapsed() < Duration::from_secs(20), "{fault}");
    }
}

#[test]
fn charts_are_served_as_a_helm_repository() {
    if charts_or_skip("charts_are_served_as_a_helm_repository").is_none() {
        return;
    }
    let plane = ControlPlane::shared().unwrap_or_else(|fault| panic!("{fault}"));
    let repository = ok(ok(Charts::open()).serve());
    for helm in [Helm::V3, Helm::V4] {
        let url = repository.url();
        let shown = ok(plane.run_helm(helm, &["show", "chart", "istiod", "--repo", &url, "--version=1.30.3"]));
        assert!(shown.contains("appVersion: 1.30.3"), "{shown}");
    }
}
