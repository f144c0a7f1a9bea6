//! `canary-upgrade.rhai`: a mesh of sidecars moved to a new revision, with the real charts and the real helm.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use runbook_control_plane::{ControlPlane, FAIL, Failure, Helm, Release, StandIn, State, charts_or_skip};
use serde_json::{Value, json};

use crate::foretold::Rehearsed;
use crate::mesh::{Mesh, text};
use crate::runbook::{Ran, Runbook, charts};

/// Objects of the kinds that every version under test serves: an upgrade must not lose any.
const OBJECTS: &str = r"
{ apiVersion: networking.istio.io/v1beta1, kind: VirtualService, metadata: { name: web, namespace: a },
  spec: { hosts: [web.example.com], http: [{ route: [{ destination: { host: web.a.svc.cluster.local } }] }] } }
---
{ apiVersion: networking.istio.io/v1beta1, kind: WorkloadGroup, metadata: { name: machines, namespace: b },
  spec: { metadata: { labels: { app: machine } }, template: { serviceAccount: machine } } }
";

/// A namespace with some Deployments of one pod each.
pub(crate) fn namespace(name: &str, labels: &Value, deployments: &[&str]) -> String {
    let mut objects =
        vec![json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name, "labels": labels } })];
    objects.extend(deployments.iter().map(|deployment| {
        json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": { "name": deployment, "namespace": name },
            "spec": {
                "selector": { "matchLabels": { "app": deployment } },
                "template": {
                    "metadata": { "labels": { "app": deployment } },
                    "spec": { "containers": [{ "name": "app", "image": "registry.example/app:1" }] },
                },
            },
        })
    }));
    json!({ "apiVersion": "v1", "kind": "List", "items": objects }).to_string()
}

/// A mesh of sidecars, un-revisioned: `a` and `b` with three Deployments each, `c` with a label and no pod, and a gateway.
pub(crate) fn unrevisioned(version: &str, helm: Helm) -> State {
    let release = |chart| Release::of(chart, version, helm);
    let gateway = release("gateway").in_namespace("istio-ingress");
    let old_schema = version < "1.25";
    let injected = json!({ "istio-injection": "enabled" });
    let short = if helm == Helm::V3 { "helm3" } else { "helm4" };
    State::named(&format!("sidecar-{version}-{short}"))
        .gateway_api()
        .install(release("base"))
        .install(release("istiod").values(&json!({ "meshConfig": { "accessLogFile": "/dev/stdout" } })))
        .apply(&namespace("a", &injected, &["web", "cart", "pay"]))
        .apply(&namespace("b", &injected, &["ledger", "audit", "mail"]))
        .apply(&namespace("c", &injected, &[]))
        .apply(OBJECTS)
        .install(if old_schema { gateway.flag("--skip-schema-validation") } else { gateway })
}

/// A state brought up, with istiod's stand-in at work.
pub(crate) struct Cluster {
    pub(crate) plane: ControlPlane,
    _istiod: StandIn,
}

impl Cluster {
    pub(crate) fn of(state: &State) -> Self {
        let plane = ControlPlane::from_state(state).unwrap();
        let istiod = StandIn::start(&plane).unwrap();
        Self { plane, _istiod: istiod }
    }

    pub(crate) fn mesh(&self) -> Mesh<'_> {
        Mesh(&self.plane)
    }

    pub(crate) fn kubectl(&self, arguments: &[&str]) -> String {
        self.plane.run_kubectl(arguments).unwrap()
    }

    /// The program, with the helm that it drives.
    pub(crate) fn runbook(&self, helm: Helm) -> Runbook<'_> {
        Runbook::new(&self.plane, helm)
    }

    /// The labels of a namespace that decide on injection.
    pub(crate) fn labels(&self, namespace: &str) -> (String, String) {
        let found = self.mesh().json(&["get", "namespace", namespace]);
        let labels = &found["metadata"]["labels"];
        (text(&labels["istio-injection"]), text(&labels["istio.io/rev"]))
    }

    /// Which revision injected each pod of a namespace with which proxy, by the pods' annotations and images.
    pub(crate) fn proxies(&self, namespace: &str) -> BTreeSet<(String, String)> {
        let live = |pod: &&Value| pod["metadata"].get("deletionTimestamp").is_none();
        let pods = self.mesh().items(&["pods", "-n", namespace]);
        let proxy = |pod: &Value| {
            let spec = &pod["spec"];
            let containers = [&spec["initContainers"], &spec["containers"]];
            let mut all = containers.iter().filter_map(|list| list.as_array()).flatten();
            let image = all.find(|one| one["name"] == "istio-proxy").map(|one| text(&one["image"])).unwrap_or_default();
            let tag = image.rsplit(':').next().unwrap_or_default().trim_end_matches("-distroless").to_owned();
            (text(&pod["metadata"]["annotations"]["istio.io/rev"]), tag)
        };
        pods.iter().filter(live).map(proxy).collect()
    }
}

