//! Carrying out the steps of a state, for real.

use std::path::Path;

use super::{Release, State, Step, pending, settle};
use crate::build::gateway_api_crds;
use crate::chart::Charts;
use crate::fault::Fault;
use crate::plane::{ControlPlane, Helm, ServiceRange};
use crate::process::tail;
use crate::stand_in::StandIn;

impl State {
    /// Carries out all steps on a control plane with this range, ends it, and leaves etcd's data at `to`.
    pub(super) fn prepare(&self, range: &ServiceRange, to: &Path) -> Result<(), Fault> {
        let plane = ControlPlane::begin(range.clone(), None, self.nodes)?;
        let stand_in = StandIn::start(&plane)?;
        self.carry_out(&plane).map_err(|fault| Fault::Preparation {
            state: self.name().to_owned(),
            fault: Box::new(fault),
            warnings: warnings(&plane),
        })?;
        drop(stand_in);
        plane.end_and_keep(to)
    }

    fn carry_out(&self, plane: &ControlPlane) -> Result<(), Fault> {
        for step in &self.steps {
            step.carry_out(plane)?;
            plane.block_on(settle::webhooks(&plane.client()))?;
        }
        plane.settle()
    }
}

impl Step {
    fn carry_out(&self, plane: &ControlPlane) -> Result<(), Fault> {
        match self {
            Self::GatewayApi(version) => plane.install_gateway_api(version),
            Self::Install(release) => release.install(plane).map(drop),
            Self::Apply(yaml) => plane.apply(yaml),
            Self::Tag { tag, revision, version } => make_tag(plane, tag, revision, version),
            Self::Pending { release, namespace } => plane.block_on(pending::mark(&plane.client(), namespace, release)),
        }
    }
}

fn warnings(plane: &ControlPlane) -> String {
    let arguments = ["get", "events", "--all-namespaces", "--field-selector=type=Warning", "--sort-by=.lastTimestamp"];
    plane.run_kubectl(&arguments).map_or_else(|fault| fault.to_string(), |events| tail(&events, 10))
}

impl ControlPlane {
    /// Applies the Gateway API's CRDs of a version, such as `v1.5.1`, and waits until they are served.
    pub fn install_gateway_api(&self, version: &str) -> Result<(), Fault> {
        let files = gateway_api_crds(self.binaries(), version)?;
        let mut arguments = vec!["apply".to_owned(), "--server-side".to_owned()];
        arguments.extend(files.iter().map(|file| format!("--filename={}", file.display())));
        self.run_kubectl(&arguments.iter().map(String::as_str).collect::<Vec<_>>())?;
        let established = ["wait", "--for=condition=Established", "--timeout=30s", "crd", "--all"];
        self.run_kubectl(&established).map(drop)
    }
}

impl Release {
    /// Installs it as a person would, with `--wait`, and returns what helm printed.
    pub fn install(&self, plane: &ControlPlane) -> Result<String, Fault> {
        let package = Charts::open()?.package(&self.chart, &self.version)?;
        let package = package.to_string_lossy();
        let values = plane.folder()?.join(format!("{}.json", self.name));
        let mut arguments = vec!["install", &self.name, &package, "--namespace", &self.namespace];
        arguments.extend(["--create-namespace", "--wait", "--timeout=2m"]);
        let given = values.to_string_lossy();
        // No file at all where there are no values: helm treats the two differently at the next upgrade.
        if self.values.as_object().is_some_and(|values| !values.is_empty()) {
            fs_err::write(&values, self.values.to_string())?;
            arguments.extend(["--values", &given]);
        }
        arguments.extend(self.flags.iter().map(String::as_str));
        plane.run_helm(self.helm, &arguments)
    }
}

/// Renders and applies what Istio's instructions say, with the templates that this version of the chart has.
fn make_tag(plane: &ControlPlane, tag: &str, revision: &str, version: &str) -> Result<(), Fault> {
    let package = Charts::open()?.package("istiod", version)?;
    let minor: u32 = version.split('.').nth(1).and_then(|minor| minor.parse().ok()).unwrap_or_default();
    let templates: &[&str] = match minor {
        ..28 => &["--show-only=templates/revision-tags.yaml"],
        _ => &["--show-only=templates/revision-tags-mwc.yaml", "--show-only=templates/revision-tags-svc.yaml"],
    };
    let (revision, tags) = (format!("revision={revision}"), format!("revisionTags={{{tag}}}"));
    let package = package.to_string_lossy();
    let mut arguments =
        vec!["template", "istiod", &package, "--namespace=istio-system", "--set", &revision, "--set", &tags];
    arguments.extend(templates);
    let rendered = plane.run_helm(Helm::V3, &arguments)?;
    plane.apply(&rendered)
}
