//! The API server in memory, asked through a real client in the same process.

#![expect(clippy::unwrap_used, reason = "what is wrong in a test may panic")]

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use futures::{StreamExt, TryStreamExt};
use http::Request;
use kube::{
    Client,
    api::{
        Api, ApiResource, DeleteParams, DynamicObject, GroupVersionKind, ListParams, Patch, PatchParams, PostParams,
        WatchParams,
    },
    core::WatchEvent,
};
use runbook_sim::{Options, Simulation};
use serde_json::{Value, json};

fn simulation() -> Simulation {
    Simulation::new(Options::default())
}

fn api(client: &Client, group: &str, version: &str, kind: &str, plural: &str) -> Api<DynamicObject> {
    let resource = ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, kind), plural);
    Api::namespaced_with(client.clone(), "default", &resource)
}

fn config_maps(client: &Client) -> Api<DynamicObject> {
    api(client, "", "v1", "ConfigMap", "configmaps")
}

fn object(value: Value) -> DynamicObject {
    serde_json::from_value(value).unwrap()
}

fn config_map(name: &str, color: &str) -> DynamicObject {
    object(json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name, "labels": { "color": color } }, "data": { "a": "1" },
    }))
}

async fn send(client: &Client, method: &str, path: &str, kind: &str, body: Value) -> Result<Value, kube::Error> {
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    client.request(Request::builder().method(method).uri(path).header("content-type", kind).body(body).unwrap()).await
}

fn code(outcome: Result<Value, kube::Error>) -> (u16, String) {
    match outcome {
        Err(kube::Error::Api(status)) => (status.code, status.message.clone()),
        other => panic!("no refusal: {other:?}"),
    }
}

const JSON: &str = "application/json";

