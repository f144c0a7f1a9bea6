//! Calls over the seam with a stand-in for helm: a shell script that writes down how it was called.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use runbook_core::arg::Arg;
use runbook_core::{Code, Fault, Outcome, Primitive, Value, param};
use serde_json::json;
use tempfile::TempDir;

use super::archive::write_chart;
use super::{chart, install, repo_add, repo_update, show, template, uninstall, upgrade, values};
use crate::bench::Bench;

/// A bench with a helm that is a shell script; `$LOG` is the folder that it may write into.
struct Stand {
    folder: TempDir,
    bench: Bench,
}

impl Stand {
    fn with(script: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("helm");
        fs_err::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs_err::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        write_chart(&folder.path().join("tiny"), "tiny", "0.1.0", &[]);
        let at = folder.path().to_owned();
        let bench = Bench::with(|world| {
            world.helm.program = Some(runbook_core::world::Program::File(program));
            // The script is asked for everything.
            world.helm.reads = runbook_core::world::Reads::Program;
            world.helm.environment = vec![
                ("PATH".to_owned(), "/usr/bin:/bin".to_owned()),
                ("LOG".to_owned(), at.display().to_string()),
                ("HOME".to_owned(), at.display().to_string()),
                ("HELM_KUBECONTEXT".to_owned(), "elsewhere".to_owned()),
                ("HELM_NAMESPACE".to_owned(), "elsewhere".to_owned()),
            ];
            world.files.roots = vec![at];
        });
        Self { folder, bench }
    }

    /// A helm that says it is 4.3.1, then does the rest of the script.
    fn four(script: &str) -> Self {
        Self::with(&format!("[ \"$1\" = version ] && {{ echo v4.3.1; echo asked >> $LOG/asked; exit 0; }}\n{script}"))
    }

    fn template(&self, options: &Value) -> Outcome {
        self.bench.call(&template::TEMPLATE, &[json!("./tiny"), options.clone()])
    }

    fn log(&self, name: &str) -> String {
        fs_err::read_to_string(self.folder.path().join(name)).unwrap_or_default()
    }
}

#[test]
fn values_travel_in_a_private_file_that_is_gone_afterwards() {
    let stand = Stand::four(
        r#"echo "$@" > $LOG/args; env > $LOG/env; pwd > $LOG/folder
for a in "$@"; do case $a in --values=*) f=${a#--values=}; cp $f $LOG/values; stat -c %a $f $(dirname $f) > $LOG/modes; echo $f > $LOG/file;; esac; done
echo 'kind: ConfigMap'"#,
    );
    let options = json!({ "values": { "db": { "password": "hunter2hunter2" }, "on": "yes" }, "set": { "a.b": 1 } });
    assert_eq!(stand.template(&options).unwrap(), json!([{ "kind": "ConfigMap" }]));
    let values: Value = serde_json::from_str(&stand.log("values")).unwrap();
    assert_eq!(values, json!({ "db": { "password": "hunter2hunter2" }, "on": "yes", "a": { "b": 1 } }));
    assert_eq!(stand.log("modes"), "600\n700\n");
    assert!(!Path::new(stand.log("file").trim()).exists() && !Path::new(stand.log("folder").trim()).exists());
    assert!(!stand.log("args").contains("hunter2") && !stand.log("env").contains("hunter2"));
    assert!(!stand.log("env").contains("elsewhere"), "settings that lead to another cluster are left out");
}

#[test]
fn values_are_gone_and_hidden_when_helm_fails() {
    let stand = Stand::four(
        r#"for a in "$@"; do case $a in --values=*) echo ${a#--values=} > $LOG/file;; esac; done
echo "Error: execution error at (tiny/templates/a.yaml:1:2): bad password hunter2hunter2" >&2; exit 1"#,
    );
    let fault = stand.template(&json!({ "values": { "password": "hunter2hunter2" } })).unwrap_err();
    assert_eq!(fault.code, Code::RenderFailed);
    assert!(!Path::new(stand.log("file").trim()).exists());
    let everything = format!("{}{}", serde_json::to_string(&fault).unwrap(), json!(stand.bench.written()));
    assert!(!everything.contains("hunter2"), "{everything}");
    assert!(everything.contains("<secret 1>"), "{everything}");
}

#[test]
fn helm_is_asked_for_its_version_once_in_a_run() {
    let stand = Stand::four("exit 0");
    for _ in 0..3 {
        stand.template(&json!({})).unwrap();
    }
    assert_eq!(stand.log("asked"), "asked\n");
}

