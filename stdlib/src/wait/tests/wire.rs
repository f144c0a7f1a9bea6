//! Servers that close, forget and refuse.

use runbook_core::Code;
use serde_json::json;

use super::{Scene, deployment, pod, running, waiting};

const WEB: &str = r#"wait::ready("deployment", "web", #{ namespace: "shop" })"#;

#[test]
fn a_closed_watch_goes_on_from_the_last_version() {
    let scene = Scene::new();
    scene.fake.put(deployment("web", 1));
    scene.after(10, super::cluster::Fake::close_watches);
    scene.after(20, |fake| fake.put(deployment("web", 2)));
    assert_eq!(scene.run(WEB).unwrap()["elapsed_ms"], json!(20_000));
    let requests = scene.fake.requests();
    let watches: Vec<_> = requests.iter().filter(|line| line.contains("WATCH apps/v1/deployments")).collect();
    assert_eq!(watches, ["WATCH apps/v1/deployments from 1", "WATCH apps/v1/deployments from 1"]);
}

#[test]
fn nothing_is_missed_between_two_watches() {
    let scene = Scene::new();
    scene.fake.put(deployment("web", 1));
    scene.after(10, |fake| {
        fake.close_watches();
        fake.put(deployment("web", 2));
    });
    assert_eq!(scene.run(WEB).unwrap()["elapsed_ms"], json!(10_000));
}

#[test]
fn an_expired_version_means_a_new_list_in_which_what_is_gone_is_gone() {
    let scene = Scene::new();
    scene.fake.pages_of(2);
    for name in ["a", "b", "c"] {
        scene.fake.put(pod(name, "web", "rs", &waiting("ContainerCreating", "")));
    }
    scene.after(10, |fake| {
        fake.expire("v1/pods");
        fake.delete(&pod("b", "web", "rs", &running()));
        fake.put(pod("a", "web", "rs", &running()));
        fake.put(pod("c", "web", "rs", &running()));
    });
    let answer = scene.run(r#"wait::pods("app=web", #{ namespace: "shop" })"#).unwrap();
    assert_eq!((&answer["count"], &answer["elapsed_ms"]), (&json!(2), &json!(10_000)));
    let requests = scene.fake.requests();
    assert_eq!(requests.iter().filter(|line| *line == "LIST v1/pods").count(), 3, "{requests:?}");
}

#[test]
fn a_server_that_refuses_watches_is_asked_at_intervals() {
    let scene = Scene::new();
    scene.fake.refuse("WATCH", 403, 99);
    scene.fake.put(deployment("web", 1));
    scene.after(11, |fake| fake.put(deployment("web", 2)));
    let answer = scene.run(r#"wait::ready("deployment", "web", #{ namespace: "shop", interval: "3s" })"#).unwrap();
    assert_eq!(answer["elapsed_ms"], json!(12_000));
    let gets = scene.fake.requests().iter().filter(|line| line.starts_with("GET")).count();
    assert_eq!(gets, 5);
}

#[test]
fn an_outage_is_sat_out_and_one_that_lasts_is_a_fault() {
    let scene = Scene::new();
    scene.fake.put(deployment("web", 1));
    scene.after(10, |fake| {
        fake.refuse("WATCH", 503, 20);
        fake.close_watches();
    });
    scene.after(40, |fake| fake.put(deployment("web", 2)));
    assert_eq!(scene.run(WEB).unwrap()["elapsed_ms"], json!(40_000));
    scene.fake.refuse("GET", 503, 9999);
    let before = scene.seconds();
    let fault = scene.run(WEB).unwrap_err();
    assert_eq!(fault.code, Code::Network);
    assert!((60..70).contains(&(scene.seconds() - before)));
}

#[test]
fn whoever_may_not_list_pods_waits_all_the_same_but_a_forbidden_object_is_a_fault() {
    let scene = Scene::new();
    scene.fake.refuse("LIST v1/pods", 403, 99);
    scene.fake.put(deployment("web", 1));
    scene.after(10, |fake| fake.put(deployment("web", 2)));
    assert!(scene.run(WEB).is_ok());
    scene.fake.refuse("GET apps/v1/deployments/web", 403, 99);
    assert_eq!(scene.run(WEB).unwrap_err().code, Code::Forbidden);
}

#[test]
fn the_first_interrupt_ends_a_wait() {
    let scene = Scene::new();
    scene.fake.put(deployment("web", 1));
    let interrupt = scene.interrupt.clone();
    scene.after(10, move |_| interrupt.press());
    assert_eq!(scene.run(WEB).unwrap_err().code, Code::Interrupted);
    assert_eq!(scene.seconds(), 10);
}
