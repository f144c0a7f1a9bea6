//! What helm refuses the built-in one refuses too: for the same reason, as the same fault.

use runbook_core::{Code, Fault};
use serde_json::json;

use crate::stage::{Driver, Stage, plane};

/// A fault without where it stands in the evidence, which quotes a helm's own log.
fn told(stage: &Stage, fault: &Fault) -> (Code, String, serde_json::Value) {
    let words = |text: &str| text.replace(&stage.namespace, "NAMESPACE");
    let detail = serde_json::to_string(&fault.detail).unwrap();
    (fault.code, words(&fault.message), serde_json::from_str(&words(&detail)).unwrap())
}

#[test]
fn the_same_is_refused_as_the_same_fault() {
    let Some(plane) = plane("the_same_is_refused_as_the_same_fault") else { return };
    let stages = ["refuses", "refuses-too"].map(|name| Stage::new(plane, name));
    let drivers = [Driver::Four, Driver::Ours];
    let faults = |call: &str, arguments: &dyn Fn(&Stage) -> serde_json::Value, options: serde_json::Value| {
        let [real, ours] = [0, 1].map(|index| {
            let fault = stages[index].call(drivers[index], call, arguments(&stages[index]), &options).unwrap_err();
            told(&stages[index], &fault)
        });
        assert_eq!(real, ours, "{call}");
        ours
    };
    let web = |version: &'static str| move |stage: &Stage| json!(["web", stage.chart(version)]);
    for stage in &stages {
        stage.kubectl(&["create", "configmap", "web"]);
    }
    let (code, message, _) = faults("helm::install", &web("1.0.0"), json!({}));
    assert_eq!((code, message.as_str()), (Code::Conflict, "ConfigMap `NAMESPACE/web` was not made by any release"));
    faults("helm::upgrade", &web("1.0.0"), json!({ "install": true }));
    for (stage, driver) in stages.iter().zip(drivers) {
        stage.ok(driver, "helm::install", web("1.0.0")(stage), &json!({ "take_ownership": true }));
    }
    assert_eq!(faults("helm::install", &web("1.0.0"), json!({})).0, Code::ReleaseExists);
    assert_eq!(faults("helm::rollback", &|_| json!(["web", 9]), json!({})).0, Code::NotFound);
    assert_eq!(faults("helm::status", &|_| json!(["gone"]), json!({})).0, Code::ReleaseNotFound);
    assert_eq!(faults("helm::uninstall", &|_| json!(["gone"]), json!({})).0, Code::ReleaseNotFound);
    // Somebody takes a field that the chart wants otherwise.
    for stage in &stages {
        let patch = r#"{"data":{"color":"theirs"}}"#;
        stage.kubectl(&["patch", "configmap", "web", "--type=merge", "-p", patch]);
    }
    let (code, message, detail) = faults("helm::upgrade", &web("1.1.0"), json!({ "values": { "color": "ours" } }));
    assert_eq!(code, Code::Conflict);
    assert!(message.contains("`kubectl-patch` owns .data.color"), "{message}");
    assert_eq!(detail["conflicts"][0]["manager"], "kubectl-patch");
    assert_eq!(faults("helm::upgrade", &web("1.2.0"), json!({ "force_conflicts": true })).0, Code::HookFailed);
}
