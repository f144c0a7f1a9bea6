//! Writes: none reaches the live cluster but to be judged, and the book keeps each.

use super::*;

const MAPS: &str = "/api/v1/namespaces/shop/configmaps";

/// A write of every sort, to objects that are live and to planned ones.
async fn every_sort_of_write(bench: &Bench) {
    let map = json!({ "kind": "ConfigMap", "apiVersion": "v1", "metadata": { "name": "new" } });
    let apply = "application/apply-patch+yaml";
    let web = "/apis/apps/v1/namespaces/shop/deployments/web";
    let applied = json!({ "kind": "ConfigMap", "apiVersion": "v1", "metadata": { "name": "b" }, "data": { "x": "1" } });
    let mut replaced = bench.get(&format!("{MAPS}/c")).await;
    replaced["data"]["a"] = "9".into();
    let pod = bench.names("/api/v1/namespaces/shop/pods").await.remove(0);
    let eviction = json!({ "kind": "Eviction", "apiVersion": "policy/v1", "metadata": { "name": pod } });
    for (method, path, media, body) in [
        ("POST", MAPS.to_owned(), JSON, map),
        ("PATCH", format!("{MAPS}/a"), MERGE, json!({ "data": { "a": "2" } })),
        ("PATCH", format!("{MAPS}/b?fieldManager=run&force=true"), apply, applied),
        ("PUT", format!("{MAPS}/c"), JSON, replaced),
        ("DELETE", format!("{MAPS}/d"), JSON, Value::Null),
        (
            "DELETE",
            format!("{MAPS}/e"),
            JSON,
            json!({ "kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background" }),
        ),
        ("DELETE", format!("{MAPS}?labelSelector=color%3Dred"), JSON, Value::Null),
        ("PATCH", format!("{web}/scale"), MERGE, json!({ "spec": { "replicas": 3 } })),
        ("PATCH", format!("{web}/status"), MERGE, json!({ "status": { "observedGeneration": 1 } })),
        ("POST", format!("/api/v1/namespaces/shop/pods/{pod}/eviction"), JSON, eviction),
        ("POST", "/api/v1/namespaces/shop/serviceaccounts/default/token".to_owned(), JSON, json!({ "spec": {} })),
        (
            "POST",
            "/api/v1/namespaces".to_owned(),
            JSON,
            json!({ "kind": "Namespace", "apiVersion": "v1", "metadata": { "name": "fresh" } }),
        ),
        ("DELETE", "/api/v1/namespaces/fresh".to_owned(), JSON, Value::Null),
    ] {
        let (code, body) = bench.ask(method, &path, media, body).await;
        assert!(code < 300, "{method} {path}: {code} {body}");
    }
    bench.pass(5000).await;
}

async fn filled(validation: Validation) -> Bench {
    let bench = Bench::with(validation, Arc::new(|_, _| None)).await;
    bench.colors(&[("a", "blue"), ("b", "blue"), ("c", "blue"), ("d", "blue"), ("e", "blue"), ("f", "red")]).await;
    bench.make("/apis/apps/v1/namespaces/shop/deployments", deployment("web", "a:1", 2)).await;
    bench.pass(20_000).await;
    bench.arrived();
    bench
}

async fn everything(bench: &Bench) -> Vec<Value> {
    let mut all = Vec::new();
    for path in [
        "/api/v1/configmaps",
        "/api/v1/pods",
        "/apis/apps/v1/deployments",
        "/apis/apps/v1/replicasets",
        "/api/v1/namespaces",
        "/api/v1/events",
    ] {
        all.push(answered(send(&bench.live.router(), "GET", path, JSON, Value::Null).await)["items"].take());
    }
    all
}

#[tokio::test]
async fn no_write_leaves_but_to_be_judged_and_nothing_live_changes() {
    let bench = filled(Validation::Ask).await;
    let before = everything(&bench).await;
    every_sort_of_write(&bench).await;
    let arrived = bench.arrived();
    let writes: Vec<_> = arrived.iter().filter(|it| !it.starts_with("GET ")).collect();
    assert!(writes.iter().all(|it| it.contains("dryRun=All")), "{writes:#?}");
    assert_eq!(writes.len(), 6, "each object that is live and unchanged is judged once: {writes:#?}");
    assert_eq!(everything(&bench).await, before);
}

