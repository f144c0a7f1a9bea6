//! Who owns what after applies and ordinary writes.

use serde_json::{Value, json};

use super::{Order, Refusal, apply, track};
use crate::schema::Schema;

fn schema() -> Schema {
    Schema::of_crd(&json!({ "type": "object", "properties": { "spec": { "type": "object", "properties": {
        "replicas": { "type": "integer" },
        "paused": { "type": "boolean" },
        "ports": {
            "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["port"],
            "items": { "type": "object", "properties": { "port": { "type": "integer" }, "name": { "type": "string" } } },
        },
    } } } }))
    .unwrap()
}

fn order(manager: &str) -> Order<'_> {
    let now = "2030-01-01T00:00:00Z".parse().unwrap();
    Order { manager, force: false, now, api_version: "example.com/v1", subresource: "", resets: &[] }
}

fn object(spec: &Value) -> Value {
    json!({ "apiVersion": "example.com/v1", "kind": "Thing", "metadata": { "name": "a" }, "spec": spec })
}

#[test]
fn what_is_no_longer_applied_goes() {
    let first = apply(&schema(), None, &object(&json!({ "replicas": 1, "paused": true })), &order("one")).unwrap();
    let second = apply(&schema(), Some(&first), &object(&json!({ "replicas": 1 })), &order("one")).unwrap();
    assert_eq!(second["spec"], json!({ "replicas": 1 }));
    assert_eq!(second["metadata"]["managedFields"][0]["fieldsV1"], json!({ "f:spec": { "f:replicas": {} } }));
}

#[test]
fn a_field_of_another_is_a_conflict() {
    let first = apply(&schema(), None, &object(&json!({ "replicas": 1 })), &order("one")).unwrap();
    let mut second = first.clone();
    second["spec"]["replicas"] = json!(2);
    track(&schema(), Some(&first), &mut second, &order("two"));
    let refused = apply(&schema(), Some(&second), &object(&json!({ "replicas": 1 })), &order("one")).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "Apply failed with 1 conflict: conflict with \"two\" using example.com/v1: .spec.replicas"
    );
    assert!(matches!(refused, Refusal::Conflicts(_)));
}

/// What a real API server (1.36) wrote for the same requests.
mod as_recorded {
    use serde_json::{Value, json};

    use super::{order, track};
    use crate::apply::{Order, apply, keep_times};
    use crate::schema::Schema;
    use crate::schema::tests::RECORD;

    fn deployments() -> Schema {
        Schema::of_record(&RECORD, "apps", "v1", "Deployment").unwrap()
    }

