//! The kubectl primitives on a real API server.

use runbook_control_plane::{ControlPlane, required_or_skip};
use runbook_core::{Code, Value};
use serde_json::json;

use crate::bench::Bench;

/// The control plane that the tests of this binary share, and a session on it in a namespace of its own.
fn shared(test: &str, namespace: &str) -> Option<(&'static ControlPlane, Bench)> {
    required_or_skip(test)?;
    let plane = ControlPlane::shared().unwrap_or_else(|fault| panic!("{fault}"));
    let bench = Bench::new(&plane.kubeconfig());
    bench.namespace(namespace);
    Some((plane, bench))
}

/// The same as someone without any rights but those given.
fn as_someone(plane: &ControlPlane, user: &str) -> Bench {
    let text = std::fs::read_to_string(plane.kubeconfig()).unwrap();
    let mut config: Value = serde_saphyr::from_str(&text).unwrap();
    for named in config["users"].as_array_mut().unwrap() {
        named["user"]["as"] = user.into();
    }
    let path = plane.folder().unwrap().join(format!("{user}.kubeconfig"));
    std::fs::write(&path, config.to_string()).unwrap();
    Bench::new(&path)
}

fn deployment(name: &str, image: &str, replicas: i64) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": name },
        "spec": {
            "replicas": replicas,
            "selector": { "matchLabels": { "app": name } },
            "template": {
                "metadata": { "labels": { "app": name } },
                "spec": {
                    "automountServiceAccountToken": false,
                    "containers": [{ "name": "app", "image": image, "resources": { "requests": { "cpu": "1000m" } } }],
                },
            },
        },
    })
}

fn config_map(name: &str, colour: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name }, "data": { "colour": colour } })
}

fn definition(plural: &str, kind: &str, short: &str) -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": { "name": format!("{plural}.example.com") },
        "spec": {
            "group": "example.com", "scope": "Namespaced",
            "names": { "plural": plural, "singular": kind.to_lowercase(), "kind": kind, "shortNames": [short] },
            "versions": [{ "name": "v1", "served": true, "storage": true,
                "schema": { "openAPIV3Schema": { "type": "object", "x-kubernetes-preserve-unknown-fields": true } } }],
        },
    })
}

#[test]
fn a_conflict_names_manager_and_field_and_is_kept_or_forced() {
    let Some((_, bench)) = shared("a_conflict_names_manager_and_field_and_is_kept_or_forced", "conflict") else {
        return;
    };
    let apply = |colour: &str, more: Value| {
        let mut options = json!({ "namespace": "conflict" });
        options.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        bench.call("kubectl::apply", json!([config_map("settings", colour), options]))
    };
    assert_eq!(apply("blue", json!({})).unwrap()["objects"][0]["outcome"], "created");
    let fault = apply("red", json!({ "field_manager": "other" })).unwrap_err();
    assert_eq!(fault.code, Code::Conflict);
    assert!(
        fault.message.contains("configmap/settings") && fault.message.contains("`runbook` owns .data.colour"),
        "{}",
        fault.message
    );
    assert_eq!(fault.detail["conflicts"], json!([{ "manager": "runbook", "fields": [".data.colour"] }]));

    let kept = apply("red", json!({ "field_manager": "other", "on_conflict": "keep" })).unwrap();
    assert_eq!(kept["objects"][0]["kept"][0]["manager"], "runbook");
    let live =
        || bench.ok("kubectl::get", json!(["cm", "settings", { "namespace": "conflict" }]))["data"]["colour"].clone();
    assert_eq!(live(), "blue");

    let forced = apply("red", json!({ "field_manager": "other", "on_conflict": "force" })).unwrap();
    assert_eq!(forced["objects"][0]["changes"], json!([{ "path": "data.colour", "old": "blue", "new": "red" }]));
    assert_eq!(live(), "red");
    assert_eq!(apply("x", json!({ "on_conflict": "perhaps" })).unwrap_err().code, Code::WrongArgument);
}