#[tokio::test]
async fn an_object_lives_from_its_creation_to_its_end() {
    let simulation = simulation();
    let maps = config_maps(&simulation.client());
    let made = maps.create(&PostParams::default(), &config_map("x", "red")).await.unwrap();
    assert_eq!(made.metadata.namespace.as_deref(), Some("default"));
    assert!(made.metadata.uid.is_some() && made.metadata.creation_timestamp.is_some());
    let again = maps.create(&PostParams::default(), &config_map("x", "red")).await.unwrap_err();
    assert!(matches!(&again, kube::Error::Api(status) if status.reason == "AlreadyExists"), "{again}");

    let mut changed = made.clone();
    changed.data["data"]["a"] = json!("2");
    let changed = maps.replace("x", &PostParams::default(), &changed).await.unwrap();
    assert_ne!(changed.metadata.resource_version, made.metadata.resource_version);
    let stale = maps.replace("x", &PostParams::default(), &made).await.unwrap_err();
    assert!(matches!(&stale, kube::Error::Api(status) if status.code == 409), "{stale}");

    let patched =
        maps.patch("x", &PatchParams::default(), &Patch::Merge(json!({ "data": { "b": "3" } }))).await.unwrap();
    assert_eq!(patched.data["data"], json!({ "a": "2", "b": "3" }));
    let same = maps.patch("x", &PatchParams::default(), &Patch::Merge(json!({ "data": { "b": "3" } }))).await.unwrap();
    assert_eq!(same.metadata.resource_version, patched.metadata.resource_version, "nothing changed");

    maps.delete("x", &DeleteParams::default()).await.unwrap();
    let gone = maps.get("x").await.unwrap_err();
    assert!(gone.to_string().contains(r#"configmaps "x" not found"#), "{gone}");
}

#[tokio::test]
async fn a_dry_run_leaves_nothing_behind() {
    let simulation = simulation();
    let maps = config_maps(&simulation.client());
    let dry = PostParams { dry_run: true, ..PostParams::default() };
    maps.create(&dry, &config_map("x", "red")).await.unwrap();
    assert!(maps.get_opt("x").await.unwrap().is_none());
}

#[tokio::test]
async fn lists_are_selected_and_paged() {
    let simulation = simulation();
    let client = simulation.client();
    let maps = config_maps(&client);
    for number in 0..7 {
        let color = if number % 2 == 0 { "red" } else { "blue" };
        maps.create(&PostParams::default(), &config_map(&format!("m{number}"), color)).await.unwrap();
    }
    let red = maps.list(&ListParams::default().labels("color=red")).await.unwrap();
    assert_eq!(red.items.len(), 4);
    let one = maps.list(&ListParams::default().fields("metadata.name=m3")).await.unwrap();
    assert_eq!(one.items.len(), 1);
    let mut seen = Vec::new();
    let mut params = ListParams::default().labels("color").limit(3);
    loop {
        let page = maps.list(&params).await.unwrap();
        seen.extend(page.items.iter().filter_map(|item| item.metadata.name.clone()));
        // What comes in between is not part of the list.
        let _ = maps.create(&PostParams::default(), &config_map(&format!("m5{}", seen.len()), "red")).await;
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => params = params.continue_token(&token),
            None => break,
        }
    }
    assert_eq!(seen, ["m0", "m1", "m2", "m3", "m4", "m5", "m6"]);
    let path = "/api/v1/namespaces/default/pods?fieldSelector=spec.color%3Dred";
    assert_eq!(
        code(send(&client, "GET", path, JSON, Value::Null).await),
        (400, "field label not supported: spec.color".to_owned())
    );
}

#[tokio::test]
async fn a_watch_tells_what_happens_and_what_leaves_its_selection() {
    let simulation = simulation();
    let maps = config_maps(&simulation.client());
    maps.create(&PostParams::default(), &config_map("x", "red")).await.unwrap();
    let watch = maps.watch(&WatchParams::default().labels("color=red"), "0").await.unwrap();
    let mut watch = watch.boxed();
    let mut next = async || match watch.try_next().await.unwrap().unwrap() {
        WatchEvent::Added(object) => format!("added {}", object.metadata.name.unwrap()),
        WatchEvent::Modified(object) => format!("modified {}", object.metadata.name.unwrap()),
        WatchEvent::Deleted(object) => format!("deleted {}", object.metadata.name.unwrap()),
        other => panic!("{other:?}"),
    };
    assert_eq!(next().await, "added x");
    maps.create(&PostParams::default(), &config_map("y", "blue")).await.unwrap();
    maps.patch("x", &PatchParams::default(), &Patch::Merge(json!({ "data": { "b": "3" } }))).await.unwrap();
    assert_eq!(next().await, "modified x");
    let recolor = |color: &str| Patch::Merge(json!({ "metadata": { "labels": { "color": color } } }));
    maps.patch("y", &PatchParams::default(), &recolor("red")).await.unwrap();
    assert_eq!(next().await, "added y");
    maps.patch("x", &PatchParams::default(), &recolor("blue")).await.unwrap();
    assert_eq!(next().await, "deleted x");
    maps.delete("y", &DeleteParams::default()).await.unwrap();
    assert_eq!(next().await, "deleted y");
}

#[tokio::test]
async fn an_apply_owns_its_fields_and_meets_others() {
    let simulation = simulation();
    let maps = config_maps(&simulation.client());
    let applied =
        |a: &str| json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "x" }, "data": { "a": a } });
    let made = maps.patch("x", &PatchParams::apply("one"), &Patch::Apply(applied("1"))).await.unwrap();
    let fields = made.metadata.managed_fields.unwrap();
    assert_eq!((fields[0].manager.as_deref(), fields[0].operation.as_deref()), (Some("one"), Some("Apply")));
    let refused = maps.patch("x", &PatchParams::apply("two"), &Patch::Apply(applied("2"))).await.unwrap_err();
    assert!(refused.to_string().contains("conflict with \"one\": .data.a"), "{refused}");
    let forced = maps.patch("x", &PatchParams::apply("two").force(), &Patch::Apply(applied("2"))).await.unwrap();
    assert_eq!(forced.data["data"]["a"], "2");
}

#[tokio::test]
async fn what_holds_an_object_is_waited_for() {
    let simulation = simulation();
    let maps = config_maps(&simulation.client());
    let mut held = config_map("x", "red");
    held.metadata.finalizers = Some(vec!["example.com/hold".to_owned()]);
    maps.create(&PostParams::default(), &held).await.unwrap();
    maps.delete("x", &DeleteParams::default()).await.unwrap();
    let marked = maps.get("x").await.unwrap();
    assert!(marked.metadata.deletion_timestamp.is_some());
    let free = Patch::Merge(json!({ "metadata": { "finalizers": null } }));
    maps.patch("x", &PatchParams::default(), &free).await.unwrap();
    assert!(maps.get_opt("x").await.unwrap().is_none());
}

