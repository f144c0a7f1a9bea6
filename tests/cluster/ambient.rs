//! `ambient-upgrade.rhai` from start to end, with the real charts and the real helm.

use std::collections::BTreeMap;

use runbook_control_plane::{ControlPlane, Helm, StandIn, State, charts_or_skip};

use crate::foretold::Rehearsed;
use crate::mesh::Mesh;
use crate::runbook::Runbook;

/// Upgrades in place and demands the whole end state, then runs once more and demands that nothing is written.
fn upgrades_in_place(from: &str, to: &str, install: Helm, upgrade: Helm, rehearsed: Rehearsed) {
    let plane = ControlPlane::from_state(&State::ambient(from, install)).unwrap();
    let _istiod = StandIn::start(&plane).unwrap();
    let mesh = Mesh(&plane);
    let resources = mesh.custom_resources();
    let releases = [
        ("istio-base", "istio-system"),
        ("istiod", "istio-system"),
        ("istio-cni", "istio-system"),
        ("ztunnel", "istio-system"),
        ("istio-ingress", "istio-ingress"),
    ];
    let values = releases.map(|(name, namespace)| mesh.values(name, namespace));

    let runbook = Runbook::new(&plane, upgrade);
    let ran = runbook.foretold(rehearsed).ambient_upgrade(to, &[]).exits(0).every_write_was_announced();

    let upgraded: Vec<_> = ran.announced().into_iter().filter(|words| words.contains("upgrade ")).collect();
    let order = ["istio-base", "istiod", "istio-cni", "ztunnel", "istio-ingress"];
    assert_eq!(upgraded.len(), order.len(), "{upgraded:#?}");
    for (words, release) in upgraded.iter().zip(order) {
        assert!(words.contains(release), "{upgraded:#?}");
    }
    let at = |chart: &str| format!("{chart}-{to} deployed");
    let charts = ["base", "cni", "gateway", "istiod", "ztunnel"].map(at);
    let names = ["istio-base", "istio-cni", "istio-ingress", "istiod", "ztunnel"].map(str::to_owned);
    assert_eq!(mesh.releases(), names.into_iter().zip(charts).collect::<BTreeMap<_, _>>());
    for running in mesh.istio_versions().keys() {
        assert!(running.ends_with(to), "{running} is left behind");
    }
    assert_eq!(releases.map(|(name, namespace)| mesh.values(name, namespace)), values, "values were lost");
    let now = mesh.custom_resources();
    assert!(resources.iter().all(|(kind, count)| now.get(kind) == Some(count)), "{resources:?}\n{now:?}");
    mesh.healthy_webhooks();
    let cni = mesh.json(&["get", "configmap", "istio-cni-config", "-n", "istio-system"]);
    assert_eq!(cni["data"]["AMBIENT_ENABLED"], "true");

    runbook.ambient_upgrade(to, &[]).exits(0).wrote_nothing().says("nothing to do");
}

/// T-14, A7.
#[test]
fn ambient_is_upgraded_in_place_with_helm_3() {
    if charts_or_skip("ambient_is_upgraded_in_place_with_helm_3").is_some() {
        upgrades_in_place("1.29.6", "1.30.3", Helm::V3, Helm::V3, Rehearsed::Both);
    }
}

#[test]
fn ambient_is_upgraded_in_place_with_helm_4() {
    if charts_or_skip("ambient_is_upgraded_in_place_with_helm_4").is_some() {
        upgrades_in_place("1.29.6", "1.30.3", Helm::V4, Helm::V4, Rehearsed::Both);
    }
}

#[test]
fn what_helm_3_installed_helm_4_upgrades() {
    if charts_or_skip("what_helm_3_installed_helm_4_upgrades").is_some() {
        upgrades_in_place("1.29.6", "1.30.3", Helm::V3, Helm::V4, Rehearsed::Builtin);
    }
}

/// T-02: from 1.23 to 1.24 the CRDs become part of the release, and must be adopted.
#[test]
fn crds_are_adopted_on_the_way_to_1_24() {
    if charts_or_skip("crds_are_adopted_on_the_way_to_1_24").is_none() {
        return;
    }
    upgrades_in_place("1.23.6", "1.24.6", Helm::V3, Helm::V3, Rehearsed::Not);
    let plane = ControlPlane::from_state(&State::ambient("1.23.6", Helm::V3)).unwrap();
    let _istiod = StandIn::start(&plane).unwrap();
    let ran = Runbook::new(&plane, Helm::V4).ambient_upgrade("1.24.6", &[]).exits(0);
    let adopted = ran.announced().iter().filter(|words| words.contains("patch customresourcedefinition/")).count();
    assert_eq!(adopted, 14, "{:#?}", ran.announced());
}