#[test]
fn what_is_as_it_should_be_is_not_sent() {
    let Some((_, bench)) = shared("what_is_as_it_should_be_is_not_sent", "unchanged") else { return };
    let place = json!({ "namespace": "unchanged" });
    // A node that no pod of another test may come to, DaemonSets included.
    let spare = json!({ "taints": [{ "key": "spare", "effect": "NoSchedule" }] });
    let spare = json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": "spare" }, "spec": spare });
    bench.ok("kubectl::apply", json!([spare]));
    let calls = [
        ("kubectl::apply", json!([[config_map("settings", "blue"), deployment("web", "web:1", 1)], place])),
        ("kubectl::label", json!(["deploy", "web", { "tier": "gold" }, place])),
        ("kubectl::annotate", json!(["deploy", "web", { "example.com/owner": "a" }, place])),
        ("kubectl::scale", json!(["deploy", "web", 2, place])),
        ("kubectl::patch", json!(["cm", "settings", { "data": { "more": "x" } }, place])),
        ("kubectl::cordon", json!(["spare"])),
        ("kubectl::uncordon", json!(["spare"])),
    ];
    for (name, given) in calls {
        assert_eq!(bench.ok(name, given.clone())["changed"], true, "{name}");
        let (_, writes) = bench.requests();
        // What scaling changed is no longer as the manifest says, so the first call is not one of those.
        if name != "kubectl::apply" {
            assert_eq!(bench.ok(name, given)["changed"], false, "{name}");
            assert_eq!(bench.requests().1, writes, "{name} sent a write");
        }
    }
    let settings = json!([config_map("settings", "blue"), place]);
    let (_, writes) = bench.requests();
    assert_eq!(bench.ok("kubectl::apply", settings)["objects"][0]["outcome"], "unchanged");
    assert_eq!(bench.requests().1, writes);
}

#[test]
fn a_list_of_more_than_a_page_is_complete() {
    let Some((_, bench)) = shared("a_list_of_more_than_a_page_is_complete", "pages") else { return };
    let all: Vec<Value> = (0..1040).map(|n| config_map(&format!("c-{n:04}"), "blue")).collect();
    bench.ok("kubectl::create", json!([all, { "namespace": "pages" }]));
    let (before, _) = bench.requests();
    let listed = bench.ok("kubectl::list", json!(["configmaps", { "namespace": "pages", "metadata_only": true }]));
    assert_eq!(bench.requests().0 - before, 3, "pages of 500");
    let names: Vec<&str> =
        listed.as_array().unwrap().iter().filter_map(|one| one["metadata"]["name"].as_str()).collect();
    assert_eq!(names.iter().filter(|name| name.starts_with("c-")).count(), 1040);
    assert!(
        listed[0]["kind"] == "ConfigMap"
            && listed[0]["data"].is_null()
            && listed[0]["metadata"]["resourceVersion"].is_string()
    );
    let chosen = json!(["cm", { "namespace": "pages", "field_selector": "metadata.name=c-0007" }]);
    assert_eq!(bench.ok("kubectl::list", chosen).as_array().unwrap().len(), 1);
}

#[test]
fn who_may_not_list_gets_a_fault_and_no_empty_list() {
    let Some((plane, bench)) = shared("who_may_not_list_gets_a_fault_and_no_empty_list", "forbidden") else { return };
    let eve = as_someone(plane, "eve");
    for (name, given) in [
        ("kubectl::list", json!(["deploy", { "namespace": "forbidden" }])),
        ("kubectl::get", json!(["deploy", "web", { "namespace": "forbidden", "or": null }])),
        ("kubectl::exists", json!(["deploy", "web", { "namespace": "forbidden" }])),
        ("kubectl::apply", json!([config_map("settings", "blue"), { "namespace": "forbidden" }])),
        ("kubectl::delete", json!(["cm", "kube-root-ca.crt", { "namespace": "forbidden" }])),
    ] {
        let fault = eve.fault(name, given);
        assert_eq!(fault.code, Code::Forbidden, "{name}: {}", fault.message);
        assert!(fault.message.contains("eve"), "{}", fault.message);
    }
    assert_eq!(eve.retries(), [], "a no is not asked for again");
    assert_eq!(eve.ok("kubectl::can_i", json!(["list", "deploy", { "namespace": "forbidden" }]))["allowed"], false);
    assert_eq!(bench.ok("kubectl::can_i", json!(["list", "deploy", { "namespace": "forbidden" }]))["allowed"], true);
    assert_eq!(eve.ok("kubectl::context", json!([]))["cluster_id"], Value::Null);
}