#[tokio::test]
async fn a_namespace_that_is_missing_or_going_takes_nothing_new() {
    let simulation = simulation();
    let client = simulation.client();
    let map = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "x" } });
    let into = |namespace: &str| format!("/api/v1/namespaces/{namespace}/configmaps");
    let missing = code(send(&client, "POST", &into("shop"), JSON, map.clone()).await);
    assert_eq!(missing, (404, r#"namespaces "shop" not found"#.to_owned()));
    let shop = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "shop" } });
    send(&client, "POST", "/api/v1/namespaces", JSON, shop).await.unwrap();
    let going = send(&client, "DELETE", "/api/v1/namespaces/shop", JSON, Value::Null).await.unwrap();
    assert_eq!(going["status"]["phase"], "Terminating");
    let refused = code(send(&client, "POST", &into("shop"), JSON, map).await);
    assert_eq!(refused.0, 403);
    assert!(refused.1.contains("because it is being terminated"), "{}", refused.1);
    let default = code(send(&client, "DELETE", "/api/v1/namespaces/default", JSON, Value::Null).await);
    assert_eq!(default, (403, r#"namespaces "default" is forbidden: this namespace may not be deleted"#.to_owned()));
}

#[tokio::test]
async fn webhooks_change_refuse_and_fail_as_configured() {
    let simulation = simulation();
    let client = simulation.client();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    simulation.set_answerer(Arc::new(move |call| {
        count.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move {
            let object = &call.review["request"]["object"];
            let allowed = object["data"]["a"] != "bad";
            Some(json!({ "response": { "uid": call.review["request"]["uid"], "allowed": allowed, "status": { "message": "it is bad" } } }))
        })
    }));
    let service = json!({ "apiVersion": "v1", "kind": "Service", "metadata": { "name": "hook" }, "spec": { "ports": [{ "port": 443 }] } });
    let hook = |service: &str, policy: &str| {
        json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration", "metadata": { "name": "hook" },
            "webhooks": [{
                "name": "hook.example.com", "admissionReviewVersions": ["v1"], "sideEffects": "None", "failurePolicy": policy,
                "clientConfig": { "service": { "namespace": "default", "name": service, "path": "/check" } },
                "objectSelector": { "matchLabels": { "color": "red" } },
                "rules": [{ "operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"] }],
            }],
        })
    };
    let hooks = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
    send(&client, "POST", "/api/v1/namespaces/default/services", JSON, service).await.unwrap();
    send(&client, "POST", hooks, JSON, hook("hook", "Fail")).await.unwrap();
    let maps = config_maps(&client);
    maps.create(&PostParams::default(), &config_map("good", "red")).await.unwrap();
    let mut bad = config_map("bad", "red");
    bad.data["data"]["a"] = json!("bad");
    let refused = maps.create(&PostParams::default(), &bad).await.unwrap_err();
    assert!(
        refused.to_string().contains(r#"admission webhook "hook.example.com" denied the request: it is bad"#),
        "{refused}"
    );
    maps.create(&PostParams::default(), &config_map("other", "blue")).await.unwrap();
    assert_eq!(asked.load(Ordering::Relaxed), 2, "blue ones are none of its business");

    send(&client, "PUT", &format!("{hooks}/hook"), JSON, hook("nobody", "Fail")).await.unwrap();
    let failed = maps.create(&PostParams::default(), &config_map("late", "red")).await.unwrap_err();
    let words = r#"failed calling webhook "hook.example.com": failed to call webhook: Post "https://nobody.default.svc:443/check?timeout=10s": service "nobody" not found"#;
    assert!(failed.to_string().contains(words), "{failed}");
    send(&client, "PUT", &format!("{hooks}/hook"), JSON, hook("nobody", "Ignore")).await.unwrap();
    maps.create(&PostParams::default(), &config_map("late", "red")).await.unwrap();
}

