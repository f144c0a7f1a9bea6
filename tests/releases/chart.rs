//! The charts that the releases of these tests are made of: small, with what operations differ by.
//!
//! Does not know who installs them.

use std::path::Path;

use serde_json::{Value, json};

const CONFIG: &str = r"apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}
data:
  color: {{ .Values.color | quote }}
  revision: {{ .Release.Revision | quote }}
";

const SERVICE: &str = r"apiVersion: v1
kind: Service
metadata:
  name: {{ .Release.Name }}
spec:
  selector: {app: web}
  ports:
  {{- range .Values.ports }}
  - {name: p{{ . }}, port: {{ . }}}
  {{- end }}
";

const DEPLOYMENT: &str = r#"apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: {{ .Values.app }}}}
  template:
    metadata: {labels: {app: {{ .Values.app }}}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: web
        image: "web:{{ .Chart.Version }}"
        env:
        {{- range $name, $value := .Values.env }}
        - {name: {{ $name }}, value: {{ $value | quote }}}
        {{- end }}
        volumeMounts: [{name: tmp, mountPath: /tmp}]
      volumes: [{name: tmp, emptyDir: {}}]
"#;

const OLD: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}-old}\n";
const KEPT: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}-kept, annotations: {helm.sh/resource-policy: keep}}\n";
const NEW: &str = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: {{ .Release.Name }}}\n";

/// Left behind after each run, and made anew before the next.
const STAYS: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-hook\n  annotations: {helm.sh/hook: \"pre-install,pre-upgrade,pre-rollback\", helm.sh/hook-weight: \"-5\"}\ndata: {at: {{ .Release.Revision | quote }}}\n";

/// A job that runs to its end and is tidied away.
const JOB: &str = r#"apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .Release.Name }}-job
  annotations: {helm.sh/hook: post-upgrade, helm.sh/hook-delete-policy: "hook-succeeded,before-hook-creation"}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers: [{name: c, image: "i:1"}]
"#;

/// The server takes it from nobody: a number where a text belongs.
const BROKEN_HOOK: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}-bad, annotations: {helm.sh/hook: pre-upgrade}}\ndata: {x: 1}\n";

/// Writes a chart and gives its folder: `1.0.0`, `1.1.0` with a hook that runs, `1.2.0` whose hook cannot be made.
pub(crate) fn write(folder: &Path, version: &str) -> Value {
    let at = folder.join(format!("web-{version}"));
    fs_err::create_dir_all(at.join("templates")).unwrap();
    let about = format!("apiVersion: v2\nname: web\nversion: {version}\nappVersion: \"{version}\"\n");
    fs_err::write(at.join("Chart.yaml"), about).unwrap();
    let values = "color: red\nports: [80]\nreplicas: 1\napp: web\nenv: {A: a, C: c}\n";
    fs_err::write(at.join("values.yaml"), values).unwrap();
    let common =
        [("config.yaml", CONFIG), ("service.yaml", SERVICE), ("deployment.yaml", DEPLOYMENT), ("stays.yaml", STAYS)];
    let own: &[(&str, &str)] = match version {
        "1.0.0" => &[("old.yaml", OLD), ("kept.yaml", KEPT)],
        "1.1.0" => &[("new.yaml", NEW), ("job.yaml", JOB)],
        _ => &[("broken.yaml", BROKEN_HOOK)],
    };
    for (name, text) in common.iter().chain(own) {
        fs_err::write(at.join("templates").join(name), text).unwrap();
    }
    json!(at)
}