#[test]
fn a_helm_that_is_missing_too_old_or_none_at_all_is_named() {
    let message = |stand: &Stand| -> Fault { stand.template(&json!({})).unwrap_err() };
    let old = message(&Stand::with("echo v3.10.0"));
    assert_eq!(old.code, Code::HelmMissing);
    assert!(old.message.ends_with("is helm 3.10.0; helm 3.14 or newer, or helm 4, is needed"), "{}", old.message);
    let odd = message(&Stand::with("echo no idea; exit 3"));
    assert!(odd.message.contains("does not say which helm it is"), "{}", odd.message);
    let gone = Stand::with("exit 0");
    fs_err::remove_file(gone.folder.path().join("helm")).unwrap();
    assert!(message(&gone).message.contains("cannot be started"));
    let none = Bench::new().call(&repo_update::REPO_UPDATE, &[]);
    assert_eq!(none.unwrap()["changed"], true, "where there is no helm, charts are the built-in one's");
    let none = Bench::new().call(&values::VALUES, &[json!("web")]).unwrap_err();
    assert_eq!(none.message, "no helm was found; helm 3.14 or newer, or helm 4, is needed");
}

#[test]
fn what_a_helm_cannot_do_is_a_fault_that_names_it() {
    let stand = Stand::with("[ \"$1\" = version ] && { echo v3.15.4; exit 0; }; echo ran > $LOG/ran");
    let fault = stand.template(&json!({ "skip_schema_validation": true })).unwrap_err();
    assert_eq!(fault.code, Code::HelmFeature);
    assert_eq!(fault.message, "`skip_schema_validation` needs helm 3.16 or newer, but this is 3.15.4");
    assert_eq!(stand.log("ran"), "");
}

#[test]
fn a_local_chart_of_another_version_is_not_taken() {
    let stand = Stand::four("echo ran > $LOG/ran");
    let fault = stand.template(&json!({ "version": "0.2.0" })).unwrap_err();
    assert_eq!(
        (fault.code, fault.message.as_str()),
        (Code::ChartNotFound, "chart `./tiny` is of version 0.1.0, not 0.2.0")
    );
    assert_eq!(stand.log("ran"), "");
}

#[test]
fn a_chart_must_say_where_it_is_and_may_not_look_like_a_flag() {
    let stand = Stand::four("echo ran > $LOG/ran");
    for chart in ["tiny", "--post-renderer=evil", "", "../../etc"] {
        let fault = stand.bench.call(&template::TEMPLATE, &[json!(chart)]).unwrap_err();
        assert!([Code::WrongArgument, Code::FileAccess].contains(&fault.code), "{chart}: {fault}");
    }
    assert_eq!(stand.log("ran"), "");
}

fn folder_of_charts(stand: &Stand) -> PathBuf {
    let charts = stand.folder.path().join("charts");
    fs_err::create_dir(&charts).unwrap();
    for version in ["1.29.6", "1.30.3"] {
        fs_err::write(charts.join(format!("istiod-{version}.tgz")), version).unwrap();
    }
    charts
}

#[test]
fn a_folder_of_charts_gives_the_version_that_is_meant_with_its_digest() {
    let stand = Stand::four("exit 1");
    let charts = folder_of_charts(&stand);
    let find = |options: Value| stand.bench.call(&chart::CHART, &[json!("istiod"), options]);
    let found = find(json!({ "charts": "charts", "version": "1.29" })).unwrap();
    assert_eq!(found["chart"], json!(charts.join("istiod-1.29.6.tgz").canonicalize().unwrap()));
    assert_eq!((&found["version"], &found["repo"]), (&json!("1.29.6"), &Value::Null));
    assert_eq!(found["digest"], json!(runbook_core::digest::of_bytes(b"1.29.6")));
    let fault = find(json!({ "charts": "charts", "version": "1.31.0" })).unwrap_err();
    assert_eq!((fault.code, fault.hint.as_deref()), (Code::ChartNotFound, Some("there are 1.30.3, 1.29.6")));
    assert_eq!(find(json!({ "charts": "charts", "version": "1.31.0", "or": null })).unwrap(), Value::Null);
    // An unpacked chart beside the archives comes first.
    write_chart(&charts.join("istiod"), "istiod", "1.27.9", &[]);
    assert_eq!(find(json!({ "charts": "charts" })).unwrap()["version"], "1.27.9");
}

#[test]
fn an_archive_that_is_not_what_the_index_says_is_refused() {
    let stand = Stand::four("exit 1");
    let charts = folder_of_charts(&stand);
    let index = "entries: {istiod: [{version: 1.30.3, digest: abc, urls: [https://x.example/istiod-1.30.3.tgz]}]}";
    fs_err::write(charts.join("index.yaml"), index).unwrap();
    let fault = stand.bench.call(&chart::CHART, &[json!("istiod"), json!({ "charts": "charts" })]).unwrap_err();
    assert_eq!((fault.code, fault.evidence[0].as_str()), (Code::ChartNotFound, "listed digest abc"));
}

#[test]
fn an_archive_that_changed_since_it_was_found_is_refused() {
    let stand = Stand::four("echo ran > $LOG/ran");
    let found = json!({ "chart": "./charts/istiod-1.30.3.tgz", "version": "1.30.3", "digest": "abc" });
    folder_of_charts(&stand);
    let fault = stand.bench.call(&template::TEMPLATE, &[found]).unwrap_err();
    assert!(fault.message.contains("has changed since it was looked up"), "{}", fault.message);
    assert_eq!(stand.log("ran"), "");
}