#[tokio::test]
async fn custom_resources_come_with_their_definition() {
    let simulation = simulation();
    let client = simulation.client();
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": { "name": "ships.example.com" },
        "spec": {
            "group": "example.com", "scope": "Namespaced", "names": { "plural": "ships", "kind": "Ship", "singular": "ship", "listKind": "ShipList" },
            "versions": [{
                "name": "v1", "served": true, "storage": true, "subresources": { "status": {} },
                "schema": { "openAPIV3Schema": { "type": "object", "properties": { "spec": { "type": "object", "properties": {
                    "masts": { "type": "integer", "minimum": 1 }, "flag": { "type": "string", "default": "white" },
                } }, "status": { "type": "object", "x-kubernetes-preserve-unknown-fields": true } } } },
            }],
        },
    });
    let ships = "/apis/example.com/v1/namespaces/default/ships";
    let ship = |masts: i64| json!({ "apiVersion": "example.com/v1", "kind": "Ship", "metadata": { "name": "s" }, "spec": { "masts": masts, "sails": 3 }, "status": { "afloat": true } });
    assert_eq!(code(send(&client, "POST", ships, JSON, ship(2)).await).0, 404);
    let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    send(&client, "POST", definitions, JSON, definition).await.unwrap();
    let established = json!({ "status": { "conditions": [
        { "type": "NamesAccepted", "status": "True", "reason": "NoConflicts", "message": "" },
        { "type": "Established", "status": "True", "reason": "InitialNamesAccepted", "message": "" },
    ] } });
    let status = format!("{definitions}/ships.example.com/status");
    send(&client, "PATCH", &status, "application/merge-patch+json", established).await.unwrap();
    let made = send(&client, "POST", ships, JSON, ship(2)).await.unwrap();
    assert_eq!(made["spec"], json!({ "masts": 2, "flag": "white" }), "pruned and defaulted");
    assert!(made.get("status").is_none(), "the status is written apart");
    let strict = format!("{ships}?fieldValidation=Strict");
    let refused = code(send(&client, "POST", &strict, JSON, ship(2)).await);
    assert_eq!(
        refused,
        (
            400,
            r#"Ship in version "v1" cannot be handled as a Ship: strict decoding error: unknown field "spec.sails""#
                .to_owned()
        )
    );
    let afloat = json!({ "status": { "afloat": true }, "spec": { "masts": 9 } });
    let path = format!("{ships}/s/status");
    let marked = send(&client, "PATCH", &path, "application/merge-patch+json", afloat).await.unwrap();
    assert_eq!((&marked["spec"]["masts"], &marked["status"]["afloat"]), (&json!(2), &json!(true)));
    assert_eq!(marked["metadata"]["generation"], 1);
    send(&client, "DELETE", &format!("{definitions}/ships.example.com"), JSON, Value::Null).await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_answered_truly_is_refused_loudly() {
    let client = simulation().client();
    let refused = code(send(&client, "GET", "/apis/events.k8s.io/v1/events", JSON, Value::Null).await);
    assert_eq!(refused.0, 501);
    assert!(refused.1.starts_with("the simulation cannot answer this truly"), "{}", refused.1);
    for (path, is) in
        [("/api/v1/dragons", 404), ("/apis/apps/v1/deployments?limit=x", 400), ("/api/v1/pods?labelSelector=%3D", 400)]
    {
        assert_eq!(code(send(&client, "GET", path, JSON, Value::Null).await).0, is, "{path}");
    }
    for body in ["{", "[]", "null", "\"x\"", "{}"] {
        let request = Request::post("/api/v1/namespaces/default/pods").body(body.as_bytes().to_vec()).unwrap();
        let outcome: Result<Value, _> = client.request(request).await;
        assert!(matches!(code(outcome).0, 400 | 422), "{body}");
    }
}

#[tokio::test]
async fn a_versioned_watch_that_is_too_old_ends_with_410() {
    let simulation = simulation();
    let client = simulation.client();
    let maps = config_maps(&client);
    let first = maps.create(&PostParams::default(), &config_map("x", "red")).await.unwrap();
    simulation.compact();
    maps.create(&PostParams::default(), &config_map("y", "red")).await.unwrap();
    let stale: u64 = first.metadata.resource_version.unwrap().parse::<u64>().unwrap() - 1;
    let mut watch = maps.watch(&WatchParams::default(), &stale.to_string()).await.unwrap().boxed();
    let event = watch.try_next().await.unwrap().unwrap();
    assert!(matches!(&event, WatchEvent::Error(status) if status.code == 410), "{event:?}");
}
