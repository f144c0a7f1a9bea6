//! Installing, as helm does: definitions first, then the record, hooks, objects, hooks, and the record once more.

use jiff::Timestamp;
use runbook_chart::Dialect;
use runbook_core::Value;
use serde_json::json;

use super::apply::{self, How, Side};
use super::hook::{self, Hooks};
use super::item::{self, Item};
use super::order::Order;
use super::patch::Custom;
use super::readiness;
use super::record::{Info, Record};
use super::render::{self, Asked, Moment, Rendering};
use super::store::Store;
use super::trouble::Trouble;
use super::wire::{Answer, Spot};

/// Installs, or only renders what would be; in place of a release of which only history is left, where there is one.
pub(super) async fn run(store: &Store<'_>, order: &Order, replaced: Option<Record>) -> Result<Record, Trouble> {
    attempt(store, order, replaced).await.map_err(|trouble| trouble.during("INSTALLATION FAILED"))
}

async fn attempt(store: &Store<'_>, order: &Order, replaced: Option<Record>) -> Result<Record, Trouble> {
    if !order.dry && replaced.is_none() && !store.history(&order.release).await?.is_empty() {
        return Err(Trouble::words("release name check failed: cannot reuse a name that is still in use"));
    }
    let chart = order.chart(store.world).await?;
    if !order.dry && !order.skip_crds {
        define(store, order, &chart).await?;
    }
    let asked = Asked { release: &order.release, revision: 1, moment: Moment::Install, skip_schema: order.skip_schema };
    let rendering = render::on_cluster(store, &chart, order.values.clone(), asked).await?;
    let mut record = record(store, order, rendering);
    let mut items = item::build(store.wire, &record.manifest)
        .await
        .map_err(|trouble| trouble.during("unable to build kubernetes objects from release manifest"))?;
    item::own(&mut items, &record);
    let there = if order.take_ownership {
        item::adopted(store.wire, &items).await
    } else {
        item::existing(store.wire, &items, &record).await
    };
    let there = there.map_err(|trouble| trouble.during("unable to continue with install"))?;
    if order.dry {
        "Dry run complete".clone_into(&mut record.info.description);
        return Ok(record);
    }
    if order.create_namespace {
        make_namespace(store).await?;
    }
    if let Some(mut last) = replaced {
        record.version = last.version + 1;
        if last.info.status != "failed" {
            last.settle("superseded", "superseded by new release".to_owned());
            store.update(&last).await?;
        }
    }
    store.create(&record, None).await?;
    match perform(store, order, &mut record, &there, &items).await {
        Ok(()) => {
            let words = order.description.clone().unwrap_or_else(|| "Install complete".to_owned());
            record.settle("deployed", words);
            store.update(&record).await?;
            Ok(record)
        }
        Err(trouble) => {
            record.settle("failed", format!("Release \"{}\" failed: {}", record.name, trouble.in_words()));
            store.update(&record).await?;
            Err(trouble)
        }
    }
}

fn record(store: &Store<'_>, order: &Order, rendering: Rendering) -> Record {
    let now = store.now();
    Record {
        name: order.release.clone(),
        namespace: store.wire.namespace.clone(),
        version: 1,
        info: Info {
            first_deployed: now.clone(),
            last_deployed: now,
            status: "pending-install".to_owned(),
            description: "Initial install underway".to_owned(),
            notes: rendering.notes,
            ..Info::default()
        },
        chart: rendering.chart,
        config: order.values.clone().unwrap_or_default(),
        manifest: rendering.manifest,
        hooks: rendering.hooks,
        apply_method: method(store, order.server_side.unwrap_or(true)).to_owned(),
        ..Record::default()
    }
}

/// How a record says that the server applies it, or not. Helm 3 has no word for it, and applies by itself.
pub(super) fn method(store: &Store<'_>, server_side: bool) -> &'static str {
    match (render::dialect(store.world), server_side) {
        (Dialect::Helm3, _) => "",
        (Dialect::Helm4, true) => "ssa",
        (Dialect::Helm4, false) => "csa",
    }
}

async fn perform(
    store: &Store<'_>,
    order: &Order,
    record: &mut Record,
    there: &[Item],
    items: &[Item],
) -> Result<(), Trouble> {
    let server_side = record.is_server_side();
    let hooks = Hooks { server_side, patience: order.patience };
    hook::run(store, record, "pre-install", hooks).await.map_err(|trouble| trouble.during("failed pre-install"))?;
    let side = if server_side {
        Side::Server { force: order.force_conflicts, migrate: !there.is_empty() }
    } else {
        Side::Client
    };
    let custom = if order.take_ownership { Custom::ThreeWay } else { Custom::TwoWay };
    if there.is_empty() {
        apply::create(store.wire, items, How { side, custom }).await?;
    } else {
        apply::update(store.wire, there, items, How { side, custom }).await?;
    }
    if order.wait {
        readiness::ready(store, items, order.patience).await?;
    }
    hook::run(store, record, "post-install", hooks).await.map_err(|trouble| trouble.during("failed post-install"))
}

/// Makes the definitions of the chart's `crds` folder, those that are not there yet, and waits until they are served.
async fn define(store: &Store<'_>, order: &Order, chart: &render::Chart) -> Result<(), Trouble> {
    let server_side = order.server_side.unwrap_or(true);
    let side = if server_side { Side::Server { force: order.force_conflicts, migrate: false } } else { Side::Client };
    let mut made = Vec::new();
    for (name, text) in chart.crds() {
        let failed = |trouble: Trouble| trouble.during(&format!("failed to install CRD {name}"));
        let items = item::build(store.wire, &text).await.map_err(failed)?;
        match apply::create(store.wire, &items, How { side, custom: Custom::TwoWay }).await {
            Err(Trouble::Words(words)) if words.contains("already exists") => continue,
            other => other.map_err(failed)?,
        }
        made.extend(items);
    }
    readiness::served(store, &made).await
}

/// The release's own namespace; where it is there, that is as good.
async fn make_namespace(store: &Store<'_>) -> Result<(), Trouble> {
    let name = &store.wire.namespace;
    let spot = Spot::builtin("namespaces", "", name);
    if store.wire.get(&spot).await?.is_some() {
        return Ok(());
    }
    let object =
        json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name, "labels": { "name": name } } });
    match store.wire.create(&spot, &object).await? {
        Answer::Refused(refusal) if refusal.reason != "AlreadyExists" => Err(Trouble::words(refusal.message)),
        _ => Ok(()),
    }
}

/// What `--output=json` prints of a revision: without the chart's files.
pub(super) fn printed(record: &Record) -> String {
    let mut value = serde_json::to_value(record).expect("a record is plain data");
    value["chart"] = json!({ "metadata": record.chart.get("metadata").cloned().unwrap_or_default() });
    value.to_string()
}

/// A time as helm prints it in tables, RFC 3339; as it is where it cannot be read.
pub(super) fn time(text: &str) -> Value {
    text.parse::<Timestamp>().map_or_else(|_| json!(text), |time| json!(time.to_string()))
}