#[test]
fn a_kind_goes_by_every_name_it_has() {
    let Some((_, bench)) = shared("a_kind_goes_by_every_name_it_has", "kinds") else { return };
    for word in
        ["deploy", "deployment", "deployments", "Deployment", "deployments.apps", "deployments.v1.apps", "deploy.apps"]
    {
        bench.ok("kubectl::list", json!([word, { "namespace": "kinds" }]));
    }
    for word in [
        "po",
        "pods",
        "Pod",
        "hpa",
        "horizontalpodautoscalers.v1.autoscaling",
        "flowschemas",
        "crd",
        "ValidatingAdmissionPolicy",
    ] {
        bench.ok("kubectl::list", json!([word, { "namespace": "kinds" }]));
    }
    let fault = bench.fault("kubectl::list", json!(["deploymets"]));
    assert_eq!((fault.code, fault.hint.as_deref()), (Code::NotFound, Some("did you mean `deployments`?")));
    let fault = bench.fault(
        "kubectl::apply",
        json!([{ "apiVersion": "apps/v1beta1", "kind": "Deployment", "metadata": { "name": "x" } }]),
    );
    assert_eq!((fault.code, fault.hint.as_deref()), (Code::NotFound, Some("it has it in apps/v1")));
    for bad in ["", "a b", "pods/../secrets", "p\u{0}ds"] {
        assert_eq!(bench.fault("kubectl::list", json!([bad])).code, Code::WrongArgument, "{bad:?}");
    }
}

#[test]
fn a_new_kind_is_known_as_soon_as_it_is_defined() {
    let Some((_, bench)) = shared("a_new_kind_is_known_as_soon_as_it_is_defined", "new-kind") else { return };
    // Asked before, so that what is known of the cluster is out of date.
    assert_eq!(bench.fault("kubectl::list", json!(["gadgets"])).code, Code::NotFound);
    let gadget = json!({ "apiVersion": "example.com/v1", "kind": "Gadget", "metadata": { "name": "one" }, "spec": { "size": 1 } });
    let both = json!([[gadget, definition("gadgets", "Gadget", "gg")], { "namespace": "new-kind" }]);
    let applied = bench.ok("kubectl::apply", both.clone());
    assert_eq!(applied["objects"][0]["kind"], "CustomResourceDefinition", "definitions come first");
    for word in ["gadget", "gg", "gadgets.example.com", "Gadget"] {
        assert_eq!(
            bench.ok("kubectl::get", json!([word, "one", { "namespace": "new-kind" }]))["spec"]["size"],
            1,
            "{word}"
        );
    }
    let (_, writes) = bench.requests();
    assert_eq!(bench.ok("kubectl::apply", both)["changed"], false);
    assert_eq!(bench.requests().1, writes);
    let defined = json!(["crd", "gadgets.example.com", { "allow": true }]);
    assert_eq!(bench.ok("kubectl::delete", defined)["gone"], true);
    let fault = bench.fault("kubectl::get", json!(["gadget", "one", { "namespace": "new-kind" }]));
    assert_eq!(fault.code, Code::NotFound);
}

