//! Meshes of sidecars as prepared states, and running the runbooks that upgrade them.

use runbook_control_plane::{Helm, Release, State};
use serde_json::{Value, json};

use crate::runbook::{Ran, Runbook, charts};

const WORKLOADS: &str = include_str!("sidecar.yaml");

/// The releases of such a mesh, with their namespaces.
pub(crate) const RELEASES: [(&str, &str); 3] =
    [("istio-base", "istio-system"), ("istiod", "istio-system"), ("istio-ingress", "istio-ingress")];

/// A mesh of sidecars, un-revisioned: base, istiod with values of its own, a gateway; `shop` and `bank` ask for injection.
pub(crate) fn sidecar(version: &str, helm: Helm) -> State {
    let values = json!({ "meshConfig": { "accessLogFile": "/dev/stdout" }, "pilot": { "autoscaleMin": 2 } });
    sidecar_with(&format!("sidecar-{version}-{helm:?}").to_lowercase(), version, helm, &values)
}

/// The same with other values for istiod; the name is for people.
pub(crate) fn sidecar_with(name: &str, version: &str, helm: Helm, istiod: &Value) -> State {
    State::named(name)
        .gateway_api()
        .install(Release::of("base", version, helm))
        .install(Release::of("istiod", version, helm).values(istiod))
        .apply(WORKLOADS)
        .install(gateway(version, helm))
}

/// The gateway release `istio-ingress`. Charts before 1.25.5 are refused by their own schema (istio #57354).
pub(crate) fn gateway(version: &str, helm: Helm) -> Release {
    let release = Release::of("gateway", version, helm).in_namespace("istio-ingress");
    let minor: u32 = version.split('.').nth(1).and_then(|minor| minor.parse().ok()).unwrap_or_default();
    if minor < 25 { release.flag("--skip-schema-validation") } else { release }
}

impl Runbook<'_> {
    /// Runs a bundled runbook with the charts that the tests read.
    pub(crate) fn bundled(&self, name: &str, more: &[&str]) -> Ran {
        let charts = charts();
        self.run(&[&[name, "--charts", &charts, "--yes"], more].concat())
    }

    /// Runs the upgrade in place.
    pub(crate) fn in_place(&self, target: &str, more: &[&str]) -> Ran {
        self.bundled("in-place-upgrade.rhai", &[&["--target", target], more].concat())
    }
}
