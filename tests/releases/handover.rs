//! What one helm began another finishes.

use serde_json::json;

use crate::same::{demand_same, live};
use crate::stage::{Driver, Stage, plane};

#[test]
fn two_in_turn_leave_what_one_alone_leaves() {
    let Some(plane) = plane("two_in_turn_leave_what_one_alone_leaves") else { return };
    let side = json!({ "server_side": false });
    let turns: [&[Driver]; 3] = [&[Driver::Four], &[Driver::Four, Driver::Ours], &[Driver::Ours, Driver::Four]];
    let stages = ["alone", "four-first", "ours-first"].map(|name| Stage::new(plane, name));
    let seen: Vec<_> = std::thread::scope(|scope| {
        let lives: Vec<_> =
            turns.iter().zip(&stages).map(|(drivers, stage)| scope.spawn(|| live(stage, drivers, &side))).collect();
        lives.into_iter().map(|life| life.join().unwrap()).collect()
    });
    demand_same(&seen[0], &seen[1]);
    demand_same(&seen[0], &seen[2]);
}

#[test]
fn what_helm_3_installed_goes_on_by_patches_and_the_real_ones_read_ours() {
    let Some(plane) = plane("what_helm_3_installed_goes_on_by_patches_and_the_real_ones_read_ours") else { return };
    let stage = Stage::new(plane, "from-three");
    let blue = json!({ "values": { "color": "blue" } });
    stage.ok(Driver::Three, "helm::install", json!(["web", stage.chart("1.0.0")]), &blue);
    let upgraded = stage.ok(Driver::Ours, "helm::upgrade", json!(["web", stage.chart("1.1.0")]), &blue);
    assert_eq!((&upgraded["revision"], &upgraded["changed"]), (&json!(2), &json!(true)), "{upgraded:#}");
    let status = stage.ok(Driver::Ours, "helm::status", json!(["web"]), &json!({}));
    assert_eq!(status["server_side"], false, "it goes on as it was begun");
    let there = json!({});
    for call in ["helm::history", "helm::values", "helm::manifest", "helm::status"] {
        let mut answers =
            [Driver::Three, Driver::Four, Driver::Ours].map(|driver| stage.ok(driver, call, json!(["web"]), &there));
        answers.iter_mut().for_each(without_times);
        assert_eq!(answers[1], answers[2], "{call}");
        assert_eq!(answers[0], answers[2], "{call}");
    }
    let lists = [Driver::Four, Driver::Ours].map(|driver| {
        let mut list = stage.ok(driver, "helm::list", json!([]), &there);
        without_times(&mut list);
        list
    });
    assert_eq!(lists[0], lists[1]);
    let back = stage.ok(Driver::Four, "helm::rollback", json!(["web", 1]), &there);
    assert_eq!((&back["revision"], &back["changed"]), (&json!(3), &json!(true)));
    let again = stage.ok(Driver::Ours, "helm::rollback", json!(["web", 2]), &there);
    assert_eq!((&again["revision"], &again["changed"]), (&json!(4), &json!(true)));
    stage.ok(Driver::Three, "helm::uninstall", json!(["web"]), &there);
    assert_eq!(stage.ok(Driver::Ours, "helm::exists", json!(["web"]), &there), json!(false));
}

/// Helm 3 writes times of fewer digits; a status tells its age.
pub(crate) fn without_times(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(map) => {
            map.remove("updated");
            map.remove("age");
            map.values_mut().for_each(without_times);
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(without_times),
        _ => {}
    }
}
