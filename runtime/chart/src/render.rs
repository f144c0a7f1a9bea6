//! Renders a chart: its values settled, its templates run, what they made sorted.

mod context;
mod failure;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use crate::chart::{Chart, Crd};
use crate::execute::{Set, World, execute};
use crate::fault::Fault;
use crate::function;
use crate::manifest::{Hook, Manifest, sort};
use crate::order::{Dialect, Order};
use crate::parse::parse;
use crate::value::Value;
use crate::values::{Mode, check, coalesce, settle};

/// How much stack a rendering may take; only what is used is ever backed by memory.
const STACK: usize = 1 << 30;

/// What a chart rendered to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rendered {
    /// The objects, in the order in which helm installs them. With `include_crds`, those of `crds/` come first.
    pub manifests: Vec<Manifest>,
    /// The hooks, sorted by kind.
    pub hooks: Vec<Hook>,
    /// What `NOTES.txt` says.
    pub notes: String,
    /// What lies in `crds/`.
    pub crds: Vec<Crd>,
}

impl Rendered {
    /// The manifests as one document, as helm keeps it with the release.
    pub fn manifest(&self) -> String {
        let mut out = String::new();
        for manifest in &self.manifests {
            out.push_str(&format!("---\n# Source: {}\n{}\n", manifest.path, manifest.content));
        }
        out
    }

    /// What `helm template` prints: manifests, then hooks.
    pub fn printed(&self) -> String {
        let mut out = format!("{}\n", self.manifest().trim());
        for hook in &self.hooks {
            out.push_str(&format!("---\n# Source: {}\n{}\n", hook.path, hook.manifest));
        }
        out
    }
}

/// Renders a chart as ordered.
pub fn render(chart: &Chart, order: &Order<'_>) -> Result<Rendered, Fault> {
    let (settled, values) = settled(chart, order)?;
    let files = files(&settled, values, order)?;
    assemble(&settled, files, order)
}

/// The values that templates would see, as `--dry-run --debug` shows them under `COMPUTED VALUES`.
pub fn computed_values(chart: &Chart, order: &Order<'_>) -> Result<serde_json::Value, Fault> {
    settled(chart, order).map(|(_, values)| serde_json::Value::Object(values))
}

type Values = serde_json::Map<String, serde_json::Value>;

/// The chart with its subcharts decided, and its values complete and checked.
fn settled(chart: &Chart, order: &Order<'_>) -> Result<(Chart, Values), Fault> {
    if chart.is_library() {
        return Err(Fault::new("library charts are not installable").of(chart.name()));
    }
    complete(chart, order.dialect)?;
    let given = match &order.values {
        serde_json::Value::Object(given) => given.clone(),
        _ => Values::new(),
    };
    let settled = settle(chart, &given, order.dialect).map_err(|fault| fault.of(chart.name()))?;
    let values = coalesce(&settled, &given, Mode::Coalesce, order.dialect)?;
    if !order.skip_schema {
        check(&settled, &values)?;
    }
    let wanted = &settled.metadata.kube_version;
    let found = &order.capabilities.kube_version;
    if !wanted.is_empty() && !function::compatible(wanted, &context::normal(found, order.dialect)) {
        let words = format!("chart requires kubeVersion: {wanted} which is incompatible with Kubernetes {found}");
        return Err(Fault::new(words).of(chart.name()));
    }
    Ok((settled, values))
}

/// Whether every dependency that `Chart.yaml` names lies in `charts/`.
fn complete(chart: &Chart, dialect: Dialect) -> Result<(), Fault> {
    let has = |name: &str| chart.dependencies.iter().any(|subchart| subchart.name() == name);
    let missing: Vec<&str> = chart
        .metadata
        .dependencies
        .iter()
        .map(|dependency| dependency.name.as_str())
        .filter(|name| !has(name))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let (an, command) = match dialect {
        Dialect::Helm3 => ("An", "`helm dependency build`"),
        Dialect::Helm4 => ("an", "'helm dependency build'"),
    };
    let words = format!(
        "{an} error occurred while checking for chart dependencies. You may need to run {command} to fetch missing dependencies: found in Chart.yaml, but missing in charts/ directory: {}",
        missing.join(", ")
    );
    Err(Fault::new(words).of(chart.name()))
}

