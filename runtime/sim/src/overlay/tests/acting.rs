//! Who acts: controllers and stand-ins, on what the run has to do with and on nothing else.

use super::*;

const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/shop/deployments";
const PODS: &str = "/api/v1/namespaces/shop/pods";

async fn two_deployments() -> Bench {
    let bench = Bench::new().await;
    for name in ["web", "api"] {
        bench.make(DEPLOYMENTS, deployment(name, "a:1", 2)).await;
    }
    bench.pass(20_000).await;
    bench.arrived();
    bench
}

async fn live_pods(bench: &Bench) -> Value {
    answered(send(&bench.live.router(), "GET", PODS, JSON, Value::Null).await)["items"].take()
}

#[tokio::test]
async fn a_planned_rollout_comes_to_its_end_and_nothing_else_moves() {
    let bench = two_deployments().await;
    let before = live_pods(&bench).await;
    let image = json!({ "spec": { "template": { "spec": { "containers": [{ "name": "c", "image": "a:2" }] } } } });
    answered(bench.ask("PATCH", &format!("{DEPLOYMENTS}/web"), MERGE, image).await);
    bench.pass(30_000).await;
    let web = bench.get(&format!("{DEPLOYMENTS}/web")).await;
    assert_eq!(
        (&web["status"]["updatedReplicas"], &web["status"]["availableReplicas"]),
        (&json!(2), &json!(2)),
        "{web:#}"
    );
    let pods = bench.get(PODS).await;
    let images = |app: &str| -> Vec<String> {
        let of_app = pods["items"].as_array().unwrap().iter().filter(|pod| pod["metadata"]["labels"]["app"] == app);
        of_app.map(|pod| pod["spec"]["containers"][0]["image"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!((images("web"), images("api")), (vec!["a:2".to_owned(); 2], vec!["a:1".to_owned(); 2]));
    assert_eq!(live_pods(&bench).await, before);
    let untouched = bench.overlay.changes().into_iter().all(|change| !change.subject.name.starts_with("api"));
    assert!(untouched, "{:?}", bench.overlay.changes().iter().map(|it| it.subject.clone()).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_is_broken_live_is_not_healed_here() {
    let bench = two_deployments().await;
    let broken =
        names(&json!({ "items": live_pods(&bench).await })).into_iter().find(|it| it.starts_with("api")).unwrap();
    // Live, the pod stands there without being ready, and one is missing that nobody makes.
    bench.stop.cancel();
    let status = json!({ "status": { "conditions": [{ "type": "Ready", "status": "False" }] } });
    answered(
        send(
            &bench.live.router(),
            "PATCH",
            &format!("{PODS}/{broken}/status"),
            "application/strategic-merge-patch+json",
            status,
        )
        .await,
    );
    let overlay = bench.overlay.clone();
    let again = CancellationToken::new();
    let until = again.clone();
    tokio::spawn(async move { overlay.simulation().run(until).await });
    answered(
        bench.ask("PATCH", &format!("{DEPLOYMENTS}/web/scale"), MERGE, json!({ "spec": { "replicas": 3 } })).await,
    );
    bench.pass(30_000).await;
    let pod = bench.get(&format!("{PODS}/{broken}")).await;
    let ready =
        pod["status"]["conditions"].as_array().unwrap().iter().find(|it| it["type"] == "Ready").unwrap().clone();
    assert_eq!(ready["status"], "False");
    let pods = bench.names(PODS).await;
    assert_eq!(pods.iter().filter(|it| it.starts_with("web")).count(), 3);
    again.cancel();
}

#[tokio::test]
async fn what_hangs_on_a_deleted_object_goes_with_it() {
    let bench = two_deployments().await;
    answered(
        bench.ask("DELETE", &format!("{DEPLOYMENTS}/web"), JSON, json!({ "propagationPolicy": "Foreground" })).await,
    );
    bench.pass(40_000).await;
    assert_eq!(bench.ask("GET", &format!("{DEPLOYMENTS}/web"), JSON, Value::Null).await.0, 404);
    assert!(bench.names(PODS).await.iter().all(|it| it.starts_with("api")));
    assert_eq!(live_pods(&bench).await.as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn where_pods_may_not_be_read_nobody_acts_and_what_comes_of_it_is_unknown() {
    let fault: Fault = Arc::new(|_, uri| {
        let body = json!({ "kind": "Status", "status": "Failure", "reason": "Forbidden", "code": 403,
            "message": "pods is forbidden: User \"ada\" cannot list resource \"pods\"" });
        let mut answer = Response::new(Body::from(body.to_string()));
        *answer.status_mut() = http::StatusCode::FORBIDDEN;
        uri.contains("/pods").then_some(Ok(answer))
    });
    let bench = Bench::with(Validation::Ask, fault).await;
    bench.make(DEPLOYMENTS, deployment("web", "a:1", 2)).await;
    bench.pass(20_000).await;
    answered(
        bench.ask("PATCH", &format!("{DEPLOYMENTS}/web/scale"), MERGE, json!({ "spec": { "replicas": 3 } })).await,
    );
    bench.pass(20_000).await;
    let web = bench.get(&format!("{DEPLOYMENTS}/web")).await;
    assert_eq!(web["status"]["replicas"], 2, "nobody knows what comes of it");
    let unknowns = bench.overlay.unknowns();
    assert!(unknowns.iter().any(|it| it.what.contains("deployments.apps shop/web")), "{unknowns:?}");
    assert_eq!(bench.ask("GET", PODS, JSON, Value::Null).await.0, 403);
}

#[tokio::test]
async fn a_stand_in_writes_to_what_is_planned_and_only_seems_to_write_to_the_rest() {
    let bench = two_deployments().await;
    let actor = bench.overlay.door(Asker::Actor).router();
    let patch = json!({ "metadata": { "annotations": { "x": "1" } } });
    let at = |name: &str| format!("{DEPLOYMENTS}/{name}?fieldManager=stand-in");
    let seem = answered(send(&actor, "PATCH", &at("web"), MERGE, patch.clone()).await);
    assert_eq!(seem["metadata"]["annotations"]["x"], "1");
    assert!(bench.get(&format!("{DEPLOYMENTS}/web")).await["metadata"]["annotations"].get("x").is_none());
    let label = json!({ "metadata": { "labels": { "y": "1" } } });
    answered(bench.ask("PATCH", &format!("{DEPLOYMENTS}/web"), MERGE, label).await);
    for name in ["web", "api"] {
        answered(send(&actor, "PATCH", &at(name), MERGE, patch.clone()).await);
    }
    let kept = |object: Value| object["metadata"]["annotations"].get("x").is_some();
    assert!(kept(bench.get(&format!("{DEPLOYMENTS}/web")).await));
    assert!(!kept(bench.get(&format!("{DEPLOYMENTS}/api")).await));
    // A deed that rests on what the run has written is as real as that.
    for (cause, is_kept) in
        [("apps/deployments/shop/api", false), ("/services/shop/web,apps/deployments/shop/web", true)]
    {
        let request = Request::patch(at("api")).header("content-type", MERGE).header(crate::actor::api::BECAUSE, cause);
        let patch = json!({ "metadata": { "annotations": { "z": cause } } });
        let answer = actor.clone().oneshot(request.body(Body::from(patch.to_string())).unwrap()).await.unwrap();
        answered(read(answer).await);
        let object = bench.get(&format!("{DEPLOYMENTS}/api")).await;
        assert_eq!(object["metadata"]["annotations"]["z"] == cause, is_kept, "{object}");
    }
    // One whose own Deployment the run has written to does what the new one does.
    let request = Request::patch(at("api")).header("content-type", MERGE).header(crate::actor::api::ACTING, "shop/web");
    let answer = actor.oneshot(request.body(Body::from(patch.to_string())).unwrap()).await.unwrap();
    answered(read(answer).await);
    assert!(kept(bench.get(&format!("{DEPLOYMENTS}/api")).await));
    assert!(bench.overlay.deeds().iter().any(|deed| deed.by == "stand-in" && deed.subject.name == "web"));
    assert_eq!(bench.overlay.writes().len(), 1, "the run has written once");
}