#[test]
fn deletion_is_refused_for_what_takes_more_along_and_waits_until_it_is_done() {
    let Some((_, bench)) =
        shared("deletion_is_refused_for_what_takes_more_along_and_waits_until_it_is_done", "deletion")
    else {
        return;
    };
    let fault = bench.fault("kubectl::delete", json!(["namespace", "deletion"]));
    assert_eq!(fault.code, Code::Protected);
    assert!(fault.message.contains("every object in it"), "{}", fault.message);

    let mut held = config_map("held", "blue");
    held["metadata"]["finalizers"] = json!(["example.com/hold"]);
    bench.ok("kubectl::create", json!([[held, config_map("free", "blue")], { "namespace": "deletion" }]));
    let place = |more: Value| {
        let mut options = json!({ "namespace": "deletion" });
        options.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        options
    };
    assert_eq!(bench.ok("kubectl::delete", json!(["cm", "free", place(json!({}))]))["gone"], true);
    assert_eq!(bench.ok("kubectl::delete", json!(["cm", "free", place(json!({}))]))["changed"], false);
    let strict = place(json!({ "ignore_not_found": false }));
    assert_eq!(bench.fault("kubectl::delete", json!(["cm", "free", strict])).code, Code::NotFound);

    let fault = bench.fault("kubectl::delete", json!(["cm", "held", place(json!({ "timeout": "300ms" }))]));
    assert_eq!(fault.code, Code::Timeout);
    assert_eq!(fault.evidence, ["held by example.com/hold"]);
    let later = bench.ok("kubectl::delete", json!(["cm", "held", place(json!({ "wait": false }))]));
    assert_eq!((&later["changed"], &later["gone"]), (&json!(false), &json!(false)), "it is on its way already");
    bench.ok("kubectl::patch", json!(["cm", "held", { "metadata": { "finalizers": null } }, place(json!({}))]));
    assert_eq!(bench.ok("kubectl::exists", json!(["cm", "held", place(json!({}))])), json!(false));

    bench.ok("kubectl::create", json!([config_map("other", "blue"), place(json!({}))]));
    let fault = bench.fault("kubectl::delete", json!(["cm", "other", place(json!({ "uid": "not-this-one" }))]));
    assert_eq!(fault.code, Code::Conflict);
}

#[test]
fn a_label_changes_only_what_was_expected_and_costs_one_request_then() {
    let Some((_, bench)) = shared("a_label_changes_only_what_was_expected_and_costs_one_request_then", "labels") else {
        return;
    };
    let label =
        |values: Value, options: Value| bench.call("kubectl::label", json!(["namespace", "labels", values, options]));
    assert_eq!(label(json!({ "tier": "gold" }), json!({})).unwrap()["previous"], json!({ "tier": null }));
    let fault = label(json!({ "tier": "iron" }), json!({})).unwrap_err();
    assert_eq!(fault.code, Code::Conflict);
    assert!(fault.message.contains("`gold`"), "{}", fault.message);

    let before = bench.requests();
    let moved = label(json!({ "tier": "iron" }), json!({ "expect": { "tier": "gold" } })).unwrap();
    assert_eq!((&moved["previous"], &moved["labels"]["tier"]), (&json!({ "tier": "gold" }), &json!("iron")));
    assert_eq!((bench.requests().0 - before.0, bench.requests().1 - before.1), (0, 1));

    let fault = label(json!({ "tier": "lead" }), json!({ "expect": { "tier": "gold" } })).unwrap_err();
    assert_eq!(fault.code, Code::Precondition);
    assert_eq!(
        (&fault.detail["expected"], &fault.detail["found"]),
        (&json!({ "tier": "gold" }), &json!({ "tier": "iron" }))
    );
    assert_eq!(label(json!({ "tier": "iron" }), json!({ "expect": { "tier": "gold" } })).unwrap()["changed"], false);
    let removed =
        label(json!({ "tier": null, "new": "a" }), json!({ "expect": { "tier": "iron", "new": null } })).unwrap();
    assert_eq!(removed["labels"]["new"], "a");
    assert!(removed["labels"].get("tier").is_none());
    let fault = label(json!({ "not a key": "x" }), json!({})).unwrap_err();
    assert_eq!(fault.code, Code::WrongArgument);
    assert_eq!(label(json!({ "key": "no/value" }), json!({})).unwrap_err().code, Code::Rejected);
}

