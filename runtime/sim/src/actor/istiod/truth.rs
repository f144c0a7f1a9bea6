//! The stand-in beside a real istiod 1.30.3: every object it makes is compared with the recording, field by field.
//!
//! A field may differ only where `ACCEPTED` says so, with the reason.

use serde_json::{Value, json};

use jiff::Timestamp;

use super::{
    gateway::{
        class::{self, Class},
        render::Blueprint,
        status::status,
    },
    injection::{Injection, Sidecar, inject},
    instance::Identity,
    settings::Settings,
    template::Environment,
};

/// Fields that the recording has and the stand-in does not send, by the end of their path, and why that is right.
const ACCEPTED: &[(&str, &str)] = &[
    ("/terminationMessagePath", "default of the API server"),
    ("/terminationMessagePolicy", "default of the API server"),
    ("/fieldRef/apiVersion", "default of the API server"),
    ("/defaultMode", "default of the API server"),
    ("/httpGet/scheme", "default of the API server"),
    ("/successThreshold", "default of the API server"),
    ("/emptyDir", "default of the API server for a volume without a source"),
    ("/imagePullPolicy", "default of the API server"),
];

/// Fields that the stand-in sends and the recording lacks.
const SENT: &[(&str, &str)] = &[("/initialDelaySeconds", "a delay of 0 seconds is what the API server leaves out")];

fn recorded(file: &str) -> Vec<Value> {
    let path = format!("{}/../../tests/truth/1.30.3/{file}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&fs_err_read(&path)).unwrap()
}

#[expect(clippy::disallowed_methods, reason = "a test reads its fixture; the crate itself has no files")]
fn fs_err_read(path: &str) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn settings() -> Settings {
    let maps = recorded("chart-configmaps.json");
    let data = |map: &str, key: &str| {
        let map = maps.iter().find(|one| one["metadata"]["name"] == map).unwrap();
        map["data"][key].as_str().unwrap().to_owned()
    };
    let injector = "istio-sidecar-injector-1-30-3";
    let environment = Environment::from([("PILOT_ENABLE_AMBIENT".into(), "true".into())]);
    Settings::parse(&data("istio-1-30-3", "mesh"), &data(injector, "config"), &data(injector, "values"), environment)
        .unwrap()
}

/// Every path at which the two differ and that is not accepted.
fn differences(ours: &Value, recorded: &Value, path: &str, found: &mut Vec<String>) {
    match (ours, recorded) {
        (Value::Object(ours), Value::Object(recorded)) => {
            for (key, value) in recorded {
                let path = format!("{path}/{key}");
                match ours.get(key) {
                    Some(other) => differences(other, value, &path, found),
                    None if ACCEPTED.iter().any(|(end, _)| path.ends_with(end)) => {}
                    None => found.push(format!("{path}: only recorded, {value}")),
                }
            }
            for (key, value) in ours.iter().filter(|(key, _)| !recorded.contains_key(*key)) {
                let path = format!("{path}/{key}");
                if *value != 0 || !SENT.iter().any(|(end, _)| path.ends_with(end)) {
                    found.push(format!("{path}: only ours, {value}"));
                }
            }
        }
        (Value::Array(ours), Value::Array(recorded)) if ours.len() == recorded.len() => {
            for (at, (one, other)) in ours.iter().zip(recorded).enumerate() {
                differences(one, other, &format!("{path}/{at}"), found);
            }
        }
        _ if ours == recorded => {}
        // The API server writes quantities in their shortest form.
        (Value::String(ours), Value::String(recorded))
            if amount(ours).is_some_and(|it| amount(recorded) == Some(it)) => {}
        _ => found.push(format!("{path}: ours {ours}, recorded {recorded}")),
    }
}

/// A quantity of Kubernetes in thousandths of its unit.
fn amount(quantity: &str) -> Option<u64> {
    let digits = quantity.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor = match &quantity[digits.len()..] {
        "m" => 1,
        "" => 1000,
        "Mi" => 1000 << 20,
        "Gi" => 1000 << 30,
        _ => return None,
    };
    Some(digits.parse::<u64>().ok()? * factor)
}

#[track_caller]
fn assert_same(ours: &Value, recorded: &Value) {
    let mut found = Vec::new();
    differences(ours, recorded, "", &mut found);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// The pod as the ReplicaSet controller had created it, with what the API server had added before any webhook.
fn pod_before_injection(recorded: &Value) -> Value {
    let mount = json!({ "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount", "name": "kube-api-access-fptqv", "readOnly": true });
    let labels = &recorded["metadata"]["labels"];
    let volumes = recorded["spec"]["volumes"].as_array().unwrap();
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "generateName": recorded["metadata"]["generateName"],
            "namespace": "shop",
            "labels": { "app": labels["app"], "pod-template-hash": labels["pod-template-hash"] },
            "ownerReferences": recorded["metadata"]["ownerReferences"],
        },
        "spec": {
            "containers": [{ "name": "nginx", "image": "nginx", "imagePullPolicy": "Always", "resources": {}, "volumeMounts": [mount] }],
            "serviceAccountName": "default",
            "volumes": [volumes.last().unwrap()],
        },
    })
}

