//! Cases out of Istio's charts: every object that real helm renders, made and applied.
//!
//! Nothing is kept: the dry run of both servers fills in, checks and tracks all the same. Not known here: how answers are compared.

use std::collections::BTreeMap;
use std::process::Command;

use kube::Client;
use runbook_control_plane::{ControlPlane, Helm, charts_or_skip};
use serde_json::Value;

use crate::case::{Case, Step};

const VERSIONS: [&str; 2] = ["1.30.3", "1.24.6"];
const CHARTS: [&str; 5] = ["base", "istiod", "cni", "ztunnel", "gateway"];

/// One case for each chart of each version; none where there are no charts.
pub(crate) async fn cases(client: &Client) -> Vec<Case> {
    let Some(folder) = charts_or_skip("the_simulation_answers_as_the_api_server_does (Istio's charts)") else {
        return Vec::new();
    };
    let plane = ControlPlane::shared().unwrap();
    let only = std::env::var("CONFORMANCE_ONLY").unwrap_or_default();
    let mut resources = BTreeMap::new();
    let mut cases = Vec::new();
    for version in VERSIONS {
        for chart in CHARTS {
            let namespace = format!("chart-{chart}-{}", version.replace('.', "-"));
            let name = format!("{chart} {version}");
            let mut case = Case { name, steps: Vec::new(), file: "chart".to_owned(), namespace };
            if !case.title().contains(&only) {
                continue;
            }
            let archive = folder.join(format!("{chart}-{version}.tgz"));
            let rendered = Command::new(plane.helm(Helm::V3))
                .args([
                    "template",
                    chart,
                    &archive.display().to_string(),
                    "--include-crds",
                    // Old charts have a value that their own schema does not know.
                    "--skip-schema-validation",
                    "--namespace",
                    &case.namespace,
                ])
                .output()
                .unwrap();
            assert!(rendered.status.success(), "{}", String::from_utf8_lossy(&rendered.stderr));
            let text = String::from_utf8(rendered.stdout).unwrap();
            let objects: Vec<Value> = serde_saphyr::from_multiple(&text).unwrap();
            for object in objects.into_iter().filter(Value::is_object) {
                steps(client, &mut resources, object, &mut case).await;
            }
            cases.push(case);
        }
    }
    cases
}

/// The plural of a kind, and whether it has namespaces.
type Resources = BTreeMap<(String, String), Option<(String, bool)>>;

async fn steps(client: &Client, resources: &mut Resources, mut object: Value, case: &mut Case) {
    let word = |key: &str| object[key].as_str().unwrap_or_default().to_owned();
    let (api_version, kind) = (word("apiVersion"), word("kind"));
    let key = (api_version.clone(), kind.clone());
    if !resources.contains_key(&key) {
        let found = resource(client, &api_version, &kind).await;
        resources.insert(key.clone(), found);
    }
    // Kinds that only an installed CRD would bring are nobody's here.
    let Some((plural, namespaced)) = resources[&key].clone() else { return };
    let root = if api_version.contains('/') { "apis" } else { "api" };
    let mut path = format!("/{root}/{api_version}");
    if namespaced {
        object["metadata"]["namespace"] = case.namespace.as_str().into();
        path = format!("{path}/namespaces/{}", case.namespace);
    }
    let name = object["metadata"]["name"].as_str().unwrap().to_owned();
    let request = format!("APPLY {path}/{plural}/{name}?fieldManager=helm&force=true&dryRun=All");
    case.steps.push(Step { request, body: Some(object.clone()), ..Step::default() });
    let request = format!("POST {path}/{plural}?dryRun=All");
    case.steps.push(Step { request, body: Some(object), ..Step::default() });
}

async fn resource(client: &Client, api_version: &str, kind: &str) -> Option<(String, bool)> {
    let root = if api_version.contains('/') { "apis" } else { "api" };
    let request = http::Request::get(format!("/{root}/{api_version}")).body(Vec::new()).unwrap();
    let list: Value = client.request(request).await.ok()?;
    let served = list["resources"].as_array()?.iter();
    let mut of_kind = served.filter(|one| one["kind"] == kind && !one["name"].as_str().unwrap().contains('/'));
    let one = of_kind.next()?;
    Some((one["name"].as_str()?.to_owned(), one["namespaced"] == true))
}