#[test]
fn a_patch_holds_only_for_what_its_test_says() {
    let Some((_, bench)) = shared("a_patch_holds_only_for_what_its_test_says", "patches") else { return };
    bench.ok(
        "kubectl::apply",
        json!([[config_map("settings", "blue"), deployment("web", "web:1", 1)], { "namespace": "patches" }]),
    );
    let patch = |kind: &str, name: &str, body: Value, more: Value| {
        let mut options = json!({ "namespace": "patches" });
        options.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        bench.call("kubectl::patch", json!([kind, name, body, options]))
    };
    let green = json!({ "data": { "colour": "green" } });
    let answer =
        patch("cm", "settings", green.clone(), json!({ "test": { "data.colour": "blue", "data.none": null } }))
            .unwrap();
    assert_eq!(answer["changes"], json!([{ "path": "data.colour", "old": "blue", "new": "green" }]));
    let fault =
        patch("cm", "settings", json!({ "data": { "colour": "red" } }), json!({ "test": { "data.colour": "blue" } }))
            .unwrap_err();
    assert_eq!(
        (fault.code, &fault.detail["expected"], &fault.detail["found"]),
        (Code::Precondition, &json!("blue"), &json!("green"))
    );

    let operations = json!([{ "op": "replace", "path": "/data/colour", "value": "red" }]);
    let tested = json!({ "type": "json", "test": { "data.colour": "green" } });
    assert_eq!(patch("cm", "settings", operations.clone(), tested.clone()).unwrap()["changed"], true);
    assert_eq!(patch("cm", "settings", operations, tested).unwrap_err().code, Code::Precondition);

    let image = json!({ "spec": { "template": { "spec": { "containers": [{ "name": "app", "image": "web:2" }] } } } });
    let test = json!({ "type": "strategic", "test": { "spec.template.spec.containers[0].image": "web:1" } });
    let answer = patch("deploy", "web", image, test).unwrap();
    assert_eq!(answer["object"]["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"]["cpu"], "1");
    let fault = patch("deploy", "web", json!({ "spec": { "replicas": "many" } }), json!({})).unwrap_err();
    assert_eq!(fault.code, Code::Rejected, "{}", fault.message);
    assert_eq!(patch("deploy", "web", json!([]), json!({})).unwrap_err().code, Code::WrongArgument);
}

#[test]
fn drain_names_the_budget_that_blocks_it_and_leaves_daemons_alone() {
    let Some((_, bench)) = shared("drain_names_the_budget_that_blocks_it_and_leaves_daemons_alone", "drain") else {
        return;
    };
    let budget = json!({ "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": { "name": "guard" },
        "spec": { "minAvailable": 2, "selector": { "matchLabels": { "app": "guarded" } } } });
    let mut guarded = deployment("guarded", "web:1", 2);
    guarded["spec"]["template"]["spec"]["containers"][0].as_object_mut().unwrap().remove("resources");
    let mut agent = deployment("agent", "agent:1", 1);
    agent["kind"] = "DaemonSet".into();
    agent["spec"].as_object_mut().unwrap().remove("replicas");
    bench.ok("kubectl::apply", json!([[budget, guarded, agent], { "namespace": "drain" }]));
    for (kind, name) in [("deployment", "guarded"), ("daemonset", "agent")] {
        bench.ok("wait::ready", json!([kind, name, { "namespace": "drain", "timeout": "60s" }]));
    }
    let pods = bench.ok("kubectl::list", json!(["pods", { "namespace": "drain", "selector": "app=guarded" }]));
    let node = pods[0]["spec"]["nodeName"].as_str().unwrap().to_owned();
    let only = |timeout: &str| json!([node, { "timeout": timeout, "pod_selector": "app in (guarded, agent)" }]);

    let fault = bench.fault("kubectl::drain", only("2s"));
    assert_eq!(fault.code, Code::Timeout, "{}", fault.message);
    assert!(fault.evidence[0].contains("The disruption budget guard needs 2 healthy pods"), "{:?}", fault.evidence);
    assert!(bench.waits().iter().any(|words| words.contains("disruption budget guard")), "{:?}", bench.waits());
    assert_eq!(bench.retries(), [], "a budget's no is an answer");

    bench.ok("kubectl::patch", json!(["pdb", "guard", { "spec": { "minAvailable": 1 } }, { "namespace": "drain" }]));
    let drained = bench.ok("kubectl::drain", only("60s"));
    assert!(!drained["evicted"].as_array().unwrap().is_empty());
    assert_eq!(drained["skipped"][0]["why"], "it belongs to a DaemonSet");
    assert_eq!(bench.ok("kubectl::drain", only("10s"))["changed"], false);
    bench.ok("kubectl::uncordon", json!([node]));

    let mut alone =
        json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "alone", "labels": { "app": "alone" } } });
    alone["spec"] = json!({ "nodeName": node, "automountServiceAccountToken": false, "volumes": [{ "name": "v", "emptyDir": {} }],
        "containers": [{ "name": "a", "image": "a:1" }] });
    bench.ok("kubectl::create", json!([alone, { "namespace": "drain" }]));
    let fault = bench.fault("kubectl::drain", json!([node, { "pod_selector": "app=alone" }]));
    assert_eq!(fault.code, Code::Precondition);
    assert!(fault.message.contains("drain/alone") && fault.message.contains("emptyDir"), "{}", fault.message);
    let forced = json!([node, { "pod_selector": "app=alone", "force": true, "delete_emptydir_data": true, "grace_period": 1, "timeout": "60s" }]);
    assert_eq!(bench.ok("kubectl::drain", forced)["evicted"], json!(["drain/alone"]));
    bench.ok("kubectl::uncordon", json!([node]));
}

