//! What must not leave, and what must stay as it was.

use serde_json::json;

use super::*;

const PASSWORD: &str = "C0rrect-Horse!";

fn secret(data: &Value) -> Value {
    json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "db", "namespace": "shop" }, "data": data })
}

fn disguised(known: &[Value], mut object: Value) -> Value {
    let mut disguise = Disguise::default();
    for secret in known {
        disguise.learn(secret);
    }
    assert_eq!(disguise.apply(&mut object), None);
    object
}

#[test]
fn a_secret_keeps_the_names_of_its_entries_alone() {
    let mut object = secret(&json!({ "password": STANDARD.encode(PASSWORD), "empty": "", "namespace": "c2hvcA==" }));
    object["metadata"]["annotations"] = json!({ LAST_APPLIED: format!("{{\"data\":\"{PASSWORD}\"}}") });
    let object = disguised(std::slice::from_ref(&object), object.clone());
    assert_eq!(
        object,
        json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": { "name": "db", "namespace": "shop", "annotations": {} },
            "data": {
                "password": STANDARD.encode("<secret 1>"), "empty": "", "namespace": STANDARD.encode("<secret 2>"),
            },
        })
    );
}

#[test]
fn what_a_secret_holds_is_replaced_where_it_was_copied_to_and_names_are_not() {
    let known = secret(&json!({ "password": STANDARD.encode(PASSWORD), "host": STANDARD.encode("postgres-main") }));
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "postgres-main" },
        "spec": { "serviceAccountName": "postgres-main", "containers": [{
            "args": [format!("--url=https://me:{PASSWORD}@db")],
            "env": [{ "name": "HOST", "value": "postgres-main" }, { "name": "DB_PASSWORD", "value": "tiny" }],
        }] },
    });
    let pod = disguised(&[known], pod);
    assert_eq!(pod["metadata"]["name"], "postgres-main");
    assert_eq!(pod["spec"]["serviceAccountName"], "postgres-main");
    let container = &pod["spec"]["containers"][0];
    assert_eq!(container["args"][0], "--url=https://me:<secret 1>@db");
    assert!(container["env"][1]["value"].as_str().unwrap().starts_with("<secret "), "{container}");
}

#[test]
fn a_last_applied_object_hides_what_the_object_hides() {
    let applied = json!({ "spec": { "env": [{ "name": "API_TOKEN", "value": "tiny" }] } });
    let object = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": { "name": "web", "annotations": { LAST_APPLIED: applied.to_string() } },
        "spec": { "env": [{ "name": "API_TOKEN", "value": "tiny" }] },
    });
    let object = disguised(&[], object);
    assert!(!object.to_string().contains("tiny"), "{object}");
    assert!(object["metadata"]["annotations"][LAST_APPLIED].as_str().unwrap().contains("API_TOKEN"));
}

#[test]
fn a_configmap_hides_what_a_secret_holds_and_what_its_keys_call_secret() {
    let known = secret(&json!({ "p": STANDARD.encode(PASSWORD) }));
    let map = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "m" }, "data": {
        "kube.conf": format!("key: {PASSWORD}"), "db-password": "x", "mesh": "trustDomain: cluster.local",
    } });
    let map = disguised(&[known], map);
    assert_eq!(map["data"]["kube.conf"], "key: <secret 1>");
    assert_eq!(map["data"]["mesh"], "trustDomain: cluster.local");
    assert_eq!(map["data"]["db-password"], "<secret 2>");
}

fn release(record: &Value) -> Value {
    let mut object = json!({
        "apiVersion": "v1", "kind": "Secret", "type": "helm.sh/release.v1",
        "metadata": { "name": "sh.helm.release.v1.db.v1", "namespace": "shop", "labels": { "name": "db", "owner": "helm" } },
        "data": { "release": "" },
    });
    release::put(&mut object, record);
    object
}

#[test]
fn the_record_of_a_release_stays_readable_without_its_secrets() {
    let manifest = format!(
        "---\n# Source: db/templates/secret.yaml\napiVersion: v1\nkind: Secret\nmetadata:\n  name: db\nstringData:\n  password: {PASSWORD}\n---\n# Source: db/templates/map.yaml\napiVersion: v1\nkind: ConfigMap\ndata:\n  url: https://{PASSWORD}@db\n"
    );
    let object = release(&json!({
        "name": "db", "version": 1, "namespace": "shop",
        "config": { "auth": { "password": PASSWORD, "adminToken": 12345 }, "replicas": 3 },
        "info": { "status": "deployed", "notes": format!("log in with {PASSWORD}") },
        "manifest": manifest,
        "hooks": [{ "name": "h", "manifest": format!("kind: Job\nenv: {PASSWORD}\n") }],
        "chart": { "metadata": { "name": "db", "version": "1.2.3" }, "values": { "auth": { "password": "" } } },
    }));
    let object = disguised(std::slice::from_ref(&object), object.clone());
    let record = release::record(&object).unwrap();
    assert!(!record.to_string().contains(PASSWORD), "{record:#}");
    assert_eq!(record["config"]["replicas"], 3);
    assert_eq!(record["config"]["auth"]["password"], "<secret 1>");
    assert_eq!(record["config"]["auth"]["adminToken"], "<secret 2>");
    assert_eq!(record["chart"]["metadata"]["version"], "1.2.3");
    assert_eq!(record["info"], json!({ "status": "deployed" }));
    let documents = release::documents(record["manifest"].as_str().unwrap());
    assert_eq!(
        documents[1],
        "---\n# Source: db/templates/map.yaml\napiVersion: v1\nkind: ConfigMap\ndata:\n  url: https://<secret 1>@db\n"
    );
    let inner = parsed_secret(&documents[0]).unwrap().unwrap();
    assert_eq!(inner["stringData"]["password"], "<secret 1>");
    assert!(documents[0].starts_with("---\n# Source: db/templates/secret.yaml\n"));
}

#[test]
fn a_record_that_cannot_be_read_is_replaced_whole_and_named() {
    for broken in ["bm90aGluZw==", "%"] {
        let mut object = release(&json!({}));
        object["data"]["release"] = broken.into();
        let mut disguise = Disguise::default();
        disguise.learn(&object);
        assert_eq!(disguise.apply(&mut object).as_deref(), Some("shop/db"));
        assert_eq!(object["data"]["release"], STANDARD.encode("<secret 1>"));
    }
}
