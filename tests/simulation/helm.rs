//! The real helm 3 and helm 4 on the simulation, with Istio's charts.

use runbook_control_plane::{Charts, Tool, charts_or_skip, required_or_skip};

use crate::place::Place;

const FROM: &str = "1.29.6";
const TO: &str = "1.30.3";

/// Installs, upgrades, rolls back and removes an ambient mesh.
fn lives(tool: Tool, place: &Place) {
    let charts = Charts::open().unwrap();
    let package = |chart: &str, version: &str| charts.package(chart, version).unwrap().display().to_string();
    let helm = |line: &str| place.good(tool, &line.split(' ').collect::<Vec<_>>());
    let all = [("base", ""), ("istiod", " --set profile=ambient"), ("cni", " --set profile=ambient"), ("ztunnel", "")];
    for (chart, values) in all {
        let package = package(chart, FROM);
        helm(&format!("install {chart} {package} -n istio-system --create-namespace --wait --timeout 120s{values}"));
    }
    place.kubectl("create namespace edge");
    let gateway = package("gateway", FROM);
    helm(&format!("install edge {gateway} -n edge --wait --timeout 120s --set service.type=ClusterIP"));
    let pod = place.kubectl("get pods -n edge -o jsonpath={.items[0].spec.containers[0].image}");
    assert!(pod.contains(FROM), "the gateway's image comes from the injection: {pod}");

    for (chart, values) in all {
        let package = package(chart, TO);
        helm(&format!("upgrade {chart} {package} -n istio-system --wait --timeout 120s{values}"));
    }
    let image =
        place.kubectl("get deployment istiod -n istio-system -o jsonpath={.spec.template.spec.containers[0].image}");
    assert!(image.contains(TO), "{image}");
    let history = helm("history istiod -n istio-system");
    assert!(history.contains("superseded") && history.contains("Upgrade complete"), "{history}");
    // istiod owns the failure policy of its validator, and helm 4 takes nothing from others unless it is told to.
    let force = if tool == Tool::Helm4 { " --force-conflicts" } else { "" };
    helm(&format!("rollback istiod 1 -n istio-system --wait --timeout 120s{force}"));
    let image =
        place.kubectl("get deployment istiod -n istio-system -o jsonpath={.spec.template.spec.containers[0].image}");
    assert!(image.contains(FROM), "{image}");
    let listed = helm("list -A -o json");
    assert_eq!(listed.matches(r#""status":"deployed""#).count(), 5, "{listed}");

    helm("uninstall edge -n edge --wait --timeout 120s");
    for chart in ["ztunnel", "cni", "istiod", "base"] {
        helm(&format!("uninstall {chart} -n istio-system --wait --timeout 120s"));
    }
    let rest = place.kubectl("get deployments,daemonsets,pods -n istio-system -o name");
    assert_eq!(rest, "");
}

#[test]
fn helm_3_installs_upgrades_and_removes_a_mesh() {
    let test = "helm_3_installs_upgrades_and_removes_a_mesh";
    let (Some(binaries), Some(_)) = (required_or_skip(test), charts_or_skip(test)) else { return };
    lives(Tool::Helm3, &Place::open(binaries, 3));
}

#[test]
fn helm_4_installs_upgrades_and_removes_a_mesh() {
    let test = "helm_4_installs_upgrades_and_removes_a_mesh";
    let (Some(binaries), Some(_)) = (required_or_skip(test), charts_or_skip(test)) else { return };
    lives(Tool::Helm4, &Place::open(binaries, 3));
}
