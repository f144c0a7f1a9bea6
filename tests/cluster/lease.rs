//! Two runs on one scope: one of them writes.

use runbook_control_plane::{ControlPlane, required_or_skip};
use runbook_core::{Code, Value};
use serde_json::json;

use crate::bench::Bench;

/// The control plane that the tests of this binary share, with a namespace of one's own.
fn shared(test: &str, namespace: &str) -> Option<&'static ControlPlane> {
    required_or_skip(test)?;
    let plane = ControlPlane::shared().unwrap_or_else(|fault| panic!("{fault}"));
    Bench::new(&plane.kubeconfig()).namespace(namespace);
    Some(plane)
}

fn run(plane: &ControlPlane, name: &str) -> Bench {
    let bench = Bench::new(&plane.kubeconfig());
    bench.begins(name);
    bench
}

fn write(bench: &Bench, namespace: &str, name: &str) -> Result<Value, runbook_core::Fault> {
    let config_map = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name } });
    bench.call("kubectl::apply", json!([config_map, { "namespace": namespace }]))
}

fn lease(bench: &Bench, namespace: &str) -> Value {
    bench.ok("kubectl::get", json!(["lease", "runbook-shop", { "namespace": namespace }]))
}

#[test]
fn a_lease_is_taken_before_the_first_write_and_let_go_of_at_the_end() {
    let Some(plane) = shared("a_lease_is_taken_before_the_first_write_and_let_go_of_at_the_end", "lease-one") else {
        return;
    };
    let (one, two) = (run(plane, "ONE"), run(plane, "TWO"));
    let claim = json!(["shop", { "namespace": "lease-one" }]);
    one.ok("kubectl::lease", claim.clone());
    let absent = one.ok("kubectl::exists", json!(["lease", "runbook-shop", { "namespace": "lease-one" }]));
    assert_eq!(absent, json!(false), "a run that only reads takes nothing");
    write(&one, "lease-one", "a").unwrap();
    assert_eq!(lease(&one, "lease-one")["spec"]["holderIdentity"], "run ONE of example");

    let refused = two.fault("kubectl::lease", claim.clone());
    assert_eq!(refused.code, Code::HeldByAnother);
    assert!(refused.message.starts_with("run ONE of example holds lease/runbook-shop in lease-one"), "{refused}");

    one.ends();
    assert_eq!(lease(&two, "lease-one")["spec"]["holderIdentity"], "");
    two.ok("kubectl::lease", claim);
    write(&two, "lease-one", "b").unwrap();
    assert_eq!(lease(&two, "lease-one")["spec"]["leaseTransitions"], 2);
    two.ends();
}

#[test]
fn what_another_run_did_between_looking_and_writing_is_noticed() {
    let Some(plane) = shared("what_another_run_did_between_looking_and_writing_is_noticed", "lease-two") else {
        return;
    };
    let (slow, quick) = (run(plane, "SLOW"), run(plane, "QUICK"));
    let claim = json!(["shop", { "namespace": "lease-two" }]);
    slow.ok("kubectl::lease", claim.clone());
    quick.ok("kubectl::lease", claim.clone());
    write(&quick, "lease-two", "a").unwrap();
    let during = write(&slow, "lease-two", "b").unwrap_err();
    assert!(during.message.starts_with("run QUICK of example holds lease/runbook-shop"), "{during}");
    quick.ends();
    let after = write(&slow, "lease-two", "b").unwrap_err();
    assert_eq!(after.code, Code::HeldByAnother);
    assert!(after.message.contains("after this one had looked"), "{after}");
    let made = slow.ok("kubectl::exists", json!(["cm", "b", { "namespace": "lease-two" }]));
    assert_eq!(made, json!(false));
}

#[test]
fn a_run_that_died_holds_nothing_for_long_and_one_that_lost_its_lease_writes_no_more() {
    let test = "a_run_that_died_holds_nothing_for_long_and_one_that_lost_its_lease_writes_no_more";
    let Some(plane) = shared(test, "lease-three") else { return };
    let (dead, next) = (run(plane, "DEAD"), run(plane, "NEXT"));
    let claim = json!(["shop", { "namespace": "lease-three" }]);
    dead.ok("kubectl::lease", claim.clone());
    write(&dead, "lease-three", "a").unwrap();
    // Its machine sleeps: the last renewal is a while ago.
    let long_ago = json!({ "spec": { "renewTime": "2026-01-01T00:00:00.000000Z" } });
    next.ok("kubectl::patch", json!(["lease", "runbook-shop", long_ago, { "namespace": "lease-three" }]));
    let next = run(plane, "NEXT");
    next.ok("kubectl::lease", claim);
    write(&next, "lease-three", "b").unwrap();
    // It wakes up, and its next renewal does not fit any more.
    let lost = loop {
        match write(&dead, "lease-three", "a") {
            Err(fault) => break fault,
            Ok(_) => std::thread::sleep(std::time::Duration::from_millis(500)),
        }
    };
    assert_eq!(lost.message, "this run has lost lease/runbook-shop, so it writes no more");
    next.ends();
}
