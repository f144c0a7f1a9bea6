//! `in-place-upgrade.rhai`: a mesh of sidecars upgraded where it is, and what it refuses.

use std::collections::BTreeMap;

use runbook_control_plane::{ControlPlane, Helm, StandIn, charts_or_skip};
use runbook_core::journal;
use runbook_core::record::Entry;
use serde_json::json;

use crate::foretold::Rehearsed;
use crate::mesh::Mesh;
use crate::runbook::{Ran, Runbook, charts};
use crate::sidecar::{RELEASES, sidecar, sidecar_with};

/// T-04: values whole, no object lost, every proxy at the target; a second run writes nothing.
#[test]
fn a_sidecar_mesh_is_upgraded_in_place_with_its_values() {
    if charts_or_skip("a_sidecar_mesh_is_upgraded_in_place_with_its_values").is_none() {
        return;
    }
    let plane = ControlPlane::from_state(&sidecar("1.27.9", Helm::V3)).unwrap();
    let _istiod = StandIn::start(&plane).unwrap();
    let (mesh, runbook) = (Mesh(&plane), Runbook::new(&plane, Helm::V3));
    let values = || RELEASES.map(|(name, namespace)| mesh.values(name, namespace));
    let (before, resources) = (values(), mesh.custom_resources());

    // T-05: what old instructions say would delete every release, and is refused whatever the operator says.
    runbook
        .in_place("1.28.10", &["--reuse-values"])
        .exits(7)
        .says("istiod would render 0 objects, and helm would delete all")
        .says("istio-base would render 0 objects")
        .wrote_nothing();

    let foretold = runbook.foretold(Rehearsed::Builtin);
    let ran = foretold.in_place("1.28.10", &["--restart", "all"]).exits(0).every_write_was_announced();
    // T-32: no pod here answers, so istiod's debug pages cannot be read, and the result says what that leaves.
    let ran = ran.says("reduced confidence: judged by images, annotations and readiness alone, for istiod does not answer /debug/syncz (network");
    backed_up(&plane, &ran);
    let upgraded: Vec<_> = ran.announced().into_iter().filter(|words| words.starts_with("upgrade ")).collect();
    assert_eq!(upgraded.len(), 3, "{upgraded:#?}");
    for (words, release) in upgraded.iter().zip(["istio-base", "istiod", "istio-ingress"]) {
        assert!(words.contains(release), "{upgraded:#?}");
    }
    let charts = RELEASES.map(|(name, _)| (name.to_owned(), chart_of(name, "1.28.10")));
    assert_eq!(mesh.releases(), BTreeMap::from(charts));
    assert_eq!(values(), before, "values were lost");
    assert!(mesh.istio_versions().keys().all(|running| running.ends_with("1.28.10")), "{:?}", mesh.istio_versions());
    let now = mesh.custom_resources();
    assert!(resources.iter().all(|(kind, count)| now.get(kind) == Some(count)), "{resources:?}\n{now:?}");
    mesh.healthy_webhooks();
    let kept = [("poddisruptionbudget", "istiod"), ("horizontalpodautoscaler", "istiod"), ("configmap", "values")];
    for (kind, name) in kept {
        mesh.json(&["get", kind, name, "-n", "istio-system"]);
    }
    let config = mesh.json(&["get", "configmap", "istio", "-n", "istio-system"]);
    assert!(config["data"]["mesh"].as_str().unwrap().contains("/dev/stdout"), "{config}");

    runbook.in_place("1.28.10", &["--restart", "all"]).exits(0).wrote_nothing().says("nothing to do");
}

/// PF-16: what the upgrade could lose lies beside the record, and is what its checksum says.
fn backed_up(plane: &ControlPlane, ran: &Ran) {
    let runs = plane.folder().unwrap().join("runs");
    let mut kept = BTreeMap::new();
    for record in &ran.records {
        if let Entry::Attached(attached) = &record.entry {
            let digest = attached.value["sha256"].as_str().unwrap_or_default();
            let found = journal::list(&runs)
                .unwrap()
                .into_iter()
                .find_map(|(run, _)| journal::stored(&runs, &run, digest).ok());
            kept.insert(attached.name.clone(), found.unwrap());
        }
    }
    let values = &kept["values of release istio-system/istiod (chart istiod 1.27.9)"];
    assert_eq!(values["pilot"]["autoscaleMin"], 2, "{values}");
    assert_eq!(kept["manifest of release istio-system/istio-base"]["kind"], "List");
    assert!(kept.contains_key("validatingwebhookconfigurations") && kept.contains_key("labels of namespaces"));
}