/// `runbook canary-upgrade.rhai`, without waiting between waves unless it says so.
pub(crate) fn canary(runbook: &Runbook<'_>, target: &str, more: &[&str]) -> Ran {
    let charts = charts();
    let wanted = ["canary-upgrade.rhai", "--target", target, "--charts", &charts, "--yes"];
    let soak: &[&str] = if more.contains(&"--soak") { &[] } else { &["--soak", "0s"] };
    runbook.run(&[&wanted, soak, &["--removal-soak", "0s"], more].concat())
}

fn only(revision: &str, version: &str) -> BTreeSet<(String, String)> {
    BTreeSet::from([(revision.to_owned(), version.to_owned())])
}

/// Demands that no kind has lost an object.
#[track_caller]
pub(crate) fn none_lost(before: &BTreeMap<String, usize>, now: &BTreeMap<String, usize>) {
    assert!(before.iter().all(|(kind, count)| now.get(kind) == Some(count)), "{before:?}\n{now:?}");
}

/// The place of the first announcement with these words.
#[track_caller]
fn place(announced: &[String], words: &str) -> usize {
    announced.iter().position(|one| one.contains(words)).unwrap_or_else(|| panic!("no `{words}` in {announced:#?}"))
}

/// T-01: from an un-revisioned mesh to a revision, to the end: A1's and A4's end state.
#[test]
fn an_unrevisioned_mesh_moves_to_a_revision_and_the_old_istiod_goes() {
    if charts_or_skip("an_unrevisioned_mesh_moves_to_a_revision_and_the_old_istiod_goes").is_none() {
        return;
    }
    let cluster = Cluster::of(&unrevisioned("1.22.8", Helm::V3));
    let (mesh, runbook) = (cluster.mesh(), cluster.runbook(Helm::V3));
    let objects = mesh.custom_resources();
    let values = mesh.values("istiod", "istio-system");

    let wanted = ["--remove-old", "--approve", "make-default", "--approve", "remove-old"];
    let ran = canary(&runbook.foretold(Rehearsed::Both), "1.23.6", &wanted).exits(0).every_write_was_announced();

    let announced = ran.announced();
    assert!(
        place(&announced, "patch mutatingwebhookconfiguration/istio-sidecar-injector")
            < place(&announced, "uninstall istiod")
    );
    assert_eq!(
        announced.iter().filter(|words| words.contains("upgrade istio-base")).count(),
        2,
        "base, then its default: {announced:#?}"
    );
    assert_eq!(cluster.proxies("a"), only("1-23-6", "1.23.6"));
    assert_eq!(cluster.proxies("b"), only("1-23-6", "1.23.6"));
    assert_eq!(cluster.proxies("istio-ingress"), only("1-23-6", "1.23.6"));
    for namespace in ["a", "b"] {
        assert_eq!(cluster.labels(namespace), (String::new(), "1-23-6".to_owned()));
    }
    assert_eq!(cluster.labels("c"), ("enabled".to_owned(), String::new()), "it has no pods, and follows the default");
    assert_eq!(mesh.tag("default").0, "1-23-6");
    assert_eq!(
        mesh.releases().into_iter().map(|(name, chart)| format!("{name} {chart}")).collect::<Vec<_>>(),
        [
            "istio-base base-1.23.6 deployed",
            "istio-ingress gateway-1.23.6 deployed",
            "istiod-1-23-6 istiod-1.23.6 deployed"
        ]
    );
    let istiods = cluster.kubectl(&[
        "get",
        "pods",
        "-n",
        "istio-system",
        "-l",
        "app=istiod",
        "-L",
        "istio.io/rev",
        "--no-headers",
    ]);
    assert_eq!(istiods.lines().count(), 1, "{istiods}");
    assert!(istiods.starts_with("istiod-1-23-6-") && istiods.trim_end().ends_with("1-23-6"), "{istiods}");
    let validator = mesh.json(&["get", "validatingwebhookconfiguration", "istiod-default-validator"]);
    assert_eq!(validator["webhooks"][0]["clientConfig"]["service"]["name"], "istiod-1-23-6");
    assert!(mesh.healthy_webhooks().iter().all(|name| name != "istio-sidecar-injector"));
    assert_eq!(mesh.istio_versions().keys().collect::<Vec<_>>(), ["discovery 1.23.6", "istio-proxy 1.23.6"]);
    none_lost(&objects, &mesh.custom_resources());
    let mut new_values = mesh.values("istiod-1-23-6", "istio-system");
    assert_eq!(new_values.as_object_mut().unwrap().remove("revision"), Some(json!("1-23-6")));
    assert_eq!(new_values, values, "the new istiod was not installed with the old one's values");
    let crd = mesh.json(&["get", "crd", "wasmplugins.extensions.istio.io"]);
    assert_eq!(crd["metadata"]["annotations"]["helm.sh/resource-policy"], "keep");

    canary(&runbook, "1.23.6", &wanted).exits(0).wrote_nothing().says("nothing to do");
}

