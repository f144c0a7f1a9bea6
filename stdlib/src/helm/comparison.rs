//! What is deployed against what an upgrade would apply, both in helm's own words.
//!
//! Rendered against the live cluster by the very command that would be sent, so that lookups, capabilities and the guards
//! on `.Release.IsUpgrade` are those of the upgrade. Does not send anything.

use std::collections::BTreeMap;

use runbook_core::{Fault, Value, World};
use serde::Deserialize;
use serde_json::Map;

use super::object::{self, Identity};
use super::option::Target;
use super::order::Order;
use super::release::{History, Revision, unreadable};
use super::tool::{Line, Tool};

/// Objects by what makes them the same.
pub(super) type Objects = BTreeMap<Identity, Value>;

/// A revision as it was applied.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Deployed {
    /// Its number.
    pub(super) revision: u64,
    /// `istiod-1.29.6`.
    pub(super) chart: String,
    /// Its objects.
    pub(super) objects: Objects,
    /// The user's own values.
    pub(super) values: Map<String, Value>,
}

/// What would be applied.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rendered {
    /// `istiod-1.30.3`.
    pub(super) chart: String,
    /// Version of what the chart installs.
    pub(super) app_version: String,
    /// Its objects.
    pub(super) objects: Objects,
    /// The user values that the release would have.
    pub(super) values: Map<String, Value>,
    /// Whether the server would apply it.
    pub(super) server_side: bool,
    hooks: Vec<Value>,
}

/// Both.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Comparison {
    /// What is there; `None` where the release does not exist.
    pub(super) deployed: Option<Deployed>,
    /// What would come.
    pub(super) rendered: Rendered,
    /// Whether an upgrade would change nothing.
    pub(super) unchanged: bool,
}

impl Comparison {
    /// Compares an order with a release; with nothing where the release has no history, or was uninstalled.
    ///
    /// Faults: what helm says of the chart and its values; `RB042` for a release that is held.
    pub(super) async fn make(
        world: &World,
        tool: &Tool<'_>,
        order: &Order,
        history: Option<&History>,
    ) -> Result<Self, Fault> {
        let namespace = order.target.namespace(world)?;
        let Some(history) = history.filter(|history| !history.is_uninstalled()) else {
            let rendered = render(tool, order, order.rendered_install(None), &namespace).await?;
            return Ok(Self { deployed: None, rendered, unchanged: false });
        };
        history.refuse_pending(world, &order.release)?;
        let current = history.deployed().unwrap_or_else(|| history.last());
        let (deployed, rendered) = futures::try_join!(
            Deployed::read(tool, &order.target, &order.release, current, &namespace),
            render(tool, order, order.rendered_upgrade(), &namespace),
        )?;
        let settled = history.last().status == "deployed";
        let mut comparison = Self { deployed: Some(deployed), rendered, unchanged: false };
        if settled && comparison.same_chart_and_values() {
            comparison.settle(tool, order, &namespace).await?;
        }
        Ok(comparison)
    }

    /// From one chart to another, both rendered without a cluster.
    pub(super) fn of_charts(old: Deployed, new: Deployed) -> Self {
        let rendered = Rendered {
            chart: new.chart,
            app_version: String::new(),
            objects: new.objects,
            values: new.values,
            server_side: false,
            hooks: Vec::new(),
        };
        Self { deployed: Some(old), rendered, unchanged: false }
    }

    /// A release as it is deployed, and what a line that only renders would make of it.
    pub(super) async fn of_release(
        tool: &Tool<'_>,
        target: &Target,
        release: &str,
        history: &History,
        line: Line,
        namespace: &str,
    ) -> Result<Self, Fault> {
        let current = history.deployed().unwrap_or_else(|| history.last());
        let deployed = Deployed::read(tool, target, release, current, namespace).await?;
        let rendered = Rendered::parse(&tool.run_at(target, line).await?, namespace)?;
        Ok(Self { deployed: Some(deployed), rendered, unchanged: false })
    }

    fn same_chart_and_values(&self) -> bool {
        let rendered = &self.rendered;
        self.deployed.as_ref().is_some_and(|d| d.chart == rendered.chart && d.values == rendered.values)
    }

