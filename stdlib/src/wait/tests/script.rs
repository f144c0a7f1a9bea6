//! What the script has to say in a wait: its functions, and the time of its steps.

use runbook_core::Code;
use serde_json::json;

use super::{Scene, deployment};

#[test]
fn that_asks_again_and_again_and_says_what_the_function_says() {
    let scene = Scene::new();
    scene.fake.put(deployment("web", 1));
    scene.after(7, |fake| fake.put(deployment("web", 2)));
    let script = r#"
        let asked = 0;
        wait::that("web is served", || {
            asked += 1;
            #{ done: asked > 4, ok: true, message: `asked ${asked} times` }
        }, #{ interval: "2s" })
    "#;
    let answer = scene.run(script).unwrap();
    assert_eq!((&answer["asked"], &answer["message"]), (&json!(5), &json!("asked 5 times")));
    assert_eq!(answer["elapsed_ms"], json!(8000));
    assert_eq!(scene.last_told().reasons, ["asked 4 times"]);
}

#[test]
fn what_a_function_reads_is_the_work_of_the_wait_and_it_may_not_write() {
    let scene = Scene::new();
    scene.fake.put(deployment("web", 1));
    scene.after(7, |fake| fake.put(deployment("web", 2)));
    let script = r#"
        wait::that("web is served", || {
            kubectl::get("deployment", "web", #{ namespace: "shop" }).at("status.readyReplicas") == 2
        });
        kubectl::exists("deployment", "web", #{ namespace: "shop" });
    "#;
    scene.run(script).unwrap();
    // How often it was read depends on time; who goes by the record must find the same calls the next time.
    assert_eq!(*scene.recorded.lock().unwrap(), ["wait::that", "kubectl::exists"]);
    let writes = r#"wait::that("web is gone", || kubectl::delete("deployment", "web", #{ namespace: "shop" }))"#;
    assert_eq!(scene.run(writes).unwrap_err().code, Code::WriteInRead);
}

#[test]
fn that_ends_early_where_the_function_gives_up_and_late_by_its_timeout() {
    let scene = Scene::new();
    let never =
        scene.run(r#"wait::that("it works", || #{ done: true, ok: false, message: "it is broken" })"#).unwrap_err();
    assert_eq!((never.code, never.message.as_str()), (Code::Doomed, "it works: no: it is broken"));
    let late = scene.run(r#"wait::that("it works", || false, #{ timeout: "10s" })"#).unwrap_err();
    assert_eq!((late.code, late.message.as_str()), (Code::Timeout, "it works: not so after 10s"));
    assert_eq!(scene.seconds(), 10);
    let wrong = scene.run(r#"wait::that("it works", || 7)"#).unwrap_err();
    assert_eq!(wrong.code, Code::WrongArgument);
}

#[test]
fn fail_when_is_shown_each_change_and_ends_the_wait_with_its_reason() {
    let scene = Scene::new();
    scene.fake.put(deployment("web", 1));
    scene.after(5, |fake| fake.put(deployment("web", 0)));
    let script = r#"
        wait::ready("deployment", "web", #{ namespace: "shop", fail_when: |web| {
            if web.at("status.readyReplicas") == 0 { `nobody serves ${web.metadata.name} any more` } else { false }
        } })
    "#;
    let fault = scene.run(script).unwrap_err();
    assert_eq!(fault.code, Code::Doomed);
    assert_eq!(fault.message, "deployment/web is not rolled out: nobody serves web any more");
    assert_eq!(scene.seconds(), 5);
}

#[test]
fn a_wait_lasts_no_longer_than_its_step() {
    let scene = Scene::new();
    scene.fake.put(deployment("web", 1));
    let script = r#"
        step "Roll out" with #{ timeout: "30s" } {
            wait::ready("deployment", "web", #{ namespace: "shop" });
        }
    "#;
    let fault = scene.run(script).unwrap_err();
    assert_eq!((fault.code, scene.seconds()), (Code::Timeout, 30));
    assert!(fault.message.contains("after 30s"), "{}", fault.message);
}

#[test]
fn a_pause_is_a_pause() {
    let scene = Scene::new();
    assert_eq!(scene.run(r#"wait::pause("90s")"#).unwrap()["elapsed_ms"], json!(90_000));
    assert_eq!(scene.seconds(), 90);
}