/// T-03: a CRD that another release owns is not taken.
#[test]
fn a_crd_of_another_owner_is_not_taken() {
    if charts_or_skip("a_crd_of_another_owner_is_not_taken").is_none() {
        return;
    }
    let plane = ControlPlane::from_state(&State::ambient("1.23.6", Helm::V3)).unwrap();
    let _istiod = StandIn::start(&plane).unwrap();
    let crd = "crd/sidecars.networking.istio.io";
    plane
        .run_kubectl(&["annotate", crd, "meta.helm.sh/release-name=other", "meta.helm.sh/release-namespace=elsewhere"])
        .unwrap();
    Runbook::new(&plane, Helm::V3)
        .ambient_upgrade("1.24.6", &[])
        .exits(7)
        .says("sidecars.networking.istio.io")
        .says("release other in elsewhere")
        .wrote_nothing();
}

/// T-11: a helm that died in the middle is explained, and cleared only on a person's word.
#[test]
fn a_pending_release_is_recovered_on_approval() {
    if charts_or_skip("a_pending_release_is_recovered_on_approval").is_none() {
        return;
    }
    let state = State::ambient("1.29.6", Helm::V3).pending("istio-base", "istio-system");
    let plane = ControlPlane::from_state(&state).unwrap();
    let _istiod = StandIn::start(&plane).unwrap();
    let runbook = Runbook::new(&plane, Helm::V3);
    runbook.ambient_upgrade("1.30.3", &[]).exits(6).says("recover-istio-base").says("pending-upgrade").wrote_nothing();
    runbook.ambient_upgrade("1.30.3", &["--approve", "recover-istio-base"]).exits(0).every_write_was_announced();
    assert_eq!(Mesh(&plane).releases()["istio-base"], "base-1.30.3 deployed");
}

/// T-15, A6.
#[test]
fn a_tag_is_moved_rolled_back_and_moved_again_then_the_old_revision_goes() {
    let test = "a_tag_is_moved_rolled_back_and_moved_again_then_the_old_revision_goes";
    if charts_or_skip(test).is_none() {
        return;
    }
    for helm in [Helm::V3, Helm::V4] {
        let plane = ControlPlane::from_state(&State::ambient_revisioned("1.29.6", helm)).unwrap();
        let _istiod = StandIn::start(&plane).unwrap();
        let (mesh, runbook) = (Mesh(&plane), Runbook::new(&plane, helm));
        let resources = mesh.custom_resources();
        let canary = ["--strategy", "canary"];
        let at = |revision: &str| {
            assert_eq!(mesh.tag("stable"), (revision.to_owned(), revision.to_owned()));
            for namespace in ["shop", "bank"] {
                assert_eq!(mesh.gateway(namespace, "waypoint", "waypoint"), (revision.to_owned(), true), "{namespace}");
            }
        };
        at("1-29-6");
        let foretold = runbook.foretold(if helm == Helm::V3 { Rehearsed::Not } else { Rehearsed::Builtin });
        foretold.ambient_upgrade("1.30.3", &canary).exits(0).every_write_was_announced();
        at("1-30-3");
        runbook
            .ambient_upgrade("1.30.3", &["--strategy", "canary", "--roll-back-tags"])
            .exits(0)
            .every_write_was_announced();
        at("1-29-6");
        runbook.ambient_upgrade("1.30.3", &canary).exits(0).every_write_was_announced();
        at("1-30-3");
        runbook.ambient_upgrade("1.30.3", &canary).exits(0).wrote_nothing();

        let remove = ["--strategy", "canary", "--remove-old", "--removal-soak", "0s"];
        runbook.ambient_upgrade("1.30.3", &remove).exits(6).says("remove-old");
        assert!(mesh.releases().contains_key("istiod-1-29-6"), "removed without approval");
        let removal = [&remove[..], &["--approve", "remove-old"]].concat();
        foretold.ambient_upgrade("1.30.3", &removal).exits(0).every_write_was_announced();
        at("1-30-3");
        let releases = mesh.releases();
        assert!(!releases.contains_key("istiod-1-29-6"), "{releases:?}");
        assert_eq!(releases["istiod-1-30-3"], "istiod-1.30.3 deployed");
        let webhooks = mesh.healthy_webhooks();
        assert!(webhooks.iter().all(|name| !name.contains("1-29-6")), "{webhooks:?}");
        assert!(mesh.istio_versions().keys().all(|running| running.ends_with("1.30.3")), "{:?}", mesh.istio_versions());
        let now = mesh.custom_resources();
        assert!(resources.iter().all(|(kind, count)| now.get(kind) == Some(count)), "{resources:?}\n{now:?}");
        runbook.ambient_upgrade("1.30.3", &removal).exits(0).wrote_nothing();
    }
}

/// T-16: as long as ztunnel connects to the old revision, that one stays, whoever approves.
#[test]
fn the_old_revision_stays_while_ztunnel_connects_to_it() {
    if charts_or_skip("the_old_revision_stays_while_ztunnel_connects_to_it").is_none() {
        return;
    }
    let plane = ControlPlane::from_state(&State::ambient_revisioned("1.29.6", Helm::V3)).unwrap();
    let _istiod = StandIn::start(&plane).unwrap();
    let runbook = Runbook::new(&plane, Helm::V3);
    runbook.ambient_upgrade("1.30.3", &["--strategy", "canary"]).exits(0);
    let address = "XDS_ADDRESS=istiod-1-29-6.istio-system.svc:15012";
    plane.run_kubectl(&["set", "env", "-n", "istio-system", "daemonset/ztunnel", address]).unwrap();
    let ran = runbook.ambient_upgrade(
        "1.30.3",
        &["--strategy", "canary", "--remove-old", "--removal-soak", "0s", "--approve", "all"],
    );
    let ran = ran.exits(7).says("ztunnel").says("1-29-6");
    assert!(ran.announced().iter().all(|words| !words.contains("uninstall")), "{:#?}", ran.announced());
    assert!(Mesh(&plane).releases().contains_key("istiod-1-29-6"));
}