    /// Chart and values are the same, so what differs comes from the template's guards, lookups or from chance. A release
    /// that was made by an install is compared with what an install renders, too: else its first upgrade always changes it.
    async fn settle(&mut self, tool: &Tool<'_>, order: &Order, namespace: &str) -> Result<(), Fault> {
        let Some(deployed) = &self.deployed else { return Ok(()) };
        if deployed.objects != self.rendered.objects {
            let line = order.rendered_install(Some(self.rendered.values.clone()));
            let as_installed = render(tool, order, line, namespace).await?;
            if deployed.objects != as_installed.objects {
                return Ok(());
            }
            self.rendered = as_installed;
        }
        let line = Line::reading("get hooks").release(&order.release).flag("--revision", Some(deployed.revision));
        let hooks = object::parse(&tool.run_at(&order.target, line).await?)?;
        self.unchanged = sorted(hooks, namespace) == sorted(self.rendered.hooks.clone(), namespace);
        Ok(())
    }

    /// Objects that would come.
    pub(super) fn added(&self) -> impl Iterator<Item = (&Identity, &Value)> {
        let before = self.deployed.as_ref().map(|deployed| &deployed.objects);
        let new = move |(id, _): &(&Identity, &Value)| before.is_none_or(|objects| !objects.contains_key(*id));
        self.rendered.objects.iter().filter(new)
    }

    /// Objects that would go.
    pub(super) fn removed(&self) -> impl Iterator<Item = (&Identity, &Value)> {
        let before = self.deployed.iter().flat_map(|deployed| &deployed.objects);
        before.filter(|(id, _)| !self.rendered.objects.contains_key(*id))
    }

    /// Objects that would differ: before and after.
    pub(super) fn changed(&self) -> impl Iterator<Item = (&Identity, &Value, &Value)> {
        let before = self.deployed.iter().flat_map(|deployed| &deployed.objects);
        let pairs = before.filter_map(|(id, old)| self.rendered.objects.get(id).map(|new| (id, old, new)));
        pairs.filter(|(_, old, new)| old != new)
    }
}

impl Deployed {
    /// Reads a revision back.
    pub(super) async fn read(
        tool: &Tool<'_>,
        target: &Target,
        release: &str,
        revision: &Revision,
        namespace: &str,
    ) -> Result<Self, Fault> {
        let number = revision.revision;
        let (manifest, values) =
            futures::try_join!(manifest(tool, target, release, number), values(tool, target, release, number))?;
        let objects = by_identity(object::parse(&manifest)?, namespace);
        Ok(Self { revision: number, chart: revision.chart.clone(), objects, values })
    }
}

/// The manifest of a revision, as text.
pub(super) async fn manifest(tool: &Tool<'_>, target: &Target, release: &str, revision: u64) -> Result<String, Fault> {
    tool.run_at(target, Line::reading("get manifest").release(release).flag("--revision", Some(revision))).await
}

/// The user's own values of a revision.
pub(super) async fn values(
    tool: &Tool<'_>,
    target: &Target,
    release: &str,
    revision: u64,
) -> Result<Map<String, Value>, Fault> {
    let line = Line::reading("get values --output=json").release(release).flag("--revision", Some(revision));
    parse_values(&tool.run_at(target, line).await?)
}

/// Values as helm prints them: `null` where there are none.
pub(super) fn parse_values(text: &str) -> Result<Map<String, Value>, Fault> {
    let values: Option<Map<String, Value>> = serde_json::from_str(text).map_err(|_| {
        // The reason would quote what it did not understand, and that may be a secret.
        unreadable("get values", &"it is no JSON object")
    })?;
    Ok(values.unwrap_or_default())
}

/// Objects by their identities. Of two with the same one, the last counts, as for the cluster.
pub(super) fn by_identity(objects: Vec<Value>, namespace: &str) -> Objects {
    objects.into_iter().map(|object| (Identity::of(&object, namespace), object)).collect()
}

fn sorted(objects: Vec<Value>, namespace: &str) -> Vec<(Identity, Value)> {
    by_identity(objects, namespace).into_iter().collect()
}

async fn render(tool: &Tool<'_>, order: &Order, line: Line, namespace: &str) -> Result<Rendered, Fault> {
    Rendered::parse(&tool.run_at(&order.target, line).await?, namespace)
}

impl Rendered {
    /// Reads the answer of a dry run.
    fn parse(text: &str, namespace: &str) -> Result<Self, Fault> {
        let answer: DryRun = serde_json::from_str(text)
            .map_err(|error| unreadable("--dry-run", &format!("line {}, column {}", error.line(), error.column())))?;
        let metadata = answer.chart.metadata;
        let mut hooks = Vec::new();
        for hook in answer.hooks.unwrap_or_default() {
            hooks.extend(object::parse(&hook.manifest)?);
        }
        Ok(Self {
            chart: format!("{}-{}", metadata.name, metadata.version),
            app_version: metadata.app_version,
            objects: by_identity(object::parse(&answer.manifest)?, namespace),
            values: answer.config.unwrap_or_default(),
            server_side: answer.apply_method.as_deref() == Some("ssa"),
            hooks,
        })
    }
}

