//! `precheck.rhai`: every finding of a mesh that must not be upgraded yet, and nothing written.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use runbook_control_plane::{ControlPlane, Helm, Release, StandIn, State, charts_or_skip};
use serde_json::json;

use crate::mesh::{Mesh, text};
use crate::runbook::{Ran, Runbook, charts};
use crate::sidecar::sidecar;

/// Runs it without `--yes`: it asks nothing.
fn precheck(runbook: &Runbook<'_>, procedure: &str, target: &str, more: &[&str]) -> Ran {
    let charts = charts();
    let fixed = ["precheck.rhai", "--charts", &charts, "--for", procedure, "--target", target];
    runbook.run(&[&fixed, more].concat())
}

/// T-10, T-18, T-37, T-42 and a shortage of room in one ambient mesh: each found, all told at once, the worst first.
#[test]
fn everything_that_speaks_against_an_upgrade_is_told_at_once() {
    if charts_or_skip("everything_that_speaks_against_an_upgrade_is_told_at_once").is_none() {
        return;
    }
    let plane = ControlPlane::from_state(&State::ambient("1.29.6", Helm::V3)).unwrap();
    let _istiod = StandIn::start(&plane).unwrap();
    let runbook = Runbook::new(&plane, Helm::V3);
    precheck(&runbook, "ambient", "1.30.3", &[]).exits(0).wrote_nothing();

    // As in a cluster whose CRDs are older than the policy that now keeps them from going back.
    plane
        .run_kubectl(&["delete", "validatingadmissionpolicybinding", "safe-upgrades.gateway.networking.k8s.io"])
        .unwrap();
    let bundle = "gateway.networking.k8s.io/bundle-version=v1.4.1";
    let begun = Instant::now();
    let annotate = ["annotate", "crd", "tlsroutes.gateway.networking.k8s.io", bundle, "--overwrite"];
    while let Err(fault) = plane.run_kubectl(&annotate) {
        assert!(begun.elapsed() < Duration::from_secs(20), "{fault}");
    }
    plane
        .apply(
            "apiVersion: gateway.networking.k8s.io/v1\nkind: TLSRoute\nmetadata: { name: raw, namespace: shop }\n\
             spec: { hostnames: [raw.example.com], rules: [{ backendRefs: [{ name: web, port: 80 }] }] }",
        )
        .unwrap();
    plane.run_kubectl(&["label", "namespace", "kube-system", "istio.io/dataplane-mode=ambient"]).unwrap();
    plane
        .apply("apiVersion: v1\nkind: Service\nmetadata: { name: istiod-new, namespace: istio-system }\nspec: { selector: { app: nobody }, ports: [{ port: 443 }] }")
        .unwrap();
    // One istiod, and a budget that lets none go: no node can be drained (the part of T-18 that can be known before).
    plane
        .apply(
            "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: { name: keep, namespace: istio-system }\n\
             spec: { minAvailable: 1, selector: { matchLabels: { app: istiod } } }",
        )
        .unwrap();
    // One node that is full, and a quota that is used up (PF-12).
    let full = r#"{"status":{"allocatable":{"pods":"1"}}}"#;
    plane.run_kubectl(&["patch", "node", "node-1", "--subresource=status", "--type=merge", "-p", full]).unwrap();
    plane.run_kubectl(&["create", "quota", "tight", "-n", "istio-system", "--hard=requests.memory=1Mi"]).unwrap();
    let counted = ["get", "quota", "tight", "-n", "istio-system", "-o", "jsonpath={.status.used}"];
    while plane.run_kubectl(&counted).unwrap().is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(40), "nobody counts what the quota counts");
    }
    let patch = r#"[{"op":"replace","path":"/webhooks/0/clientConfig/service/name","value":"istiod-new"}]"#;
    let validator = "istiod-default-validator";
    plane.run_kubectl(&["patch", "validatingwebhookconfiguration", validator, "--type=json", "-p", patch]).unwrap();

    let ran = precheck(&runbook, "ambient", "1.30.3", &[])
        .exits(7)
        .says("CRD tlsroutes is 1.4.1, Istio 1.30.3 needs 1.5.0; in use: shop/raw")
        .says("upgrade the Gateway API CRDs to 1.5.0 or newer")
        .says("istiod-default-validator fails closed and its Service istiod-new has no ready endpoint (F-08)")
        .says("deployment/istiod has one replica")
        .says("poddisruptionbudget/keep allows no disruption now")
        .says("memory) on node-1: its rollout starts the new one before it ends the old one")
        .says("resourcequota/tight in istio-system has")
        .says("raise requests.memory of resourcequota/tight")
        .says("namespace kube-system is ambient and in the CNI agent's excludeNamespaces")
        .wrote_nothing();
    let listed = |words: &str| ran.printed.find(words).unwrap_or_else(|| panic!("{words}: {}", ran.printed));
    assert!(listed("refused: gateway api") < listed("warning: excluded namespaces"), "{}", ran.printed);
    assert!(listed("refused: webhooks") < listed("warning: excluded namespaces"), "{}", ran.printed);

    // What may be answered for is let through by name; what may not is not.
    let both = ["--override", "webhooks", "--reason", "known"];
    precheck(&runbook, "ambient", "1.30.3", &both)
        .exits(7)
        .says("let through: webhooks")
        .says("refused: gateway api")
        .wrote_nothing();
    let firm = ["--override", "gateway-api", "--reason", "known"];
    precheck(&runbook, "ambient", "1.30.3", &firm)
        .exits(1)
        .says("check `gateway-api` cannot be overridden")
        .wrote_nothing();
}

