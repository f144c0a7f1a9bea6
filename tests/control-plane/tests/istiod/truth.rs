//! The recorded cluster made again: the same charts, namespaces, workloads and Gateways.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use runbook_control_plane::{Helm, State};
use serde_json::{Value, json};

use crate::mesh::{Mesh, gateway, name};

fn recorded(file: &str) -> Vec<Value> {
    let path = format!("{}/../truth/1.30.3/{file}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&fs_err::read(path).unwrap()).unwrap()
}

/// Manager, operation and subresource of everyone who owns a field of an object.
fn managers(object: &Value) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let fields = object["metadata"]["managedFields"].as_array().into_iter().flatten();
    let mut managers: Vec<_> =
        fields.map(|one| (text(&one["manager"]), text(&one["operation"]), text(&one["subresource"]))).collect();
    // Who writes the address of a load balancer was nobody in the recorded cluster.
    managers.retain(|(manager, ..)| manager != "load-balancer");
    managers
}

fn recorded_locks() -> Vec<Value> {
    [recorded("leases.json"), recorded("configmaps-istio-system.json")].concat()
}

/// Every lock and what istiod gives to its namespace, without moments and how often a lock changed hands.
fn locks(objects: Vec<Value>) -> BTreeMap<String, Value> {
    const RECORD: &str = "control-plane.alpha.kubernetes.io/leader";
    let described = objects.into_iter().filter_map(|object| {
        let (annotations, spec) = (&object["metadata"]["annotations"], &object["spec"]);
        let told = match (&object["kind"], annotations.get(RECORD)) {
            (kind, _) if kind == "Lease" => {
                json!([spec["holderIdentity"], spec["leaseDurationSeconds"], annotations["leader.istio.io/holder-key"]])
            }
            (_, Some(record)) => {
                let record: Value = serde_json::from_str(record.as_str().unwrap()).unwrap();
                json!([record["holderIdentity"], record["holderKey"], record["leaseDurationSeconds"]])
            }
            _ if object["metadata"]["labels"]["istio.io/config"] == "true" => {
                json!(object["data"].as_object().unwrap().keys().collect::<Vec<_>>())
            }
            _ => return None,
        };
        Some((name(&object), told))
    });
    described.collect()
}

/// Every write of the recorded istiod, and no other.
fn assert_writes_are_the_recorded_ones(mesh: &Mesh) {
    let not_compared = [
        // Sent by the real one and dropped by the API server: the status of a Gateway cannot carry an annotation.
        "patch gateway.networking.k8s.io/gateways/status",
        // A dry run, which writes nothing.
        "create networking.istio.io/gateways istio-system invalid-gateway",
    ];
    // The cloud's part, not istiod's.
    let not_recorded = ["patch /services/status"];

    let path = format!("{}/../truth/1.30.3/writes.txt", env!("CARGO_MANIFEST_DIR"));
    let recorded = fs_err::read_to_string(path).unwrap();
    let lines = recorded.lines().filter(|line| !line.starts_with('#'));
    let recorded: BTreeSet<String> = lines
        .map(|line| line.rsplit_once(" (").unwrap().0.split_whitespace().collect::<Vec<_>>().join(" "))
        .filter(|line| !not_compared.iter().any(|start| line.starts_with(start)))
        .collect();
    let entries = mesh.plane.audit().unwrap();
    let of_istiod = entries.iter().filter(|one| one.is_write() && one.user_agent.starts_with("pilot-discovery"));
    let ours: BTreeSet<String> = of_istiod
        .map(|one| {
            let part = if one.subresource.is_empty() { String::new() } else { format!("/{}", one.subresource) };
            let kind = format!("{}/{}{part}", one.group, one.resource);
            [&one.verb, &kind, &one.namespace, &one.name].map(String::as_str).join(" ")
        })
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .filter(|line| !not_recorded.iter().any(|start| line.starts_with(start)))
        .collect();
    assert_eq!(ours, recorded);
}

