//! Many objects in one wait.

use runbook_core::Code;
use serde_json::json;

use super::{Scene, deployment, pod, replicaset, running, waiting};

#[test]
fn a_thousand_that_are_true_already_cost_a_few_pages() {
    let scene = Scene::new();
    for number in 0..1000 {
        scene.fake.put(deployment(&format!("web-{number}"), 2));
    }
    let answer = scene.run(r#"wait::ready("deployment", "*", #{ namespace: "shop" })"#).unwrap();
    assert_eq!(answer["count"], json!(1000));
    assert_eq!(scene.fake.requests(), ["LIST apps/v1/deployments", "LIST apps/v1/deployments"]);
}

#[test]
fn those_that_are_not_there_yet_are_named_and_the_rest_counted() {
    let scene = Scene::new();
    for number in 0..40 {
        scene.fake.put(deployment(&format!("web-{number:02}"), if number < 15 { 1 } else { 2 }));
    }
    let script = r#"wait::ready("deployment", "*", #{ namespace: "shop", timeout: "1m" })"#;
    let fault = scene.run(script).unwrap_err();
    assert!(
        fault.message.starts_with(
            "deployments in shop are not rolled out after 1m: 25 of 40 ready, web-00 1 of 2 replicas updated"
        ),
        "{}",
        fault.message
    );
    assert_eq!(fault.evidence.len(), 13);
    assert_eq!(fault.evidence[12], "and 3 more");
    assert_eq!(fault.detail["open_count"], json!(15));
    // Where there are many, what stands beside them is looked at as a whole.
    let requests = scene.fake.requests();
    assert_eq!(requests.iter().filter(|line| *line == "LIST v1/pods").count(), 1, "{requests:?}");
}

#[test]
fn a_doomed_one_among_many_is_found_and_named() {
    let scene = Scene::new();
    for number in 0..20 {
        let name = format!("web-{number:02}");
        scene.fake.put(replicaset(&name));
        scene.fake.put(deployment(&name, 1));
    }
    scene.after(3, |fake| {
        fake.put(pod("web-17-1-a", "web-17", "uid-web-17-1", &waiting("ImagePullBackOff", "x: 403 Forbidden")));
    });
    let fault = scene.run(r#"wait::ready("deployment", "*", #{ namespace: "shop" })"#).unwrap_err();
    assert_eq!(fault.code, Code::Doomed);
    assert_eq!(fault.object.as_deref(), Some("deployment/web-17"));
}

#[test]
fn pods_on_their_way_out_do_not_count_and_there_must_be_enough() {
    let scene = Scene::new();
    scene.fake.put(pod("a", "web", "rs", &running()));
    let mut leaving = pod("b", "web", "rs", &running());
    leaving["metadata"]["deletionTimestamp"] = json!("2026-03-01T12:00:00Z");
    scene.fake.put(leaving);
    scene.after(5, |fake| fake.put(pod("c", "web", "rs", &running())));
    let answer = scene.run(r#"wait::pods("app=web", #{ namespace: "shop", at_least: 2 })"#).unwrap();
    assert_eq!((&answer["count"], &answer["elapsed_ms"]), (&json!(2), &json!(5000)));
    let none = scene.run(r#"wait::pods("app=none", #{ namespace: "shop", timeout: "5s" })"#).unwrap_err();
    assert_eq!(none.message, "pods with app=none in shop are not ready after 5s: 0 of 1 ready, there is none");
    assert!(scene.run(r#"wait::pods("app=none", #{ namespace: "shop", at_least: 0 })"#).is_ok());
}

#[test]
fn names_that_are_missing_are_missed() {
    let scene = Scene::new();
    scene.fake.put(deployment("a", 2));
    scene.fake.put(deployment("c", 1));
    scene.after(9, |fake| fake.put(deployment("b", 2)));
    let script = r#"wait::ready("deployment", ["a", "b"], #{ namespace: "shop" })"#;
    assert_eq!(scene.run(script).unwrap()["elapsed_ms"], json!(9000));
    assert_eq!(scene.last_told().reasons, ["b   does not exist"]);
}

#[test]
fn all_and_any_look_at_several_things_at_once() {
    let scene = Scene::new();
    scene.fake.put(deployment("a", 1));
    scene.fake.put(deployment("b", 1));
    scene.after(10, |fake| fake.put(deployment("b", 2)));
    scene.after(20, |fake| fake.put(deployment("a", 2)));
    let both = r#"[#{ kind: "deployment", name: "a", namespace: "shop" }, #{ wait: "field", kind: "deployment", name: "b",
        namespace: "shop", path: "status.readyReplicas", expected: 2 }]"#;
    let any = scene.run(&format!("wait::any({both})")).unwrap();
    assert_eq!(
        (&any["index"], &any["object"], &any["elapsed_ms"]),
        (&json!(1), &json!("deployment/b"), &json!(10_000))
    );
    let all = scene.run(&format!("wait::all({both})")).unwrap();
    assert_eq!((&all["count"], scene.seconds()), (&json!(2), 20));
}

#[test]
fn goals_with_the_same_selection_share_one_list_and_watch() {
    let scene = Scene::new();
    for name in ["a", "b", "c"] {
        scene.fake.put(deployment(name, 2));
    }
    let script = r#"wait::all([
        #{ kind: "deployment", name: ["a", "b"], namespace: "shop" },
        #{ kind: "deployment", name: "*", namespace: "shop" },
        #{ wait: "field", kind: "deployment", name: ["c"], namespace: "shop", path: "status.readyReplicas", expected: 2 },
    ])"#;
    scene.run(script).unwrap();
    assert_eq!(scene.fake.requests(), ["LIST apps/v1/deployments"]);
}

#[test]
fn contradictions_are_told_before_anything_is_asked() {
    let scene = Scene::new();
    for options in [r#"namespace: "shop", all_namespaces: true"#, r#"selector: "app=web""#, "at_least: -1"] {
        let fault = scene.run(&format!(r#"wait::ready("deployment", "web", #{{ {options} }})"#)).unwrap_err();
        assert_eq!(fault.code, Code::WrongArgument, "{options}");
    }
    assert!(scene.fake.requests().is_empty());
}