/// T-23: the deny list, and T-06's other half: the release that mends it is accepted.
#[test]
fn a_target_that_breaks_the_proxies_that_run_is_to_be_avoided() {
    if charts_or_skip("a_target_that_breaks_the_proxies_that_run_is_to_be_avoided").is_none() {
        return;
    }
    let plane = ControlPlane::from_state(&sidecar("1.29.1", Helm::V3)).unwrap();
    let _istiod = StandIn::start(&plane).unwrap();
    let runbook = Runbook::new(&plane, Helm::V3);
    precheck(&runbook, "in-place", "1.30.1", &[])
        .exits(7)
        .says("1.30.1 is to be avoided")
        .says("use 1.30.3")
        .says("--override deny-list")
        .wrote_nothing();
    let answered = ["--override", "deny-list", "--reason", "no waypoint here"];
    precheck(&runbook, "in-place", "1.30.1", &answered).exits(0).says("let through: versions to avoid").wrote_nothing();
    precheck(&runbook, "in-place", "1.30.3", &[]).exits(0).wrote_nothing();
    // A canary may skip a minor: old proxies stay with their old control plane.
    precheck(&runbook, "in-place", "1.31.0-rc.0", &[]).exits(7).says("2 minors").wrote_nothing();
    precheck(&runbook, "canary", "1.31.0-rc.0", &[]).exits(0).says("1-31-0-rc-0 will be installed").wrote_nothing();
}

/// T-38: a data plane that ran ahead is said to have, and nothing is downgraded.
#[test]
fn a_data_plane_ahead_of_its_control_plane_is_reported() {
    if charts_or_skip("a_data_plane_ahead_of_its_control_plane_is_reported").is_none() {
        return;
    }
    let plane = ControlPlane::from_state(&State::ambient("1.29.6", Helm::V3)).unwrap();
    let _istiod = StandIn::start(&plane).unwrap();
    let charts = runbook_control_plane::Charts::open().unwrap();
    for (release, chart) in [("istio-cni", "cni"), ("ztunnel", "ztunnel")] {
        let package = charts.package(chart, "1.30.3").unwrap();
        let package = package.to_string_lossy();
        plane.run_helm(Helm::V3, &["upgrade", release, &package, "-n", "istio-system", "--wait"]).unwrap();
    }
    let runbook = Runbook::new(&plane, Helm::V3);
    precheck(&runbook, "ambient", "1.30.3", &[])
        .exits(0)
        .says("daemonset/istio-cni-node runs 1.30.3, ahead of every istiod (F-28)")
        .says("daemonset/ztunnel runs 1.30.3, ahead of every istiod (F-28)")
        .says("istiod is upgraded first; nothing is downgraded")
        .wrote_nothing();
    precheck(&runbook, "ambient", "1.29.6", &[]).exits(7).says("which is newer than the target 1.29.6").wrote_nothing();
}

/// T-17: charts 1.25 name ztunnel after its release; a release of another name keeps what it has.
#[test]
fn ztunnel_keeps_its_name_when_its_release_has_another() {
    if charts_or_skip("ztunnel_keeps_its_name_when_its_release_has_another").is_none() {
        return;
    }
    let release = |chart| Release::of(chart, "1.24.6", Helm::V3);
    let ambient = json!({ "profile": "ambient" });
    let state = State::named("mesh-zt")
        .gateway_api()
        .install(release("base"))
        .install(release("istiod").values(&ambient))
        .install(release("cni").values(&ambient))
        .install(release("ztunnel").named("mesh-zt"));
    let plane = ControlPlane::from_state(&state).unwrap();
    let _istiod = StandIn::start(&plane).unwrap();
    let (mesh, runbook) = (Mesh(&plane), Runbook::new(&plane, Helm::V3));
    precheck(&runbook, "ambient", "1.25.5", &[])
        .exits(0)
        .says("mesh-zt: resourceName=ztunnel is added to its values")
        .wrote_nothing();
    runbook.ambient_upgrade("1.25.5", &[]).exits(0).every_write_was_announced();
    let sets = mesh.items(&["daemonsets", "-n", "istio-system"]);
    let names: Vec<_> = sets.iter().map(|set| text(&set["metadata"]["name"])).collect();
    assert_eq!(names, ["istio-cni-node", "ztunnel"], "one ztunnel, under its old name");
    assert_eq!(sets[1]["spec"]["template"]["spec"]["serviceAccountName"], "ztunnel");
    assert_eq!(mesh.values("mesh-zt", "istio-system")["resourceName"], "ztunnel");
    runbook.ambient_upgrade("1.25.5", &[]).exits(0).wrote_nothing();
}

