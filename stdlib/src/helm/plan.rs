//! `helm::plan`

use std::collections::BTreeSet;

use crate::difference::{self, Difference};
use runbook_core::command::Command;
use runbook_core::primitive::Answer;
use runbook_core::{Args, Call, Effect, Example, Fault, Outcome, Primitive, Value, World};
use serde_json::{Map, json};

use super::comparison::Comparison;
use super::live;
use super::object::{self, Identity};
use super::option::{CHART, CONTEXT, NAMESPACE, RELEASE, SET, SKIP_SCHEMA, VALUES, VALUES_FILES, VERSION};
use super::order::{
    self, FORCE_CONFLICTS, INSTALL, Order, RESET_THEN_REUSE_VALUES, RESET_VALUES, REUSE_VALUES, SERVER_SIDE, SKIP_CRDS,
    TAKE_OWNERSHIP,
};
use super::ownership;
use super::release::{History, absent};
use super::tool::Tool;

/// `helm::plan`
pub(super) const PLAN: Primitive = Primitive {
    name: "helm::plan",
    summary: "Say what an upgrade would add, change and remove, object by object and field by field.",
    params: &[
        &RELEASE,
        &CHART,
        &NAMESPACE,
        &CONTEXT,
        &VERSION,
        &VALUES,
        &VALUES_FILES,
        &SET,
        &INSTALL,
        &RESET_VALUES,
        &REUSE_VALUES,
        &RESET_THEN_REUSE_VALUES,
        &SKIP_CRDS,
        &TAKE_OWNERSHIP,
        &SKIP_SCHEMA,
        &SERVER_SIDE,
        &FORCE_CONFLICTS,
    ],
    effect: Effect::Read,
    answer: Answer::Recorded,
    announce,
    command,
    run,
    examples: &[Example {
        cluster: "shop",
        script: r#"helm::plan("web", helm::chart("web", #{ charts: "./charts", version: "1.1.0" }), #{ namespace: "shop" })"#,
        expect: r#"{"exists":true,"unchanged":false,"chart":{"old":"web-1.0.0","new":"web-1.1.0"},"removed":[]}"#,
    }],
};

fn announce(args: &Args) -> String {
    format!("plan {} to {}", args.get(&RELEASE), args.get(&CHART).in_words(args.get(&VERSION).as_deref()))
}

fn command(args: &Args) -> Option<Command> {
    Some(order::command("helm upgrade", args).word("--dry-run=server"))
}

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    call.block_on(async {
        let tool = Tool::find(call.world).await?;
        let order = Order::of(call, &tool, args)?;
        let history = History::read(&tool, &order.target, &order.release).await?;
        let exists = history.as_ref().is_some_and(|history| !history.is_uninstalled());
        if !exists && args.get(&INSTALL) != Some(true) {
            return Err(absent(&order.release).hint("pass `install: true` to plan its installation"));
        }
        let comparison = Comparison::make(call.world, &tool, &order, history.as_ref()).await?;
        let (kept, conflicts) =
            futures::try_join!(kept(call.world, &order, &comparison), conflicts(call.world, &order, &comparison),)?;
        let Value::Object(diff) = diff(&comparison, &kept) else { unreachable!("a diff is a map") };
        let mut plan = summary(&comparison);
        plan.insert("release".to_owned(), json!(order.release));
        plan.insert("conflicts".to_owned(), Value::Array(conflicts));
        plan.extend(diff);
        Ok(Value::Object(plan))
    })
}

fn summary(comparison: &Comparison) -> Map<String, Value> {
    let deployed = comparison.deployed.as_ref();
    let images: Vec<_> = comparison.changed().flat_map(|(id, old, new)| changed_images(id, old, new)).collect();
    let selectors: Vec<_> = comparison.changed().filter_map(|(id, old, new)| changed_selector(id, old, new)).collect();
    let value = json!({
        "exists": deployed.is_some(),
        "unchanged": comparison.unchanged,
        "revision": deployed.map(|deployed| deployed.revision),
        "chart": { "old": deployed.map(|deployed| deployed.chart.as_str()), "new": comparison.rendered.chart },
        "count": comparison.rendered.objects.len(),
        "values_changed": deployed.is_none_or(|deployed| deployed.values != comparison.rendered.values),
        "server_side": comparison.rendered.server_side,
        "images": images,
        "selectors": selectors,
    });
    match value {
        Value::Object(map) => map,
        _ => unreachable!("it is written as a map"),
    }
}

