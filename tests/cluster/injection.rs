//! The evaluator of injection, held to what the API server does.
//!
//! The injectors of three charts are installed side by side, beside configurations with selectors made up at random, and pods of many
//! labels are created in namespaces of many labels, as a dry run. The API server notes in its audit log which entries it asked about each;
//! `std/istio/injection` must name the same ones, from the same webhooks, for every pod. No webhook answers (there is no Service
//! behind any, and they may fail), so one request shows all entries that match, and pods stay as they were sent.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures::stream::{self, StreamExt as _};
use runbook_control_plane::{Charts, ControlPlane, Helm, charts_or_skip};
use serde_json::{Value, json};

use crate::bench::Bench;
use crate::mesh::text;

const VERSIONS: [&str; 3] = ["1.23.6", "1.28.10", "1.30.3"];
/// Configurations with selectors made up at random.
const RANDOM: usize = 12;
/// Namespaces with labels made up at random, beside those of the table.
const NAMESPACES: usize = 60;
/// Pods in each namespace, beside those of the table.
const PODS: usize = 26;

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        // Constants of a well-known 64-bit generator (Knuth's MMIX).
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or_default() % sides
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.roll(of.len())]
    }
}

/// Labels that injectors read, with values known and unknown to them; absent ones more often than not.
const NAMESPACE_LABELS: [(&str, &[&str]); 4] = [
    ("istio-injection", &["enabled", "disabled", "Enabled", ""]),
    ("istio.io/rev", &["default", "canary", "prod", "old", "unknown", ""]),
    ("istio.io/dataplane-mode", &["ambient", "none"]),
    ("team", &["a", "b", ""]),
];
const POD_LABELS: [(&str, &[&str]); 4] = [
    ("sidecar.istio.io/inject", &["true", "false", "yes", ""]),
    ("istio.io/rev", &["default", "canary", "prod", "old", ""]),
    ("team", &["a", "b", ""]),
    ("app", &["web", "db"]),
];

fn labels(dice: &mut Dice, known: &[(&str, &[&str])]) -> Value {
    let mut labels = json!({});
    for (key, values) in known {
        if dice.roll(2) == 0 {
            labels[*key] = dice.one(values).into();
        }
    }
    labels
}

/// A selector of up to three requirements; of none, now and then.
fn selector(dice: &mut Dice, known: &[(&str, &[&str])]) -> Value {
    let mut selector = json!({});
    for _ in 0..dice.roll(4) {
        let (key, values) = known[dice.roll(known.len())];
        match dice.one(&["label", "In", "NotIn", "Exists", "DoesNotExist"]) {
            "label" => selector["matchLabels"][key] = dice.one(values).into(),
            operator @ ("In" | "NotIn") => {
                let listed = [dice.one(values), dice.one(values)];
                push(&mut selector, json!({ "key": key, "operator": operator, "values": listed }));
            }
            operator => push(&mut selector, json!({ "key": key, "operator": operator })),
        }
    }
    selector
}

fn push(selector: &mut Value, expression: Value) {
    match selector["matchExpressions"].as_array_mut() {
        Some(expressions) => expressions.push(expression),
        None => selector["matchExpressions"] = json!([expression]),
    }
}

fn random_configuration(dice: &mut Dice, number: usize) -> Value {
    let entry = |dice: &mut Dice, entry: usize| {
        json!({
            "name": format!("entry-{entry}.sidecar-injector.istio.io"),
            "clientConfig": { "service": { "name": "nobody", "namespace": "istio-system", "path": "/inject" } },
            "rules": [{ "operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"] }],
            "namespaceSelector": selector(dice, &NAMESPACE_LABELS),
            "objectSelector": selector(dice, &POD_LABELS),
            "sideEffects": "None", "failurePolicy": "Ignore", "admissionReviewVersions": ["v1"], "timeoutSeconds": 1,
        })
    };
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": { "name": format!("random-{number}"), "labels": { "istio.io/rev": format!("random-{number}") } },
        "webhooks": (0..4).map(|number| entry(dice, number)).collect::<Vec<_>>(),
    })
}