/// Takes out of a recording what the API server, the scheduler and the kubelet add after the webhooks.
fn as_webhook_left_it(mut pod: Value) -> Value {
    let spec = pod["spec"].as_object_mut().unwrap();
    spec.retain(|field, _| ["containers", "initContainers", "volumes", "serviceAccountName"].contains(&field.as_str()));
    for container in spec["initContainers"].as_array_mut().unwrap() {
        let mounts = container["volumeMounts"].as_array_mut().unwrap();
        mounts.retain(|mount| mount["name"] != "kube-api-access-fptqv");
        if mounts.is_empty() {
            container.as_object_mut().unwrap().shift_remove("volumeMounts");
        }
    }
    pod.as_object_mut().unwrap().shift_remove("status");
    pod["metadata"].as_object_mut().unwrap().shift_remove("name");
    pod
}

#[test]
fn a_sidecar_pod_is_as_recorded() {
    let recorded = recorded("sidecar-pod.json").remove(0);
    let settings = settings();
    let injection = Injection { settings: &settings, revision: "1-30-3", sidecar: Sidecar::Native, path: "/inject" };
    let ours = inject(&injection, &pod_before_injection(&recorded)).unwrap();
    assert_same(&ours, &as_webhook_left_it(recorded));
}

/// The identity of the recorded istiod.
fn identity() -> Identity {
    let variables = [("REVISION", "1-30-3"), ("PILOT_ENABLE_AMBIENT", "true"), ("CLUSTER_ID", "Kubernetes")];
    let variables: Vec<_> = variables.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
    let discovery =
        json!({ "name": "discovery", "image": "registry.istio.io/release/pilot:1.30.3-distroless", "env": variables });
    let deployment = json!({
        "metadata": { "name": "istiod-1-30-3", "namespace": "istio-system", "labels": { "istio.io/rev": "1-30-3" } },
        "spec": { "template": { "spec": { "containers": [discovery] } } },
    });
    Identity::of(&deployment).unwrap()
}

/// The Gateway as it was before istiod saw it.
fn fresh_gateway(recorded: &Value) -> Value {
    let mut gateway = recorded.clone();
    gateway["metadata"]["uid"] = "<uid>".into();
    gateway["metadata"]["generation"] = 1.into();
    // What the API server writes into every new Gateway.
    gateway["status"] = json!({ "conditions": [
        { "type": "Accepted", "status": "Unknown", "reason": "Pending", "message": "Waiting for controller" },
        { "type": "Programmed", "status": "Unknown", "reason": "Pending", "message": "Waiting for controller" },
    ]});
    gateway
}

/// Takes out of a recorded object what the API server and its controllers add.
fn as_applied(mut object: Value) -> Value {
    let kind = object["kind"].as_str().unwrap().to_owned();
    let fields = object.as_object_mut().unwrap();
    fields.shift_remove("status");
    let metadata = object["metadata"].as_object_mut().unwrap();
    metadata.shift_remove("managedFields");
    if kind == "Deployment" {
        metadata.shift_remove("annotations");
        let spec = object["spec"].as_object_mut().unwrap();
        spec.retain(|field, _| ["selector", "template"].contains(&field.as_str()));
        let pod = spec["template"]["spec"].as_object_mut().unwrap();
        for default in
            ["dnsPolicy", "restartPolicy", "schedulerName", "serviceAccount", "terminationGracePeriodSeconds"]
        {
            pod.shift_remove(default);
        }
        if pod["securityContext"] == json!({}) {
            pod.shift_remove("securityContext");
        }
        for variable in pod["containers"][0]["env"].as_array_mut().unwrap() {
            // Sent as an empty text, which the API server leaves out.
            if variable.get("value").is_none() && variable.get("valueFrom").is_none() {
                variable["value"] = "".into();
            }
        }
    }
    if kind == "Service" {
        let spec = object["spec"].as_object_mut().unwrap();
        spec.retain(|field, _| ["ipFamilyPolicy", "ports", "selector", "type"].contains(&field.as_str()));
        for port in spec["ports"].as_array_mut().unwrap() {
            port.as_object_mut().unwrap().retain(|field, _| !["nodePort", "targetPort"].contains(&field.as_str()));
        }
    }
    object
}

