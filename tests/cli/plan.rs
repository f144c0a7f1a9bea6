//! Plan files: what a dry run saved holds a run to it, on a cluster that `runbook sim` serves.

use serde_json::Value;
use snapbox::cmd::Command;

use crate::bench::Bench;
use crate::trace::SCENARIO;

/// Reads pods that the restart makes, writes a time and a secret, and does more where the shop is closed.
const SCRIPT: &str = r#"//! Paint the shop.
//!
//! Changes: its colour.
//! Undo:    nothing.
let colour = param::string("colour", "Which", #{ fallback: "green" });
let password = param::secret("password", "Of the shop.", #{ fallback: () });
let shop = #{ namespace: "shop" };
step "Look" {
    if kubectl::get("configmap", "sign", shop + #{ or: () }) != () {
        kubectl::patch("configmap", "settings", #{ data: #{ sign: "closed" } }, shop);
    }
}
step "Paint" {
    kubectl::patch("configmap", "settings", #{ data: #{ colour: colour, at: time::now() } }, shop);
    if password != () {
        kubectl::patch("secret", "login", #{ stringData: #{ password: password } }, shop);
    }
    kubectl::rollout_restart("deployment", "web", shop);
    wait::rollout("deployment", "web", shop + #{ timeout: "5m" });
    for pod in kubectl::list("pods", shop) {
        kubectl::get("pod", pod.metadata.name, shop);
    }
}
"#;

/// A served cluster, ended when this is dropped.
struct Served {
    bench: Bench,
    process: String,
}

/// Starts it in the background, and says which process that is once it can be used.
const SERVE: &str = "\"$0\" sim shop.yaml > served 2>&1 < /dev/null &
until grep -q KUBECONFIG= served; do sleep 0.02; done; echo $!";

impl Served {
    fn start() -> Self {
        let bench = Bench::new().script(SCRIPT).file("shop.yaml", SCENARIO);
        let process = shell(&bench, &["-c", SERVE, env!("CARGO_BIN_EXE_runbook")]);
        let printed = fs_err::read_to_string(bench.folder().join("served")).unwrap();
        let place = printed.split_once("export KUBECONFIG=").unwrap().1.trim().to_owned();
        Self { bench: bench.variable("KUBECONFIG", place).variable("COLUMNS", "240"), process }
    }

    fn run(&self, words: &[&str]) -> String {
        self.bench.run(&[&["it.rhai"], words].concat())
    }

    /// Plans, and gives the plan.
    fn planned(&self, words: &[&str]) -> Value {
        let said = self.run(&[words, &["--dry-run", "--plan-out", "plan.json"]].concat());
        assert!(said.contains("The plan is in plan.json") && said.ends_with("-- exit 0\n"), "{said}");
        serde_json::from_str(&fs_err::read_to_string(self.bench.folder().join("plan.json")).unwrap()).unwrap()
    }

    /// Somebody else changes the cluster.
    fn meanwhile(&self, script: &str) {
        let head = "//! Meanwhile.\n//!\n//! Changes: it.\n//! Undo: nothing.\n";
        fs_err::write(self.bench.folder().join("other.rhai"), format!("{head}{script}\n")).unwrap();
        let said = self.bench.run(&["other.rhai", "--yes"]);
        assert!(said.ends_with("-- exit 0\n"), "{said}");
    }

    fn followed(&self) -> String {
        self.run(&["--plan", "plan.json", "--yes"])
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        shell(&self.bench, &["-c", &format!("kill {}", self.process)]);
    }
}

fn shell(bench: &Bench, words: &[&str]) -> String {
    let command =
        Command::new("/bin/sh").args(words).env_clear().env("PATH", "/usr/bin:/bin").env("HOME", bench.folder());
    let output = command.current_dir(bench.folder()).output().expect("there is a shell");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Each part is in it, wherever lines end.
fn has(said: &str, parts: &[&str]) {
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in parts {
        assert!(said.contains(part), "no `{part}` in\n{said}");
    }
}

#[test]
fn a_run_that_does_what_was_planned_comes_to_its_end_and_the_plan_is_over_then() {
    let served = Served::start();
    let plan = served.planned(&["--colour", "red", "--password", "hunter3333"]);
    assert_eq!(plan["parameters"]["colour"], "red");
    assert!(!plan.to_string().contains("hunter3333"), "{plan}");
    let calls: Vec<&str> = plan["calls"].as_array().unwrap().iter().filter_map(|call| call["words"].as_str()).collect();
    assert!(calls.iter().any(|words| words.starts_with("read pod/web-")), "{calls:?}");
    assert!(plan["read"]["configmaps shop/settings"].is_string(), "{plan}");
    assert!(plan["read"]["configmaps shop/sign"].is_null(), "{plan}");

    // A secret is no part of a plan, and has to be the same.
    has(&served.followed(), &["RB053", "`--password` is another secret than it was", "-- exit 7"]);
    let said = served.run(&["--plan", "plan.json", "--yes", "--password", "hunter3333"]);
    has(&said, &["Done in", "-- exit 0"]);
    has(&served.bench.run(&["report"]), &["| held to plan | plan.json, made", "3 writes of"]);

    // Now everything that it changes is as the run has left it.
    let again = served.run(&["--plan", "plan.json", "--yes", "--password", "hunter3333"]);
    has(&again, &["RB053", "for 3 reasons", "deployment/web in shop has been changed", "nothing was changed"]);
}

#[test]
fn what_somebody_changed_since_then_is_named_before_anything_is_written() {
    let served = Served::start();
    served.planned(&[]);
    served.meanwhile(r#"kubectl::label("configmap", "settings", #{ colour: "any" }, #{ namespace: "shop" });"#);
    has(&served.followed(), &["RB053", "configmap/settings in shop has been changed", "-- exit 7"]);
    served.meanwhile(r#"kubectl::delete("configmap", "settings", #{ namespace: "shop" });"#);
    has(&served.followed(), &["RB053", "configmap/settings in shop is gone", "-- exit 7"]);
}

#[test]
fn a_run_stops_before_the_first_call_that_was_not_planned() {
    let served = Served::start();
    served.planned(&[]);
    served.meanwhile(
        r#"kubectl::apply(#{ apiVersion: "v1", kind: "ConfigMap", metadata: #{ name: "sign", namespace: "shop" } });"#,
    );
    let said = served.followed();
    has(
        &said,
        &[
            "RB054",
            "not in the plan: patch configmap/settings in shop",
            "it.rhai:10",
            "planned next: the time",
            "since the plan was made: configmaps shop/sign has come",
            "nothing was changed",
            "-- exit 7",
        ],
    );
    // A dry run can be held to it just as well: whether it still holds.
    has(&served.run(&["--plan", "plan.json", "--dry-run"]), &["RB054", "-- exit 7"]);
}

#[test]
fn a_plan_is_for_its_script_its_parameters_its_time_and_its_cluster() {
    let served = Served::start();
    let mut plan = served.planned(&["--colour", "red"]);
    let over = served.run(&["--dry-run", "--plan-out", "plan.json"]);
    has(&over, &["`plan.json` exists already, and a plan never writes over a file", "-- exit 1"]);
    let other = served.run(&["--plan", "plan.json", "--yes", "--colour", "blue"]);
    has(&other, &["RB053", "`--colour` was `red`, and is `blue`", "-- exit 7"]);

    let file = served.bench.folder().join("plan.json");
    plan["expires"] = "2026-01-01T00:00:00Z".into();
    plan["digest"] = "0".into();
    fs_err::write(&file, plan.to_string()).unwrap();
    let said = served.followed();
    has(&said, &["RB053", "for 2 reasons", "it held until [DATE] [TIME] UTC", "the script `it` has changed since"]);
    plan["version"] = 9.into();
    fs_err::write(&file, plan.to_string()).unwrap();
    has(&served.followed(), &["RB002", "it has version 9 of the format, and this program reads 1", "-- exit 1"]);
    fs_err::write(&file, "{}").unwrap();
    has(&served.followed(), &["RB002", "it is no plan: it says no version", "-- exit 1"]);
    fs_err::remove_file(&file).unwrap();
    has(&served.followed(), &["RB002", "it cannot be read", "-- exit 1"]);

    let mut plan = served.planned(&[]);
    plan["cluster"]["id"] = "another".into();
    fs_err::write(&file, plan.to_string()).unwrap();
    has(&served.followed(), &["RB053", "it is for the cluster of `--context simulation`", "-- exit 7"]);
    has(&Bench::new().script(SCRIPT).run(&["it.rhai", "--plan-out", "x"]), &["--dry-run", "-- exit 1"]);
}
