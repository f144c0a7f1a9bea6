//! The states that tests start from, by name.

use serde_json::json;

use super::{Release, State};
use crate::plane::Helm;

const WORKLOADS: &str = include_str!("manifests/workloads.yaml");
const CONFIGURATION: &str = include_str!("manifests/configuration.yaml");
const GATEWAYS: &str = include_str!("manifests/gateways.yaml");

impl State {
    /// A cluster with the Gateway API and nothing of Istio.
    pub fn bare() -> Self {
        Self::named("bare").gateway_api()
    }

    /// An ambient mesh of one version, un-revisioned: base, istiod, cni, ztunnel, a gateway in `istio-ingress`; workloads
    /// in `shop` and `bank`, an object of each kind that Istio has, and a waypoint in each of the two namespaces.
    pub fn ambient(version: &str, helm: Helm) -> Self {
        let release = |chart| Release::of(chart, version, helm);
        Self::named(&format!("ambient-{version}-{}", short(helm)))
            .gateway_api()
            .install(release("base"))
            .install(release("istiod").values(&json!({
                "profile": "ambient",
                "meshConfig": { "accessLogFile": "/dev/stdout" },
            })))
            .install(release("cni").values(&json!({ "profile": "ambient", "global": { "logAsJson": true } })))
            .install(release("ztunnel").values(&json!({ "terminationGracePeriodSeconds": 45 })))
            .apply(WORKLOADS)
            .apply(CONFIGURATION)
            .apply(GATEWAYS)
            .install(gateway(version, helm))
    }

    /// The same mesh under a revision named after the version (`1-29-6`), which the tag `stable` points to: both
    /// waypoints and the gateway follow the tag.
    pub fn ambient_revisioned(version: &str, helm: Helm) -> Self {
        let release = |chart| Release::of(chart, version, helm);
        let revision = version.replace('.', "-");
        let revisioned = json!({ "revision": revision });
        Self::named(&format!("ambient-revisioned-{version}-{}", short(helm)))
            .gateway_api()
            .install(release("base").values(&json!({ "defaultRevision": revision })))
            .install(release("istiod").named(&format!("istiod-{revision}")).values(&revisioned).values(&json!({
                "profile": "ambient",
                "meshConfig": { "accessLogFile": "/dev/stdout" },
            })))
            .install(release("cni").values(&json!({ "profile": "ambient", "global": { "logAsJson": true } })))
            .install(release("ztunnel").values(&revisioned).values(&json!({ "terminationGracePeriodSeconds": 45 })))
            .tag("stable", &revision, version)
            .apply(WORKLOADS)
            .apply(CONFIGURATION)
            .apply(
                &GATEWAYS
                    .replace("istio.io/waypoint-for: service", "istio.io/waypoint-for: service, istio.io/rev: stable"),
            )
            .install(gateway(version, helm).values(&json!({ "revision": "stable" })))
    }

    /// A state by the name that its own constructor gives it, such as `ambient-1.29.6-helm3`.
    pub fn by_name(name: &str) -> Option<Self> {
        let (rest, helm) = name.rsplit_once('-').unwrap_or((name, ""));
        let helm = [Helm::V3, Helm::V4].into_iter().find(|known| short(*known) == helm);
        match (rest, helm) {
            ("bare", None) => Some(Self::bare()),
            (_, None) => None,
            (rest, Some(helm)) => match (rest.strip_prefix("ambient-revisioned-"), rest.strip_prefix("ambient-")) {
                (Some(version), _) => Some(Self::ambient_revisioned(version, helm)),
                (None, Some(version)) => Some(Self::ambient(version, helm)),
                (None, None) => None,
            },
        }
    }
}

fn short(helm: Helm) -> &'static str {
    match helm {
        Helm::V3 => "helm3",
        Helm::V4 => "helm4",
    }
}

/// The ingress gateway. Its chart's schema forbids what its own defaults hold, in versions that helm has since learned to
/// hold to it (istio #57354).
fn gateway(version: &str, helm: Helm) -> Release {
    let release = Release::of("gateway", version, helm).in_namespace("istio-ingress");
    let minor: u32 = version.split('.').nth(1).and_then(|minor| minor.parse().ok()).unwrap_or_default();
    if minor < 25 { release.flag("--skip-schema-validation") } else { release }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_found_by_its_own_name() {
        let states = [State::ambient("1.29.6", Helm::V3), State::ambient_revisioned("1.29.6", Helm::V4), State::bare()];
        for state in states {
            let found = State::by_name(state.name()).unwrap();
            assert_eq!(format!("{found:?}"), format!("{state:?}"));
        }
        assert!(State::by_name("sidecar").is_none());
    }
}