fn chart_of(release: &str, version: &str) -> String {
    let chart = match release {
        "istio-base" => "base",
        "istio-ingress" => "gateway",
        other => other,
    };
    format!("{chart}-{version} deployed")
}

/// T-06, T-25 and the deny list: refusals that one prepared mesh shares. Nothing is written by any of them.
#[test]
fn two_minors_at_once_are_refused_with_the_ways_there() {
    if charts_or_skip("two_minors_at_once_are_refused_with_the_ways_there").is_none() {
        return;
    }
    let plane = ControlPlane::from_state(&sidecar("1.29.6", Helm::V3)).unwrap();
    let _istiod = StandIn::start(&plane).unwrap();
    let runbook = Runbook::new(&plane, Helm::V3);
    runbook
        .in_place("1.31.0-rc.0", &[])
        .exits(7)
        .says("runs 1.29.6: 2 minors to 1.31.0-rc.0, at most 1 at a time")
        .says("upgrade to 1.30 first")
        .says("canary-upgrade.rhai")
        .wrote_nothing();

    // T-25: a filter for the old proxies alone is listed before the question.
    plane
        .apply(
            "apiVersion: networking.istio.io/v1alpha3\nkind: EnvoyFilter\nmetadata: { name: old, namespace: shop }\nspec: { configPatches: \
             [{ applyTo: CLUSTER, match: { proxy: { proxyVersion: '^1\\.29.*' } }, patch: { operation: MERGE, value: {} } }] }",
        )
        .unwrap();
    let precheck = ["precheck.rhai", "--charts", &charts(), "--for", "in-place", "--target", "1.30.3"];
    runbook
        .run(&precheck)
        .exits(0)
        .says(r"EnvoyFilter shop/old matches proxyVersion ^1\.29.*, so it no longer applies to proxies of 1.30.3")
        .wrote_nothing();

    // A pinned image contradicts the target, whatever else is right.
    runbook
        .in_place("1.30.3", &["--set", "istiod/global.tag=1.29.6"])
        .exits(7)
        .says("values of istiod pin global.tag to 1.29.6")
        .wrote_nothing();
    runbook.in_place("1.30.3", &["--set", "istoid/x=1"]).exits(7).says("--set is for release istoid").wrote_nothing();
}

/// T-40: skew counts from what runs, not from what the release says.
#[test]
fn skew_is_computed_from_the_images_that_run() {
    if charts_or_skip("skew_is_computed_from_the_images_that_run").is_none() {
        return;
    }
    let state = sidecar_with("sidecar-pinned", "1.29.6", Helm::V3, &json!({ "global": { "tag": "1.27.9" } }));
    let plane = ControlPlane::from_state(&state).unwrap();
    let _istiod = StandIn::start(&plane).unwrap();
    Runbook::new(&plane, Helm::V3)
        .in_place("1.30.3", &[])
        .exits(7)
        .says("deployment/istiod runs 1.27.9: 3 minors to 1.30.3")
        .says("values of istiod pin global.tag to 1.27.9")
        .wrote_nothing();
}

