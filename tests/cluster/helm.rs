//! The helm primitives against a real API server, each claim with helm 3 and with helm 4.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use runbook_control_plane::{Charts, ControlPlane, Helm, charts_or_skip, required_or_skip};
use runbook_core::{Code, Fault, Value, world};
use serde_json::json;

use crate::bench::Bench;

const BOTH: [Helm; 2] = [Helm::V3, Helm::V4];

/// A bench whose helm is one of the two, and a namespace that only this test uses.
struct Stand {
    bench: Bench,
    plane: &'static ControlPlane,
    helm: Helm,
    namespace: String,
    folder: PathBuf,
}

impl Stand {
    fn new(plane: &'static ControlPlane, helm: Helm, name: &str) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = plane.folder().unwrap().join(format!("{name}-{number}"));
        fs_err::create_dir_all(&folder).unwrap();
        let mut roots = vec![folder.clone()];
        roots.extend(Charts::open().ok().map(|charts| charts.folder().to_owned()));
        let environment = plane.environment(helm).unwrap();
        let environment = environment.into_iter().map(|(k, v)| (k.to_owned(), v.into_string().unwrap())).collect();
        let program = Some(world::Program::File(plane.helm(helm).to_owned()));
        let driven = world::Helm { program, environment, ..world::Helm::default() };
        let bench = Bench::driving(&plane.kubeconfig(), &roots, driven);
        let namespace = format!("{name}-{number}");
        plane.run_kubectl(&["create", "namespace", &namespace]).unwrap();
        Self { bench, plane, helm, namespace, folder }
    }

    /// Arguments of a call: the positional ones, then a map with the namespace and the options.
    fn with_options(&self, positional: Value, options: &Value) -> Value {
        let Value::Array(mut arguments) = positional else { panic!("positional arguments are a list") };
        let mut all = json!({ "namespace": self.namespace });
        all.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
        arguments.push(all);
        Value::Array(arguments)
    }

    fn ok(&self, call: &str, positional: Value, options: &Value) -> Value {
        self.bench.ok(call, self.with_options(positional, options))
    }

    fn fault(&self, call: &str, positional: Value, options: &Value) -> Fault {
        self.bench.fault(call, self.with_options(positional, options))
    }

    /// A chart of our own: a ConfigMap, a Service, and what a version adds or drops.
    fn chart(&self, version: &str, templates: &[(&str, &str)]) -> Value {
        let folder = self.folder.join(format!("web-{version}"));
        fs_err::create_dir_all(folder.join("templates")).unwrap();
        let about = format!("apiVersion: v2\nname: web\nversion: {version}\nappVersion: \"{version}\"\n");
        fs_err::write(folder.join("Chart.yaml"), about).unwrap();
        fs_err::write(folder.join("values.yaml"), "color: red\n").unwrap();
        for (name, text) in [("config.yaml", CONFIG), ("service.yaml", SERVICE)].iter().chain(templates) {
            fs_err::write(folder.join("templates").join(name), text).unwrap();
        }
        json!(folder)
    }

    fn helm(&self, arguments: &[&str]) -> String {
        self.plane.run_helm(self.helm, &[arguments, &["--namespace", &self.namespace]].concat()).unwrap()
    }

    fn revisions(&self, release: &str) -> usize {
        let history: Value = serde_json::from_str(&self.helm(&["history", release, "-o", "json"])).unwrap();
        history.as_array().unwrap().len()
    }

