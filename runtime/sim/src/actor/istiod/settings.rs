//! What one istiod is told by its ConfigMaps: the mesh configuration, the values and the injection templates.
//!
//! Not known here: how the ConfigMaps are read, or which revision they belong to.

use std::collections::BTreeMap;

use serde_json::Value;

use super::template::{Environment, Program};
use crate::actor::json::{items, text};

/// The parsed ConfigMaps `istio[-rev]` and `istio-sidecar-injector[-rev]`, with istiod's own environment.
pub(crate) struct Settings {
    /// The mesh configuration, as written.
    pub(crate) mesh: Value,
    /// The values that the templates see.
    pub(crate) values: Value,
    /// The environment of the container `discovery`.
    pub(crate) environment: Environment,
    /// Templates by name; one that does not parse holds the reason.
    templates: BTreeMap<String, Result<Program, String>>,
    config: Value,
}

impl Settings {
    /// Parses the texts of the ConfigMaps: `mesh` of one, `config` and `values` of the other.
    pub(crate) fn parse(mesh: &str, config: &str, values: &str, environment: Environment) -> Result<Self, String> {
        let mesh = yaml(mesh).map_err(|error| format!("the mesh configuration does not parse: {error}"))?;
        let values = yaml(values).map_err(|error| format!("the values do not parse: {error}"))?;
        let config = yaml(config).map_err(|error| format!("the injector configuration does not parse: {error}"))?;
        let named = config["templates"].as_object().into_iter().flatten();
        let templates = named
            .filter_map(|(name, source)| Some((name.clone(), Program::parse(source.as_str()?, &environment))))
            .collect();
        Ok(Self { mesh, values, environment, templates, config })
    }

    /// The template of this name, or why there is none.
    pub(crate) fn template(&self, name: &str) -> Result<&Program, String> {
        match self.templates.get(name) {
            Some(Ok(program)) => Ok(program),
            Some(Err(reason)) => Err(reason.clone()),
            None => {
                let known = self.templates.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
                Err(format!("requested template \"{name}\" not found; have {known}"))
            }
        }
    }

    /// The templates that a pod gets: those its annotation names, else the default ones, with aliases resolved.
    pub(crate) fn template_names(&self, annotation: Option<&str>) -> Vec<String> {
        let asked: Vec<String> = match annotation {
            Some(names) => names.split(',').map(|name| name.trim().to_owned()).collect(),
            None => strings(items(&self.config, "/defaultTemplates")),
        };
        let asked = if asked.is_empty() { vec!["sidecar".to_owned()] } else { asked };
        asked.into_iter().flat_map(|name| self.unaliased(name)).collect()
    }

    fn unaliased(&self, name: String) -> Vec<String> {
        match self.config["aliases"].get(&name).and_then(Value::as_array) {
            Some(targets) => strings(targets),
            None => vec![name],
        }
    }

    /// Are pods injected that say nothing themselves?
    pub(crate) fn injects_by_default(&self) -> bool {
        text(&self.config, "/policy") == "enabled"
    }

    /// Selectors over pod labels: `neverInjectSelector` or `alwaysInjectSelector`.
    pub(crate) fn selectors(&self, field: &str) -> &[Value] {
        self.config[field].as_array().map_or(&[], Vec::as_slice)
    }

    /// Annotations that every injected pod gets.
    pub(crate) fn injected_annotations(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.config["injectedAnnotations"].as_object().into_iter().flatten()
    }

    /// Do HTTP probes of the application go through the proxy's agent?
    pub(crate) fn rewrites_probes(&self) -> bool {
        self.values["sidecarInjectorWebhook"]["rewriteAppHTTPProbe"].as_bool().unwrap_or(false)
    }

    /// Are Prometheus' annotations redirected to the agent? On unless the mesh says otherwise.
    pub(crate) fn merges_prometheus(&self) -> bool {
        self.mesh["enablePrometheusMerge"].as_bool().unwrap_or(true)
    }
}

/// Parses YAML of Go's dialect, the last of two equal keys winning.
pub(crate) fn yaml(source: &str) -> Result<Value, String> {
    let options = serde_saphyr::options! {
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::LastWins,
        budget: None,
    };
    if source.trim().is_empty() {
        return Ok(Value::Null);
    }
    serde_saphyr::from_str_with_options(source, options).map_err(|error| error.to_string())
}

/// Parses YAML of several documents.
pub(crate) fn yaml_documents(source: &str) -> Result<Vec<Value>, String> {
    let documents = source.split("\n---\n").map(|document| document.strip_prefix("---\n").unwrap_or(document));
    documents.map(yaml).filter(|document| !matches!(document, Ok(Value::Null))).collect()
}

fn strings(list: &[Value]) -> Vec<String> {
    list.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()
}