/// T-22: what a restart does not reach is said, and keeps the wave open.
#[test]
fn what_cannot_be_restarted_keeps_its_wave_open() {
    if charts_or_skip("what_cannot_be_restarted_keeps_its_wave_open").is_none() {
        return;
    }
    let cluster = Cluster::of(&unrevisioned("1.29.6", Helm::V3));
    let template = json!({
        "metadata": { "labels": { "app": "x" } },
        "spec": { "containers": [{ "name": "app", "image": "registry.example/app:1" }] },
    });
    let workload = |kind: &str, name: &str, spec: Value| {
        let mut object = json!({ "apiVersion": "apps/v1", "kind": kind, "metadata": { "name": name, "namespace": "a" }, "spec": spec });
        object["spec"]["selector"] = json!({ "matchLabels": { "app": name } });
        object["spec"]["template"] = template.clone();
        object["spec"]["template"]["metadata"]["labels"]["app"] = name.into();
        object
    };
    // A Job of kwok's ends after a second; this one cannot begin, and its pod with a proxy stays.
    let annotations = json!({ FAIL: Failure::ImagePull.value() });
    let running = json!({ "metadata": { "labels": { "app": "nightly" }, "annotations": annotations }, "spec": {
        "restartPolicy": "Never", "containers": [{ "name": "app", "image": "registry.example/app:1" }] } });
    let objects = json!({ "apiVersion": "v1", "kind": "List", "items": [
        workload("StatefulSet", "db", json!({ "replicas": 3, "serviceName": "db", "podManagementPolicy": "Parallel",
            "updateStrategy": { "type": "RollingUpdate", "rollingUpdate": { "partition": 2 } } })),
        workload("DaemonSet", "agent", json!({ "updateStrategy": { "type": "OnDelete" } })),
        workload("Deployment", "frozen", json!({})),
        { "apiVersion": "batch/v1", "kind": "CronJob", "metadata": { "name": "nightly", "namespace": "a" },
          "spec": { "schedule": "0 0 1 1 *", "jobTemplate": { "spec": { "template": running } } } },
        { "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "lonely", "namespace": "a" }, "spec": template["spec"] },
    ]});
    cluster.plane.apply(&objects.to_string()).unwrap();
    cluster.kubectl(&["create", "job", "nightly-1", "-n", "a", "--from=cronjob/nightly"]);
    cluster.kubectl(&[
        "wait",
        "--for=jsonpath={.status.readyReplicas}=3",
        "statefulset/db",
        "-n",
        "a",
        "--timeout=120s",
    ]);
    cluster.kubectl(&["rollout", "status", "deployment/frozen", "-n", "a", "--timeout=120s"]);
    cluster.kubectl(&["rollout", "pause", "deployment/frozen", "-n", "a"]);

    let runbook = cluster.runbook(Helm::V3);
    let ran = canary(&runbook, "1.30.3", &["--namespaces", "a"]).exits(6).every_write_was_announced();
    let ran = ran.says("open-wave-1").says("partition 2").says("deployment/frozen in a: it is paused");
    let ran = ran.says("pod/lonely in a: nobody owns it").says("daemonset/agent in a").says("cronjob/nightly in a");
    let restarted: Vec<_> = ran.announced().into_iter().filter(|words| words.starts_with("restart ")).collect();
    assert_eq!(restarted.len(), 4, "three Deployments and what the partition lets through: {restarted:#?}");
    let of = |pod: &str| {
        text(&cluster.mesh().json(&["get", "pod", pod, "-n", "a"])["metadata"]["annotations"]["istio.io/rev"])
    };
    assert_eq!(["db-0", "db-1", "db-2"].map(of), ["default", "default", "1-30-3"]);
    assert_eq!(of("lonely"), "default");

    let ran = canary(&runbook, "1.30.3", &["--namespaces", "a", "--approve", "open-wave-1"])
        .exits(0)
        .every_write_was_announced();
    assert!(ran.announced().iter().all(|words| !words.starts_with("restart ")), "{:#?}", ran.announced());
}

/// A script with `fn probe(facts)`, in a file of its own.
fn probe(cluster: &Cluster, body: &str) -> String {
    let file = cluster.plane.folder().unwrap().join("probe.rhai");
    fs_err::write(&file, format!("//! Says whether to go on.\n\nfn probe(facts) {{ {body} }}\n")).unwrap();
    file.display().to_string()
}

/// T-26: a probe that says no rolls its own wave back, and no other; a later run goes on from there.
#[test]
fn a_probe_rolls_back_its_wave_and_no_other() {
    if charts_or_skip("a_probe_rolls_back_its_wave_and_no_other").is_none() {
        return;
    }
    let cluster = Cluster::of(&unrevisioned("1.29.6", Helm::V4));
    cluster.plane.apply(&namespace("d", &json!({ "istio-injection": "enabled" }), &["last"])).unwrap();
    cluster.kubectl(&["rollout", "status", "deployment/last", "-n", "d", "--timeout=120s"]);
    let runbook = cluster.runbook(Helm::V4);
    let sceptic = probe(
        &cluster,
        r#"if facts.wave == 2 { #{ verdict: "roll-back", message: `errors in ${facts.namespaces[0]}` } } else { "go" }"#,
    );
    let ran =
        canary(&runbook, "1.30.3", &["--waves", "a,b,d", "--probe", &sceptic]).exits(3).every_write_was_announced();
    ran.says("errors in b").says("with default again");
    assert_eq!(cluster.proxies("a"), only("1-30-3", "1.30.3"));
    assert_eq!(cluster.proxies("b"), only("default", "1.29.6"));
    assert_eq!(cluster.labels("b"), ("enabled".to_owned(), String::new()));
    assert_eq!(cluster.proxies("d"), only("default", "1.29.6"));

    let doubt = probe(&cluster, r#"if facts.wave == 1 { "pause" } else { "go" }"#);
    canary(&runbook, "1.30.3", &["--probe", &doubt]).exits(6).says("pause-1").every_write_was_announced();
    assert_eq!(cluster.proxies("b"), only("1-30-3", "1.30.3"));
    assert_eq!(cluster.proxies("d"), only("default", "1.29.6"));
    let wanted = ["--probe", &doubt, "--approve", "pause-1", "--approve", "make-default"];
    let ran = canary(&runbook, "1.30.3", &wanted).exits(0).every_write_was_announced();
    assert!(ran.announced().iter().all(|words| !words.contains("namespace/a") && !words.contains("namespace/b")));
    assert_eq!(cluster.proxies("d"), only("1-30-3", "1.30.3"));
    canary(&runbook, "1.30.3", &wanted).exits(0).wrote_nothing().says("nothing to do");
}

/// T-08, T-35, and namespaces that do not exist: all is refused at once, before the first write.
#[test]
fn contradicting_labels_and_used_names_are_refused() {
    if charts_or_skip("contradicting_labels_and_used_names_are_refused").is_none() {
        return;
    }
    let cluster = Cluster::of(&unrevisioned("1.29.6", Helm::V3));
    let runbook = cluster.runbook(Helm::V3);
    let wanted = ["--revision", "next", "--namespaces", "a"];
    canary(&runbook, "1.30.1", &[&wanted[..], &["--override", "deny-list", "--reason", "a test"]].concat()).exits(0);
    cluster.kubectl(&["label", "namespace", "a", "istio.io/rev-", "istio-injection=enabled"]);
    cluster.kubectl(&["rollout", "restart", "deployment", "-n", "a"]);
    for name in ["web", "cart", "pay"] {
        cluster.kubectl(&["rollout", "status", &format!("deployment/{name}"), "-n", "a", "--timeout=120s"]);
    }
    cluster.plane.run_helm(Helm::V3, &["uninstall", "istiod-next", "-n", "istio-system", "--wait"]).unwrap();
    cluster.kubectl(&["label", "namespace", "b", "istio.io/rev=prod"]);

    canary(&runbook, "1.30.3", &["--revision", "next", "--namespaces", "a,nowhere"])
        .exits(7)
        .says("next was the name of a revision of 1.30.1")
        .says("there is no namespace nowhere")
        .says("IST0123")
        .says("its pods are injected by istio-sidecar-injector (webhook namespace, revision default)")
        .wrote_nothing();
}

/// A mesh under a revision named after its version, which the tag `prod` points to, and which namespaces name by the tag.
fn tagged(version: &str, helm: Helm) -> State {
    let release = |chart| Release::of(chart, version, helm);
    let revision = version.replace('.', "-");
    let follows = json!({ "istio.io/rev": "prod" });
    let short = if helm == Helm::V3 { "helm3" } else { "helm4" };
    let state = State::named(&format!("sidecar-tagged-{version}-{short}"))
        .gateway_api()
        .install(release("base").values(&json!({ "defaultRevision": revision })))
        .install(release("istiod").named(&format!("istiod-{revision}")).values(&json!({ "revision": revision })));
    // The agent exists once, and does not go along over two minors.
    let state = if version.starts_with("1.28") { state } else { state.install(release("cni")) };
    state
        .tag("prod", &revision, version)
        .apply(&namespace("a", &follows, &["web"]))
        .apply(&namespace("b", &follows, &["ledger"]))
        .apply(OBJECTS)
}

/// T-07: two minors at a time by a tag, both its halves moved; A5's end state.
#[test]
fn a_tag_moves_over_two_minors() {
    if charts_or_skip("a_tag_moves_over_two_minors").is_none() {
        return;
    }
    let cluster = Cluster::of(&tagged("1.28.10", Helm::V4));
    let (mesh, runbook) = (cluster.mesh(), cluster.runbook(Helm::V4));
    let objects = mesh.custom_resources();
    let wanted = ["--strategy", "tag", "--remove-old", "--approve", "make-default", "--approve", "remove-old"];
    let ran = canary(&runbook.foretold(Rehearsed::Builtin), "1.30.3", &wanted).exits(0).every_write_was_announced();
    assert!(ran.announced().iter().all(|words| !words.starts_with("label namespace")), "{:#?}", ran.announced());
    assert_eq!(mesh.tag("prod"), ("1-30-3".to_owned(), "1-30-3".to_owned()));
    for namespace in ["a", "b"] {
        assert_eq!(cluster.proxies(namespace), only("1-30-3", "1.30.3"));
        assert_eq!(cluster.labels(namespace), (String::new(), "prod".to_owned()));
    }
    assert!(mesh.releases().keys().all(|name| name != "istiod-1-28-10"), "{:?}", mesh.releases());
    none_lost(&objects, &mesh.custom_resources());
    mesh.healthy_webhooks();
    canary(&runbook, "1.30.3", &wanted).exits(0).wrote_nothing().says("nothing to do");
}

/// T-28: a tag that somebody else moves while a wave proves itself stops the run, with both values.
#[test]
fn a_tag_that_somebody_else_moves_stops_the_run() {
    if charts_or_skip("a_tag_that_somebody_else_moves_stops_the_run").is_none() {
        return;
    }
    let cluster = Cluster::of(&tagged("1.29.6", Helm::V3));
    let runbook = cluster.runbook(Helm::V3);
    let webhook = "mutatingwebhookconfiguration/istio-revision-tag-prod";
    let over = AtomicBool::new(false);
    let mover = || {
        // As soon as the first wave proves itself, its namespace has been restarted by the new revision.
        while cluster.proxies("a") != only("1-30-3", "1.30.3") {
            if over.load(Ordering::Relaxed) {
                return;
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        cluster.kubectl(&["label", webhook, "istio.io/rev=1-29-6", "--overwrite"]);
    };
    let ran = std::thread::scope(|scope| {
        let moving = scope.spawn(mover);
        let ran = canary(&runbook, "1.30.3", &["--strategy", "tag", "--soak", "15s"]);
        over.store(true, Ordering::Relaxed);
        moving.join().unwrap();
        ran
    });
    ran.exits(3).says("tag prod points to 1-29-6 (webhook) and 1-30-3 (Service), expected 1-30-3");
    assert_eq!(cluster.proxies("b"), only("1-29-6", "1.29.6"), "the second wave was begun");
    assert_eq!(cluster.mesh().releases()["istio-cni"], "cni-1.30.3 deployed", "the agent goes before the waves");
}

/// T-43: Gateways that name no revision are given one before the tag `default` exists, and no pod made meanwhile lacks a proxy.
#[test]
fn the_default_moves_without_a_gap_and_without_a_storm() {
    if charts_or_skip("the_default_moves_without_a_gap_and_without_a_storm").is_none() {
        return;
    }
    let gateway = |name: &str, class: &str, protocol: &str, port: u16| {
        json!({
            "apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway", "metadata": { "name": name, "namespace": "edge" },
            "spec": { "gatewayClassName": class, "listeners": [{ "name": "one", "port": port, "protocol": protocol }] },
        })
    };
    let gateways = json!({ "apiVersion": "v1", "kind": "List", "items": [
        gateway("waypoint", "istio-waypoint", "HBONE", 15008), gateway("north", "istio", "HTTP", 80), gateway("south", "istio", "HTTP", 80),
    ]});
    // Only an istiod that knows of ambient keeps waypoints.
    let ambient = json!({ "pilot": { "env": { "PILOT_ENABLE_AMBIENT": "true" } } });
    let state = unrevisioned("1.29.6", Helm::V3).values("istiod", &ambient);
    let state = state.apply(&namespace("edge", &json!({}), &[])).apply(&gateways.to_string());
    let cluster = Cluster::of(&state);
    let (mesh, runbook) = (cluster.mesh(), cluster.runbook(Helm::V3));
    let ran = canary(&runbook, "1.30.3", &[]).exits(6).says("make-default").says("F-45");
    let ran = ran.says("gateway edge/waypoint").says("gateway edge/north").says("gateway edge/south");
    assert!(ran.announced().iter().all(|words| !words.contains("gateway")), "{:#?}", ran.announced());

    let done = AtomicBool::new(false);
    let ran = std::thread::scope(|scope| {
        scope.spawn(|| {
            let pods = |number: usize| {
                json!({ "metadata": { "name": format!("meanwhile-{number}") }, "spec": { "containers": [{ "name": "app", "image": "registry.example/app:1" }] } })
            };
            // From shortly before the tag exists: Gateways come first.
            let claimed = || {
                let gateway = mesh.json(&["get", "gateways.gateway.networking.k8s.io", "north", "-n", "edge"]);
                text(&gateway["metadata"]["labels"]["istio.io/rev"]) == "1-30-3"
            };
            while !done.load(Ordering::Relaxed) && !claimed() {
                std::thread::sleep(Duration::from_millis(100));
            }
            // No more than the nodes have room for.
            let mut number = 0;
            while !done.load(Ordering::Relaxed) && number < 120 {
                cluster.plane.create_all("/api/v1/namespaces/c/pods", [pods(number)]).unwrap();
                number += 1;
                std::thread::sleep(Duration::from_millis(30));
            }
        });
        let ran = canary(&runbook, "1.30.3", &["--approve", "make-default"]);
        done.store(true, Ordering::Relaxed);
        ran
    });
    let ran = ran.exits(0).every_write_was_announced();
    let announced = ran.announced();
    let first_tag = place(&announced, "istio-revision-tag-default");
    for name in ["waypoint", "north", "south"] {
        assert!(
            place(&announced, &format!("label gateways.gateway.networking.k8s.io/{name} ")) < first_tag,
            "{announced:#?}"
        );
    }
    assert_eq!(
        place(&announced, "patch mutatingwebhookconfiguration/istio-sidecar-injector"),
        place(&announced, "apply mutatingwebhookconfiguration/istio-revision-tag-default") + 1
    );
    for (name, deployment) in [("waypoint", "waypoint"), ("north", "north-istio"), ("south", "south-istio")] {
        assert_eq!(mesh.gateway("edge", name, deployment), ("1-30-3".to_owned(), true), "{name}");
        let generation =
            mesh.json(&["get", "deployment", deployment, "-n", "edge"])["metadata"]["generation"].as_i64().unwrap();
        assert!(generation < 6, "{deployment} was rolled {generation} times");
    }
    let bare: Vec<_> = cluster.proxies("c").into_iter().filter(|(revision, _)| revision.is_empty()).collect();
    assert!(bare.is_empty() && !cluster.proxies("c").is_empty(), "pods were made without a proxy: {bare:?}");
}