#[track_caller]
fn assert_gateway(file: &str, objects: &str, name: &str, class: &'static Class) {
    let gateway = recorded(file).into_iter().find(|one| one["metadata"]["name"] == name).unwrap();
    let gateway = fresh_gateway(&gateway);
    let (identity, settings) = (identity(), settings());
    let blueprint = Blueprint {
        identity: &identity,
        settings: &settings,
        gateway: &gateway,
        class,
        kube_version: 136,
        deployment: None,
        overlays: &[],
    };
    let ours = blueprint.objects().unwrap();
    assert_eq!(ours.len(), 3, "a service account, a Deployment and a Service");
    let recorded = recorded(objects);
    for mut one in ours {
        let same =
            |other: &&Value| other["kind"] == one["kind"] && other["metadata"]["name"] == one["metadata"]["name"];
        let other = recorded.iter().find(same).unwrap_or_else(|| panic!("nothing recorded like {one}"));
        // An empty map of annotations is sent and not kept.
        for metadata in ["/metadata", "/spec/template/metadata"] {
            if let Some(metadata) = one.pointer_mut(metadata).and_then(Value::as_object_mut)
                && metadata.get("annotations") == Some(&json!({}))
            {
                metadata.shift_remove("annotations");
            }
        }
        assert_same(&one, &as_applied(other.clone()));
    }
}

/// kubectl leaves its annotation on the Gateway; it is copied nowhere.
#[test]
fn what_is_made_for_a_waypoint_is_as_recorded() {
    assert_gateway("waypoint-resource.json", "waypoint-objects.json", "waypoint", &class::WAYPOINT);
}

#[test]
fn what_is_made_for_a_gateway_is_as_recorded() {
    assert_gateway("gateway-resource.json", "gateway-objects.json", "edge", &class::INGRESS);
    assert_gateway("gateway-resource.json", "gateway-objects.json", "unlabelled", &class::INGRESS);
}

/// Conditions without their moments, in the order of their types: a status is a list by type.
fn timeless(mut status: Value) -> Value {
    fn strip(conditions: &mut Value) {
        for condition in conditions.as_array_mut().unwrap().iter_mut() {
            condition.as_object_mut().unwrap().shift_remove("lastTransitionTime");
        }
    }
    strip(&mut status["conditions"]);
    for listener in status["listeners"].as_array_mut().unwrap() {
        strip(&mut listener["conditions"]);
    }
    status
}

#[test]
fn the_status_of_a_gateway_is_as_recorded() {
    let cases = [
        ("waypoint-resource.json", "waypoint-objects.json", "waypoint", "waypoint", &class::WAYPOINT),
        ("gateway-resource.json", "gateway-objects.json", "edge", "edge-istio", &class::INGRESS),
    ];
    for (file, objects, name, service, class) in cases {
        let gateway = recorded(file).into_iter().find(|one| one["metadata"]["name"] == name).unwrap();
        let services = recorded(objects);
        let service =
            services.iter().find(|one| one["kind"] == "Service" && one["metadata"]["name"] == service).unwrap();
        let metadata = &service["metadata"];
        let host = format!(
            "{}.{}.svc.cluster.local",
            metadata["name"].as_str().unwrap(),
            metadata["namespace"].as_str().unwrap()
        );
        let fresh = fresh_gateway(&gateway);
        let ours = status(&fresh, class, &[(Some(service), &host)], Timestamp::UNIX_EPOCH);
        assert_same(&timeless(ours), &timeless(gateway["status"].clone()));
    }
}

#[test]
fn a_status_that_is_right_is_not_written_again() {
    let gateway = recorded("waypoint-resource.json").remove(0);
    let services = recorded("waypoint-objects.json");
    let service = services.iter().find(|one| one["kind"] == "Service").unwrap();
    let mut settled = fresh_gateway(&gateway);
    settled["status"] = gateway["status"].clone();
    let ours =
        status(&settled, &class::WAYPOINT, &[(Some(service), "waypoint.amb.svc.cluster.local")], Timestamp::UNIX_EPOCH);
    assert_eq!(ours, gateway["status"]);
}

#[test]
fn the_classes_are_as_recorded() {
    let recorded = recorded("gatewayclasses.json");
    for (class, mut other) in [&class::INGRESS, &class::REMOTE, &class::WAYPOINT].into_iter().zip(recorded) {
        let mut ours = class::object(class);
        ours["metadata"]["generation"] = 1.into();
        class::accept(&mut ours, Timestamp::UNIX_EPOCH);
        ours["metadata"].as_object_mut().unwrap().shift_remove("generation");
        ours["status"]["conditions"][0].as_object_mut().unwrap().shift_remove("lastTransitionTime");
        other["status"]["conditions"][0].as_object_mut().unwrap().shift_remove("lastTransitionTime");
        other["metadata"].as_object_mut().unwrap().shift_remove("managedFields");
        assert_same(&ours, &other);
    }
}
