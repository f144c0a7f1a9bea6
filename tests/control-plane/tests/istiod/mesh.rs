//! A control plane with a stand-in, and short ways to install charts and to look at what came of it.

use std::{
    collections::BTreeMap,
    thread::sleep,
    time::{Duration, Instant},
};

use runbook_control_plane::{Charts, ControlPlane, Helm, StandIn, State, charts_or_skip};
use serde_json::Value;

pub(crate) struct Mesh {
    pub(crate) plane: ControlPlane,
    stand_in: Option<StandIn>,
    charts: Charts,
    pub(crate) helm: Helm,
}

impl Mesh {
    /// Starts from a state, with every istiod in it at work; none if the test is skipped.
    pub(crate) fn start(test: &str, helm: Helm, state: &State) -> Option<Self> {
        charts_or_skip(test)?;
        let plane = ControlPlane::from_state(state).unwrap();
        let stand_in = StandIn::start(&plane).unwrap();
        Some(Self { plane, stand_in: Some(stand_in), charts: Charts::open().unwrap(), helm })
    }

    pub(crate) fn kubectl(&self, arguments: &[&str]) -> String {
        self.plane.run_kubectl(arguments).unwrap()
    }

    pub(crate) fn chart(&self, chart: &str, version: &str) -> String {
        self.charts.folder().join(format!("{chart}-{version}.tgz")).to_string_lossy().into_owned()
    }

    /// Installs or upgrades a release in `istio-system` and waits; the values as `--set` takes them.
    pub(crate) fn release(&self, name: &str, chart: &str, version: &str, values: &str) {
        self.try_release(name, chart, version, values).unwrap();
    }

    pub(crate) fn try_release(
        &self,
        name: &str,
        chart: &str,
        version: &str,
        values: &str,
    ) -> Result<String, runbook_control_plane::Fault> {
        let chart = self.chart(chart, version);
        let arguments = [
            "upgrade",
            "--install",
            name,
            &chart,
            "-n",
            "istio-system",
            "--create-namespace",
            "--wait",
            "--set",
            values,
        ];
        self.plane.run_helm(self.helm, &arguments)
    }

    /// Applies the objects of a tag, made of the istiod chart of a version, as Istio's instructions do.
    pub(crate) fn tag(&self, tag: &str, version: &str, revision: &str) {
        let chart = self.chart("istiod", version);
        let (tags, revision) = (format!("revisionTags={{{tag}}}"), format!("revision={revision}"));
        let mut arguments = vec!["template", "istiod", &chart, "--namespace", "istio-system"];
        arguments.extend(["--set", &tags, "--set", &revision]);
        arguments.extend(["-s", "templates/revision-tags-mwc.yaml", "-s", "templates/revision-tags-svc.yaml"]);
        self.plane.apply(&self.plane.run_helm(self.helm, &arguments).unwrap()).unwrap();
    }

    /// Objects of a kind: `pods -n shop`.
    pub(crate) fn list(&self, what: &str) -> Vec<Value> {
        let mut arguments = vec!["get", "-o", "json", "--show-managed-fields"];
        arguments.extend(what.split(' '));
        let listed: Value = serde_json::from_str(&self.kubectl(&arguments)).unwrap();
        listed["items"].as_array().cloned().unwrap_or_else(|| vec![listed])
    }

    pub(crate) fn one(&self, what: &str) -> Value {
        let mut found = self.list(what);
        assert_eq!(found.len(), 1, "{what}");
        found.remove(0)
    }

    /// Looks until something holds; what was looked for is said if it does not within a minute and a half.
    #[track_caller]
    pub(crate) fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let begun = Instant::now();
        while !holds(self) {
            assert!(begun.elapsed() < Duration::from_secs(90), "still not so: {what}");
            sleep(Duration::from_millis(100));
        }
    }

    /// Lets some time pass in which something might happen that must not.
    pub(crate) fn wait(&self, span: Duration) {
        sleep(span);
        assert!(self.plane.fallen().is_none(), "the control plane is still there");
    }

    /// Ends every istiod without a word.
    pub(crate) fn kill_istiods(&mut self) {
        self.stand_in = None;
    }

    /// Generation and image of the Deployments that were made for Gateways, by name.
    pub(crate) fn gateways(&self) -> BTreeMap<String, (u64, String)> {
        let deployments = self.list("deployments -A -l gateway.istio.io/managed");
        let described = deployments.iter().map(|one| {
            let image = one["spec"]["template"]["spec"]["containers"][0]["image"].as_str().unwrap().to_owned();
            (name(one), (one["metadata"]["generation"].as_u64().unwrap(), image))
        });
        described.collect()
    }

    /// What istiods wrote so far, leases and locks apart.
    pub(crate) fn writes(&self) -> usize {
        let entries = self.plane.audit().unwrap();
        let of_istiod = entries.iter().filter(|one| one.is_mutating() && one.user_agent.starts_with("pilot-discovery"));
        of_istiod.filter(|one| one.resource != "leases" && one.resource != "configmaps").count()
    }
}

pub(crate) fn name(object: &Value) -> String {
    object["metadata"]["name"].as_str().unwrap().to_owned()
}

/// A Gateway with one listener.
pub(crate) fn gateway(namespace: &str, name: &str, labels: &str, class: &str) -> String {
    let listener = match class {
        "istio-waypoint" => "{name: mesh, port: 15008, protocol: HBONE}",
        _ => "{name: http, port: 80, protocol: HTTP}",
    };
    format!(
        "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\n\
         metadata: {{name: {name}, namespace: {namespace}, labels: {{{labels}}}}}\n\
         spec: {{gatewayClassName: {class}, listeners: [{listener}]}}\n---\n"
    )
}
