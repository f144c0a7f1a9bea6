//! One istiod: who it is, read from its Deployment, and what it remembers between two rounds.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::Value;

use super::{
    claim::Claim, gateway::Applied, injection::Sidecar, release::Release, settings::Settings, template::Environment,
    view::View,
};
use crate::actor::json::{items, label, name, named, namespace, selects, text};

/// Who an istiod is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) namespace: String,
    /// The Deployment's name.
    pub(crate) name: String,
    /// The revision, `default` for an istiod without one.
    pub(crate) revision: String,
    pub(crate) release: Release,
    /// The environment of the container `discovery`.
    pub(crate) environment: Environment,
    /// The ConfigMaps with the mesh configuration and with the templates.
    config_maps: (String, String),
    pod_labels: Value,
}

impl Identity {
    /// Reads a Deployment; none where it runs no istiod of a version that can be told.
    pub(crate) fn of(deployment: &Value) -> Option<Self> {
        let template = &deployment["spec"]["template"];
        let discovery = named(items(template, "/spec/containers"), "discovery")?;
        let environment: Environment = items(discovery, "/env")
            .iter()
            .filter_map(|one| Some((one["name"].as_str()?.to_owned(), one["value"].as_str()?.to_owned())))
            .collect();
        let revision = environment.get("REVISION").map(String::as_str).or_else(|| label(deployment, "istio.io/rev"));
        let revision = revision.filter(|revision| !revision.is_empty()).unwrap_or("default").to_owned();
        let suffix = if revision == "default" { String::new() } else { format!("-{revision}") };
        Some(Self {
            namespace: namespace(deployment).to_owned(),
            name: name(deployment).to_owned(),
            revision,
            release: Release::of_image(text(discovery, "/image"))?,
            config_maps: (format!("istio{suffix}"), format!("istio-sidecar-injector{suffix}")),
            pod_labels: template["metadata"]["labels"].clone(),
            environment,
        })
    }

    /// Is a switch in the environment on? Absent means the fallback.
    pub(crate) fn is_on(&self, variable: &str, fallback: Switch) -> bool {
        match self.environment.get(variable).map(String::as_str) {
            Some("true" | "1") => true,
            Some("false" | "0") => false,
            _ => fallback == Switch::On,
        }
    }

    /// Is this istiod's control plane an ambient one?
    pub(crate) fn is_ambient(&self) -> bool {
        self.is_on("PILOT_ENABLE_AMBIENT", Switch::Off)
    }

    /// Does a Service send its requests to this istiod?
    pub(crate) fn serves(&self, service: &Value) -> bool {
        let selector = service["spec"]["selector"].as_object();
        let selector = selector.filter(|selector| !selector.is_empty()).cloned();
        namespace(service) == self.namespace
            && selector.is_some_and(|wanted| selects(&serde_json::json!({ "matchLabels": wanted }), &self.pod_labels))
    }

    /// Where proxies run that this istiod injects.
    pub(crate) fn sidecar(&self, view: &View) -> Sidecar {
        // Native sidecars are stable from Kubernetes 1.33 on, and chosen where every node has it.
        let chosen = self.release.chooses_native_sidecars() && view.nodes_have(33);
        let fallback = if chosen { Switch::On } else { Switch::Off };
        if self.is_on("ENABLE_NATIVE_SIDECARS", fallback) { Sidecar::Native } else { Sidecar::Plain }
    }

    /// What it may claim now.
    pub(crate) fn claim(&self, view: &View) -> Claim {
        let validator = view.validating.get("", "istiod-default-validator");
        let services: Vec<_> =
            view.services.all().into_iter().filter(|one| label(one, "istio.io/tag").is_some()).collect();
        Claim::of(&self.revision, self.release, &view.mutating.all(), &services, validator.as_deref())
    }
}

/// A switch's position where nothing is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Switch {
    On,
    Off,
}

/// An istiod that runs.
pub(crate) struct Istiod {
    pub(crate) identity: Identity,
    settings: Mutex<Option<Known>>,
    pub(crate) memory: tokio::sync::Mutex<Memory>,
}

/// What an istiod remembers as long as its process lives.
#[derive(Default)]
pub(crate) struct Memory {
    /// Has its own invalid configuration been refused once? From then on its webhooks fail closed.
    pub(crate) has_refused: bool,
    /// When it last tried whether it would be.
    pub(crate) tried: Option<jiff::Timestamp>,
    /// Is the Secret of its authority there?
    pub(crate) has_authority: bool,
    /// The minor version of Kubernetes 1, plus 100; 0 until it was asked for.
    pub(crate) kube_version: u32,
    /// The locks it holds.
    pub(crate) leads: Vec<&'static str>,
    /// What was last applied for each Gateway, by namespace and name.
    pub(crate) applied: BTreeMap<(String, String), Applied>,
}

/// The resource versions of the two ConfigMaps that settings were read from.
type Versions = (u64, u64);
/// Settings and what they were read from.
pub(crate) type Known = (Arc<Settings>, Versions);

impl Istiod {
    pub(crate) fn new(identity: Identity) -> Self {
        Self { identity, settings: Mutex::default(), memory: tokio::sync::Mutex::default() }
    }

    /// What its ConfigMaps say now. ConfigMaps that do not parse leave the settings as they were, as with the real one.
    pub(crate) fn settings(&self, view: &View) -> Option<Known> {
        let read = |name: &str| view.config_maps.get(&self.identity.namespace, name);
        let mut known = self.settings.lock().unwrap_or_else(PoisonError::into_inner);
        let (mesh, injector) = (&self.identity.config_maps.0, &self.identity.config_maps.1);
        if let (Some(mesh), Some(injector)) = (read(mesh), read(injector)) {
            let versions = (crate::actor::mirror::version(&mesh), crate::actor::mirror::version(&injector));
            if known.as_ref().is_none_or(|(_, of)| *of != versions) {
                let environment = self.identity.environment.clone();
                let parts =
                    (text(&mesh, "/data/mesh"), text(&injector, "/data/config"), text(&injector, "/data/values"));
                match Settings::parse(parts.0, parts.1, parts.2, environment) {
                    Ok(settings) => *known = Some((Arc::new(settings), versions)),
                    Err(reason) => {
                        tracing::warn!(istiod = %self.identity.name, %reason, "settings are left as they were");
                    }
                }
            }
        }
        known.clone()
    }
}
