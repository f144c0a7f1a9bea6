//! What a person gets from a run without consequences, on a simulated cluster.

use serde_json::Value;

use crate::bench::Bench;

pub(crate) const SCENARIO: &str = "about: A shop.
objects:
- { apiVersion: v1, kind: Namespace, metadata: { name: shop } }
- { apiVersion: v1, kind: ConfigMap, metadata: { name: settings, namespace: shop, labels: { v: '1' } }, data: { colour: blue } }
- { apiVersion: v1, kind: Secret, metadata: { name: login, namespace: shop }, data: { password: aHVudGVyMjIyMg==, pin: MTIz } }
workloads:
- apiVersion: apps/v1
  kind: Deployment
  metadata: { name: web, namespace: shop }
  spec:
    replicas: 2
    selector: { matchLabels: { app: web } }
    template:
      metadata: { labels: { app: web } }
      spec: { containers: [{ name: web, image: 'example.com/web:1' }] }
";

const SCRIPT: &str = r#"//! Paint the shop.
//!
//! Changes: colour and password of the shop.
//! Undo:    nothing.
let shop = #{ namespace: "shop" };
step "Look" {
    kubectl::get("configmap", "settings", shop);
    wait::rollout("deployment", "web", shop + #{ timeout: "5m" });
}
step "Paint" {
    kubectl::patch("configmap", "settings", #{ data: #{ colour: "it's green" } }, shop);
    kubectl::patch("secret", "login", #{ data: #{ pin: "NDU2" } }, shop);
    kubectl::patch("deployment", "web", #{ spec: #{ template: #{ metadata: #{ annotations: #{ painted: "yes" } } } } }, shop);
    wait::rollout("deployment", "web", shop + #{ timeout: "5m" });
}
"#;

fn bench() -> Bench {
    Bench::new().script(SCRIPT).file("shop.yaml", SCENARIO)
}

#[test]
fn each_call_has_its_line_its_changes_and_its_grade_and_no_secret_leaves() {
    let said = bench().run(&["it.rhai", "--rehearse", "shop.yaml", "--trace"]);
    for part in [
        "kubectl get configmap settings --namespace shop -o json",
        r#"kubectl patch configmap settings --type merge --patch '{"data":{"colour":"it'\''s green"}}' --namespace shop"#,
        "configmap/settings",
        r#"data.colour  blue → "it's green""#,
        "secret/login",
        "kubectl rollout status deployment/web --namespace shop --timeout=300s",
        "# it.rhai:",
        "deployment shop/web: 2 pods on 2 nodes are replaced",
        "its template changes: annotations",
        "objects: 3 changed",
        "by 3 writes, 2 waits, 1 read",
        "-- exit 0",
    ] {
        assert!(said.replace("->", "→").contains(part), "no `{part}` in\n{said}");
    }
    for secret in ["MTIz", "NDU2", "hunter2222", "aHVudGVy"] {
        assert!(!said.contains(secret), "{secret} in\n{said}");
    }
}

#[test]
fn programs_get_the_same_facts() {
    let output = bench().raw(&["it.rhai", "--rehearse", "shop.yaml", "--trace", "--output", "json"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let trace = lines.iter().find(|line| line["t"] == "trace").expect("the last line is the trace");
    let paint = &trace["steps"][1];
    assert_eq!(paint["title"], "Paint");
    let calls: Vec<&Value> = paint["statements"].as_array().unwrap().iter().filter(|one| one["t"] == "call").collect();
    assert_eq!(calls[0]["effect"], "write");
    assert_eq!(calls[0]["grade"], "simulated");
    assert_eq!(calls[0]["arguments"]["patch"]["data"]["colour"], "it's green");
    assert_eq!(calls[0]["changes"][0]["fields"][0]["path"], "data.colour");
    assert!(calls[0]["at"].as_str().unwrap().starts_with("it.rhai:"), "{}", calls[0]["at"]);
    assert_eq!(trace["total"]["changed"], 3);
    assert!(trace["rights"]["missing"].as_array().unwrap().is_empty());
    assert!(!text.contains("NDU2") && !text.contains("MTIz"), "{text}");
}

#[test]
fn the_roles_are_manifests_and_nothing_else_is_printed() {
    let output = bench().raw(&["it.rhai", "--rehearse", "shop.yaml", "--rbac"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let kinds: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("kind: ")).collect();
    assert!(kinds.starts_with(&["ServiceAccount"]) && kinds.contains(&"Role"), "{text}");
    assert!(text.starts_with('#') && text.contains("name: runbook-it"), "{text}");
    let role = text.split("---\n").find(|document| document.contains("kind: Role\n")).unwrap();
    assert!(role.contains("namespace: shop") && role.contains("configmaps") && role.contains("- patch"), "{role}");
    assert!(!text.contains("- '*'"), "{text}");
}

#[test]
fn an_exit_code_says_whether_anything_would_change() {
    let status = |words: &[&str]| bench().raw(words).status.code();
    assert_eq!(status(&["it.rhai", "--rehearse", "shop.yaml", "--exit-code"]), Some(2));
    let idle = Bench::new()
        .script("//! Look.\n//!\n//! Changes: nothing.\n//! Undo: nothing.\nkubectl::get(\"configmap\", \"settings\", #{ namespace: \"shop\" });\n")
        .file("shop.yaml", SCENARIO);
    assert_eq!(idle.raw(&["it.rhai", "--rehearse", "shop.yaml", "--exit-code"]).status.code(), Some(0));
}
