//! An API server that goes away, for a moment or for good, or loses an answer: what is tried again, and what a fault then says.

use std::io::{BufRead, BufReader};
use std::process::Command;
use std::time::Duration;

use runbook_control_plane::{ControlPlane, required_or_skip};
use runbook_core::{Code, Value};
use runbook_stdlib::cluster::Limits;
use serde_json::json;

use crate::bench::Bench;
use crate::line::{Line, Mode};

/// The control plane that the tests of this binary share, and a session on it in a namespace of its own.
fn shared(test: &str, namespace: &str) -> Option<(&'static ControlPlane, Bench)> {
    required_or_skip(test)?;
    let plane = ControlPlane::shared().unwrap_or_else(|fault| panic!("{fault}"));
    let bench = Bench::new(&plane.kubeconfig());
    bench.namespace(namespace);
    Some((plane, bench))
}

fn config_map(name: &str, colour: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name }, "data": { "colour": colour } })
}

#[test]
fn a_server_that_goes_away_gets_bounded_tries_and_a_fault_that_says_what_was_done() {
    let test = "a_server_that_goes_away_gets_bounded_tries_and_a_fault_that_says_what_was_done";
    let Some((plane, direct)) = shared(test, "gone") else { return };
    let line = Line::to(&plane.kubeconfig());
    let folder = plane.folder().unwrap();
    let limits = Limits { tries: 4, ..Limits::default() };
    let bench = Bench::with(&line.kubeconfig(&plane.kubeconfig(), &folder), limits, &[]);
    let space = json!({ "namespace": "gone" });
    bench.ok("kubectl::apply", json!([config_map("settings", "blue"), space]));

    line.set(Mode::Down);
    let fault = bench.fault("kubectl::get", json!(["cm", "settings", space]));
    assert!(fault.code == Code::Network && fault.retryable, "{}", fault.message);
    assert!(fault.message.contains("after 4 tries"), "{}", fault.message);
    assert_eq!(bench.retries().len(), 3);
    let fault = bench.fault("kubectl::create", json!([config_map("late", "blue"), space]));
    assert!(
        fault.message.contains("nothing was sent, nothing was done") || fault.detail["outcome"] == "unknown",
        "{}",
        fault.message
    );

    line.set(Mode::Open);
    assert_eq!(bench.ok("kubectl::get", json!(["cm", "settings", space]))["data"]["colour"], "blue", "it recovers");
    assert_eq!(direct.ok("kubectl::exists", json!(["cm", "late", space])), json!(false));
}

#[test]
fn a_read_survives_a_server_that_is_back_in_a_moment() {
    let Some((plane, _)) = shared("a_read_survives_a_server_that_is_back_in_a_moment", "moment") else { return };
    let line = Line::to(&plane.kubeconfig());
    let bench = Bench::new(&line.kubeconfig(&plane.kubeconfig(), &plane.folder().unwrap()));
    bench.ok("kubectl::list", json!(["ns"]));
    line.set(Mode::Down);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(700));
            line.set(Mode::Open);
        });
        bench.ok("kubectl::list", json!(["ns"]));
    });
    assert!(!bench.retries().is_empty());
}

#[test]
fn a_lost_answer_is_read_back_and_the_write_is_not_done_twice() {
    let Some((plane, direct)) = shared("a_lost_answer_is_read_back_and_the_write_is_not_done_twice", "lost") else {
        return;
    };
    let line = Line::to(&plane.kubeconfig());
    let bench = Bench::new(&line.kubeconfig(&plane.kubeconfig(), &plane.folder().unwrap()));
    direct.ok("kubectl::apply", json!([config_map("settings", "blue"), { "namespace": "lost" }]));
    // Connected, and all that is to be read has been.
    bench.ok("kubectl::list", json!(["ns"]));
    let version = || {
        direct.ok("kubectl::get", json!(["cm", "settings", { "namespace": "lost" }]))["metadata"]["resourceVersion"]
            .clone()
    };

    let before = version();
    line.set(Mode::LoseAnswer);
    let options = json!({ "namespace": "lost", "expect": { "tier": null, "kept": null }, "overwrite": true });
    let answer = bench.call("kubectl::label", json!(["cm", "settings", { "tier": "gold" }, options]));
    // Which answer is lost, that to the read or that to the write, is the line's choice; the outcome is the same.
    assert_eq!(answer.unwrap()["labels"]["tier"], "gold");
    assert_ne!(version(), before);

    line.set(Mode::LoseAnswer);
    let manifest = json!([config_map("created", "blue"), { "namespace": "lost" }]);
    assert_eq!(bench.ok("kubectl::create", manifest)["objects"][0]["name"], "created");
    let audited = plane.audit().unwrap();
    let sent = audited.iter().filter(|entry| entry.is_write() && entry.summary().contains("lost/created")).count();
    assert!(sent <= 2, "{sent} writes");
}

#[test]
fn a_run_whose_server_goes_away_says_what_was_done_and_how_to_go_on() {
    let test = "a_run_whose_server_goes_away_says_what_was_done_and_how_to_go_on";
    let Some((plane, direct)) = shared(test, "cut") else { return };
    let line = Line::to(&plane.kubeconfig());
    let folder = tempfile::tempdir().unwrap();
    let script = r#"//! Write twice.
        let place = #{ namespace: "cut" };
        let map = |name| #{ apiVersion: "v1", kind: "ConfigMap", metadata: #{ name: name } };
        step "First" { kubectl::apply(map.call("first"), place); }
        step "Cut" { wait::pause("3s"); }
        step "Second" { kubectl::apply(map.call("second"), place); }
    "#;
    fs_err::write(folder.path().join("twice.rhai"), script).unwrap();
    let (reader, writer) = std::io::pipe().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_runbook"))
        .args(["twice.rhai", "--yes", "--journal", "runs"])
        .current_dir(folder.path())
        .env_clear()
        .env("KUBECONFIG", line.kubeconfig(&plane.kubeconfig(), folder.path()))
        .stdout(writer.try_clone().unwrap())
        .stderr(writer)
        .spawn()
        .unwrap();
    let mut printed = String::new();
    for said in BufReader::new(reader).lines() {
        let said = said.unwrap();
        // By then the answer to the first write has come; that its object is on the server would be too early.
        if said.contains("run  2  Cut") {
            line.set(Mode::Down);
        }
        printed += &said;
        printed.push('\n');
    }
    assert_eq!(child.wait().unwrap().code(), Some(3), "{printed}");
    for words in [
        "RB025",
        "configmap/second",
        "tries",
        "Now:  2 writes sent, 1 of them changed something",
        "done          apply configmap/first",
        "not finished  Second",
    ] {
        assert!(printed.contains(words), "`{words}` is missing in\n{printed}");
    }
    line.set(Mode::Open);
    assert_eq!(direct.ok("kubectl::exists", json!(["cm", "second", { "namespace": "cut" }])), json!(false));
}