fn recorded_mesh(test: &str) -> Option<Mesh> {
    let mesh = Mesh::start(test, Helm::V3, &State::bare())?;
    mesh.release("istio-base", "base", "1.30.3", "defaultRevision=1-30-3");
    mesh.release("istiod-1-30-3", "istiod", "1.30.3", "profile=ambient,revision=1-30-3");
    for namespace in ["shop", "amb", "ingress"] {
        mesh.kubectl(&["create", "namespace", namespace]);
    }
    mesh.kubectl(&["label", "namespace", "shop", "istio.io/rev=1-30-3"]);
    mesh.kubectl(&["create", "deployment", "web", "--namespace", "shop", "--image", "nginx"]);
    let revision = "istio.io/rev: 1-30-3";
    mesh.plane
        .apply(
            &[
                gateway("amb", "waypoint", &format!("{revision}, istio.io/waypoint-for: service"), "istio-waypoint"),
                gateway("ingress", "edge", revision, "istio"),
                gateway("ingress", "unlabelled", "", "istio"),
            ]
            .concat(),
        )
        .unwrap();
    mesh.until("every pod is there", |mesh| {
        mesh.list("pods -A").iter().filter(|pod| pod["status"]["phase"] == "Running").count() >= 5
    });
    Some(mesh)
}

#[test]
fn a_recorded_cluster_comes_out_as_it_was() {
    let Some(mesh) = recorded_mesh("a_recorded_cluster_comes_out_as_it_was") else { return };

    // The hash is made of the whole template of the pods: equal hashes are equal templates.
    for (file, namespace) in [("gateway-pod.json", "ingress"), ("waypoint-pod.json", "amb")] {
        for pod in recorded(file) {
            let wanted = &pod["metadata"]["generateName"];
            let pods = mesh.list(&format!("pods -n {namespace}"));
            let found: Vec<_> = pods.iter().map(|pod| &pod["metadata"]["generateName"]).collect();
            assert!(found.contains(&wanted), "{wanted} is not among {found:?}");
        }
    }

    let kinds = [
        ("webhooks.json", "mutatingwebhookconfigurations,validatingwebhookconfigurations"),
        ("gatewayclasses.json", "gatewayclasses"),
        ("gateway-objects.json", "deployments,services,serviceaccounts,configmaps -n ingress"),
        ("waypoint-objects.json", "deployments,services,serviceaccounts,configmaps -n amb"),
    ];
    for (file, what) in kinds {
        let present = mesh.list(what);
        for one in recorded(file) {
            let same = |other: &&Value| other["kind"] == one["kind"] && name(other) == name(&one);
            let found = present.iter().find(same).unwrap_or_else(|| panic!("{file}: no {}", name(&one)));
            assert_eq!(managers(found), managers(&one), "who writes {} {}", one["kind"], name(&one));
            assert_eq!(found["metadata"]["labels"], one["metadata"]["labels"], "labels of {}", name(&one));
        }
    }
    for webhook in mesh.list("mutatingwebhookconfigurations,validatingwebhookconfigurations") {
        for entry in webhook["webhooks"].as_array().unwrap() {
            assert!(entry["clientConfig"]["caBundle"].is_string() && entry["failurePolicy"] == "Fail", "{entry}");
        }
    }

    assert_eq!(locks(mesh.list("leases,configmaps -n istio-system")), locks(recorded_locks()));
    mesh.until("the locks are renewed", |mesh| {
        let entries = mesh.plane.audit().unwrap();
        entries.iter().any(|one| one.verb == "update" && one.name == "istio-gateway-status-leader-1-30-3")
    });
    assert_writes_are_the_recorded_ones(&mesh);

    let before = mesh.writes();
    mesh.wait(Duration::from_secs(3));
    assert_eq!(mesh.writes(), before, "it has come to rest");
}