/// The injectors that a chart makes: un-revisioned, of revision `canary`, and the tags `default` and `prod` pointing to that. Called
/// after the version, and free to fail.
fn of_chart(plane: &ControlPlane, version: &str) -> Vec<Value> {
    let package = Charts::open().unwrap().package("istiod", version).unwrap();
    let package = package.to_string_lossy();
    let tags = if version < "1.28" { "templates/revision-tags.yaml" } else { "templates/revision-tags-mwc.yaml" };
    let render = |template: &str, more: &[&str]| {
        let show = format!("--show-only={template}");
        plane
            .run_helm(Helm::V3, &[&["template", "istiod", &package, "-n", "istio-system", &show], more].concat())
            .unwrap()
    };
    let webhook = "templates/mutatingwebhook.yaml";
    let rendered = [
        render(webhook, &[]),
        render(webhook, &["--set", "revision=canary"]),
        render(tags, &["--set", "revision=canary", "--set", "revisionTags={default,prod}"]),
    ];
    let documents = rendered.iter().flat_map(|text| text.split("\n---"));
    let parsed = documents.map(|text| serde_saphyr::from_str::<Value>(text).unwrap());
    parsed
        .filter(|webhook| webhook["kind"] == "MutatingWebhookConfiguration")
        .map(|mut webhook| {
            let name = format!("{}.v{version}", text(&webhook["metadata"]["name"]));
            webhook["metadata"]["name"] = name.into();
            for entry in webhook["webhooks"].as_array_mut().unwrap() {
                entry["failurePolicy"] = "Ignore".into();
                entry["timeoutSeconds"] = 1.into();
            }
            webhook
        })
        .collect()
}

/// A namespace, the labels it has, and the labels of pods that are created in it.
struct Place {
    name: String,
    labels: Value,
    pods: Vec<Value>,
}

fn places() -> Vec<Place> {
    let mut dice = Dice(2024);
    // Rows and columns of the table in which the rules of injection are usually told.
    let rows = [
        json!({}),
        json!({ "istio-injection": "enabled" }),
        json!({ "istio-injection": "disabled" }),
        json!({ "istio.io/rev": "canary" }),
        json!({ "istio.io/rev": "default" }),
        json!({ "istio.io/rev": "prod" }),
        json!({ "istio-injection": "enabled", "istio.io/rev": "canary" }),
        json!({ "istio-injection": "disabled", "istio.io/rev": "canary" }),
        json!({ "istio.io/rev": "unknown" }),
    ];
    let columns = [
        json!({}),
        json!({ "sidecar.istio.io/inject": "true" }),
        json!({ "sidecar.istio.io/inject": "false" }),
        json!({ "istio.io/rev": "canary" }),
        json!({ "sidecar.istio.io/inject": "true", "istio.io/rev": "canary" }),
        json!({ "istio.io/rev": "old" }),
    ];
    let random: Vec<Value> = (0..NAMESPACES).map(|_| labels(&mut dice, &NAMESPACE_LABELS)).collect();
    let place = |(number, labels_of): (usize, Value)| {
        let pods = (0..PODS).map(|_| labels(&mut dice, &POD_LABELS));
        Place {
            name: format!("place-{number}"),
            labels: labels_of,
            pods: columns.iter().cloned().chain(pods).collect(),
        }
    };
    rows.into_iter().chain(random).enumerate().map(place).collect()
}

fn pod(labels: &Value) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": { "name": "tried", "labels": labels },
        "spec": { "containers": [{ "name": "app", "image": "registry.example/app:1" }] },
    })
}

/// Tries every pod, and answers with the entries that the API server asked about each, in the order of the places and their pods.
fn asked(plane: &ControlPlane, places: &[Place]) -> Vec<Vec<String>> {
    let tries = places.iter().flat_map(|place| place.pods.iter().map(|labels| (place.name.clone(), pod(labels))));
    let create = |(number, (namespace, pod)): (usize, (String, Value))| {
        let client = plane.client();
        async move {
            // The number is how the audit log tells one try from another.
            let uri = format!("/api/v1/namespaces/{namespace}/pods?dryRun=All&fieldManager=try-{number}");
            let request = http::Request::post(uri).header("content-type", "application/json");
            client.request_text(request.body(pod.to_string().into_bytes()).unwrap()).await.unwrap();
        }
    };
    let all = stream::iter(tries.enumerate()).map(create).buffer_unordered(32);
    plane.block_on(all.collect::<Vec<()>>());
    let mut answers = BTreeMap::new();
    for entry in plane.audit().unwrap() {
        if let Some((_, number)) = entry.request_uri.split_once("fieldManager=try-") {
            answers.insert(number.parse::<usize>().unwrap(), entry.webhooks);
        }
    }
    let count = answers.len();
    assert_eq!(answers.keys().copied().collect::<Vec<_>>(), (0..count).collect::<Vec<_>>(), "a try is not in the log");
    answers.into_values().collect()
}

