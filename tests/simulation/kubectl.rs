//! The real kubectl on the simulation.

use runbook_control_plane::{Tool, required_or_skip};

use crate::place::Place;

const WEB: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: c, image: 'nginx:1', ports: [{containerPort: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{port: 80}]}
";

fn shop(place: &Place) -> String {
    place.kubectl("create namespace shop");
    place.file("web.yaml", WEB).display().to_string()
}

#[test]
fn kubectl_applies_both_ways_and_sees_the_difference() {
    let Some(binaries) = required_or_skip("kubectl_applies_both_ways_and_sees_the_difference") else { return };
    let place = Place::open(binaries, 2);
    let web = shop(&place);
    assert_eq!(place.kubectl(&format!("apply -f {web}")), "deployment.apps/web created\nservice/web created\n");
    assert_eq!(place.kubectl(&format!("apply -f {web}")), "deployment.apps/web unchanged\nservice/web unchanged\n");
    assert!(place.run(Tool::Kubectl, &["diff", "-f", &web]).is_good, "nothing differs");
    place.file("web.yaml", &WEB.replace("replicas: 2", "replicas: 3"));
    let differs = place.run(Tool::Kubectl, &["diff", "-f", &web]);
    assert!(differs.out.contains("+  replicas: 3"), "{differs:?}");
    assert!(place.kubectl(&format!("apply -f {web}")).contains("deployment.apps/web configured"));

    let applied = place.kubectl(&format!("apply --server-side --force-conflicts -f {web}"));
    assert_eq!(applied, "deployment.apps/web serverside-applied\nservice/web serverside-applied\n");
    place.kubectl("scale deployment/web -n shop --replicas=1");
    let refused = place.run(Tool::Kubectl, &["apply", "--server-side", "-f", &web]);
    assert!(
        refused.err.contains("Apply failed with 1 conflict: conflict with \"kubectl\" with subresource \"scale\""),
        "{refused:?}"
    );
}

#[test]
fn kubectl_rolls_out_scales_waits_and_deletes() {
    let Some(binaries) = required_or_skip("kubectl_rolls_out_scales_waits_and_deletes") else { return };
    let place = Place::open(binaries, 2);
    let web = shop(&place);
    place.kubectl(&format!("apply -f {web}"));
    let rolled = place.kubectl("rollout status deployment/web -n shop --timeout=60s");
    assert!(rolled.contains("successfully rolled out"), "{rolled}");
    place.kubectl("wait pod -n shop -l app=web --for=condition=Ready --timeout=60s");
    place.kubectl("scale deployment/web -n shop --replicas=4");
    place.kubectl("rollout status deployment/web -n shop --timeout=60s");
    place.kubectl("rollout restart deployment/web -n shop");
    place.kubectl("rollout status deployment/web -n shop --timeout=60s");
    let history = place.kubectl("rollout history deployment/web -n shop");
    assert!(history.contains("\n2 "), "{history}");
    place.kubectl("rollout undo deployment/web -n shop");
    place.kubectl("rollout status deployment/web -n shop --timeout=60s");
    place.kubectl("label deployment/web -n shop tier=front");
    place.kubectl(r#"patch deployment/web -n shop -p {"metadata":{"annotations":{"note":"x"}}}"#);
    let shown = place.kubectl("get deployment web -n shop --no-headers");
    assert_eq!(shown.split_whitespace().take(4).collect::<Vec<_>>(), ["web", "4/4", "4", "4"]);
    assert!(place.kubectl("explain deployment.spec.replicas").contains("FIELD: replicas <integer>"));
    assert!(place.kubectl("get pods -n shop -o wide").contains("Running"));

    place.kubectl("delete namespace shop --timeout=60s");
    let gone = place.run(Tool::Kubectl, &["get", "namespace", "shop"]);
    assert!(gone.err.contains(r#"namespaces "shop" not found"#), "{gone:?}");
}

#[test]
fn kubectl_drains_a_node_as_far_as_a_budget_lets_it() {
    let Some(binaries) = required_or_skip("kubectl_drains_a_node_as_far_as_a_budget_lets_it") else { return };
    let place = Place::open(binaries, 2);
    let web = shop(&place);
    place.kubectl(&format!("apply -f {web}"));
    place.kubectl("rollout status deployment/web -n shop --timeout=60s");
    place.kubectl("create poddisruptionbudget web -n shop --selector=app=web --min-available=2");
    place.kubectl("wait poddisruptionbudget/web -n shop --for=jsonpath={.status.expectedPods}=2 --timeout=60s");
    let node = place.kubectl("get pods -n shop -o jsonpath={.items[0].spec.nodeName}");
    let held = place.run(Tool::Kubectl, &["drain", &node, "--ignore-daemonsets", "--timeout=2s"]);
    assert!(
        !held.is_good && held.err.contains("Cannot evict pod as it would violate the pod's disruption budget"),
        "{held:?}"
    );
    place.kubectl("delete poddisruptionbudget web -n shop");
    place.kubectl(&format!("drain {node} --ignore-daemonsets --timeout=60s"));
    place.kubectl(&format!("uncordon {node}"));
}
