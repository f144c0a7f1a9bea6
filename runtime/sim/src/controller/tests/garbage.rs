//! What goes with what is deleted, and what stays.

use serde_json::{Value, json};

use super::{Bench, DEPLOYMENTS, PODS, workload};
use crate::{
    controller::{Habits, condition},
    resource::Resource,
    server::{Deletion, Propagation},
};

const REPLICA_SETS: Resource = Resource::of("apps", "v1", "replicasets");
const CONFIG_MAPS: Resource = Resource::core("configmaps");
const NAMESPACES: Resource = Resource::core("namespaces");

async fn delete(bench: &Bench, propagation: Propagation) {
    let how = Deletion { propagation: Some(propagation), ..Deletion::default() };
    bench.hand.delete(DEPLOYMENTS, ("shop", "web"), how).await.unwrap();
}

async fn with_web() -> Bench {
    let bench = Bench::new(Habits::default()).await;
    bench.create(DEPLOYMENTS, &workload("Deployment", "web", 2)).await;
    bench.pass(3000).await;
    assert_eq!(bench.pods().len(), 2);
    bench
}

#[tokio::test]
async fn dependents_go_after_their_owner_in_the_background() {
    let bench = with_web().await;
    delete(&bench, Propagation::Background).await;
    assert_eq!(bench.get(DEPLOYMENTS, "web"), Value::Null);
    bench.pass(2000).await;
    assert!(bench.pods().is_empty());
    assert!(bench.hand.list(REPLICA_SETS, Some("shop")).is_empty());
}

#[tokio::test]
async fn dependents_go_before_their_owner_in_the_foreground() {
    let bench = with_web().await;
    delete(&bench, Propagation::Foreground).await;
    bench.pass(200).await;
    assert!(bench.get(DEPLOYMENTS, "web")["metadata"]["deletionTimestamp"].is_string(), "it waits for its pods");
    assert_eq!(bench.pods().len(), 2);
    bench.pass(3000).await;
    assert!(bench.pods().is_empty());
    assert_eq!(bench.get(DEPLOYMENTS, "web"), Value::Null);
}

#[tokio::test]
async fn orphans_stay_and_are_taken_in_again() {
    let bench = with_web().await;
    delete(&bench, Propagation::Orphan).await;
    bench.pass(1000).await;
    assert_eq!(bench.get(DEPLOYMENTS, "web"), Value::Null);
    let sets = bench.hand.list(REPLICA_SETS, Some("shop"));
    assert_eq!((sets.len(), sets[0]["metadata"].get("ownerReferences")), (1, None));
    assert_eq!(bench.pods().len(), 2);
    bench.create(DEPLOYMENTS, &workload("Deployment", "web", 2)).await;
    bench.pass(2000).await;
    assert_eq!(bench.hand.list(REPLICA_SETS, Some("shop")).len(), 1);
    assert_eq!(bench.get(DEPLOYMENTS, "web")["status"]["readyReplicas"], 2);
}

#[tokio::test]
async fn an_object_whose_owner_never_was_goes() {
    let bench = Bench::new(Habits::default()).await;
    let owner = json!({ "apiVersion": "v1", "kind": "ConfigMap", "name": "gone", "uid": "0000" });
    let orphan = json!({ "metadata": { "name": "c", "namespace": "shop", "ownerReferences": [owner] } });
    bench.create(CONFIG_MAPS, &orphan).await;
    bench.pass(100).await;
    assert_eq!(bench.get(CONFIG_MAPS, "c"), Value::Null);
}

#[tokio::test]
async fn a_namespace_goes_once_it_is_empty_and_says_what_holds_it() {
    let bench = with_web().await;
    let held = json!({ "metadata": { "name": "held", "namespace": "shop", "finalizers": ["a.b/c"] } });
    bench.create(CONFIG_MAPS, &held).await;
    bench.hand.delete(NAMESPACES, ("", "shop"), Deletion::default()).await.unwrap();
    bench.pass(5000).await;
    let shop = bench.hand.get(NAMESPACES, "", "shop").unwrap();
    assert_eq!(shop["status"]["phase"], "Terminating");
    let holding = condition::find(&shop, "/status/conditions", "NamespaceFinalizersRemaining").unwrap();
    assert_eq!(
        holding["message"],
        "Some content in the namespace has finalizers remaining: a.b/c in 1 resource instances"
    );
    bench.merge(CONFIG_MAPS, "held", json!({ "metadata": { "finalizers": null } })).await;
    bench.pass(3000).await;
    assert_eq!(bench.hand.get(NAMESPACES, "", "shop"), None);
    assert!(bench.hand.list(PODS, Some("shop")).is_empty());
}
