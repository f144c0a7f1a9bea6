//! Istio's own charts, all of them, with values that switch what they can do.

use std::path::{Path, PathBuf};

use runbook_chart::{Chart, Dialect};
use runbook_control_plane::{Binaries, charts_or_skip};

use crate::answer::{Helm, Tally, ours};

/// Values on top of the defaults, each by a name.
const OVERLAYS: &[(&str, &str)] = &[
    ("defaults", "{}"),
    ("ambient", "profile: ambient\n"),
    ("openshift", "global: {platform: openshift}\nprofile: openshift\n"),
    ("gke", "global: {platform: gke}\nprofile: ambient\n"),
    ("k3s and demo", "global: {platform: k3s}\nprofile: demo\n"),
    ("stable", "profile: stable\nplatform: minikube\n"),
    ("preview", "profile: preview\nglobal: {logging: {level: 'default:debug'}}\n"),
    ("revision", "revision: 1-29-6\nrevisionTags: [prod, canary]\ndefaultRevision: 1-29-6\n"),
    ("old defaults", "compatibilityVersion: '1.24'\nprofile: compatibility-version-1.24\n"),
    ("scope", "resourceScope: namespace\nglobal: {resourceScope: cluster}\n"),
    ("cluster scope", "resourceScope: cluster\n"),
    (
        "nulls",
        "pilot: null\nresources: null\nautoscaleEnabled: null\nglobal: {proxy: null, hub: null}\nservice: null\nmeshConfig: null\n",
    ),
    (
        "numbers",
        "replicaCount: 1000000\nautoscaleMin: 3\nautoscaleMax: 123456789\ntraceSampling: 1.5\nterminationGracePeriodSeconds: 2147483647\npilot: {replicaCount: 1e3}\nglobal: {tag: 1.30, network: 0644}\n",
    ),
    (
        "words that are not",
        "podAnnotations: {a: 'yes', b: 'null', c: '0x10', d: '1_000', e: '', f: 'a: b', g: \"two\\nlines\\n\", h: ' led', i: '2001-01-01'}\npodLabels: {on: 'off'}\nannotations: {'y': 'n'}\nlabels: {'1': '2'}\n",
    ),
    (
        "mesh",
        "meshConfig: {accessLogFile: /dev/stdout, defaultConfig: {holdApplicationUntilProxyStarts: true, concurrency: 2}, extensionProviders: [{name: otel, opentelemetry: {service: otel.obs, port: 4317}}]}\nglobal: {meshID: m1, multiCluster: {clusterName: c1}, network: n1, imagePullSecrets: [pull]}\n",
    ),
    (
        "placed",
        "nodeSelector: {disk: ssd}\ntolerations: [{key: a, operator: Exists, effect: NoSchedule}]\naffinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1, preference: {matchExpressions: [{key: k, operator: In, values: [v]}]}}]}}\ntopologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule}]\nenv: {A: b, C: '1'}\nresources: {requests: {cpu: 10m, memory: 1Gi}}\n",
    ),
    (
        "external",
        "global: {remotePilotAddress: 10.0.0.1, externalIstiod: true, istiod: {enableAnalysis: true}}\nistiodRemote: {enabled: true, injectionURL: 'https://x:15017/inject'}\n",
    ),
    (
        "node agent",
        "cni: {chained: false, cniBinDir: /opt/bin, excludeNamespaces: [a, b], logLevel: debug, ambient: {enabled: true, dnsCapture: true}}\nambient: {enabled: true, ipv6: false}\nchained: false\nrepair: {enabled: false}\n",
    ),
    (
        "gateway",
        "kind: DaemonSet\nautoscaling: {enabled: false}\nservice: {type: ClusterIP, ports: [{name: a, port: 1, targetPort: 2}], annotations: {x: y}}\npodDisruptionBudget: {minAvailable: 1}\nserviceAccount: {create: false, name: other}\n",
    ),
    ("unknown platform", "global: {platform: mars}\n"),
    ("unknown profile", "profile: nowhere\n"),
    ("wrong types", "replicaCount: many\nautoscaling: 5\nimagePullSecrets: x\nglobal: {imagePullPolicy: 5}\n"),
    ("a list for a map", "global: [1, 2]\nresources: [1]\n"),
];

fn packages(folder: &Path) -> Vec<(String, PathBuf)> {
    let entries = fs_err::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<_> = entries
        .filter(|path| path.extension().is_some_and(|extension| extension == "tgz"))
        .map(|path| (path.file_stem().unwrap().to_string_lossy().into_owned(), path))
        .collect();
    found.sort();
    found
}

/// Asks about every chart with the overlays that are chosen for its place in the list.
fn compare(binaries: &Binaries, folder: &Path, dialect: Dialect, chosen: impl Fn(usize, usize) -> bool) -> Tally {
    let mut tally = Tally::default();
    for (place, (name, path)) in packages(folder).into_iter().enumerate() {
        let chart = Chart::from_archive(&fs_err::read(&path).unwrap());
        let key = chart.as_ref().map(|chart| chart.digest().to_owned()).unwrap_or_default();
        let mut helm = Helm::of(binaries, dialect, &name);
        for (index, (overlay, given)) in OVERLAYS.iter().enumerate() {
            if chosen(place, index) {
                let theirs = helm.template(&key, &path, given);
                tally.hold(&format!("{name} with {overlay}"), &theirs, &ours(&chart, given, dialect));
            }
        }
    }
    tally
}

#[test]
fn every_chart_renders_as_helm_4_renders_it() {
    let Some(folder) = charts_or_skip("every_chart_renders_as_helm_4_renders_it") else { return };
    let binaries = Binaries::find_or_build().unwrap();
    let tally = compare(&binaries, &folder, Dialect::Helm4, |_, _| true);
    tally.demand(0.98);
    assert!(tally.files > 2_000 && tally.refused > 20, "{} files, {} refused", tally.files, tally.refused);
}

#[test]
fn every_chart_renders_as_helm_3_renders_it() {
    let Some(folder) = charts_or_skip("every_chart_renders_as_helm_3_renders_it") else { return };
    let binaries = Binaries::find_or_build().unwrap();
    // A quarter of the overlays for each chart, another quarter for the next.
    let tally = compare(&binaries, &folder, Dialect::Helm3, |place, index| (place + index).is_multiple_of(4));
    tally.demand(0.98);
}
