//! Answers that never come: the object is read back, and nothing is guessed.

use std::sync::atomic::{AtomicU32, Ordering};

use runbook_core::Code;
use serde_json::json;

use super::{Fake, Reply, config_map, status};

const PATH: &str = "/api/v1/namespaces/shop/configmaps/settings";

#[test]
fn a_lost_answer_to_a_write_that_was_done_is_found_out() {
    let done = AtomicU32::new(0);
    let fake = Fake::new(move |method, _, _| match method {
        "PATCH" => {
            done.store(1, Ordering::SeqCst);
            Reply::Lost
        }
        _ if done.load(Ordering::SeqCst) == 1 => Reply::Json(200, config_map("2", &json!({ "tier": "gold" }))),
        _ => Reply::Json(200, config_map("1", &json!({}))),
    });
    let answer = fake.call("kubectl::label", &[json!("cm"), json!("settings"), json!({ "tier": "gold" })]).unwrap();
    assert_eq!((&answer["changed"], &answer["previous"]), (&json!(true), &json!({ "tier": null })));
    assert_eq!(
        fake.sent(),
        [format!("GET {PATH}"), format!("PATCH {PATH}?fieldManager=runbook"), format!("GET {PATH}")]
    );
}

#[test]
fn a_lost_answer_to_a_write_that_was_not_done_is_sent_once_more_and_no_more() {
    let fake = Fake::new(|method, _, _| match method {
        "PATCH" => Reply::Lost,
        _ => Reply::Json(200, config_map("1", &json!({}))),
    });
    let fault = fake.call("kubectl::label", &[json!("cm"), json!("settings"), json!({ "tier": "gold" })]).unwrap_err();
    assert_eq!(fault.code, Code::Network);
    assert!(fault.message.contains("read back, configmap/settings was not changed"), "{}", fault.message);
    assert_eq!(fault.detail["outcome"], "not done");
    assert_eq!(fake.sent().iter().filter(|line| line.starts_with("PATCH")).count(), 2);
}

#[test]
fn a_write_that_cannot_be_read_back_is_said_to_be_unknown() {
    let cut = AtomicU32::new(0);
    let fake = Fake::new(move |_, _, _| match cut.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::Json(200, config_map("1", &json!({}))),
        _ => Reply::Lost,
    });
    let fault = fake.call("kubectl::label", &[json!("cm"), json!("settings"), json!({ "tier": "gold" })]).unwrap_err();
    assert!(fault.message.contains("could not be read back"), "{}", fault.message);
    assert_eq!(fault.detail["outcome"], "unknown");
    assert!(fault.hint.unwrap().contains("may have been made or not"));
}

#[test]
fn an_object_that_is_gone_after_a_lost_answer_was_deleted() {
    let asked = AtomicU32::new(0);
    let fake = Fake::new(move |method, _, _| match method {
        "DELETE" => {
            asked.store(1, Ordering::SeqCst);
            Reply::Lost
        }
        _ if asked.load(Ordering::SeqCst) == 1 => status(404, "NotFound", "configmaps \"settings\" not found"),
        _ => Reply::Json(200, config_map("1", &json!({}))),
    });
    let answer = fake.call("kubectl::delete", &[json!("configmap"), json!("settings")]).unwrap();
    assert_eq!((&answer["changed"], &answer["gone"]), (&json!(true), &json!(true)));
}

#[test]
fn a_created_object_that_someone_else_may_have_made_is_not_claimed() {
    let asked = AtomicU32::new(0);
    let fake = Fake::new(move |method, _, _| match method {
        "POST" => {
            asked.store(1, Ordering::SeqCst);
            Reply::Lost
        }
        _ => Reply::Json(200, config_map("1", &json!({}))),
    });
    let manifest = |colour: &str| json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "settings" }, "data": { "colour": colour } });
    assert!(fake.call("kubectl::create", &[manifest("blue")]).is_ok(), "it is as it was to be created");
    let fault = fake.call("kubectl::create", &[manifest("red")]).unwrap_err();
    assert!(fault.message.contains("by this or by someone else"), "{}", fault.message);
}