/// T-33: a cluster that is too old for the target. The API server here is one version alone, so something in front of it says another.
#[track_caller]
fn too_old_a_cluster_is_refused(plane: &ControlPlane, runbook: &Runbook<'_>) {
    let old = OldServer::before(plane);
    precheck(runbook, "in-place", "1.30.3", &["--kubeconfig", &old.kubeconfig.to_string_lossy()])
        .exits(7)
        .says("Kubernetes v1.29.0 is older than 1.32, which Istio 1.30.3 needs")
        .says("upgrade Kubernetes to 1.32 first")
        .wrote_nothing();
}

/// A helm that cannot plan an adoption is asked for a newer one; where nothing is to be adopted it will do. T-33 on one of these meshes.
#[test]
fn a_helm_or_a_cluster_that_is_too_old_is_refused() {
    if charts_or_skip("a_helm_or_a_cluster_that_is_too_old_is_refused").is_none() {
        return;
    }
    for (version, target, code) in [("1.23.6", "1.24.6", 7), ("1.29.6", "1.30.3", 0)] {
        let plane = ControlPlane::from_state(&sidecar(version, Helm::V3)).unwrap();
        let _istiod = StandIn::start(&plane).unwrap();
        let helm = plane.folder().unwrap().join("helm-3.15");
        let real = plane.helm(Helm::V3);
        let script =
            format!("#!/bin/sh\ncase \"$1\" in version) echo v3.15.4;; *) exec '{}' \"$@\";; esac\n", real.display());
        fs_err::write(&helm, script).unwrap();
        let mut permissions = fs_err::metadata(&helm).unwrap().permissions();
        std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o755);
        fs_err::set_permissions(&helm, permissions).unwrap();
        let runbook = Runbook::new(&plane, Helm::V3);
        let ran =
            precheck(&runbook, "in-place", target, &["--helm", &helm.to_string_lossy()]).exits(code).wrote_nothing();
        if code == 7 {
            ran.says("helm 3.15.4 cannot plan the adoption of 14 CRDs: that takes 3.17").says("--helm PATH");
        } else {
            too_old_a_cluster_is_refused(&plane, &runbook);
        }
    }
}

/// An API server as seen through `kubectl proxy`, which says of itself that it is 1.29.
struct OldServer {
    proxy: Child,
    kubeconfig: PathBuf,
}

impl OldServer {
    fn before(plane: &ControlPlane) -> Self {
        let mut proxy = Command::new(plane.kubectl());
        proxy.args(["proxy", "--port=0", "--kubeconfig"]).arg(plane.kubeconfig()).stdout(Stdio::piped());
        let mut proxy = proxy.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(proxy.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let behind = line.trim().rsplit(' ').next().unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let server = TcpStream::connect(&behind).unwrap();
                let (mut from, mut to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
                std::thread::spawn(move || std::io::copy(&mut from, &mut to));
                std::thread::spawn(move || forward(client, server));
            }
        });
        let kubeconfig = plane.folder().unwrap().join("old.kubeconfig");
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "old",
            "clusters": [{ "name": "old", "cluster": { "server": server } }],
            "contexts": [{ "name": "old", "context": { "cluster": "old", "user": "old" } }],
            "users": [{ "name": "old", "user": {} }],
        });
        fs_err::write(&kubeconfig, config.to_string()).unwrap();
        Self { proxy, kubeconfig }
    }
}

impl Drop for OldServer {
    fn drop(&mut self) {
        let _ = self.proxy.kill();
        let _ = self.proxy.wait();
    }
}

/// Hands on what a client asks, but for the version. A client asks one thing at a time, so a request begins where a read does.
fn forward(mut client: TcpStream, mut server: TcpStream) {
    let version = r#"{"major":"1","minor":"29","gitVersion":"v1.29.0","platform":"linux/amd64"}"#;
    let mut buffer = [0; 16 * 1024];
    while let Ok(read @ 1..) = client.read(&mut buffer) {
        let done = if buffer.starts_with(b"GET /version") {
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length:";
            client.write_all(format!("{head} {}\r\n\r\n{version}", version.len()).as_bytes())
        } else {
            server.write_all(&buffer[..read])
        };
        if done.is_err() {
            return;
        }
    }
    let _ = server.shutdown(std::net::Shutdown::Both);
}