/// Which of the objects that the release drops would stay: an upgrade asks the live object, not the manifest.
pub(super) async fn kept(world: &World, order: &Order, comparison: &Comparison) -> Result<BTreeSet<Identity>, Fault> {
    let removed: Vec<_> = comparison.removed().collect();
    if comparison.unchanged || removed.is_empty() {
        return Ok(BTreeSet::new());
    }
    let objects: Vec<_> = removed.iter().map(|(_, object)| *object).collect();
    let live = live_of(world, order, &objects).await?;
    let kept = removed.iter().zip(live).filter(|(_, live)| live.as_ref().is_some_and(object::is_kept));
    Ok(kept.map(|((id, _), _)| (*id).clone()).collect())
}

/// Fields that a server-side apply would be refused, by object and manager; none where helm applies by itself.
async fn conflicts(world: &World, order: &Order, comparison: &Comparison) -> Result<Vec<Value>, Fault> {
    if comparison.unchanged || !comparison.rendered.server_side {
        return Ok(Vec::new());
    }
    let objects: Vec<_> = comparison.rendered.objects.values().collect();
    let live = live_of(world, order, &objects).await?;
    let mut found = Vec::new();
    for ((id, object), live) in comparison.rendered.objects.iter().zip(live) {
        let Some(live) = live else { continue };
        for conflict in ownership::conflicts(object, &live) {
            found.push(with(conflict, "object", json!(id.in_words())));
        }
    }
    Ok(found)
}

async fn live_of(world: &World, order: &Order, objects: &[&Value]) -> Result<Vec<Option<Value>>, Fault> {
    live::find_all(&order.target.cluster(world)?, objects, &order.target.namespace(world)?).await
}

/// What comes, goes and differs: lists `added`, `removed`, `changed`.
pub(super) fn diff(comparison: &Comparison, kept: &BTreeSet<Identity>) -> Value {
    if comparison.unchanged {
        return json!({ "added": [], "removed": [], "changed": [] });
    }
    let added: Vec<_> = comparison.added().map(|(id, object)| described(id, object)).collect();
    let removed: Vec<_> = comparison
        .removed()
        .map(|(id, object)| with(described(id, object), "kept", json!(kept.contains(id))))
        .collect();
    let changed: Vec<_> = comparison
        .changed()
        .map(|(id, old, new)| {
            with(described(id, new), "fields", difference::between(old, new).iter().map(Difference::shown).collect())
        })
        .collect();
    json!({ "added": added, "removed": removed, "changed": changed })
}

fn described(id: &Identity, object: &Value) -> Value {
    json!({
        "object": id.in_words(),
        "kind": id.kind,
        "api_version": object::text(object, &["apiVersion"]),
        "namespace": object::text(object, &["metadata", "namespace"]),
        "name": id.name,
    })
}

fn with(mut described: Value, key: &str, value: Value) -> Value {
    described[key] = value;
    described
}

fn changed_images(id: &Identity, old: &Value, new: &Value) -> Vec<Value> {
    let before = object::images(old);
    let image_of = |container: &str| before.iter().find(|(name, _)| name == container).map(|(_, image)| image.as_str());
    object::images(new)
        .into_iter()
        .filter(|(container, image)| image_of(container) != Some(image))
        .map(|(container, image)| {
            json!({ "object": id.in_words(), "container": container, "old": image_of(&container), "new": image })
        })
        .collect()
}

fn changed_selector(id: &Identity, old: &Value, new: &Value) -> Option<Value> {
    let (before, after) = (object::selector(old), object::selector(new));
    (before != after).then(|| json!({ "object": id.in_words(), "old": before, "new": after }))
}
