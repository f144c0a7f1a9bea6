//! Upgrading, as helm does: from what was applied last to what a chart and values render now.

use runbook_chart::values;
use runbook_core::Value;
use serde_json::Map;

use super::apply::{self, How, Side};
use super::hook::{self, Hooks};
use super::install;
use super::item::{self, Item};
use super::order::{Keeping, Order};
use super::patch::Custom;
use super::readiness;
use super::record::{Info, Record};
use super::render::{self, Asked, Moment};
use super::store::Store;
use super::trouble::Trouble;

/// Upgrades, installs where that is asked for and there is nothing, or only renders what would be.
pub(super) async fn run(store: &Store<'_>, order: &Order) -> Result<Record, Trouble> {
    let history = store.history(&order.release).await?;
    let last = history.last();
    if order.install && last.is_none_or(|last| last.info.status == "uninstalled") {
        return install::run(store, order, last.cloned()).await;
    }
    attempt(store, order, history).await.map_err(|trouble| trouble.during("UPGRADE FAILED"))
}

async fn attempt(store: &Store<'_>, order: &Order, history: Vec<Record>) -> Result<Record, Trouble> {
    let Some(last) = history.last().cloned() else { return Err(no_deployed(&order.release)) };
    if last.is_pending() {
        return Err(Trouble::words("another operation (install/upgrade/rollback) is in progress"));
    }
    let deployed = history.into_iter().rev().find(|record| record.info.status == "deployed");
    let mut current = match deployed {
        Some(deployed) => deployed,
        None if ["failed", "superseded"].contains(&last.info.status.as_str()) => last.clone(),
        None => return Err(no_deployed(&order.release)),
    };
    let mut record = prepare(store, order, &last, &current).await?;
    let before = item::build(store.wire, &current.manifest)
        .await
        .map_err(|trouble| trouble.during("unable to build kubernetes objects from current release manifest"))?;
    let mut after = item::build(store.wire, &record.manifest)
        .await
        .map_err(|trouble| trouble.during("unable to build kubernetes objects from new release manifest"))?;
    item::own(&mut after, &record);
    let before = with_existing(store, order, &record, before, &after).await?;
    if order.dry {
        record.info.description = order.description.clone().unwrap_or_else(|| "Dry run complete".to_owned());
        return Ok(record);
    }
    store.create(&record, Some(order.history_max)).await?;
    match perform(store, order, &mut record, &mut current, &before, &after).await {
        Ok(()) => {
            "superseded".clone_into(&mut current.info.status);
            store.update(&current).await?;
            let words = order.description.clone().unwrap_or_else(|| "Upgrade complete".to_owned());
            record.settle("deployed", words);
            store.update(&record).await?;
            Ok(record)
        }
        Err(trouble) => {
            record.settle("failed", format!("Upgrade \"{}\" failed: {}", record.name, trouble.in_words()));
            store.update(&record).await?;
            Err(trouble)
        }
    }
}

fn no_deployed(release: &str) -> Trouble {
    Trouble::words(format!("\"{release}\" has no deployed releases"))
}

/// The new revision, rendered.
async fn prepare(store: &Store<'_>, order: &Order, last: &Record, current: &Record) -> Result<Record, Trouble> {
    let mut chart = order.chart(store.world).await?;
    let values = kept(store, order, current, &mut chart)?;
    let revision = last.version + 1;
    let asked = Asked { release: &order.release, revision, moment: Moment::Upgrade, skip_schema: order.skip_schema };
    let rendering = render::on_cluster(store, &chart, Some(values.clone()), asked).await?;
    let server_side = order.server_side.unwrap_or_else(|| last.is_server_side());
    Ok(Record {
        name: order.release.clone(),
        namespace: current.namespace.clone(),
        version: revision,
        info: Info {
            first_deployed: current.info.first_deployed.clone(),
            last_deployed: store.now(),
            status: "pending-upgrade".to_owned(),
            description: "Preparing upgrade".to_owned(),
            notes: rendering.notes,
            ..Info::default()
        },
        chart: rendering.chart,
        config: values,
        manifest: rendering.manifest,
        hooks: rendering.hooks,
        apply_method: install::method(store, server_side).to_owned(),
        labels: last.labels.clone(),
    })
}

/// The user values of the new revision.
fn kept(
    store: &Store<'_>,
    order: &Order,
    current: &Record,
    chart: &mut render::Chart,
) -> Result<Map<String, Value>, Trouble> {
    let given = order.values.clone().unwrap_or_default();
    // A null takes away what was there before, and is gone with it.
    let over = |given: Map<String, Value>| match values::coalesce_tables(
        &Value::Object(given),
        &Value::Object(current.config.clone()),
    ) {
        Value::Object(values) => values,
        _ => Map::new(),
    };
    Ok(match order.keeping {
        Keeping::Reuse => {
            // The old chart's defaults stand in for the new one's, as far as they were recorded.
            chart.set_values(&render::all_values(store.world, current)?)?;
            over(given)
        }
        Keeping::ResetThenReuse => over(given),
        Keeping::Given if given.is_empty() => current.config.clone(),
        Keeping::Reset | Keeping::Given => given,
    })
}

/// What was there before, with what exists beside the release and may be taken in.
async fn with_existing(
    store: &Store<'_>,
    order: &Order,
    record: &Record,
    mut before: Vec<Item>,
    after: &[Item],
) -> Result<Vec<Item>, Trouble> {
    let same = |a: &Item, b: &Item| a.is(b) && a.spot.resource.version == b.spot.resource.version;
    let new: Vec<Item> = after.iter().filter(|item| !before.iter().any(|old| same(old, item))).cloned().collect();
    let found = if order.take_ownership {
        item::adopted(store.wire, &new).await
    } else {
        item::existing(store.wire, &new, record).await
    };
    before.extend(found.map_err(|trouble| trouble.during("unable to continue with update"))?);
    Ok(before)
}

async fn perform(
    store: &Store<'_>,
    order: &Order,
    record: &mut Record,
    current: &mut Record,
    before: &[Item],
    after: &[Item],
) -> Result<(), Trouble> {
    let server_side = record.is_server_side();
    let hooks = Hooks { server_side, patience: order.patience };
    hook::run(store, record, "pre-upgrade", hooks)
        .await
        .map_err(|trouble| trouble.during("pre-upgrade hooks failed"))?;
    let side = if server_side {
        Side::Server { force: order.force_conflicts, migrate: !current.is_server_side() }
    } else {
        Side::Client
    };
    let applied = apply::update(store.wire, before, after, How { side, custom: Custom::TwoWay }).await;
    let ready = match applied {
        Ok(()) if order.wait => readiness::ready(store, after, order.patience).await,
        other => other,
    };
    if let Err(trouble) = ready {
        store.update(current).await?;
        return Err(trouble);
    }
    hook::run(store, record, "post-upgrade", hooks).await.map_err(|trouble| trouble.during("post-upgrade hooks failed"))
}
