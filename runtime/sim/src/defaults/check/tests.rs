//! Refusals, held to what a real API server answered to the same.

use serde_json::{Value, json};

use super::check;

fn said(group: &str, plural: &str, new: &Value, old: Option<&Value>) -> Vec<String> {
    check(group, plural, new, old).iter().map(ToString::to_string).collect()
}

fn deployment(selector: &str, label: &str) -> Value {
    json!({ "spec": {
        "selector": { "matchLabels": { "a": selector } },
        "template": { "metadata": { "labels": { "a": label } }, "spec": { "containers": [{ "name": "c", "image": "i" }] } },
    } })
}

#[test]
fn a_template_fits_its_selector_and_the_selector_stays() {
    let words =
        r#"spec.template.metadata.labels: Invalid value: {"a":"c"}: `selector` does not match template `labels`"#;
    assert_eq!(said("apps", "deployments", &deployment("b", "c"), None), [words]);
    assert_eq!(said("apps", "deployments", &deployment("b", "b"), None), [""; 0]);
    let words = r#"spec.selector: Invalid value: {"matchLabels":{"a":"c"}}: field is immutable"#;
    assert_eq!(said("apps", "daemonsets", &deployment("c", "c"), Some(&deployment("b", "b"))), [words]);
    let words = "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";
    assert_eq!(said("apps", "statefulsets", &deployment("c", "c"), Some(&deployment("b", "b"))), [words]);
}

#[test]
fn jobs_and_schedules_are_as_they_have_to_be() {
    let template = json!({ "spec": { "restartPolicy": "Always", "containers": [{ "name": "c", "image": "i" }] } });
    let job = json!({ "spec": { "template": template } });
    let words = r#"spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never""#;
    assert_eq!(said("batch", "jobs", &job, None), [words]);
    let spec = json!({ "restartPolicy": "Never", "containers": [{ "name": "c", "image": "i" }] });
    let cron = json!({ "spec": { "schedule": "x", "jobTemplate": { "spec": { "template": { "spec": spec } } } } });
    let words = r#"spec.schedule: Invalid value: "x": expected exactly 5 fields, found 1: [x]"#;
    assert_eq!(said("batch", "cronjobs", &cron, None), [words]);
}

#[test]
fn services_have_ports_with_names() {
    let service = |ports: Value| json!({ "spec": { "type": "ClusterIP", "ports": ports } });
    assert_eq!(said("", "services", &service(json!([])), None), ["spec.ports: Required value"]);
    let two = service(json!([{ "port": 80, "protocol": "TCP" }, { "port": 81, "protocol": "TCP" }]));
    let words = ["spec.ports[0].name: Required value", "spec.ports[1].name: Required value"];
    assert_eq!(said("", "services", &two, None), words);
    let with = |ip: &str| json!({ "spec": { "type": "ClusterIP", "clusterIP": ip, "ports": [{ "port": 1 }] } });
    let words = r#"spec.clusterIPs[0]: Invalid value: ["10.0.0.2"]: may not change once set"#;
    assert_eq!(said("", "services", &with("10.0.0.2"), Some(&with("10.0.0.1"))), [words]);
}

#[test]
fn the_rest_is_refused_in_the_servers_words() {
    let binding = |name: &str| json!({ "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name } });
    let words = r#"roleRef: Invalid value: {"APIGroup":"rbac.authorization.k8s.io","Kind":"ClusterRole","Name":"edit"}: cannot change roleRef"#;
    let said_of = said("rbac.authorization.k8s.io", "rolebindings", &binding("edit"), Some(&binding("view")));
    assert_eq!(said_of, [words]);
    let budget = json!({ "spec": { "minAvailable": 1, "maxUnavailable": 1, "selector": {} } });
    let words = r#"spec: Invalid value: {"MinAvailable":1,"Selector":{},"MaxUnavailable":1,"UnhealthyPodEvictionPolicy":null}: minAvailable and maxUnavailable cannot be both set"#;
    assert_eq!(said("policy", "poddisruptionbudgets", &budget, None), [words]);
    let scaler =
        json!({ "spec": { "minReplicas": 3, "maxReplicas": 2, "scaleTargetRef": { "apiVersion": "apps/v1" } } });
    let words = "spec.maxReplicas: Invalid value: 2: must be greater than or equal to `minReplicas`";
    assert_eq!(said("autoscaling", "horizontalpodautoscalers", &scaler, None), [words]);
    let secret = json!({ "type": "kubernetes.io/tls" });
    assert_eq!(said("", "secrets", &secret, None), ["data[tls.crt]: Required value", "data[tls.key]: Required value"]);
}

#[test]
fn definitions_say_what_they_define() {
    let definition = |name: &str, schema: Value| {
        json!({ "metadata": { "name": name }, "spec": {
            "group": "a.example", "scope": "Nowhere", "names": { "plural": "goods" },
            "versions": [{ "name": "v1", "served": true, "storage": true, "schema": { "openAPIV3Schema": schema } }],
        } })
    };
    let untyped = json!({ "type": "object", "properties": { "spec": { "items": { "type": "string" } } } });
    let words = [
        r#"metadata.name: Invalid value: "bads.a.example": must be spec.names.plural+"."+spec.group"#,
        r#"spec.scope: Unsupported value: "Nowhere": supported values: "Cluster", "Namespaced""#,
        "spec.validation.openAPIV3Schema.properties[spec].type: Required value: must not be empty for specified object fields",
    ];
    let said_of =
        |new: &Value, old: Option<&Value>| said("apiextensions.k8s.io", "customresourcedefinitions", new, old);
    assert_eq!(said_of(&definition("bads.a.example", untyped.clone()), None), words);
    let known = definition("bads.a.example", untyped);
    assert!(said_of(&known, Some(&known)).is_empty(), "what was taken once stays as it is");
    let words = ["spec.versions[0].schema.openAPIV3Schema: Required value"];
    let mut bare = definition("goods.a.example", Value::Null);
    bare["spec"]["scope"] = "Cluster".into();
    assert_eq!(said_of(&bare, None), words);
}