/// What a dry run prints, as far as it is wanted. Helm 3 has no `apply_method`.
#[derive(Deserialize)]
struct DryRun {
    chart: Chart,
    manifest: String,
    config: Option<Map<String, Value>>,
    hooks: Option<Vec<Hook>>,
    apply_method: Option<String>,
}

#[derive(Deserialize)]
struct Chart {
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    name: String,
    version: String,
    #[serde(rename = "appVersion", default)]
    app_version: String,
}

#[derive(Deserialize)]
struct Hook {
    manifest: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// As helm 3.22.0 and helm 4.3.1 printed them, without templates.
    const THREE: &str = r#"{"name":"t","info":{"first_deployed":"2026-11-22T23:21:49Z","last_deployed":"2026-11-22T23:21:49Z","deleted":"","description":"Dry run complete","status":"pending-upgrade","notes":"hello blue\n"},"chart":{"metadata":{"name":"tiny","version":"0.1.0","apiVersion":"v2","appVersion":"9"},"lock":null,"templates":[],"values":{"color":"red"},"schema":null,"files":null},"config":{"color":"blue"},"manifest":"---\n# Source: tiny/templates/cm.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: t\ndata:\n  color: \"blue\"\n  up: \"true\"\n","version":2,"namespace":"ns"}"#;
    const FOUR: &str = r#"{"name":"t","info":{"first_deployed":"2026-11-22T23:21:53Z","last_deployed":"2026-11-22T23:21:54Z","description":"Dry run complete","status":"pending-install","notes":"hello red\n"},"chart":{"metadata":{"name":"tiny","version":"0.1.0","apiVersion":"v2"},"lock":null,"templates":[],"values":{"color":"red"},"schema":null,"schemamodtime":"0001-01-01T00:00:00Z","files":null,"modtime":"2026-11-22T23:21:48Z"},"manifest":"---\n# Source: tiny/templates/cm.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  namespace: ns\n  name: t\ndata:\n  up: \"true\"\n  color: \"blue\"\n\n","hooks":[{"name":"h","kind":"Job","path":"x","manifest":"kind: Job\n"}],"version":1,"namespace":"ns","apply_method":"ssa"}"#;

    #[test]
    fn both_helms_are_understood() {
        let (three, four) = (Rendered::parse(THREE, "ns").unwrap(), Rendered::parse(FOUR, "ns").unwrap());
        assert_eq!((three.chart.as_str(), three.app_version.as_str(), three.server_side), ("tiny-0.1.0", "9", false));
        assert_eq!((four.app_version.as_str(), four.server_side, four.values.len()), ("", true, 0));
        assert_eq!(Value::Object(three.values), json!({ "color": "blue" }));
        assert_eq!(four.hooks, [json!({ "kind": "Job" })]);
        assert_eq!(three.objects.keys().collect::<Vec<_>>(), four.objects.keys().collect::<Vec<_>>());
    }

    #[test]
    fn objects_that_come_go_and_differ_are_told_apart() {
        let object = |name: &str, n: i32| json!({ "kind": "ConfigMap", "metadata": { "name": name }, "n": n });
        let objects = |list: Vec<Value>| by_identity(list, "ns");
        let deployed = Deployed {
            revision: 1,
            chart: "a-1.0.0".to_owned(),
            objects: objects(vec![object("stays", 1), object("goes", 1), object("differs", 1)]),
            values: Map::new(),
        };
        let mut rendered = Rendered::parse(THREE, "ns").unwrap();
        rendered.objects = objects(vec![object("differs", 2), object("comes", 1), object("stays", 1)]);
        let comparison = Comparison { deployed: Some(deployed), rendered, unchanged: false };
        let names = |ids: Vec<&Identity>| ids.into_iter().map(|id| id.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(comparison.added().map(|(id, _)| id).collect()), ["comes"]);
        assert_eq!(names(comparison.removed().map(|(id, _)| id).collect()), ["goes"]);
        assert_eq!(names(comparison.changed().map(|(id, _, _)| id).collect()), ["differs"]);
    }

    #[test]
    fn values_that_are_none_are_an_empty_map_and_broken_ones_are_not_quoted() {
        assert_eq!(parse_values("null\n").unwrap(), Map::new());
        assert!(!parse_values("[\"hunter2hunter2\"]").unwrap_err().to_string().contains("hunter2"));
    }
}