    fn at(manager: &str) -> Order<'_> {
        Order { api_version: "apps/v1", resets: &[&["status"]], ..order(manager) }
    }

    fn written() -> Value {
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": { "name": "web", "namespace": "default", "labels": { "app": "web" } },
            "spec": {
                "replicas": 1, "selector": { "matchLabels": { "app": "web" } },
                "template": { "metadata": { "labels": { "app": "web" } }, "spec": {
                    "containers": [{
                        "name": "c", "image": "nginx:1", "ports": [{ "containerPort": 80 }],
                        "env": [{ "name": "A", "value": "1" }], "resources": { "limits": { "cpu": "100m" } },
                    }],
                    "volumes": [{ "name": "v", "emptyDir": {} }],
                } },
            },
        })
    }

    /// The same with what the server fills in.
    fn stored() -> Value {
        let mut object = written();
        json_patch::merge(
            &mut object,
            &json!({ "metadata": { "uid": "1" }, "status": {}, "spec": {
            "progressDeadlineSeconds": 600, "revisionHistoryLimit": 10,
            "strategy": { "type": "RollingUpdate", "rollingUpdate": { "maxSurge": "25%", "maxUnavailable": "25%" } },
            "template": { "spec": {
                "dnsPolicy": "ClusterFirst", "restartPolicy": "Always", "schedulerName": "default-scheduler",
                "securityContext": {}, "terminationGracePeriodSeconds": 30,
                "containers": [{
                    "name": "c", "image": "nginx:1", "ports": [{ "containerPort": 80, "protocol": "TCP" }],
                    "env": [{ "name": "A", "value": "1" }], "resources": { "limits": { "cpu": "100m" } },
                    "imagePullPolicy": "IfNotPresent", "terminationMessagePath": "/dev/termination-log",
                    "terminationMessagePolicy": "File",
                }],
            } },
        } }),
        );
        object
    }

    fn applied(manager: &str) -> Value {
        apply(&deployments(), None, &written(), &at(manager)).unwrap()
    }

    #[test]
    fn whoever_creates_owns_all_that_the_server_filled_in_too() {
        let mut object = stored();
        track(&deployments(), None, &mut object, &at("kubectl-create"));
        let empty = json!({});
        let expected = json!({
            "f:metadata": { "f:labels": { ".": {}, "f:app": {} } },
            "f:spec": {
                "f:progressDeadlineSeconds": {}, "f:replicas": {}, "f:revisionHistoryLimit": {}, "f:selector": {},
                "f:strategy": { "f:rollingUpdate": { ".": {}, "f:maxSurge": {}, "f:maxUnavailable": {} }, "f:type": {} },
                "f:template": { "f:metadata": { "f:labels": { ".": {}, "f:app": {} } }, "f:spec": {
                    "f:containers": { "k:{\"name\":\"c\"}": {
                        ".": {}, "f:env": { ".": {}, "k:{\"name\":\"A\"}": { ".": {}, "f:name": {}, "f:value": {} } },
                        "f:image": {}, "f:imagePullPolicy": {}, "f:name": {},
                        "f:ports": { ".": {}, "k:{\"containerPort\":80,\"protocol\":\"TCP\"}": {
                            ".": {}, "f:containerPort": {}, "f:protocol": {},
                        } },
                        "f:resources": { ".": {}, "f:limits": { ".": {}, "f:cpu": {} } },
                        "f:terminationMessagePath": {}, "f:terminationMessagePolicy": {},
                    } },
                    "f:dnsPolicy": {}, "f:restartPolicy": {}, "f:schedulerName": {}, "f:securityContext": {},
                    "f:terminationGracePeriodSeconds": {},
                    "f:volumes": { ".": {}, "k:{\"name\":\"v\"}": { ".": {}, "f:emptyDir": {}, "f:name": {} } },
                } },
            },
        });
        let entry = &object["metadata"]["managedFields"][0];
        assert_eq!(entry["fieldsV1"], expected);
        assert_eq!((&entry["manager"], &entry["operation"]), (&json!("kubectl-create"), &json!("Update")));
        assert_ne!(entry["time"], empty);
    }

    #[test]
    fn whoever_applies_owns_what_was_said() {
        let object = applied("a");
        let fields = json!({
            "f:metadata": { "f:labels": { "f:app": {} } },
            "f:spec": { "f:replicas": {}, "f:selector": {}, "f:template": {
                "f:metadata": { "f:labels": { "f:app": {} } },
                "f:spec": {
                    "f:containers": { "k:{\"name\":\"c\"}": {
                        ".": {}, "f:env": { "k:{\"name\":\"A\"}": { ".": {}, "f:name": {}, "f:value": {} } },
                        "f:image": {}, "f:name": {},
                        "f:ports": {
                            "k:{\"containerPort\":80,\"protocol\":\"TCP\"}": { ".": {}, "f:containerPort": {} },
                        },
                        "f:resources": { "f:limits": { "f:cpu": {} } },
                    } },
                    "f:volumes": { "k:{\"name\":\"v\"}": { ".": {}, "f:emptyDir": {}, "f:name": {} } },
                },
            } },
        });
        let expected = json!([{
            "apiVersion": "apps/v1", "fieldsType": "FieldsV1", "fieldsV1": fields, "manager": "a",
            "operation": "Apply", "time": "2030-01-01T00:00:00Z",
        }]);
        assert_eq!(object["metadata"]["managedFields"], expected);
    }

    #[test]
    fn whoever_applies_the_same_shares_it_since_no_time() {
        let first = applied("a");
        let second = apply(&deployments(), Some(&first), &written(), &at("b")).unwrap();
        let entries = second["metadata"]["managedFields"].as_array().unwrap();
        assert_eq!((&entries[0]["manager"], entries[0].get("time")), (&json!("b"), None));
        assert_eq!(entries[0]["fieldsV1"], entries[1]["fieldsV1"]);
        assert_eq!(entries[1]["time"], json!("2030-01-01T00:00:00Z"));
    }

    #[test]
    fn applying_again_changes_nothing_at_all() {
        let first = applied("a");
        let later = Order { now: "2031-01-01T00:00:00Z".parse().unwrap(), ..at("a") };
        assert_eq!(apply(&deployments(), Some(&first), &written(), &later).unwrap(), first);
    }

    #[test]
    fn conflicts_are_told_manager_by_manager() {
        let shared = apply(&deployments(), Some(&applied("a")), &written(), &at("b")).unwrap();
        let mut wanted = written();
        wanted["spec"]["replicas"] = json!(2);
        wanted["spec"]["template"]["spec"]["containers"][0]["image"] = json!("nginx:2");
        let refused = apply(&deployments(), Some(&shared), &wanted, &at("c")).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "Apply failed with 4 conflicts: conflicts with \"a\":\n- .spec.replicas\n\
             - .spec.template.spec.containers[name=\"c\"].image\nconflicts with \"b\":\n- .spec.replicas\n\
             - .spec.template.spec.containers[name=\"c\"].image"
        );
        let mut scaled = shared.clone();
        scaled["metadata"]["uid"] = json!("1");
        scaled["spec"]["replicas"] = json!(3);
        let scale = Order { subresource: "scale", ..at("kubectl") };
        track(&deployments(), Some(&shared), &mut scaled, &scale);
        let entry = &scaled["metadata"]["managedFields"][2];
        assert_eq!((entry["subresource"].as_str(), entry.get("time")), (Some("scale"), None));
        let refused = apply(&deployments(), Some(&scaled), &wanted, &at("b")).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "Apply failed with 2 conflicts: conflicts with \"a\":\n\
             - .spec.template.spec.containers[name=\"c\"].image\n\
             conflicts with \"kubectl\" with subresource \"scale\" using apps/v1:\n- .spec.replicas"
        );
        let forced = apply(&deployments(), Some(&scaled), &wanted, &Order { force: true, ..at("b") }).unwrap();
        assert_eq!(forced["spec"]["replicas"], json!(2));
    }

    #[test]
    fn what_has_the_wrong_type_is_named_by_its_path() {
        let wrong = |pointer: &str, value: Value| {
            let mut object = written();
            *object.pointer_mut(pointer).unwrap() = value;
            apply(&deployments(), None, &object, &at("a")).unwrap_err().to_string()
        };
        let about = "failed to create typed patch object (default/web; apps/v1, Kind=Deployment): ";
        let container = ".spec.template.spec.containers[name=\"c\"]";
        assert_eq!(
            wrong("/spec/replicas", json!("1")),
            format!("{about}.spec.replicas: expected numeric (int or float), got string")
        );
        assert_eq!(
            wrong("/spec/template/spec/containers/0/ports", json!([{ "containerPort": 80 }, { "containerPort": 80 }])),
            format!("{about}{container}.ports: duplicate entries for key [containerPort=80,protocol=\"TCP\"]")
        );
        assert_eq!(
            wrong("/spec/template/spec/containers/0/env", json!("x")),
            format!("{about}{container}.env: expected list, got &{{x}}")
        );
    }

    #[test]
    fn a_managers_own_client_side_apply_is_no_conflict() {
        let annotation = "kubectl.kubernetes.io/last-applied-configuration";
        let mut old = stored();
        old["metadata"]["annotations"] = json!({ annotation: format!("{}\n", written()) });
        track(&deployments(), None, &mut old, &at("kubectl-client-side-apply"));
        let mut wanted = written();
        wanted["spec"]["replicas"] = json!(2);
        assert!(apply(&deployments(), Some(&old), &wanted, &at("somebody")).is_err());
        let new = apply(&deployments(), Some(&old), &wanted, &at("kubectl")).unwrap();
        assert_eq!(new["spec"]["replicas"], json!(2));
        let kept: Value = serde_json::from_str(new["metadata"]["annotations"][annotation].as_str().unwrap()).unwrap();
        assert_eq!(kept, wanted);
    }

    #[test]
    fn what_nobody_kept_track_of_belonged_to_somebody_before() {
        let schema = Schema::of_record(&RECORD, "", "v1", "ConfigMap").unwrap();
        let map =
            |data: Value| json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "x" }, "data": data });
        let how = Order { api_version: "v1", ..order("z") };
        let old = map(json!({ "a": "b" }));
        let wanted = map(json!({ "a": "c", "d": "e" }));
        let refused = apply(&schema, Some(&old), &wanted, &how).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "Apply failed with 1 conflict: conflict with \"before-first-apply\" using v1: .data.a"
        );
        let new = apply(&schema, Some(&old), &wanted, &Order { force: true, ..how }).unwrap();
        let fields = &new["metadata"]["managedFields"];
        assert_eq!(fields[0]["fieldsV1"], json!({ "f:data": { "f:a": {}, "f:d": {} } }));
        assert_eq!(fields[1]["fieldsV1"], json!({ "f:data": {} }));
    }

    #[test]
    fn an_object_whose_owners_were_reset_is_not_tracked_again() {
        let schema = Schema::of_record(&RECORD, "", "v1", "ConfigMap").unwrap();
        let how = Order { api_version: "v1", ..order("z") };
        let meta = json!({ "name": "x", "uid": "1" });
        let mut first = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": { "a": "b" } });
        track(&schema, None, &mut first, &how);
        assert_eq!(first["metadata"]["managedFields"][0]["fieldsV1"], json!({ "f:data": { ".": {}, "f:a": {} } }));
        let mut second = first.clone();
        second["metadata"]["managedFields"] = json!([]);
        track(&schema, Some(&first), &mut second, &how);
        assert_eq!(second["metadata"].get("managedFields"), None);
    }

    #[test]
    fn old_owners_by_update_are_put_together() {
        let schema = Schema::of_record(&RECORD, "", "v1", "ConfigMap").unwrap();
        let mut object = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "x" }, "data": {} });
        for n in 0..14 {
            let mut next = object.clone();
            next["metadata"]["uid"] = json!("1");
            next["data"][format!("k{n}")] = json!("v");
            let manager = format!("m{n:02}");
            let now = format!("2030-01-01T00:00:{n:02}Z").parse().unwrap();
            let old = (n > 0).then_some(&object);
            track(&schema, old, &mut next, &Order { api_version: "v1", now, ..order(&manager) });
            object = next;
        }
        let entries = object["metadata"]["managedFields"].as_array().unwrap();
        assert_eq!(entries.len(), 10);
        assert_eq!(entries[0]["manager"], json!("ancient-changes"));
        assert_eq!(entries[0]["fieldsV1"].as_object().unwrap()["f:data"].as_object().unwrap().len(), 6);
        assert_eq!(entries[0]["time"], json!("2030-01-01T00:00:04Z"));
    }

    #[test]
    fn a_write_that_changes_nothing_keeps_its_times() {
        let old = applied("a");
        let mut new = old.clone();
        new["metadata"]["managedFields"][0]["time"] = json!("2031-01-01T00:00:00Z");
        keep_times(&old, &mut new);
        assert_eq!(new, old);
    }
}