/// A6: a tag is set for an un-revisioned mesh, and rolled back to it.
#[test]
fn an_unrevisioned_mesh_gets_a_revision_and_a_tag() {
    if charts_or_skip("an_unrevisioned_mesh_gets_a_revision_and_a_tag").is_none() {
        return;
    }
    let plane = ControlPlane::from_state(&State::ambient("1.29.6", Helm::V3)).unwrap();
    let _istiod = StandIn::start(&plane).unwrap();
    let (mesh, runbook) = (Mesh(&plane), Runbook::new(&plane, Helm::V3));
    let tag = ["--strategy", "canary", "--tags", "tagname"];
    runbook.ambient_upgrade("1.30.3", &tag).exits(0).every_write_was_announced();
    assert_eq!(mesh.tag("tagname"), ("1-30-3".to_owned(), "1-30-3".to_owned()));
    let webhooks = mesh.healthy_webhooks();
    for name in ["istio-sidecar-injector", "istio-sidecar-injector-1-30-3", "istio-revision-tag-tagname"] {
        assert!(webhooks.iter().any(|webhook| webhook == name), "{webhooks:?}");
    }
    runbook.ambient_upgrade("1.30.3", &[&tag[..], &["--roll-back-tags"]].concat()).exits(0);
    assert_eq!(mesh.tag("tagname"), ("default".to_owned(), "default".to_owned()));
    runbook.ambient_upgrade("1.30.3", &tag).exits(0);
    assert_eq!(mesh.tag("tagname").0, "1-30-3");
}

/// T-18: where ztunnel is replaced with each node drained, an istiod that cannot stay up meanwhile is told first; with a second one each node is
/// emptied, given its new ztunnel and opened again before the next.
#[test]
fn nodes_are_drained_one_by_one_for_ztunnel() {
    if charts_or_skip("nodes_are_drained_one_by_one_for_ztunnel").is_none() {
        return;
    }
    let plane = ControlPlane::from_state(&State::ambient("1.29.6", Helm::V3)).unwrap();
    let _istiod = StandIn::start(&plane).unwrap();
    let (mesh, runbook) = (Mesh(&plane), Runbook::new(&plane, Helm::V3));
    plane
        .apply(
            "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: { name: keep, namespace: istio-system }\n\
             spec: { minAvailable: 1, selector: { matchLabels: { app: istiod } } }",
        )
        .unwrap();
    plane.run_kubectl(&["wait", "--for=jsonpath={.status.expectedPods}=1", "pdb/keep", "-n", "istio-system"]).unwrap();
    let by_node = ["--ztunnel-by", "node"];
    runbook
        .ambient_upgrade("1.30.3", &by_node)
        .exits(7)
        .says("deployment/istiod has one replica: draining its node stops configuration, certificates and injection")
        .says("--set istiod/pilot.autoscaleMin=2")
        .says("poddisruptionbudget/keep in istio-system lets none of its 1 pods go")
        .wrote_nothing();

    let two = ["--ztunnel-by", "node", "--set", "istiod/pilot.autoscaleMin=2"];
    let ran = runbook.ambient_upgrade("1.30.3", &two).exits(7).wrote_nothing();
    ran.says("poddisruptionbudget/keep in istio-system covers istiod beside the chart's own");
    plane.run_kubectl(&["delete", "pdb", "keep", "-n", "istio-system"]).unwrap();
    let ran = runbook.ambient_upgrade("1.30.3", &two).exits(0).every_write_was_announced();
    let order: Vec<_> = ran
        .announced()
        .into_iter()
        .filter(|words| ["drain ", "uncordon ", "delete pod/ztunnel"].iter().any(|begin| words.starts_with(begin)))
        .collect();
    let nodes = mesh.items(&["nodes"]);
    assert_eq!(order.len(), 3 * nodes.len(), "{order:#?}");
    for turn in order.chunks(3) {
        let node = turn[0].trim_start_matches("drain ");
        assert!(turn[1].starts_with("delete pod/ztunnel") && turn[2] == format!("uncordon {node}"), "{order:#?}");
    }
    assert!(nodes.iter().all(|node| node["spec"].get("unschedulable").is_none()), "a node was left closed");
    let set = mesh.json(&["get", "daemonset", "ztunnel", "-n", "istio-system"]);
    assert_eq!(set["spec"]["updateStrategy"]["type"], "RollingUpdate");
    assert!(mesh.istio_versions().keys().all(|running| running.ends_with("1.30.3")), "{:?}", mesh.istio_versions());
    runbook.ambient_upgrade("1.30.3", &by_node).exits(0).wrote_nothing().says("nothing to do");
}
