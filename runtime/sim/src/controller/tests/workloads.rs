//! Deployments, DaemonSets and StatefulSets, from nothing and from one template to the next.

use serde_json::{Value, json};

use super::{Bench, DEPLOYMENTS, PODS, template, workload};
use crate::{
    controller::{Habits, condition},
    resource::Resource,
};

const REPLICA_SETS: Resource = Resource::of("apps", "v1", "replicasets");
const DAEMON_SETS: Resource = Resource::of("apps", "v1", "daemonsets");
const STATEFUL_SETS: Resource = Resource::of("apps", "v1", "statefulsets");
const REVISIONS: Resource = Resource::of("apps", "v1", "controllerrevisions");

fn reason<'a>(object: &'a Value, kind: &str) -> &'a str {
    condition::find(object, "/status/conditions", kind).map_or("", |it| it["reason"].as_str().unwrap_or_default())
}

fn image(pod: &Value) -> &str {
    pod["spec"]["containers"][0]["image"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn a_deployment_comes_up_and_says_so_as_the_real_one() {
    let bench = Bench::new(Habits::default()).await;
    bench.create(DEPLOYMENTS, &workload("Deployment", "web", 2)).await;
    bench.pass(30).await;
    assert_eq!(reason(&bench.get(DEPLOYMENTS, "web"), "Available"), "MinimumReplicasUnavailable");
    bench.pass(3000).await;
    let web = bench.get(DEPLOYMENTS, "web");
    let sets = bench.hand.list(REPLICA_SETS, Some("shop"));
    let set = sets[0]["metadata"]["name"].as_str().unwrap();
    let status = &web["status"];
    for (field, count) in [
        ("observedGeneration", 1),
        ("replicas", 2),
        ("updatedReplicas", 2),
        ("readyReplicas", 2),
        ("availableReplicas", 2),
        ("terminatingReplicas", 0),
    ] {
        assert_eq!(status[field], count, "{field} of {status}");
    }
    assert_eq!(status.get("unavailableReplicas"), None);
    assert_eq!(reason(&web, "Progressing"), "NewReplicaSetAvailable");
    let said = condition::find(&web, "/status/conditions", "Progressing").unwrap();
    assert_eq!(said["message"], format!("ReplicaSet \"{set}\" has successfully progressed."));
    assert_eq!(web["metadata"]["annotations"]["deployment.kubernetes.io/revision"], "1");
    let scaled = ("ScalingReplicaSet".to_owned(), format!("Scaled up replica set {set} from 0 to 2"));
    assert!(bench.events("web").contains(&scaled));
}

#[tokio::test]
async fn a_rollout_never_has_fewer_pods_than_it_may_and_keeps_what_it_can_roll_back_to() {
    let bench = Bench::new(Habits::default()).await;
    bench.create(DEPLOYMENTS, &workload("Deployment", "web", 4)).await;
    bench.pass(3000).await;
    bench.merge(DEPLOYMENTS, "web", json!({ "spec": { "template": template("web", "a:2") } })).await;
    let mut most = 0;
    for _ in 0..320 {
        bench.pass(25).await;
        let pods = bench.pods();
        let ready =
            pods.iter().filter(|pod| condition::holds(pod, "Ready") && pod["metadata"]["deletionTimestamp"].is_null());
        assert!(ready.count() >= 3, "of four pods one may be missing");
        most = most.max(pods.iter().filter(|pod| pod["metadata"]["deletionTimestamp"].is_null()).count());
    }
    assert_eq!(most, 5, "of four pods there may be one more");
    assert!(bench.pods().iter().all(|pod| image(pod) == "a:2"));
    let web = bench.get(DEPLOYMENTS, "web");
    assert_eq!(web["metadata"]["annotations"]["deployment.kubernetes.io/revision"], "2");
    assert_eq!(web["status"]["observedGeneration"], web["metadata"]["generation"]);
    assert_eq!(bench.hand.list(REPLICA_SETS, Some("shop")).len(), 2);
    bench.merge(DEPLOYMENTS, "web", json!({ "spec": { "template": template("web", "a:1") } })).await;
    bench.pass(8000).await;
    let sets = bench.hand.list(REPLICA_SETS, Some("shop"));
    assert_eq!(sets.len(), 2, "the earlier ReplicaSet is used again");
    let old = sets.iter().find(|set| set["spec"]["replicas"] == 4).unwrap();
    assert_eq!(old["metadata"]["annotations"]["deployment.kubernetes.io/revision"], "3");
    assert_eq!(old["metadata"]["annotations"]["deployment.kubernetes.io/revision-history"], "1");
}

#[tokio::test]
async fn a_rollout_that_gets_nowhere_misses_its_deadline() {
    let bench = Bench::new(Habits::default()).await;
    let mut web = workload("Deployment", "web", 1);
    web["spec"]["progressDeadlineSeconds"] = 20.into();
    web["spec"]["template"]["metadata"]["annotations"] = json!({ "control-plane.test/fail": "image-pull" });
    bench.create(DEPLOYMENTS, &web).await;
    bench.pass(15_000).await;
    assert_eq!(reason(&bench.get(DEPLOYMENTS, "web"), "Progressing"), "ReplicaSetUpdated");
    bench.pass(10_000).await;
    let web = bench.get(DEPLOYMENTS, "web");
    assert_eq!(reason(&web, "Progressing"), "ProgressDeadlineExceeded");
    assert_eq!(web["status"]["unavailableReplicas"], 1);
}

#[tokio::test]
async fn scaling_and_pausing_are_heeded() {
    let bench = Bench::new(Habits::default()).await;
    bench.create(DEPLOYMENTS, &workload("Deployment", "web", 3)).await;
    bench.pass(3000).await;
    bench.merge(DEPLOYMENTS, "web", json!({ "spec": { "paused": true, "template": template("web", "a:2") } })).await;
    bench.pass(3000).await;
    assert!(bench.pods().iter().all(|pod| image(pod) == "a:1"));
    assert_eq!(reason(&bench.get(DEPLOYMENTS, "web"), "Progressing"), "DeploymentPaused");
    bench.merge(DEPLOYMENTS, "web", json!({ "spec": { "replicas": 1 } })).await;
    bench.pass(3000).await;
    assert_eq!(bench.pods().len(), 1);
    bench.merge(DEPLOYMENTS, "web", json!({ "spec": { "paused": null } })).await;
    bench.pass(5000).await;
    assert!(bench.pods().iter().all(|pod| image(pod) == "a:2"));
}

#[tokio::test]
async fn recreated_pods_never_stand_beside_old_ones() {
    let bench = Bench::new(Habits::default()).await;
    let mut web = workload("Deployment", "web", 2);
    web["spec"]["strategy"] = json!({ "type": "Recreate" });
    bench.create(DEPLOYMENTS, &web).await;
    bench.pass(3000).await;
    bench.merge(DEPLOYMENTS, "web", json!({ "spec": { "template": template("web", "a:2") } })).await;
    for _ in 0..160 {
        bench.pass(25).await;
        let pods = bench.pods();
        assert!(pods.iter().all(|pod| image(pod) == image(&pods[0])));
    }
    assert_eq!(bench.pods().len(), 2);
    assert!(bench.pods().iter().all(|pod| image(pod) == "a:2"));
}

#[tokio::test]
async fn a_daemon_set_serves_every_node_and_moves_one_at_a_time() {
    let bench = Bench::new(Habits::default()).await;
    let mut agent = workload("DaemonSet", "agent", 0);
    agent["spec"].as_object_mut().unwrap().shift_remove("replicas");
    bench.create(DAEMON_SETS, &agent).await;
    bench.pass(3000).await;
    let mut nodes: Vec<_> = bench.pods().iter().map(|pod| pod["spec"]["nodeName"].clone()).collect();
    nodes.sort_by_key(ToString::to_string);
    assert_eq!(nodes, ["node-1", "node-2", "node-3"]);
    let status = bench.get(DAEMON_SETS, "agent")["status"].clone();
    assert_eq!(
        status,
        json!({
            "currentNumberScheduled": 3, "numberMisscheduled": 0, "desiredNumberScheduled": 3, "numberReady": 3,
            "observedGeneration": 1, "updatedNumberScheduled": 3, "numberAvailable": 3,
        })
    );
    bench.merge(DAEMON_SETS, "agent", json!({ "spec": { "template": template("agent", "a:2") } })).await;
    for _ in 0..300 {
        bench.pass(30).await;
        let pods = bench.pods();
        let ready =
            pods.iter().filter(|pod| condition::holds(pod, "Ready") && pod["metadata"]["deletionTimestamp"].is_null());
        assert!(ready.count() >= 2);
    }
    assert_eq!(bench.pods().len(), 3);
    assert!(bench.pods().iter().all(|pod| image(pod) == "a:2"));
    assert_eq!(bench.hand.list(REVISIONS, Some("shop")).len(), 2);
    bench.create(Resource::core("nodes"), &json!({ "metadata": { "name": "node-4" } })).await;
    bench.pass(2000).await;
    assert_eq!(bench.pods().len(), 4, "a new node gets its pod");
}

#[tokio::test]
async fn a_daemon_set_that_surges_makes_the_new_pod_first() {
    let bench = Bench::new(Habits::default()).await;
    let mut agent = workload("DaemonSet", "agent", 0);
    agent["spec"].as_object_mut().unwrap().shift_remove("replicas");
    agent["spec"]["updateStrategy"] =
        json!({ "type": "RollingUpdate", "rollingUpdate": { "maxSurge": 1, "maxUnavailable": 0 } });
    bench.create(DAEMON_SETS, &agent).await;
    bench.pass(3000).await;
    bench.merge(DAEMON_SETS, "agent", json!({ "spec": { "template": template("agent", "a:2") } })).await;
    for _ in 0..300 {
        bench.pass(30).await;
        let pods = bench.pods();
        let ready =
            pods.iter().filter(|pod| condition::holds(pod, "Ready") && pod["metadata"]["deletionTimestamp"].is_null());
        assert!(ready.count() >= 3, "no node is without a pod");
    }
    assert!(bench.pods().iter().all(|pod| image(pod) == "a:2"));
    assert_eq!(bench.pods().len(), 3);
}

#[tokio::test]
async fn a_stateful_set_goes_one_by_one_up_and_down() {
    let bench = Bench::new(Habits::default()).await;
    let mut set = workload("StatefulSet", "db", 3);
    set["spec"]["serviceName"] = "db".into();
    bench.create(STATEFUL_SETS, &set).await;
    bench.pass(200).await;
    assert_eq!(bench.pods().len(), 1, "the second waits for the first");
    bench.pass(5000).await;
    let names: Vec<_> = bench.pods().iter().map(|pod| pod["metadata"]["name"].clone()).collect();
    assert_eq!(names, ["db-0", "db-1", "db-2"]);
    let revision = bench.hand.list(REVISIONS, Some("shop"))[0]["metadata"]["name"].clone();
    assert_eq!(
        bench.get(STATEFUL_SETS, "db")["status"],
        json!({
            "observedGeneration": 1, "replicas": 3, "readyReplicas": 3, "currentReplicas": 3, "updatedReplicas": 3,
            "currentRevision": revision, "updateRevision": revision, "collisionCount": 0, "availableReplicas": 3,
        })
    );
    let update = json!({ "spec": { "template": template("db", "a:2"), "updateStrategy": { "rollingUpdate": { "partition": 2 } } } });
    bench.merge(STATEFUL_SETS, "db", update).await;
    bench.pass(8000).await;
    let images: Vec<_> = bench.pods().iter().map(|pod| image(pod).to_owned()).collect();
    assert_eq!(images, ["a:1", "a:1", "a:2"], "the partition keeps the others back");
    bench
        .merge(STATEFUL_SETS, "db", json!({ "spec": { "updateStrategy": { "rollingUpdate": { "partition": 0 } } } }))
        .await;
    bench.pass(10_000).await;
    let set = bench.get(STATEFUL_SETS, "db");
    assert_eq!(set["status"]["currentRevision"], set["status"]["updateRevision"]);
    bench.merge(STATEFUL_SETS, "db", json!({ "spec": { "replicas": 1 } })).await;
    bench.pass(5000).await;
    assert_eq!(bench.pods().len(), 1);
    assert_eq!(bench.get(PODS, "db-0")["metadata"]["labels"]["apps.kubernetes.io/pod-index"], "0");
}
