//! Every version that an upgrade may start from or lead to: what the chart's templates make, by that chart's own rules.

use runbook_control_plane::{Helm, State};
use serde_json::Value;

use crate::mesh::{Mesh, gateway};

/// Version, hub of its images, and does its proxy run as a native sidecar on these nodes?
const VERSIONS: [(&str, &str, bool); 9] = [
    ("1.22.8", "docker.io/istio", false),
    ("1.23.6", "docker.io/istio", false),
    ("1.24.6", "docker.io/istio", false),
    ("1.25.5", "docker.io/istio", false),
    ("1.26.8", "docker.io/istio", false),
    ("1.27.9", "docker.io/istio", true),
    ("1.28.10", "docker.io/istio", true),
    ("1.29.6", "docker.io/istio", true),
    ("1.30.3", "registry.istio.io/release", true),
];

fn proxy(pod: &Value) -> (&'static str, &Value) {
    for list in ["containers", "initContainers"] {
        let found = pod["spec"][list].as_array().into_iter().flatten().find(|one| one["name"] == "istio-proxy");
        if let Some(found) = found {
            return (list, found);
        }
    }
    panic!("no proxy in {pod}");
}

fn variable<'a>(container: &'a Value, wanted: &str) -> &'a str {
    let mut variables = container["env"].as_array().unwrap().iter();
    variables.find(|one| one["name"] == wanted).unwrap()["value"].as_str().unwrap()
}

#[test]
fn each_version_injects_and_deploys_by_its_own_templates() {
    let Some(mesh) = Mesh::start("each_version_injects_and_deploys_by_its_own_templates", Helm::V3, &State::bare())
    else {
        return;
    };
    mesh.release("istio-base", "base", "1.30.3", "defaultRevision=1-30-3");
    for (version, hub, native) in VERSIONS {
        let revision = version.replace('.', "-");
        let namespace = format!("n-{revision}");
        mesh.release(&format!("istiod-{revision}"), "istiod", version, &format!("profile=ambient,revision={revision}"));
        mesh.kubectl(&["create", "namespace", &namespace]);
        mesh.kubectl(&["label", "namespace", &namespace, &format!("istio.io/rev={revision}")]);
        mesh.kubectl(&["create", "deployment", "web", "--namespace", &namespace, "--image", "nginx"]);
        mesh.plane
            .apply(
                &[gateway(&namespace, "waypoint", "", "istio-waypoint"), gateway(&namespace, "edge", "", "istio")]
                    .concat(),
            )
            .unwrap();
        let chart = mesh.chart("gateway", version);
        let values = format!("revision={revision}");
        let arguments =
            ["install", "ingress", &chart, "-n", &namespace, "--skip-schema-validation", "--wait", "--set", &values];
        mesh.plane.run_helm(Helm::V3, &arguments).unwrap();
        let running = |mesh: &Mesh| {
            let pods = mesh.list(&format!("pods -n {namespace}"));
            pods.iter().filter(|pod| pod["status"]["phase"] == "Running").count()
        };
        mesh.until(&format!("the four pods of {version}"), |mesh| running(mesh) == 4);

        for pod in mesh.list(&format!("pods -n {namespace}")) {
            let (list, container) = proxy(&pod);
            let is_sidecar = pod["metadata"]["labels"]["app"] == "web";
            assert_eq!(list == "initContainers", is_sidecar && native, "{version}: {list}");
            assert_eq!(container["image"], format!("{hub}/proxyv2:{version}-distroless"), "{version}");
            assert_eq!(variable(container, "CA_ADDR"), format!("istiod-{revision}.istio-system.svc:15012"));
            let config: Value = serde_json::from_str(variable(container, "PROXY_CONFIG")).unwrap();
            assert_eq!(config["discoveryAddress"], format!("istiod-{revision}.istio-system.svc:15012"));
            assert_eq!(pod["metadata"]["annotations"]["istio.io/rev"], revision.as_str());
            if is_sidecar {
                let status = pod["metadata"]["annotations"]["sidecar.istio.io/status"].as_str().unwrap();
                let status: Value = serde_json::from_str(status).unwrap();
                assert_eq!(status["revision"], revision.as_str());
            }
        }
        for one in mesh.list(&format!("gateways -n {namespace}")) {
            let conditions = one["status"]["conditions"].as_array().unwrap();
            assert!(conditions.iter().all(|condition| condition["status"] == "True"), "{version}: {conditions:?}");
        }
    }
}
