//! What another version of a chart changes, for people: of a release, or from chart to chart. The very comparison and the very
//! differences that plans are made of.
//!
//! Reads only. Does not know how it is shown.

use std::collections::BTreeSet;

use runbook_core::{Fault, Value, World};
use serde_json::{Map, json};

use super::comparison::{Comparison, Deployed, by_identity};
use super::object;
use super::option::Target;
use super::plan;
use super::reference::Reference;
use super::release::History;
use super::tool::{Line, Tool};

/// What is compared with a chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Before {
    /// A release as it is deployed, by its namespace and name; the cluster's own namespace where none is named.
    Release(Option<String>, String),
    /// A chart with its default values.
    Chart(String),
}

/// What would change: `chart: #{ old, new }` and the lists `added`, `removed`, `changed`.
///
/// A chart is a path, or `embedded/NAME@VERSION`. Faults: those of charts and releases.
pub async fn chart_change(world: &World, before: &Before, after: &str) -> Result<Value, Fault> {
    let tool = Tool::find(world).await?;
    let comparison = match before {
        Before::Chart(chart) => {
            let (old, new) = futures::try_join!(rendered(world, &tool, chart), rendered(world, &tool, after))?;
            Comparison::of_charts(old, new)
        }
        Before::Release(namespace, release) => {
            let target = Target { namespace: namespace.clone(), context: None };
            let history = History::must(&tool, &target, release).await?;
            let line = Line::reading("upgrade --dry-run=server --output=json").release(release);
            let line = reference(after).locate(world, None)?.add_to(line);
            let namespace = target.namespace(world)?;
            Comparison::of_release(&tool, &target, release, &history, line, &namespace).await?
        }
    };
    let mut change = plan::diff(&comparison, &BTreeSet::new());
    let old = comparison.deployed.as_ref().map(|deployed| deployed.chart.as_str());
    change["chart"] = json!({ "old": old, "new": comparison.rendered.chart });
    Ok(change)
}

/// `embedded/base@1.30.3` names a version.
fn reference(chart: &str) -> Reference {
    let (chart, version) = match chart.split_once('@') {
        Some((name, version)) if super::embedded::name_in(name).is_some() => (name, Some(version.to_owned())),
        _ => (chart, None),
    };
    Reference { chart: chart.to_owned(), version, ..Reference::default() }
}

/// A chart with its default values, as a release of the chart's own name.
async fn rendered(world: &World, tool: &Tool<'_>, chart: &str) -> Result<Deployed, Fault> {
    let reference = reference(chart);
    let archive = match reference.locate(world, None)?.path {
        Some(path) => super::archive::Archive::open(&path)?,
        None => super::chart::pulled(world, &reference, None).await?.0,
    };
    let metadata = archive.metadata()?;
    let line = Line::reading("template").release(&metadata.name).word("--include-crds");
    let text = tool.run(reference.locate(world, None)?.add_to(line)).await?;
    let objects = by_identity(object::parse(&text)?, "default");
    Ok(Deployed { revision: 0, chart: format!("{}-{}", metadata.name, metadata.version), objects, values: Map::new() })
}
