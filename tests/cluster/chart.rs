//! `chart diff` of a release that is deployed: what a chart would change of it, told without changing anything.

use runbook_control_plane::{ControlPlane, Helm, required_or_skip};

use crate::runbook::Runbook;

const CONFIG: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\ndata:\n  color: {{ .Values.color | quote }}\n  is: {{ printf \"%v %v\" .Release.IsUpgrade .Release.Revision | quote }}\n  shade: {{ .Values.shade | quote }}\n";
const OLD: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}-old}\n";

#[test]
fn what_a_chart_changes_of_a_release_is_told_and_nothing_is_changed() {
    if required_or_skip("what_a_chart_changes_of_a_release_is_told_and_nothing_is_changed").is_none() {
        return;
    }
    let plane = ControlPlane::shared().unwrap();
    for (helm, namespace) in [(Helm::V3, "chart-diff-3"), (Helm::V4, "chart-diff-4")] {
        let folder = plane.folder().unwrap().join(namespace);
        let chart = |version: &str, shade: &str, templates: &[(&str, &str)]| {
            let at = folder.join(version);
            fs_err::create_dir_all(at.join("templates")).unwrap();
            fs_err::write(at.join("Chart.yaml"), format!("apiVersion: v2\nname: web\nversion: {version}\n")).unwrap();
            fs_err::write(at.join("values.yaml"), format!("color: red\nshade: {shade}\n")).unwrap();
            for (name, text) in templates {
                fs_err::write(at.join("templates").join(name), text).unwrap();
            }
            at.display().to_string()
        };
        let one = chart("1.0.0", "dark", &[("config.yaml", CONFIG), ("old.yaml", OLD)]);
        let two = chart("1.1.0", "light", &[("config.yaml", CONFIG)]);
        plane.run_kubectl(&["create", "namespace", namespace]).unwrap();
        plane.run_helm(helm, &["install", "web", &one, "-n", namespace, "--set", "color=blue"]).unwrap();
        let program = Runbook::new(plane, helm);
        let release = format!("{namespace}/web");
        program
            .look(&["chart", "diff", &release, &two])
            .exits(0)
            .says("web-1.0.0 -> web-1.1.0")
            .says("- ConfigMap/web-old")
            .says("~ ConfigMap/web data.is false 1 -> true 2 data.shade dark -> light")
            .says("0 added, 1 removed, 1 changed");
        let absent = format!("{namespace}/nothing");
        program.look(&["chart", "diff", &absent, &two]).exits(3).says("there is no release `nothing`");
        let history = plane.run_helm(helm, &["history", "web", "-n", namespace, "-o", "json"]).unwrap();
        assert_eq!(history.matches("\"revision\"").count(), 1, "{history}");
    }
}