#[tokio::test]
async fn without_validation_nothing_but_reads_leaves() {
    let bench = filled(Validation::Skip).await;
    let before = everything(&bench).await;
    every_sort_of_write(&bench).await;
    let arrived = bench.arrived();
    assert!(arrived.iter().all(|it| it.starts_with("GET ")), "{arrived:#?}");
    assert_eq!(everything(&bench).await, before);
    let passed: u64 = bench.overlay.requests().iter().map(|(_, times)| times).sum();
    assert_eq!(passed, u64::try_from(arrived.len()).unwrap(), "what the door says is what arrives");
}

#[tokio::test]
async fn the_door_lets_nothing_else_pass() {
    let bench = Bench::new().await;
    let gate = &bench.overlay.beneath().gate;
    let all = r#"{"dryRun":["All"]}"#;
    bench.arrived();
    for (method, uri, body) in [
        ("POST", MAPS, ""),
        ("POST", "/api/v1/namespaces/shop/configmaps?dryRun=All", ""),
        ("PUT", "/api/v1/namespaces/shop/configmaps/a", ""),
        ("PUT", "/api/v1/namespaces/shop/configmaps/a?dryRun=", ""),
        ("PUT", "/api/v1/namespaces/shop/configmaps/a?dryRun=All&dryRun=", ""),
        ("PATCH", "/api/v1/namespaces/shop/configmaps/a?xdryRun=All", ""),
        ("DELETE", "/api/v1/namespaces/shop/configmaps/a?dryRun=All", ""),
        ("DELETE", "/api/v1/namespaces/shop/configmaps/a?dryRun=All", r#"{"dryRun":[]}"#),
        ("DELETE", "/api/v1/namespaces/shop/configmaps/a", all),
        ("DELETE", "/api/v1/namespaces/shop/configmaps?dryRun=All", all),
        ("POST", "/api/v1/namespaces/shop/pods/a/eviction?dryRun=All", all),
        ("GET", "/api/v1/namespaces/shop/pods/a/exec?command=x", ""),
        ("GET", "/api/v1/namespaces/shop/services/a/proxy/quit", ""),
        ("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", ""),
        ("OPTIONS", "/api", ""),
    ] {
        let request = Request::builder().method(method).uri(uri).body(axum::body::Bytes::from(body)).unwrap();
        assert!(matches!(gate.send(request).await, Err(gate::Shut::Refused(_))), "{method} {uri}");
    }
    let upgrade = Request::get("/api/v1/pods").header("upgrade", "websocket").body(axum::body::Bytes::new()).unwrap();
    assert!(matches!(gate.send(upgrade).await, Err(gate::Shut::Refused(_))));
    assert!(bench.arrived().is_empty());
    let review = json!({ "kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1",
        "spec": { "resourceAttributes": { "verb": "get", "resource": "pods" } } });
    let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    assert_eq!(answered(bench.ask("POST", path, JSON, review).await)["status"]["allowed"], true);
    assert_eq!(bench.arrived(), [format!("POST {path}")]);
}

#[tokio::test]
async fn the_book_keeps_each_write_with_the_object_before_and_after() {
    let bench = filled(Validation::Ask).await;
    every_sort_of_write(&bench).await;
    let writes = bench.overlay.writes();
    let verbs: Vec<&str> = writes.iter().map(|write| write.verb.as_str()).collect();
    assert_eq!(verbs[..7], ["create", "patch", "patch", "update", "delete", "delete", "deletecollection"]);
    let patched = &writes[1];
    assert_eq!((patched.subject.name.as_str(), patched.code, &patched.check), ("a", 200, &Check::Accepted));
    assert_eq!(patched.before.as_ref().unwrap()["data"]["a"], "1");
    assert_eq!(patched.after.as_ref().unwrap()["data"]["a"], "2");
    assert_eq!(patched.media, MERGE);
    assert_eq!((writes[0].before.is_none(), writes[0].after.is_some()), (true, true));
    assert_eq!((writes[4].before.is_some(), writes[4].after.is_none()), (true, true));
    let subject = |name: &str| Subject {
        resource: "configmaps".to_owned(),
        namespace: "shop".to_owned(),
        name: name.to_owned(),
        ..Subject::default()
    };
    assert_eq!(bench.overlay.grade(&subject("a")), Grade::Checked);
    assert_eq!(bench.overlay.grade(&subject("new")), Grade::Simulated);
    assert_eq!(bench.overlay.grade(&subject("kube-root-ca.crt")), Grade::Exact);
    let changes = bench.overlay.changes();
    let of = |name: &str| changes.iter().find(|change| change.subject == subject(name)).unwrap();
    assert!(of("f").before.is_some() && of("f").after.is_none(), "deleted with its collection");
    assert_eq!(of("a").by.iter().collect::<Vec<_>>(), ["run"]);
    let pods: Vec<_> = changes.iter().filter(|it| it.subject.resource == "pods" && it.before.is_none()).collect();
    assert!(!pods.is_empty() && pods.iter().all(|it| it.by.contains("kubelet")), "{pods:?}");
}

#[tokio::test]
async fn what_the_live_server_refuses_the_run_is_refused() {
    let fault: Fault = Arc::new(|method, uri| {
        let body = json!({ "kind": "Status", "status": "Failure", "reason": "Forbidden", "code": 403,
            "message": "configmaps \"a\" is forbidden: exceeded quota: small" });
        let mut answer = Response::new(Body::from(body.to_string()));
        *answer.status_mut() = http::StatusCode::FORBIDDEN;
        (method == "PATCH" && uri.contains("/configmaps/a")).then_some(Ok(answer))
    });
    let bench = Bench::with(Validation::Ask, fault).await;
    bench.colors(&[("a", "red"), ("b", "red")]).await;
    let (code, body) = bench.ask("PATCH", &format!("{MAPS}/a"), MERGE, json!({ "data": { "a": "2" } })).await;
    assert_eq!((code, body["message"].as_str().unwrap().contains("exceeded quota")), (403, true));
    assert_eq!(bench.get(&format!("{MAPS}/a")).await["data"]["a"], "1");
    assert_eq!(bench.overlay.writes()[0].check, Check::Refused);
    // One that was changed meanwhile: the version that the run read is not the present one any more.
    let mut stale = bench.get(&format!("{MAPS}/b")).await;
    answered(send(&bench.live.router(), "PATCH", &format!("{MAPS}/b"), MERGE, json!({ "data": { "a": "7" } })).await);
    stale["data"]["a"] = "3".into();
    assert_eq!(bench.ask("PUT", &format!("{MAPS}/b"), JSON, stale).await.0, 409);
}

#[tokio::test]
async fn what_may_not_be_asked_is_not_checked() {
    let fault: Fault = Arc::new(|method, _| {
        let body = json!({ "kind": "Status", "status": "Failure", "reason": "Forbidden", "code": 403,
            "message": "configmaps \"a\" is forbidden: User \"ada\" cannot patch resource \"configmaps\"" });
        let mut answer = Response::new(Body::from(body.to_string()));
        *answer.status_mut() = http::StatusCode::FORBIDDEN;
        (method == "PATCH").then_some(Ok(answer))
    });
    let bench = Bench::with(Validation::Ask, fault).await;
    bench.colors(&[("a", "red")]).await;
    answered(bench.ask("PATCH", &format!("{MAPS}/a"), MERGE, json!({ "data": { "a": "2" } })).await);
    let Check::Unasked(why) = &bench.overlay.writes()[0].check else { panic!("{:?}", bench.overlay.writes()) };
    assert!(why.contains("may not be asked"), "{why}");
}