#[test]
fn a_rollout_is_undone_to_the_revision_before() {
    let Some((_, bench)) = shared("a_rollout_is_undone_to_the_revision_before", "rollouts") else { return };
    let place = json!({ "namespace": "rollouts" });
    let ready = |kind: &str, name: &str| {
        bench.ok("wait::ready", json!([kind, name, { "namespace": "rollouts", "timeout": "60s" }]))
    };
    for (kind, resource) in [("Deployment", "deployment"), ("StatefulSet", "statefulset"), ("DaemonSet", "daemonset")] {
        let made = |image: &str| {
            let mut workload = deployment(resource, image, 1);
            workload["kind"] = kind.into();
            workload["spec"]["template"]["spec"]["containers"][0].as_object_mut().unwrap().remove("resources");
            if kind == "DaemonSet" {
                workload["spec"].as_object_mut().unwrap().remove("replicas");
            }
            json!([workload, place])
        };
        bench.ok("kubectl::apply", made("web:1"));
        ready(resource, resource);
        let fault = bench.fault("kubectl::rollout_undo", json!([resource, resource, place]));
        assert_eq!(fault.code, Code::NotFound, "{}", fault.message);
        bench.ok("kubectl::apply", made("web:2"));
        ready(resource, resource);
        let history = bench.ok("kubectl::rollout_history", json!([resource, resource, place]));
        let images: Vec<&Value> = history.as_array().unwrap().iter().map(|revision| &revision["images"][0]).collect();
        assert_eq!(images, ["web:1", "web:2"], "{resource}");
        let undone = bench.ok("kubectl::rollout_undo", json!([resource, resource, place]));
        assert_eq!((&undone["changed"], &undone["images"]), (&json!(true), &json!(["web:1"])), "{resource}");
        let live = bench.ok("kubectl::get", json!([resource, resource, place]));
        assert_eq!(live["spec"]["template"]["spec"]["containers"][0]["image"], "web:1");
        let restarted = bench.ok("kubectl::rollout_restart", json!([resource, resource, place]));
        assert_eq!(restarted["changed"], true);
    }
    assert_eq!(
        bench.fault("kubectl::rollout_restart", json!(["cm", "kube-root-ca.crt", place])).code,
        Code::WrongArgument
    );
}

#[test]
fn pruning_takes_what_it_applied_and_nothing_else() {
    let Some((_, bench)) = shared("pruning_takes_what_it_applied_and_nothing_else", "pruning") else { return };
    let labelled = |name: &str| {
        let mut map = config_map(name, "blue");
        map["metadata"]["labels"] = json!({ "set": "one" });
        map
    };
    let place = json!({ "namespace": "pruning" });
    bench.ok("kubectl::create", json!([labelled("by-hand"), place]));
    bench.ok("kubectl::apply", json!([labelled("of-another"), { "namespace": "pruning", "field_manager": "another" }]));
    let mut other = labelled("other-set");
    other["metadata"]["labels"]["set"] = "two".into();
    bench.ok("kubectl::apply", json!([[labelled("keep"), labelled("drop"), other], place]));
    let fault = bench.fault("kubectl::apply", json!([labelled("keep"), { "namespace": "pruning", "prune": true }]));
    assert_eq!(fault.code, Code::WrongArgument);
    let pruning = json!({ "namespace": "pruning", "prune": true, "selector": "set=one" });
    let pruned = bench.ok("kubectl::apply", json!([labelled("keep"), pruning]));
    assert_eq!((&pruned["pruned"], &pruned["changed"]), (&json!(["configmap/drop"]), &json!(true)));
    for name in ["by-hand", "of-another", "other-set", "keep"] {
        assert_eq!(bench.ok("kubectl::exists", json!(["cm", name, place])), json!(true), "{name}");
    }
}

