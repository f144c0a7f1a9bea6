//! The same life of a release by each helm: install, upgrades that work and that fail, somebody else's hands in between,
//! rollback and uninstall.

use serde_json::{Value, json};

use crate::stage::{Driver, Stage, plane};
use crate::trace::{objects, records, same};

/// One step of a life, and whether it has to fail.
type Step = fn(&Stage, Driver, &Value);

/// Everything that happens to a release between its beginning and its end.
const LIFE: &[(&str, Step)] = &[
    ("install", |stage, driver, side| {
        let values =
            json!({ "values": { "color": "blue", "ports": [80, 81], "env": { "A": "a", "B": "b", "C": "c" } } });
        stage.ok(driver, "helm::install", json!(["web", stage.chart("1.0.0")]), &with(&values, side));
    }),
    ("upgrade after somebody else's hands", |stage, driver, side| {
        let patch = r#"{"data":{"theirs":"1"},"metadata":{"annotations":{"note":"theirs"}}}"#;
        stage.kubectl(&["patch", "configmap", "web", "--type=merge", "-p", patch]);
        let patch =
            r#"{"spec":{"template":{"spec":{"containers":[{"name":"web","env":[{"name":"T","value":"theirs"}]}]}}}}"#;
        stage.kubectl(&["patch", "deployment", "web", "-p", patch]);
        let values =
            json!({ "values": { "color": "green", "ports": [81, 82], "env": { "C": "new", "Z": "z", "AA": "aa" } } });
        stage.ok(driver, "helm::upgrade", json!(["web", stage.chart("1.1.0")]), &with(&values, side));
    }),
    ("upgrade that the server refuses", |stage, driver, side| {
        let values = json!({ "values": { "app": "other" }, "reset_then_reuse_values": true });
        let fault = stage
            .call(driver, "helm::upgrade", json!(["web", stage.chart("1.0.0")]), &with(&values, side))
            .unwrap_err();
        assert_eq!(fault.code, runbook_core::Code::Rejected, "{driver:?} {fault:#?}");
        assert!(fault.message.contains("field is immutable"), "{driver:?} {fault}");
    }),
    ("upgrade whose hook fails", |stage, driver, side| {
        let fault = stage.call(driver, "helm::upgrade", json!(["web", stage.chart("1.2.0")]), side).unwrap_err();
        assert_eq!(fault.code, runbook_core::Code::HookFailed, "{driver:?} {fault:#?}");
    }),
    ("rollback", |stage, driver, side| {
        stage.ok(driver, "helm::rollback", json!(["web", 1]), side);
    }),
    ("upgrade with fewer revisions kept", |stage, driver, side| {
        let values =
            json!({ "values": { "replicas": 2 }, "reuse_values": true, "history_max": 3, "description": "twice" });
        stage.ok(driver, "helm::upgrade", json!(["web", stage.chart("1.1.0")]), &with(&values, side));
    }),
    ("uninstall", |stage, driver, _| {
        stage.ok(driver, "helm::uninstall", json!(["web"]), &json!({ "keep_history": true }));
    }),
    ("install in the place of what is gone", |stage, driver, side| {
        let options = json!({ "install": true, "values": { "color": "again" } });
        stage.ok(driver, "helm::upgrade", json!(["web", stage.chart("1.0.0")]), &with(&options, side));
    }),
];

/// The options of a call, and how the objects are applied.
fn with(options: &Value, side: &Value) -> Value {
    let mut all = options.clone();
    all.as_object_mut().unwrap().extend(side.as_object().unwrap().clone());
    all
}

/// Lives a life by drivers in turn; after each step what is there.
pub(crate) fn live(stage: &Stage, drivers: &[Driver], side: &Value) -> Vec<(String, Value, Value)> {
    let mut seen = Vec::new();
    for (number, (name, step)) in LIFE.iter().enumerate() {
        step(stage, drivers[number % drivers.len()], side);
        seen.push(((*name).to_owned(), objects(stage), records(stage)));
    }
    seen
}

/// Demands the same after each step.
pub(crate) fn demand_same(wanted: &[(String, Value, Value)], found: &[(String, Value, Value)]) {
    for ((step, objects, records), (_, other_objects, other_records)) in wanted.iter().zip(found) {
        same(&format!("objects after `{step}`"), objects, other_objects);
        same(&format!("records after `{step}`"), records, other_records);
    }
}

#[test]
fn a_life_by_server_side_apply_is_helm_4s() {
    let Some(plane) = plane("a_life_by_server_side_apply_is_helm_4s") else { return };
    let side = json!({});
    let live_with = |driver: Driver, name: &str| {
        let stage = Stage::new(plane, name);
        live(&stage, &[driver], &side)
    };
    let (wanted, found) = std::thread::scope(|scope| {
        let real = scope.spawn(|| live_with(Driver::Four, "four"));
        let ours = scope.spawn(|| live_with(Driver::Ours, "ours"));
        (real.join().unwrap(), ours.join().unwrap())
    });
    demand_same(&wanted, &found);
}

#[test]
fn a_life_by_patches_is_helm_3s() {
    let Some(plane) = plane("a_life_by_patches_is_helm_3s") else { return };
    let side = json!({ "server_side": false });
    let stages = [Stage::new(plane, "three"), Stage::new(plane, "ours-patching")];
    let (wanted, found) = std::thread::scope(|scope| {
        let real = scope.spawn(|| live(&stages[0], &[Driver::Three], &side));
        let ours = scope.spawn(|| live(&stages[1], &[Driver::Ours], &side));
        (real.join().unwrap(), ours.join().unwrap())
    });
    demand_same(&wanted, &found);
}