#[test]
fn what_is_in_a_local_chart_is_shown_without_helm() {
    let stand = Stand::with("echo ran > $LOG/ran");
    let shown = stand.bench.call(&show::SHOW, &[json!("./tiny")]).unwrap();
    assert_eq!((&shown["version"], &shown["values"]), (&json!("0.1.0"), &json!({ "color": "red" })));
    assert_eq!(stand.log("ran"), "");
}

#[test]
fn a_password_for_a_repository_is_typed_in_not_passed() {
    let stand = Stand::four(
        "[ \"$2\" = list ] && { echo 'Error: no repositories to show' >&2; exit 1; }\necho \"$@\" > $LOG/args; cat > $LOG/input",
    );
    let options = json!({ "username": "me", "password": "hunter2hunter2" });
    let added =
        stand.bench.call(&repo_add::REPO_ADD, &[json!("istio"), json!("https://charts.example"), options]).unwrap();
    assert_eq!(added["changed"], true);
    assert_eq!(
        stand.log("args"),
        "repo add --force-update --username=me --password-stdin istio https://charts.example\n"
    );
    assert_eq!(stand.log("input"), "hunter2hunter2");
    assert!(!json!(stand.bench.written()).to_string().contains("hunter2"));
}

#[test]
fn a_repository_that_is_known_is_not_added_again_and_never_silently_replaced() {
    let known = r#"[ "$2" = list ] && { echo '[{"name":"istio","url":"https://charts.example"}]'; exit 0; }
echo ran > $LOG/ran"#;
    let stand = Stand::four(known);
    let add = |url: &str| stand.bench.call(&repo_add::REPO_ADD, &[json!("istio"), json!(url)]);
    assert_eq!(add("https://charts.example/").unwrap()["changed"], false);
    assert_eq!(add("https://other.example").unwrap_err().code, Code::Conflict);
    assert_eq!(stand.log("ran"), "");
}

#[test]
fn each_call_tells_the_command_a_person_would_have_typed() {
    let typed = |primitive: &'static Primitive, given: Value| {
        let Value::Array(given) = given else { panic!("arguments are a list") };
        let args = param::bind(primitive, given.into_iter().map(Arg::Value).collect()).unwrap();
        ((primitive.announce)(&args), (primitive.command)(&args).unwrap().line())
    };
    let found = json!({ "chart": "web", "repo": "https://charts.example", "version": "1.1.0", "digest": "abc" });
    let options = json!({
        "namespace": "shop", "values": { "password": "hunter2" }, "values_files": ["base.yaml"], "set": { "a": 1 },
        "wait": true, "timeout": "10m", "take_ownership": true, "server_side": false, "description": "a new colour",
    });
    assert_eq!(
        typed(&upgrade::UPGRADE, json!(["web", found, options])),
        (
            "upgrade web to web 1.1.0 in shop".to_owned(),
            "helm upgrade web web --repo https://charts.example --version 1.1.0 --namespace shop -f base.yaml -f web.yaml \
             --take-ownership --wait --server-side=false --timeout 600s --description 'a new colour'"
                .to_owned()
        )
    );
    let local = json!({ "chart": "/charts/web-1.1.0.tgz", "version": "1.1.0" });
    assert_eq!(
        typed(&install::INSTALL, json!(["web", local, { "namespace": "shop" }])),
        (
            "install web from web 1.1.0 in shop".to_owned(),
            "helm install web /charts/web-1.1.0.tgz --namespace shop".to_owned()
        )
    );
    let gone = json!(["web", { "namespace": "shop", "ignore_not_found": true }]);
    assert_eq!(typed(&uninstall::UNINSTALL, gone).1, "helm uninstall web --namespace shop --ignore-not-found");
    assert_eq!(
        typed(&values::VALUES, json!(["web", { "revision": 3, "all": true }])).1,
        "helm get values web --revision 3 --all -o yaml"
    );
}

#[test]
fn options_that_contradict_each_other_are_refused_before_anything_is_sent() {
    let stand = Stand::four("echo ran > $LOG/ran");
    let options = json!({ "namespace": "shop", "reset_values": true, "reuse_values": true });
    let fault = stand.bench.call(&upgrade::UPGRADE, &[json!("web"), json!("./tiny"), options]).unwrap_err();
    assert_eq!(fault.message, "`reset_values` and `reuse_values` contradict each other");
    let missing = stand.bench.call(&upgrade::UPGRADE, &[json!("web"), json!("./tiny")]).unwrap_err();
    assert!(missing.message.starts_with("`helm::upgrade` needs `namespace`"), "{}", missing.message);
    let atomic = json!({ "namespace": "shop", "atomic": true });
    let fault = stand.bench.call(&upgrade::UPGRADE, &[json!("web"), json!("./tiny"), atomic]).unwrap_err();
    assert_eq!(fault.code, Code::UnknownOption);
    let named = json!({ "namespace": "shop" });
    let fault = stand.bench.call(&upgrade::UPGRADE, &[json!("--kubeconfig=x"), json!("./tiny"), named]).unwrap_err();
    assert_eq!(fault.code, Code::WrongArgument);
    assert_eq!(stand.log("ran"), "");
}
