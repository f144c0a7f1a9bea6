//! What a live run reads and renders by itself is what the helm that it drives would have said.

use serde_json::{Value, json};

use crate::handover::without_times;
use crate::stage::{Driver, Stage, plane};

/// Each helm, and the same as a live run drives it.
const PAIRS: [(Driver, Driver); 2] = [(Driver::Three, Driver::LiveThree), (Driver::Four, Driver::LiveFour)];

/// Demands the same answer, or the same fault.
fn demand_same(stage: &Stage, (real, live): (Driver, Driver), call: &str, positional: &Value, options: &Value) {
    let [real, live] = [real, live].map(|driver| match stage.call(driver, call, positional.clone(), options) {
        Ok(mut value) => {
            without_times(&mut value);
            value
        }
        Err(fault) => json!({ "code": fault.code.id(), "message": fault.message, "detail": fault.detail }),
    });
    assert_eq!(real, live, "{call} {positional} {options}");
}

/// A chart that asks the cluster what it is and has, and the release what happens to it.
const CURIOUS: &str = r#"apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}-seen}
data:
  kubernetes: {{ .Capabilities.KubeVersion.Version | quote }}
  helm: {{ (split "." .Capabilities.HelmVersion.Version)._0 | quote }}
  has: {{ .Capabilities.APIVersions.Has "apps/v1/Deployment" | quote }}
  lacks: {{ .Capabilities.APIVersions.Has "apps/v1beta1" | quote }}
  release: {{ printf "%s %v %v %v" .Release.Name .Release.IsInstall .Release.IsUpgrade .Release.Revision | quote }}
  found: {{ (lookup "v1" "Namespace" "" .Release.Namespace).kind | quote }}
  none: {{ lookup "v1" "ConfigMap" .Release.Namespace "nothing" | toJson | quote }}
  all: {{ (lookup "v1" "Secret" .Release.Namespace "").items | default list | len | quote }}
  nested: {{ .Values.nested | toJson | quote }}
"#;

#[test]
fn what_is_read_and_planned_is_what_helm_says() {
    let Some(plane) = plane("what_is_read_and_planned_is_what_helm_says") else { return };
    let nothing = json!({});
    for pair in PAIRS {
        let stage = Stage::new(plane, "live");
        let (one, two) = (stage.chart("1.0.0"), stage.chart("1.1.0"));
        for chart in [&one, &two] {
            let at = std::path::Path::new(chart.as_str().unwrap());
            fs_err::write(at.join("templates/seen.yaml"), CURIOUS).unwrap();
            let mut values = fs_err::read_to_string(at.join("values.yaml")).unwrap();
            values.push_str("nested: {a: 1, b: {c: x}, large: 10000000}\n");
            fs_err::write(at.join("values.yaml"), values).unwrap();
        }
        let planned: Vec<(&Value, Value)> = vec![
            (&one, nothing.clone()),
            (&one, json!({ "values": { "color": "blue", "nested": { "a": null, "b": null, "d": [1, 2.5] } } })),
            (&two, json!({ "set": { "ports": [80, 443], "replicas": 1_000_000 } })),
            (&two, json!({ "reuse_values": true, "values": { "env": { "B": "b" } } })),
            (&two, json!({ "reset_then_reuse_values": true, "values": { "color": null } })),
            (&two, json!({ "reset_values": true })),
        ];
        for (chart, options) in &planned {
            let mut options = options.clone();
            demand_same(&stage, pair, "helm::plan", &json!(["web", chart]), &options);
            options["install"] = json!(true);
            demand_same(&stage, pair, "helm::plan", &json!(["web", chart]), &options);
        }
        let values = json!({ "values": { "color": "green", "nested": { "b": null, "new": 1.5 }, "ports": [1, 2] } });
        stage.ok(pair.1, "helm::install", json!(["web", one]), &values);
        stage.ok(pair.0, "helm::install", json!(["other", two]), &json!({ "take_ownership": true }));
        for (chart, options) in &planned {
            demand_same(&stage, pair, "helm::plan", &json!(["web", chart]), options);
        }
        let upgraded = stage.ok(pair.1, "helm::upgrade", json!(["web", two]), &json!({ "values": { "color": "x" } }));
        assert_eq!(upgraded["revision"], 2);
        for call in ["history", "values", "manifest", "status", "exists"] {
            for release in ["web", "other", "absent"] {
                demand_same(&stage, pair, &format!("helm::{call}"), &json!([release]), &nothing);
            }
        }
        for options in [json!({ "all": true }), json!({ "revision": 1 }), json!({ "revision": 1, "all": true })] {
            demand_same(&stage, pair, "helm::values", &json!(["web"]), &options);
        }
        demand_same(&stage, pair, "helm::values", &json!(["web"]), &json!({ "revision": 9 }));
        demand_same(&stage, pair, "helm::manifest", &json!(["web"]), &json!({ "revision": 1 }));
        demand_same(&stage, pair, "helm::list", &json!([]), &nothing);
        for options in
            [nothing.clone(), json!({ "is_upgrade": true, "kube_version": "1.30", "values": { "color": null } })]
        {
            demand_same(&stage, pair, "helm::template", &json!([two]), &options);
        }
    }
}

