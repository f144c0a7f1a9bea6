//! Each kind of refusal becomes the fault that says what it means.

use runbook_core::Code;
use serde_json::{Value, json};

use super::{Fake, Reply, config_map, status};

fn fault_of(reply: impl Fn() -> Reply + Send + Sync + 'static) -> runbook_core::Fault {
    Fake::new(move |_, _, _| reply()).call("kubectl::get", &[json!("configmap"), json!("settings")]).unwrap_err()
}

#[test]
fn a_refusal_keeps_its_meaning() {
    let denied = "configmaps \"settings\" is forbidden: User \"eve\" cannot get resource \"configmaps\"";
    for (code, reason, message, expected) in [
        (401, "Unauthorized", "Unauthorized", Code::Forbidden),
        (403, "Forbidden", denied, Code::Forbidden),
        (403, "Forbidden", "admission webhook \"x\" denied the request: you cannot", Code::Rejected),
        (404, "NotFound", "configmaps \"settings\" not found", Code::NotFound),
        (409, "Conflict", "the object has been modified", Code::Conflict),
        (409, "AlreadyExists", "already exists", Code::Conflict),
        (410, "Expired", "too old resource version", Code::Incomplete),
        (413, "RequestEntityTooLarge", "request is too large", Code::TooLarge),
        (422, "Invalid", "is invalid", Code::Rejected),
        (400, "BadRequest", "bad", Code::Rejected),
        (429, "TooManyRequests", "slow down", Code::Network),
        (500, "InternalError", "boom", Code::Network),
        (503, "ServiceUnavailable", "shutting down", Code::Network),
    ] {
        let fault = fault_of(move || status(code, reason, message));
        assert_eq!(fault.code, expected, "{code} {reason}: {}", fault.message);
        assert_eq!(fault.object.as_deref(), Some("configmap/settings"));
        assert_eq!(fault.detail["status"], code);
    }
}

#[test]
fn an_answer_that_is_no_json_says_what_may_be_in_between() {
    let fault = fault_of(|| Reply::Json(200, Value::from("<html>login</html>")));
    assert_eq!(fault.code, Code::Network);
    assert!(fault.hint.unwrap().contains("login page"));
    assert_eq!(fault_of(|| Reply::Json(502, json!("<html>bad gateway</html>"))).code, Code::Network);
}

#[test]
fn a_fallback_answers_for_an_absent_object_alone() {
    let absent = Fake::new(|_, _, _| status(404, "NotFound", "configmaps \"settings\" not found"));
    let asked = [json!("cm"), json!("settings"), json!({ "or": 5 })];
    assert_eq!(absent.call("kubectl::get", &asked).unwrap(), json!(5));
    let forbidden = Fake::new(|_, _, _| status(403, "Forbidden", "forbidden: User \"eve\" cannot get"));
    assert_eq!(forbidden.call("kubectl::get", &asked).unwrap_err().code, Code::Forbidden);
    let no_kind = Fake::new(|_, _, _| {
        Reply::Json(
            404,
            json!({ "kind": "Status", "reason": "NotFound", "message": "the server could not find the requested resource", "details": {} }),
        )
    });
    assert_eq!(no_kind.call("kubectl::get", &asked).unwrap_err().code, Code::NotFound);
}

#[test]
fn a_forbidden_list_is_never_an_empty_one() {
    let fake = Fake::new(|_, _, _| status(403, "Forbidden", "configmaps is forbidden: User \"eve\" cannot list"));
    assert_eq!(fake.call("kubectl::list", &[json!("configmaps")]).unwrap_err().code, Code::Forbidden);
}

#[test]
fn a_list_follows_its_pages_and_begins_anew_where_they_expire() {
    use std::sync::atomic::{AtomicU32, Ordering};
    let expired = AtomicU32::new(0);
    let fake = Fake::new(move |_, path, _| {
        let page = |name: &str, next: &str| {
            let item = json!({ "metadata": { "name": name, "managedFields": [{}] } });
            Reply::Json(
                200,
                json!({ "kind": "ConfigMapList", "metadata": { "resourceVersion": "9", "continue": next }, "items": [item] }),
            )
        };
        if !path.contains("continue=") {
            return page("a", "token/1=");
        }
        match expired.fetch_add(1, Ordering::SeqCst) {
            0 => status(410, "Expired", "The provided continue parameter is too old"),
            _ => page("b", ""),
        }
    });
    let items = fake.call("kubectl::list", &[json!("cm")]).unwrap();
    let item = |name: &str| json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name } });
    assert_eq!(items, json!([item("a"), item("b")]));
    let first = "GET /api/v1/namespaces/shop/configmaps?limit=500";
    assert_eq!(
        fake.sent(),
        [
            first.to_owned(),
            format!("{first}&continue=token%2F1%3D"),
            first.to_owned(),
            format!("{first}&continue=token%2F1%3D")
        ]
    );
}

#[test]
fn pages_that_expire_again_and_again_are_a_fault_and_no_part_of_a_list() {
    let fake = Fake::new(|_, path, _| {
        if path.contains("continue=") {
            return status(410, "Expired", "too old");
        }
        let item = json!({ "metadata": { "name": "a" } });
        Reply::Json(200, json!({ "metadata": { "continue": "x" }, "items": [item] }))
    });
    assert_eq!(fake.call("kubectl::list", &[json!("cm")]).unwrap_err().code, Code::Incomplete);
}

#[test]
fn what_cannot_be_sent_is_refused_before_anything_is() {
    let fake = Fake::new(|_, _, _| Reply::Json(200, config_map("1", &json!({}))));
    let huge = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "settings" }, "data": { "x": "x".repeat(1_600_000) } });
    let calls: [(&str, Vec<Value>, Code); 6] = [
        ("kubectl::get", vec![json!("cm"), json!("")], Code::WrongArgument),
        ("kubectl::get", vec![json!("cm"), json!("../secrets/x")], Code::WrongArgument),
        ("kubectl::get", vec![json!("cm"), json!("a\u{0}b")], Code::WrongArgument),
        ("kubectl::delete", vec![json!("cm"), json!("settings"), json!({ "namespace": "a/b" })], Code::WrongArgument),
        ("kubectl::label", vec![json!("cm"), json!("settings"), json!({ "n": 3 })], Code::WrongArgument),
        ("kubectl::create", vec![huge], Code::TooLarge),
    ];
    for (name, given, code) in calls {
        assert_eq!(fake.call(name, &given).unwrap_err().code, code, "{name}");
    }
    assert!(fake.sent().is_empty(), "{:?}", fake.sent());
}

#[test]
fn protected_kinds_are_not_deleted_by_the_way() {
    let fake = Fake::new(|_, _, _| Reply::Json(200, config_map("1", &json!({}))));
    for kind in ["ns", "namespaces", "crd", "customresourcedefinitions.apiextensions.k8s.io", "pv", "pvc"] {
        let fault = fake.call("kubectl::delete", &[json!(kind), json!("x")]).unwrap_err();
        assert_eq!(fault.code, Code::Protected, "{kind}");
    }
    assert!(fake.sent().is_empty());
}
