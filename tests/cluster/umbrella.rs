//! A8: base, istiod, CNI agent and ztunnel as one release of the umbrella chart `ambient`, upgraded and verified.

use std::path::{Path, PathBuf};

use runbook_control_plane::{Charts, ControlPlane, Helm, StandIn, charts_or_skip};

use crate::mesh::Mesh;
use crate::runbook::Runbook;

const PARTS: [&str; 4] = ["base", "istiod", "cni", "ztunnel"];

/// The umbrella chart of a version as Istio publishes it: nothing but the four charts below `charts/`.
fn umbrella(plane: &ControlPlane, folder: &Path, version: &str) {
    let dependencies: Vec<_> = PARTS.iter().map(|part| format!("{{ name: {part}, version: {version} }}")).collect();
    let dependencies = dependencies.join(", ");
    let source = folder.join(format!("source-{version}/ambient"));
    fs_err::create_dir_all(source.join("charts")).unwrap();
    let chart = format!("apiVersion: v2\nname: ambient\nversion: {version}\ndependencies: [{dependencies}]\n");
    fs_err::write(source.join("Chart.yaml"), chart).unwrap();
    for part in PARTS {
        let package = Charts::open().unwrap().package(part, version).unwrap();
        fs_err::copy(&package, source.join("charts").join(package.file_name().unwrap())).unwrap();
    }
    let (source, folder) = (source.display().to_string(), folder.display().to_string());
    plane.run_helm(Helm::V3, &["package", &source, "--destination", &folder]).unwrap();
}

/// A repository's folder with the umbrella and with each part, of both versions.
fn charts(plane: &ControlPlane) -> PathBuf {
    let folder = plane.folder().unwrap().join("charts");
    fs_err::create_dir_all(&folder).unwrap();
    for version in ["1.29.6", "1.30.3"] {
        for part in PARTS {
            let package = Charts::open().unwrap().package(part, version).unwrap();
            fs_err::copy(&package, folder.join(package.file_name().unwrap())).unwrap();
        }
        umbrella(plane, &folder, version);
    }
    plane.run_helm(Helm::V3, &["repo", "index", &folder.display().to_string()]).unwrap();
    folder
}

#[test]
fn an_umbrella_release_is_upgraded_at_once_and_each_part_verified() {
    if charts_or_skip("an_umbrella_release_is_upgraded_at_once_and_each_part_verified").is_none() {
        return;
    }
    let plane = ControlPlane::start().unwrap();
    let _istiod = StandIn::start(&plane).unwrap();
    let (mesh, folder) = (Mesh(&plane), charts(&plane));
    let package = folder.join("ambient-1.29.6.tgz").display().to_string();
    let profiles = "istiod.profile=ambient,cni.profile=ambient,ztunnel.profile=ambient,istiod.pilot.env.KEPT=yes";
    let install =
        ["install", "ambient", &package, "-n", "istio-system", "--create-namespace", "--wait", "--set", profiles];
    plane.run_helm(Helm::V3, &install).unwrap();
    let (values, resources) = (mesh.values("ambient", "istio-system"), mesh.custom_resources());

    let runbook = Runbook::new(&plane, Helm::V3);
    let charts = folder.display().to_string();
    let upgrade = |more: &[&str]| {
        runbook.run(&[&["ambient-upgrade.rhai", "--target", "1.30.3", "--charts", &charts, "--yes"], more].concat())
    };
    upgrade(&["--strategy", "canary"])
        .exits(7)
        .says("it cannot have a second revision beside the first")
        .wrote_nothing();
    upgrade(&["--ztunnel-by", "node"]).exits(7).says("its ztunnel cannot be held back node by node").wrote_nothing();
    let ran = upgrade(&[]).exits(0).every_write_was_announced();
    let ran = ran.says("base, istiod, CNI agent and ztunnel change at once");
    let upgrades = ran.announced().iter().filter(|words| words.starts_with("upgrade ")).count();
    assert_eq!(upgrades, 1, "{:#?}", ran.announced());

    assert_eq!(mesh.releases()["ambient"], "ambient-1.30.3 deployed");
    assert!(mesh.istio_versions().keys().all(|running| running.ends_with("1.30.3")), "{:?}", mesh.istio_versions());
    assert_eq!(mesh.istio_versions().len(), 3, "istiod, CNI agent and ztunnel: {:?}", mesh.istio_versions());
    assert_eq!(mesh.values("ambient", "istio-system"), values, "values were lost");
    let now = mesh.custom_resources();
    assert!(resources.iter().all(|(kind, count)| now.get(kind) == Some(count)), "{resources:?}\n{now:?}");
    mesh.healthy_webhooks();
    upgrade(&[]).exits(0).wrote_nothing().says("nothing to do");
}