#[test]
fn what_is_refused_is_refused_in_the_words_of_the_helm_that_is_driven() {
    let Some(plane) = plane("what_is_refused_is_refused_in_the_words_of_the_helm_that_is_driven") else { return };
    let install = json!({ "install": true });
    for pair in PAIRS {
        let stage = Stage::new(plane, "live-refuses");
        let chart = stage.chart("1.0.0");
        let at = std::path::Path::new(chart.as_str().unwrap()).to_owned();
        stage.kubectl(&["create", "configmap", "web"]);
        demand_same(&stage, pair, "helm::plan", &json!(["web", chart]), &install);
        for text in [
            "{{ fail \"not so\" }}",
            "{{ .Values.no.such }}",
            "{{ required \"a color\" .Values.shade }}",
            "{{ nothing }}",
            "apiVersion: nowhere/v1\nkind: Nothing\nmetadata: {name: x}\n",
        ] {
            fs_err::write(at.join("templates/broken.yaml"), text).unwrap();
            demand_same(&stage, pair, "helm::plan", &json!(["web-two", chart]), &install);
        }
        fs_err::write(at.join("templates/broken.yaml"), "").unwrap();
        fs_err::write(at.join("values.schema.json"), r#"{"properties":{"replicas":{"type":"integer","maximum":3}}}"#)
            .unwrap();
        let wrong = json!({ "install": true, "values": { "replicas": 4 } });
        demand_same(&stage, pair, "helm::plan", &json!(["web-two", chart]), &wrong);
        let about = fs_err::read_to_string(at.join("Chart.yaml")).unwrap();
        fs_err::write(at.join("Chart.yaml"), format!("{about}kubeVersion: '<1.20'\n")).unwrap();
        demand_same(&stage, pair, "helm::plan", &json!(["web-two", chart]), &install);
    }
}

#[test]
fn what_the_renderer_leaves_out_is_left_to_the_helm_that_is_driven() {
    let Some(plane) = plane("what_the_renderer_leaves_out_is_left_to_the_helm_that_is_driven") else { return };
    let stage = Stage::new(plane, "live-beyond");
    let chart = stage.chart("1.0.0");
    let at = std::path::Path::new(chart.as_str().unwrap()).join("templates/made.yaml");
    fs_err::write(
        at,
        "apiVersion: v1\nkind: Secret\nmetadata: {name: made}\ndata: {x: {{ genPrivateKey \"dsa\" | b64enc }}}\n",
    )
    .unwrap();
    let install = json!({ "install": true });
    for (_, live) in PAIRS {
        let plan = stage.ok(live, "helm::plan", json!(["web", chart]), &install);
        let added: Vec<_> = plan["added"].as_array().unwrap().iter().map(|one| one["object"].clone()).collect();
        assert!(added.contains(&json!("Secret/made")), "{added:?}");
    }
    let fault = stage.call(Driver::Ours, "helm::plan", json!(["web", chart]), &install).unwrap_err();
    assert!(fault.message.contains("use the helm binary"), "{fault}");
}