#[test]
fn a_difference_names_its_owner_and_no_secret() {
    let Some((_, bench)) = shared("a_difference_names_its_owner_and_no_secret", "diffs") else { return };
    let place = json!({ "namespace": "diffs" });
    let secret = |value: &str| json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "s" }, "stringData": { "p": value } });
    bench.ok("kubectl::apply", json!([[config_map("settings", "blue"), secret("hunter2-old")], place]));
    let changes = bench.ok("kubectl::diff", json!([[config_map("settings", "red"), secret("hunter2-new")], place]));
    assert_eq!(
        changes[0],
        json!({ "path": "data.colour", "old": "blue", "new": "red", "object": "configmap/settings", "namespace": "diffs", "owner": "runbook" })
    );
    let applied = bench.ok("kubectl::apply", json!([secret("hunter2-new"), place]));
    for answer in [changes, applied] {
        let text = answer.to_string();
        assert!(text.contains("<secret>") && !text.contains("hunter2") && !text.contains("aHVudGVyMi"), "{text}");
    }
    let live = bench.ok("kubectl::get", json!(["cm", "settings", place]));
    assert_eq!(live["data"]["colour"], "blue", "a difference changes nothing");
    assert!(live["metadata"]["managedFields"].is_null());
}

#[test]
fn what_only_a_kubelet_could_answer_says_so() {
    let Some((_, bench)) = shared("what_only_a_kubelet_could_answer_says_so", "kubelet") else { return };
    bench.ok("kubectl::apply", json!([deployment("web", "web:1", 1), { "namespace": "kubelet" }]));
    bench.ok("wait::ready", json!(["deployment", "web", { "namespace": "kubelet", "timeout": "60s" }]));
    let pod = bench.ok("kubectl::list", json!(["pods", { "namespace": "kubelet" }]))[0]["metadata"]["name"].clone();
    for (name, given) in [
        ("kubectl::logs", json!(["deployment/web", { "namespace": "kubelet" }])),
        ("kubectl::exec", json!([pod, ["true"], { "namespace": "kubelet" }])),
    ] {
        let fault = bench.fault(name, given);
        assert_eq!(fault.code, Code::Network, "{name}: {}", fault.message);
        assert!(fault.message.contains("10250"), "{}", fault.message);
    }
    assert_eq!(bench.retries(), []);
    let owners = bench.ok("kubectl::owners", json!([pod, { "namespace": "kubelet" }]));
    assert_eq!((&owners[0]["kind"], &owners[1]["title"]), (&json!("ReplicaSet"), &json!("deployment/web")));
    let events = bench.ok("kubectl::events", json!(["deployment/web", { "namespace": "kubelet" }]));
    assert_eq!(events[0]["reason"], "ScalingReplicaSet");
}

#[test]
fn an_object_that_is_too_large_is_refused_and_nothing_is_changed() {
    let Some((_, bench)) = shared("an_object_that_is_too_large_is_refused_and_nothing_is_changed", "large") else {
        return;
    };
    let place = json!({ "namespace": "large" });
    // The first is more than a ConfigMap may hold, the second more than the server reads.
    for (kilobytes, code) in [(1_200, Code::Rejected), (4_000, Code::TooLarge)] {
        let mut map = config_map("large", "blue");
        map["data"]["all"] = "x".repeat(kilobytes * 1024).into();
        let fault = bench.fault("kubectl::apply", json!([map, place]));
        assert_eq!(fault.code, code, "{fault}");
        assert!(fault.to_string().len() < 1000 && fault.message.contains("configmap/large"), "{}", fault.message);
        assert!(!fault.retryable);
    }
    assert_eq!(bench.ok("kubectl::exists", json!(["cm", "large", place])), json!(false));
}