/// T-41: a compatibility version that the target's chart does not know is named before anything is rendered for real.
#[test]
fn a_compatibility_version_out_of_range_is_refused_with_the_range() {
    if charts_or_skip("a_compatibility_version_out_of_range_is_refused_with_the_range").is_none() {
        return;
    }
    let state = sidecar_with("sidecar-compatible", "1.27.9", Helm::V3, &json!({ "compatibilityVersion": "1.24" }));
    let plane = ControlPlane::from_state(&state).unwrap();
    let _istiod = StandIn::start(&plane).unwrap();
    let runbook = Runbook::new(&plane, Helm::V3);
    runbook
        .in_place("1.28.10", &[])
        .exits(7)
        .says("compatibilityVersion 1.24, which 1.28.10 does not accept")
        .says("1.25 to 1.27")
        .wrote_nothing();
    // What resolves it: a value in range, laid over the release's own by a file of its component.
    let file = plane.folder().unwrap().join("istiod.yaml");
    fs_err::write(
        &file,
        "compatibilityVersion: \"1.27\"\nmeshConfig: { outboundTrafficPolicy: { mode: REGISTRY_ONLY } }\n",
    )
    .unwrap();
    let file = file.to_string_lossy();
    runbook
        .in_place("1.28.10", &["--values-cni", &file])
        .exits(7)
        .says("--values-cni is for chart cni")
        .wrote_nothing();
    runbook.in_place("1.28.10", &["--values-istiod", &file]).exits(0).every_write_was_announced();
    let values = Mesh(&plane).values("istiod", "istio-system");
    let expected = json!({ "compatibilityVersion": "1.27", "meshConfig": { "outboundTrafficPolicy": { "mode": "REGISTRY_ONLY" } } });
    assert_eq!(values, expected);
}

/// T-24: keys that 1.24 no longer reads are moved to those it does, and the plan says so. T-13: the gateway's chart is refused by its own
/// schema, so that one release, and no other, is upgraded without it.
#[test]
fn values_that_1_24_no_longer_reads_are_moved() {
    if charts_or_skip("values_that_1_24_no_longer_reads_are_moved").is_none() {
        return;
    }
    let values = json!({ "profile": "openshift", "istio_cni": { "enabled": true }, "pilot": { "autoscaleMin": 2 } });
    let plane = ControlPlane::from_state(&sidecar_with("sidecar-openshift", "1.23.6", Helm::V3, &values)).unwrap();
    let _istiod = StandIn::start(&plane).unwrap();
    let runbook = Runbook::new(&plane, Helm::V3);
    let ran = runbook
        .in_place("1.24.6", &[])
        .exits(0)
        .says("istio_cni.enabled=true -> pilot.cni.enabled=true")
        .says("profile=openshift -> global.platform=openshift")
        .says("istio-ingress is upgraded with --skip-schema-validation, and no other release")
        .every_write_was_announced();
    let ran = ran.commands();
    let unchecked: Vec<_> = ran.iter().filter(|line| line.contains("--skip-schema-validation")).collect();
    assert!(unchecked.len() == 1 && unchecked[0].contains("helm upgrade istio-ingress"), "{ran:#?}");
    let moved = Mesh(&plane).values("istiod", "istio-system");
    let expected =
        json!({ "global": { "platform": "openshift" }, "pilot": { "autoscaleMin": 2, "cni": { "enabled": true } } });
    assert_eq!(moved, expected);
    runbook.in_place("1.24.6", &[]).exits(0).wrote_nothing();
    let gateway =
        ["--gateway", "istio-ingress", "--target", "1.24.6", "--set", "istio-ingress/podAnnotations.team=edge"];
    runbook.bundled("gateway-upgrade.rhai", &gateway).exits(0).every_write_was_announced();
}

/// T-12: with a release that the server applies, a chart that writes istiod's own field conflicts; that is known before it is tried.
#[test]
fn a_conflict_over_the_failure_policy_is_predicted() {
    if charts_or_skip("a_conflict_over_the_failure_policy_is_predicted").is_none() {
        return;
    }
    let plane = ControlPlane::from_state(&sidecar("1.28.5", Helm::V4)).unwrap();
    let _istiod = StandIn::start(&plane).unwrap();
    let (mesh, runbook) = (Mesh(&plane), Runbook::new(&plane, Helm::V4));
    let changed = "istio-base/base.enableIstioConfigCRDs=true";
    runbook
        .in_place("1.28.5", &["--set", changed])
        .exits(7)
        .says("istiod-default-validator is also managed by pilot-discovery")
        .says("1.28.6")
        .wrote_nothing();
    let foretold = runbook.foretold(Rehearsed::Both);
    foretold.in_place("1.28.10", &["--set", changed]).exits(0).every_write_was_announced();
    mesh.healthy_webhooks();
    runbook.in_place("1.28.10", &["--set", changed]).exits(0).wrote_nothing();
}