/// Every template that is no partial, rendered. Runs on a stack of its own, since templates may nest deeply.
fn files(chart: &Chart, values: Values, order: &Order<'_>) -> Result<BTreeMap<String, String>, Fault> {
    let run = AssertUnwindSafe(|| on_this_stack(chart, values, order));
    // Not a thread of its own: the stack is all that is needed of one.
    stacker::grow(STACK, || catch_unwind(run))
        .unwrap_or_else(|_| Err(Fault::new("rendering template failed: the renderer gave up")))
}

fn on_this_stack(chart: &Chart, values: Values, order: &Order<'_>) -> Result<BTreeMap<String, String>, Fault> {
    let root = chart.name().to_owned();
    let templates = context::templates(chart, values, order);
    let mut names: Vec<&String> = templates.keys().collect();
    // Deeper folders come first, and within one the last name.
    names.sort_by_key(|name| std::cmp::Reverse((name.matches('/').count(), (*name).clone())));
    let mut set = Set::default();
    for name in &names {
        let source = &templates[*name].source;
        let trees = parse(name, source, &|function| function::knows(function, order.dialect))
            .map_err(|words| failure::of_parsing(name, &words, &root))?;
        for tree in trees.into_values() {
            set.add(tree);
        }
    }
    let set = Rc::new(set);
    let world = World::new(order);
    let mut rendered = BTreeMap::new();
    for name in names {
        if name.rsplit('/').next().is_some_and(|base| base.starts_with('_')) {
            continue;
        }
        let template = &templates[name];
        template.see_itself(name);
        let mut out = String::new();
        execute(&world, &set, name, Value::Map(template.values.clone()), &mut out)
            .map_err(|failed| failure::of_execution(name, &failed, &root, order.dialect))?;
        let out = if out.contains("<no value>") { out.replace("<no value>", "") } else { out };
        rendered.insert(name.clone(), out);
    }
    Ok(rendered)
}

/// Notes apart, manifests sorted, and what was not asked for left out.
fn assemble(chart: &Chart, mut files: BTreeMap<String, String>, order: &Order<'_>) -> Result<Rendered, Fault> {
    let own = format!("{}/templates/NOTES.txt", chart.name());
    let noted: Vec<String> = files.keys().filter(|path| path.ends_with("NOTES.txt")).cloned().collect();
    let mut notes = String::new();
    for path in noted {
        let Some(text) = files.remove(&path) else { continue };
        if order.sub_notes || path == own {
            if !notes.is_empty() {
                notes.push('\n');
            }
            notes.push_str(&text);
        }
    }
    let (mut manifests, mut hooks) = sort(&files, order.dialect).map_err(|fault| fault.of(chart.name()))?;
    let crds = chart.crds();
    if order.include_crds {
        let before = crds.iter().map(|crd| Manifest {
            path: crd.path.clone(),
            content: crd.content.clone(),
            api_version: String::new(),
            kind: "CustomResourceDefinition".to_owned(),
            name: String::new(),
        });
        manifests = before.chain(manifests).collect();
    }
    if !order.show_only.is_empty() {
        let mut shown = Vec::new();
        for wanted in &order.show_only {
            let pattern = function::glob(wanted);
            let fits = |path: &str| {
                let below = path.split_once('/').map_or(path, |(_, below)| below);
                pattern.as_ref().is_some_and(|pattern| pattern.is_match(below))
            };
            if !manifests.iter().map(|one| &one.path).chain(hooks.iter().map(|one| &one.path)).any(|path| fits(path)) {
                return Err(Fault::new(format!("could not find template {wanted} in chart")).of(chart.name()));
            }
            let more = manifests.iter().map(|one| &one.path).chain(hooks.iter().map(|one| &one.path));
            shown.extend(more.filter(|path| fits(path)).cloned());
        }
        manifests.retain(|manifest| shown.contains(&manifest.path));
        hooks.retain(|hook| shown.contains(&hook.path));
    }
    Ok(Rendered { manifests, hooks, notes, crds })
}