/// Waits until the API server acts on the last of what was created: it learns of configurations and namespaces by watching.
fn until_known(plane: &ControlPlane) {
    let begun = Instant::now();
    plane.apply("{ apiVersion: v1, kind: Namespace, metadata: { name: last, labels: { last: 'yes' } } }").unwrap();
    let mut webhook = random_configuration(&mut Dice(1), 0);
    webhook["metadata"] = json!({ "name": "zz-last" });
    webhook["webhooks"] = json!([webhook["webhooks"][0]]);
    webhook["webhooks"][0]["namespaceSelector"] = json!({ "matchLabels": { "last": "yes" } });
    webhook["webhooks"][0]["objectSelector"] = json!({});
    plane.apply(&webhook.to_string()).unwrap();
    loop {
        let probe = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"probe","namespace":"last"},"spec":{"containers":[{"name":"a","image":"a"}]}}"#;
        let file = plane.folder().unwrap().join("probe.json");
        fs_err::write(&file, probe).unwrap();
        let tried = plane.run_kubectl(&["create", "--dry-run=server", "-f", &file.to_string_lossy()]);
        let last = plane.audit().unwrap().into_iter().rfind(|entry| entry.resource == "pods" && entry.dry_run);
        if tried.is_ok() && last.is_some_and(|entry| entry.webhooks.iter().any(|one| one.starts_with("zz-last/"))) {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "the API server does not learn of the webhooks: {tried:?}");
        std::thread::sleep(Duration::from_millis(200));
    }
    plane.run_kubectl(&["delete", "mutatingwebhookconfiguration", "zz-last"]).unwrap();
}

/// What the evaluator names for each pod, in the same order.
fn named(bench: &Bench, places: &[Place]) -> Vec<Vec<String>> {
    let given: Vec<Value> = places.iter().map(|p| json!({ "labels": p.labels, "pods": p.pods })).collect();
    let given = serde_json::to_string(&Value::Array(given)).unwrap();
    let script = format!(
        r#"
        import "std/istio/injection" as injection;
        let entries = injection::injectors(kubectl::list("mutatingwebhookconfigurations"));
        let answers = [];
        for place in json::parse(`{given}`) {{
            let here = injection::of_namespace(entries, place.labels);
            for pod in place.pods {{
                let names = [];
                for entry in injection::injector(here, place.labels, pod).entries {{
                    names.push(`${{entry.configuration}}/${{entry.entry}}`);
                }}
                answers.push(names);
            }}
        }}
        answers
        "#
    );
    serde_json::from_value(bench.script(&script).unwrap()).unwrap()
}

/// Both tell the same, and something that can be told: enough pods that nobody, one, and several inject.
#[test]
fn the_evaluator_names_the_webhooks_that_the_api_server_asks() {
    if charts_or_skip("the_evaluator_names_the_webhooks_that_the_api_server_asks").is_none() {
        return;
    }
    let plane = ControlPlane::start().unwrap_or_else(|fault| panic!("{fault}"));
    let mut dice = Dice(7);
    let mut objects: Vec<Value> = VERSIONS.into_iter().flat_map(|version| of_chart(&plane, version)).collect();
    assert_eq!(objects.len(), VERSIONS.len() * 4, "un-revisioned, canary, and two tags of each");
    objects.extend((0..RANDOM).map(|number| random_configuration(&mut dice, number)));
    let places = places();
    objects.extend(places.iter().map(|place| {
        json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": place.name, "labels": place.labels } })
    }));
    plane.apply(&json!({ "apiVersion": "v1", "kind": "List", "items": objects }).to_string()).unwrap();
    until_known(&plane);

    let truth = asked(&plane, &places);
    let bench = Bench::new(&plane.kubeconfig());
    let answers = named(&bench, &places);
    assert_eq!(truth.len(), answers.len());
    let mut wrong = Vec::new();
    let pods = places.iter().flat_map(|place| place.pods.iter().map(|pod| (&place.labels, pod)));
    for ((truth, answer), (namespace, pod)) in truth.iter().zip(&answers).zip(pods) {
        let sorted = |names: &[String]| names.iter().cloned().collect::<std::collections::BTreeSet<_>>();
        if sorted(truth) != sorted(answer) {
            wrong.push(format!("namespace {namespace}, pod {pod}: the API server asks {truth:?}, not {answer:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ, such as {:#?}", wrong.len(), truth.len(), &wrong[..wrong.len().min(3)]);
    for version in VERSIONS {
        let own = |names: &[String]| names.iter().filter(|name| name.contains(&format!(".v{version}/"))).count();
        let matching = |count: usize| truth.iter().filter(|names| own(names) == count).count();
        assert!(matching(0) > 50 && matching(1) > 50 && matching(2) > 50, "too few of each kind to tell");
    }
    assert!(truth.len() > 2000, "{}", truth.len());
}
