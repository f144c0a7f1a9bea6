//! Faults on the way of a dry run: what may not be read, or changes while it is planned over, ends in a fault or is told as unknown. No line
//! of the trace rests on it.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use runbook_control_plane::{Helm, charts_or_skip};
use serde_json::Value;

use crate::canary::{Cluster, unrevisioned};
use crate::foretold::{planned, trace};
use crate::runbook::{Ran, charts};

/// Somebody who may read and restart Deployments of `b` and see its pods, and may read everything in the other namespaces and outside of all.
const PLANNER: &str = r#"
{ apiVersion: v1, kind: ServiceAccount, metadata: { name: planner, namespace: default } }
---
{ apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: { name: reads }, rules: [{ apiGroups: ["*"], resources: ["*"], verbs: [get, list, watch] }] }
---
{ apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: { name: reads-what-lies-outside }, rules: [
  { apiGroups: [""], resources: [namespaces, nodes], verbs: [get, list, watch] },
  { apiGroups: [apiextensions.k8s.io, admissionregistration.k8s.io, rbac.authorization.k8s.io, scheduling.k8s.io], resources: ["*"], verbs: [get, list, watch] } ] }
---
{ apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: { name: reads-what-lies-outside },
  roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: reads-what-lies-outside }, subjects: [{ kind: ServiceAccount, name: planner, namespace: default }] }
---
{ apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: { name: restarts, namespace: b }, rules: [
  { apiGroups: [apps], resources: [deployments], verbs: [get, list, watch, patch] }, { apiGroups: [""], resources: [pods], verbs: [get, list, watch] } ] }
---
{ apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: { name: restarts, namespace: b },
  roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: restarts }, subjects: [{ kind: ServiceAccount, name: planner, namespace: default }] }
"#;

/// A kubeconfig of the planner's.
fn planner(cluster: &Cluster) -> PathBuf {
    let mut manifests = PLANNER.to_owned();
    for namespace in ["a", "c", "default", "istio-system", "istio-ingress"] {
        writeln!(
            manifests,
            "---\n{{ apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {{ name: reads, namespace: {namespace} }},\n  roleRef: \
             {{ apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: reads }}, subjects: [{{ kind: ServiceAccount, name: planner, namespace: default }}] }}"
        )
        .unwrap();
    }
    cluster.plane.apply(&manifests).unwrap();
    account(cluster, "planner")
}

/// A kubeconfig of a service account in `default`.
pub(crate) fn account(cluster: &Cluster, name: &str) -> PathBuf {
    let token = cluster.kubectl(&["create", "token", name, "--namespace=default"]);
    let mut config: Value = serde_json::from_str(&fs_err::read_to_string(cluster.plane.kubeconfig()).unwrap()).unwrap();
    config["users"][0]["user"] = serde_json::json!({ "token": token.trim() });
    let file = cluster.plane.folder().unwrap().join(format!("{name}.yaml"));
    fs_err::write(&file, config.to_string()).unwrap();
    file
}

/// A dry run of which a person is shown everything that it does not know.
fn dry(cluster: &Cluster, arguments: &[&str]) -> Ran {
    cluster.runbook(Helm::V3).run(&[arguments, &["--dry-run", "--output", "json"]].concat()).wrote_nothing()
}

fn notes(ran: &Ran) -> Vec<String> {
    let trace = trace(ran);
    trace["notes"].as_array().into_iter().flatten().filter_map(|note| note.as_str().map(str::to_owned)).collect()
}

/// The call that a trace ends with.
fn last_call(trace: &Value) -> Value {
    let step = trace["steps"].as_array().unwrap().last().unwrap();
    let mut calls = step["statements"].as_array().unwrap().iter().filter(|statement| statement["t"] == "call");
    calls.next_back().cloned().unwrap()
}

/// Somebody else writes to `deployment/web` of `a` as long as `planning` takes.
fn changed_meanwhile<T>(cluster: &Cluster, planning: impl FnOnce() -> T) -> T {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut number = 0;
            while !over.load(Ordering::Relaxed) {
                number += 1;
                let wanted = format!("tier=silver-{number}");
                cluster.kubectl(&["label", "deployment", "web", "--namespace=a", &wanted, "--overwrite"]);
                std::thread::sleep(Duration::from_millis(50));
            }
        });
        let outcome = planning();
        over.store(true, Ordering::Relaxed);
        outcome
    })
}

/// Looks at one object, is busy for a while, and looks at all; then writes to the one as it was at first.
const LOOKS_TWICE: &str = r#"//! Look twice, and write.
let there = #{ namespace: "a" };
let seen = kubectl::get("deployment", "web", there).metadata.labels ?? #{};
step "Be busy" { for number in 0..200 { kubectl::get("configmap", `none-${number}`, there + #{ or: () }); } }
step "Look again" { kubectl::list("deployment", there); }
step "Write" { kubectl::label("deployment", "web", #{ tier: "gold" }, there + #{ expect: #{ tier: seen.tier ?? () } }); }
"#;

#[test]
fn what_may_not_be_read_or_changes_meanwhile_is_a_fault_or_unknown() {
    if charts_or_skip("what_may_not_be_read_or_changes_meanwhile_is_a_fault_or_unknown").is_none() {
        return;
    }
    let cluster = Cluster::of(&unrevisioned("1.29.6", Helm::V3));
    let planner = planner(&cluster).display().to_string();

    let charts = charts();
    let canary = ["canary-upgrade.rhai", "--target", "1.30.3", "--charts", &charts, "--kubeconfig", &planner, "--yes"];
    let ran = dry(&cluster, &canary);
    let ran = ran.exits(3).says("RB021").says("cannot list resource \"secrets\"").says("nothing was changed");
    assert_eq!(planned(&trace(&ran)), Vec::<String>::new());

    let restart = ["rolling-restart.rhai", "--name", "mail", "--namespace", "b", "--kubeconfig", &planner, "--yes"];
    let ran = dry(&cluster, &restart);
    let ran = ran.exits(3);
    assert!(
        notes(&ran)
            .iter()
            .any(|note| note.starts_with("unknown: what comes of the change of deployments.apps b/mail, because ")),
        "{:#?}",
        notes(&ran)
    );
    let wait = last_call(&trace(&ran));
    assert_eq!(
        (&wait["primitive"], &wait["outcome"], &wait["grade"]),
        (&"wait::rollout".into(), &"not_known".into(), &"unknown".into())
    );

    let script = cluster.plane.folder().unwrap().join("looks-twice.rhai");
    fs_err::write(&script, LOOKS_TWICE).unwrap();
    let ran = changed_meanwhile(&cluster, || dry(&cluster, &[&script.display().to_string(), "--yes"]));
    let ran = ran.exits(3).says("RB024").says("cannot patch deployment/web in namespace `a`");
    let write = last_call(&trace(&ran));
    assert_eq!((&write["primitive"], &write["outcome"]), (&"kubectl::label".into(), &"failed".into()), "{write:#}");
    let changed =
        "unknown: deployments.apps a/web, because it was changed in the live cluster while the dry run read it";
    assert_eq!(notes(&ran), [changed]);
}