    fn live(&self, object: &str) -> Value {
        let text = self.plane.run_kubectl(&["get", object, "-n", &self.namespace, "-o", "json"]).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    /// Begins an upgrade that waits for ever, and kills helm in the middle.
    fn cut_off(&self, release: &str, chart: &Value) {
        let mut child = Command::new(self.plane.helm(self.helm))
            .args(["upgrade", release, chart.as_str().unwrap(), "--wait", "--timeout", "5m"])
            .args(["--namespace", &self.namespace, "--set", "color=cut"])
            .envs(self.plane.environment(self.helm).unwrap())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while !self.helm(&["history", release]).contains("pending-upgrade") {
            assert!(begun.elapsed() < Duration::from_secs(30), "helm never began");
            std::thread::sleep(Duration::from_millis(50));
        }
        // Long enough for its objects to be sent.
        std::thread::sleep(Duration::from_secs(2));
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

const CONFIG: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\ndata:\n  color: {{ .Values.color | quote }}\n  upgrade: {{ .Release.IsUpgrade | quote }}\n";
const SERVICE: &str = "apiVersion: v1\nkind: Service\nmetadata: {name: {{ .Release.Name }}}\nspec: {selector: {app: web}, ports: [{port: 80}]}\n";
const NEVER: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: {{ .Release.Name }}-never}\nspec:\n  selector: {matchLabels: {app: never}}\n  template:\n    metadata: {labels: {app: never}}\n    spec: {nodeSelector: {no: where}, containers: [{name: c, image: \"i:1\"}]}\n";
const KEPT: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}-kept, annotations: {helm.sh/resource-policy: keep}}\n";

/// The control plane of this file's tests, or nothing where it cannot be had.
fn plane(test: &str) -> Option<&'static ControlPlane> {
    required_or_skip(test)?;
    Some(ControlPlane::shared().unwrap_or_else(|fault| panic!("{fault}")))
}

#[test]
fn a_release_is_installed_upgraded_and_left_alone_where_nothing_would_change() {
    let Some(plane) = plane("a_release_is_installed_upgraded_and_left_alone_where_nothing_would_change") else {
        return;
    };
    for helm in BOTH {
        let stand = Stand::new(plane, helm, "life");
        let (one, two) = (stand.chart("1.0.0", &[]), stand.chart("1.1.0", &[]));
        let blue = json!({ "values": { "color": "blue" } });
        let web = json!("web");
        let installed = stand.ok("helm::install", json!([web, one]), &blue);
        assert_eq!((&installed["changed"], &installed["revision"]), (&json!(true), &json!(1)));
        assert_eq!(stand.live("configmap/web")["data"]["color"], "blue");

        // What an install rendered differs from what an upgrade would by `.Release.IsUpgrade` alone: that is no change.
        let same = stand.ok("helm::upgrade", json!([web, one]), &blue);
        assert_eq!((&same["changed"], &same["revision"]), (&json!(false), &json!(1)), "{same:#}");
        let none_given = stand.ok("helm::upgrade", json!([web, one]), &json!({}));
        assert_eq!(none_given["changed"], false, "no values keep those of before");
        assert_eq!(stand.revisions("web"), 1);

        let upgraded = stand.ok("helm::upgrade", json!([web, two]), &blue);
        assert_eq!((&upgraded["revision"], &upgraded["previous_revision"]), (&json!(2), &json!(1)));
        assert_eq!(upgraded["version"], "1.1.0");
        let again = stand.ok("helm::upgrade", json!([web, two]), &blue);
        assert_eq!((&again["changed"], stand.revisions("web")), (&json!(false), 2));
        let forced = stand.ok("helm::upgrade", json!([web, two]), &json!({ "force": true }));
        assert_eq!((&forced["changed"], &forced["revision"]), (&json!(true), &json!(3)));

        let reset = stand.ok("helm::upgrade", json!([web, two]), &json!({ "values": {} }));
        assert_eq!((&reset["changed"], &stand.live("configmap/web")["data"]["color"]), (&json!(true), &json!("red")));
        let set = json!({ "set": { "color": "green", "nested.list[1]": true } });
        stand.ok("helm::upgrade", json!([web, two]), &set);
        let values = stand.ok("helm::values", json!([web]), &json!({}));
        assert_eq!(values, json!({ "color": "green", "nested": { "list": [null, true] } }));
        let first = stand.ok("helm::values", json!([web]), &json!({ "revision": 1 }));
        assert_eq!(first, json!({ "color": "blue" }));
    }
}

#[test]
fn a_plan_tells_what_an_upgrade_then_does() {
    let Some(plane) = plane("a_plan_tells_what_an_upgrade_then_does") else { return };
    for helm in BOTH {
        let stand = Stand::new(plane, helm, "plan");
        let web = json!("web");
        let one = stand.chart("1.0.0", &[("kept.yaml", KEPT), ("never.yaml", NEVER)]);
        let two = stand.chart("2.0.0", &[("never.yaml", &NEVER.replace("i:1", "i:2").replace("-never}", "-new}"))]);
        let absent = stand.fault("helm::plan", json!([web, one]), &json!({}));
        assert_eq!(absent.code, Code::ReleaseNotFound);
        let fresh = stand.ok("helm::plan", json!([web, one]), &json!({ "install": true }));
        assert_eq!((&fresh["exists"], fresh["added"].as_array().unwrap().len()), (&json!(false), 4));
        stand.ok("helm::install", json!([web, one]), &json!({}));
        let nothing = stand.ok("helm::plan", json!([web, one]), &json!({}));
        assert_eq!((&nothing["unchanged"], &nothing["count"]), (&json!(true), &json!(4)));

        let plan = stand.ok("helm::plan", json!([web, two]), &json!({ "set": { "color": "blue" } }));
        let names =
            |list: &str| -> Vec<_> { plan[list].as_array().unwrap().iter().map(|o| o["object"].clone()).collect() };
        assert_eq!(names("added"), [json!("Deployment/web-new")]);
        assert_eq!(names("removed"), [json!("ConfigMap/web-kept"), json!("Deployment/web-never")]);
        assert_eq!(plan["removed"][0]["kept"], true, "the live object says keep");
        assert_eq!(plan["removed"][1]["kept"], false);
        let changed = &plan["changed"][0];
        assert_eq!(changed["object"], "ConfigMap/web");
        assert!(
            changed["fields"]
                .as_array()
                .unwrap()
                .contains(&json!({ "path": "data.color", "old": "red", "new": "blue" }))
        );
        assert_eq!(stand.revisions("web"), 1, "a plan writes nothing");

        let upgraded = stand.ok("helm::upgrade", json!([web, two]), &json!({ "set": { "color": "blue" } }));
        assert_eq!(upgraded["diff"]["removed"], plan["removed"]);
        stand.live("configmap/web-kept");
        let gone = plane.run_kubectl(&["get", "deployment/web-never", "-n", &stand.namespace]).unwrap_err();
        assert!(gone.to_string().contains("not found"), "{gone}");
        assert_eq!(stand.ok("helm::manifest", json!([web]), &json!({})).as_array().unwrap().len(), 3);

        // Back to the first, which a second rollback finds done.
        let back = stand.ok("helm::rollback", json!([web, 1]), &json!({}));
        assert_eq!((&back["changed"], &back["revision"]), (&json!(true), &json!(3)));
        let done = stand.ok("helm::rollback", json!([web, 1]), &json!({}));
        assert_eq!((&done["changed"], stand.revisions("web")), (&json!(false), 3));
        let fault = stand.fault("helm::rollback", json!([web, 99]), &json!({}));
        assert_eq!((fault.code, fault.hint.as_deref()), (Code::NotFound, Some("there are 1, 2, 3")));
    }
}

#[test]
fn uninstalling_says_what_went_and_what_stayed() {
    let Some(plane) = plane("uninstalling_says_what_went_and_what_stayed") else { return };
    for helm in BOTH {
        let stand = Stand::new(plane, helm, "gone");
        let web = json!("web");
        let chart = stand.chart("1.0.0", &[("kept.yaml", KEPT)]);
        stand.ok("helm::install", json!([web, chart]), &json!({}));
        assert_eq!(stand.bench.ok("helm::exists", json!([web, { "namespace": stand.namespace }])), true);
        let taken = stand.fault("helm::install", json!([web, chart]), &json!({}));
        assert_eq!(taken.code, Code::ReleaseExists);
        let gone = stand.ok("helm::uninstall", json!([web]), &json!({ "wait": true }));
        assert_eq!(gone["kept"], json!(["ConfigMap/web-kept"]));
        assert_eq!(gone["deleted"], json!(["ConfigMap/web", "Service/web"]));
        stand.live("configmap/web-kept");
        assert_eq!(stand.bench.ok("helm::exists", json!([web, { "namespace": stand.namespace }])), false);
        assert_eq!(stand.fault("helm::uninstall", json!([web]), &json!({})).code, Code::ReleaseNotFound);
        let ignored = stand.ok("helm::uninstall", json!([web]), &json!({ "ignore_not_found": true }));
        assert_eq!(ignored["changed"], false);
    }
}

#[test]
fn a_release_that_a_killed_helm_left_pending_is_named_and_recovered_once() {
    let Some(plane) = plane("a_release_that_a_killed_helm_left_pending_is_named_and_recovered_once") else { return };
    for helm in BOTH {
        let stand = Stand::new(plane, helm, "pending");
        let web = json!("web");
        let one = stand.chart("1.0.0", &[]);
        let two = stand.chart("2.0.0", &[("never.yaml", NEVER)]);
        stand.ok("helm::install", json!([web, one]), &json!({}));
        stand.cut_off("web", &two);
        assert_eq!(stand.ok("helm::status", json!([web]), &json!({}))["pending"], true);
        for call in ["helm::upgrade", "helm::plan"] {
            let held = stand.fault(call, json!([web, one]), &json!({}));
            assert_eq!(held.code, Code::PendingRelease, "{call}: {held}");
            assert!(held.message.contains("revision 2 is `pending-upgrade` for "), "{}", held.message);
            assert!(held.hint.unwrap().contains("helm::recover"));
        }
        let listed = stand.bench.ok("helm::list", json!([{ "namespace": stand.namespace }]));
        assert_eq!(listed[0]["status"], "pending-upgrade", "a list leaves out no state");

        let young = stand.fault("helm::recover", json!([web]), &json!({}));
        assert_eq!(young.code, Code::PendingRelease);
        assert!(young.hint.unwrap().contains("may still be at work"));
        let recovered = stand.ok("helm::recover", json!([web]), &json!({ "stale_after": "1s" }));
        assert_eq!((&recovered["changed"], &recovered["back_to"]), (&json!(true), &json!(1)));
        assert_eq!(recovered["found"]["state"], "everything had been applied", "{recovered:#}");
        assert_eq!(stand.live("configmap/web")["data"]["color"], "red");
        let again = stand.ok("helm::recover", json!([web]), &json!({ "stale_after": "1s" }));
        assert_eq!((&again["changed"], &again["found"]["status"]), (&json!(false), &json!("deployed")));
        assert_eq!(stand.ok("helm::upgrade", json!([web, one]), &json!({}))["changed"], false);
    }
}

#[test]
fn a_failed_write_says_what_it_left_behind() {
    let Some(plane) = plane("a_failed_write_says_what_it_left_behind") else { return };
    for helm in BOTH {
        let stand = Stand::new(plane, helm, "left");
        let web = json!("web");
        let never = stand.chart("1.0.0", &[("never.yaml", NEVER)]);
        let wait = json!({ "wait": true, "timeout": "3s" });
        let late = stand.fault("helm::install", json!([web, never]), &wait);
        assert_eq!((late.code, late.detail["status"].as_str()), (Code::Timeout, Some("failed")), "{late:#?}");
        assert!(late.evidence.iter().any(|line| line == "left behind: revision 1 of release `web` is `failed`"));
        // A failed release may be upgraded; that is never taken for no change.
        let upgraded = stand.ok("helm::upgrade", json!([web, never]), &json!({}));
        assert_eq!((&upgraded["changed"], &upgraded["status"]), (&json!(true), &json!("deployed")));

        let hook = "apiVersion: v1\nkind: Pod\nmetadata: {name: hook, annotations: {helm.sh/hook: pre-upgrade}}\nspec: {nodeSelector: {no: where}, containers: [{name: c, image: i}]}\n";
        let hooked = stand.chart("1.2.0", &[("hook.yaml", hook)]);
        let failed = stand.fault("helm::upgrade", json!([web, hooked]), &json!({ "timeout": "2s" }));
        assert_eq!((failed.code, &failed.detail["hook"]), (Code::HookFailed, &json!("pre-upgrade")), "{failed:#?}");
    }
}

#[test]
fn the_second_ctrl_c_ends_helm_and_says_what_it_left_behind() {
    let Some(plane) = plane("the_second_ctrl_c_ends_helm_and_says_what_it_left_behind") else { return };
    for helm in BOTH {
        let stand = Stand::new(plane, helm, "stop");
        let chart = stand.chart("1.0.0", &[("never.yaml", NEVER)]);
        let interrupt = stand.bench.world().interrupt.clone();
        let begun = Instant::now();
        let fault = std::thread::scope(|scope| {
            scope.spawn(|| {
                while !stand.helm(&["list", "--pending"]).contains("pending-install") {
                    assert!(begun.elapsed() < Duration::from_mins(1), "helm never began");
                    std::thread::sleep(Duration::from_millis(50));
                }
                interrupt.press();
                // The first lets it go on.
                std::thread::sleep(Duration::from_secs(1));
                interrupt.press();
            });
            stand.fault("helm::install", json!(["web", chart]), &json!({ "wait": true, "timeout": "2m" }))
        });
        assert_eq!(fault.code, Code::Interrupted);
        let left = fault.evidence.last().unwrap();
        assert!(left.starts_with("left behind: revision 1 of release `web` is `"), "{fault:#?}");
    }
}

#[test]
fn an_object_of_another_release_is_named_with_its_owner() {
    let Some(plane) = plane("an_object_of_another_release_is_named_with_its_owner") else { return };
    for helm in BOTH {
        let stand = Stand::new(plane, helm, "owner");
        let fixed = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: fixed}\n";
        let chart = stand.chart("1.0.0", &[("fixed.yaml", fixed)]);
        stand.ok("helm::install", json!(["one", chart]), &json!({}));
        let fault = stand.fault("helm::install", json!(["two", chart]), &json!({}));
        assert_eq!((fault.code, fault.detail["owner"].as_str()), (Code::Conflict, Some("one")), "{fault:#?}");
        assert_eq!(fault.message, format!("ConfigMap `{}/fixed` belongs to release `one`", stand.namespace));
        let taken = stand.ok("helm::install", json!(["two", chart]), &json!({ "take_ownership": true }));
        assert_eq!(taken["changed"], true);
    }
}

#[test]
fn a_field_that_istiod_took_is_foreseen_and_named() {
    let Some(charts) = charts_or_skip("a_field_that_istiod_took_is_foreseen_and_named") else { return };
    let plane = ControlPlane::start().unwrap_or_else(|fault| panic!("{fault}"));
    // It lives as long as the test binary: a stand keeps to one for ever.
    let plane: &'static ControlPlane = Box::leak(Box::new(plane));
    let stand = Stand::new(plane, Helm::V4, "conflict");
    let chart =
        |version: &str| stand.bench.ok("helm::chart", json!(["base", { "charts": charts, "version": version }]));
    plane.run_kubectl(&["create", "namespace", "istio-system"]).unwrap();
    let base = json!("istio-base");
    stand.ok("helm::install", json!([base, chart("1.28.5")]), &json!({}));
    let take = r#"[{"op": "replace", "path": "/webhooks/0/failurePolicy", "value": "Fail"}]"#;
    let validator = ["validatingwebhookconfiguration", "istiod-default-validator"];
    plane
        .run_kubectl(
            &[&["patch"], &validator[..], &["--field-manager", "pilot-discovery", "--type", "json", "-p", take]]
                .concat(),
        )
        .unwrap();

    let field = r#".webhooks[name="validation.istio.io"].failurePolicy"#;
    let defaults = json!({ "set": { "global.logAsJson": true } });
    let plan = stand.ok("helm::plan", json!([base, chart("1.28.5")]), &defaults);
    let conflict = json!({
        "manager": "pilot-discovery", "fields": [field], "object": "ValidatingWebhookConfiguration/istiod-default-validator"
    });
    assert_eq!(plan["conflicts"], json!([conflict]));
    let fault = stand.fault("helm::upgrade", json!([base, chart("1.28.5")]), &defaults);
    assert_eq!(fault.code, Code::Conflict, "{fault:#?}");
    assert_eq!(fault.detail["conflicts"], json!([{ "manager": "pilot-discovery", "fields": [field] }]));
    assert_eq!(fault.detail["status"], "failed");

    // The chart that leaves the field alone meets none, and the field stays as istiod wants it.
    let guarded = stand.ok("helm::plan", json!([base, chart("1.28.10")]), &json!({}));
    assert_eq!(guarded["conflicts"], json!([]));
    let upgraded = stand.ok("helm::upgrade", json!([base, chart("1.28.10")]), &json!({}));
    assert_eq!(upgraded["version"], "1.28.10");
    let live = stand.live("validatingwebhookconfiguration/istiod-default-validator");
    assert_eq!(live["webhooks"][0]["failurePolicy"], "Fail");
    let kept = stand.ok("helm::uninstall", json!([base]), &json!({}))["kept"].clone();
    assert_eq!(kept.as_array().unwrap().len(), 14);
}

#[test]
fn charts_are_found_by_folder_and_by_url_and_shown_alike() {
    let Some(charts) = charts_or_skip("charts_are_found_by_folder_and_by_url_and_shown_alike") else { return };
    let Some(plane) = plane("charts_are_found_by_folder_and_by_url_and_shown_alike") else { return };
    let repository = Charts::open().unwrap().serve().unwrap();
    for helm in BOTH {
        let stand = Stand::new(plane, helm, "charts");
        let find = |place: &Value, version: &str| {
            stand.bench.call("helm::chart", json!(["istiod", { "charts": place, "version": version }]))
        };
        let (folder, url) = (json!(charts), json!(repository.url()));
        let (here, there) = (find(&folder, "1.30.3").unwrap(), find(&url, "1.30").unwrap());
        assert_eq!((&there["chart"], &there["repo"], &there["version"]), (&json!("istiod"), &url, &json!("1.30.3")));
        assert_eq!(here["digest"], there["digest"]);
        for place in [&folder, &url] {
            let fault = find(place, "1.30.2").unwrap_err();
            assert_eq!(fault.code, Code::ChartNotFound);
            assert!(fault.hint.as_ref().unwrap().starts_with("there are 1.30.3, 1.30.1, "), "{:?}", fault.hint);
        }
        let shown = [&here, &there].map(|chart| stand.bench.ok("helm::show", json!([chart])));
        assert_eq!(shown[0], shown[1]);
        assert_eq!(shown[0]["digest"], here["digest"]);
        let templates = shown[0]["templates"].as_array().unwrap();
        assert!(templates.contains(&json!("templates/revision-tags-mwc.yaml")));
        let one = json!({ "show_only": ["templates/deployment.yaml"], "values": { "revision": "1-30-3" } });
        let rendered = [&here, &there].map(|chart| stand.bench.ok("helm::template", json!([chart, one])));
        assert_eq!(rendered[0], rendered[1]);
        assert_eq!(rendered[0][0]["metadata"]["name"], "istiod-1-30-3");
        let absent = json!({ "show_only": ["templates/revision-tags.yaml"] });
        let fault = stand.bench.fault("helm::template", json!([here, absent]));
        assert_eq!((fault.code, &fault.detail["template"]), (Code::NotFound, &json!("templates/revision-tags.yaml")));

        // Both helms keep their repositories in one file.
        let name = format!("mine-{helm:?}").to_lowercase();
        let added = stand.bench.ok("helm::repo_add", json!([name, url]));
        assert_eq!(added["changed"], true);
        assert_eq!(stand.bench.ok("helm::repo_add", json!([name, url]))["changed"], false);
        stand.bench.ok("helm::repo_update", json!([{ "repos": [name] }]));
        let pull = json!([format!("{name}/cni"), { "version": "1.29.6", "destination": "." }]);
        let pulled = stand.bench.ok("helm::pull", pull.clone());
        assert!(Path::new(pulled["path"].as_str().unwrap()).is_file());
        assert_eq!(stand.bench.ok("helm::pull", pull)["changed"], false);
        let unknown = stand.bench.fault("helm::show", json!([format!("{name}/cni"), { "version": "9.9.9" }]));
        assert_eq!(unknown.code, Code::ChartNotFound);
    }
}

#[test]
fn a_gateway_chart_that_its_own_schema_refuses_passes_when_told_to() {
    let Some(charts) = charts_or_skip("a_gateway_chart_that_its_own_schema_refuses_passes_when_told_to") else {
        return;
    };
    let Some(plane) = plane("a_gateway_chart_that_its_own_schema_refuses_passes_when_told_to") else { return };
    for helm in BOTH {
        let stand = Stand::new(plane, helm, "schema");
        let chart = stand.bench.ok("helm::chart", json!(["gateway", { "charts": charts, "version": "1.24.6" }]));
        let refused = stand.bench.fault("helm::template", json!([chart]));
        assert_eq!(refused.code, Code::RenderFailed);
        assert!(refused.hint.unwrap().contains("skip_schema_validation"));
        let objects = stand.bench.ok("helm::template", json!([chart, { "skip_schema_validation": true }]));
        assert!(objects.as_array().unwrap().iter().any(|object| object["kind"] == "Deployment"));
    }
}

#[test]
fn helm_never_goes_to_another_cluster_than_the_run() {
    let Some(plane) = plane("helm_never_goes_to_another_cluster_than_the_run") else { return };
    let stand = Stand::new(plane, Helm::V4, "where");
    let nowhere = stand.bench.fault("helm::list", json!([{ "context": "elsewhere" }]));
    assert_eq!(nowhere.code, Code::NoCluster);
    let absent = stand.fault("helm::values", json!(["nothere"]), &json!({}));
    assert_eq!((absent.code, absent.object.as_deref()), (Code::ReleaseNotFound, Some("release nothere")));
}

#[test]
fn every_example_of_helm_does_what_it_says() {
    let Some(plane) = plane("every_example_of_helm_does_what_it_says") else { return };
    for helm in BOTH {
        for primitive in runbook_stdlib::helm::ALL {
            for example in primitive.examples {
                let stand = Stand::new(plane, helm, "example");
                let charts = stand.folder.join("charts");
                fs_err::create_dir_all(&charts).unwrap();
                for version in ["1.0.0", "1.1.0"] {
                    let chart = stand.chart(version, &[]);
                    let into = charts.to_str().unwrap();
                    plane.run_helm(helm, &["package", chart.as_str().unwrap(), "--destination", into]).unwrap();
                }
                if example.cluster == "shop" {
                    stand.helm(&[
                        "install",
                        "web",
                        &format!("{}/web-1.0.0.tgz", charts.display()),
                        "--set",
                        "color=green",
                    ]);
                }
                // Examples speak of namespace `shop`; each runs in one of its own.
                let script = example.script.replace("\"shop\"", &format!("\"{}\"", stand.namespace));
                let answer = stand.bench.script(&script).unwrap_or_else(|fault| panic!("{script}\n{fault:#?}"));
                let expected: Value = serde_json::from_str(example.expect).unwrap();
                assert!(holds(&expected, &answer), "{script}\nexpected {expected:#}\nanswered {answer:#}");
            }
        }
    }
}

/// Whether an answer holds everything that is expected, and perhaps more.
fn holds(expected: &Value, answer: &Value) -> bool {
    match (expected, answer) {
        (Value::Object(expected), Value::Object(answer)) => {
            expected.iter().all(|(key, value)| answer.get(key).is_some_and(|answer| holds(value, answer)))
        }
        (expected, answer) => expected == answer,
    }
}
