//! Hooks: made before or after the objects of a release, waited for to their end, and tidied up by their own policies.
//!
//! Does not know which operation they belong to.

use std::time::Duration;

use runbook_core::Value;

use super::apply::{self, How, Side};
use super::item::{self, Item};
use super::patch::Custom;
use super::record::{Execution, Hook, Record};
use super::store::Store;
use super::trouble::Trouble;
use crate::wait::objects::{self, Wish};

/// How often a pod is asked whether it has ended.
const AGAIN: Duration = Duration::from_secs(1);

/// How hooks are made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hooks {
    /// By the server or from here.
    pub(super) server_side: bool,
    /// How long each may take.
    pub(super) patience: Duration,
}

/// Runs the hooks of a moment, such as `pre-install`, in the order of their weights.
pub(super) async fn run(store: &Store<'_>, record: &mut Record, moment: &str, how: Hooks) -> Result<(), Trouble> {
    let mut order: Vec<usize> = (0..record.hooks.len())
        .filter(|index| record.hooks[*index].events.iter().any(|event| event == moment))
        .collect();
    order.sort_by(|a, b| {
        let (a, b) = (&record.hooks[*a], &record.hooks[*b]);
        (a.weight, &a.name).cmp(&(b.weight, &b.name))
    });
    for (done, index) in order.iter().enumerate() {
        if let Err(trouble) = run_one(store, record, *index, moment, how).await {
            if record.hooks[*index].last_run.phase == "Failed" && !record.hooks[*index].last_run.started_at.is_empty() {
                tidy_up(store, &record.hooks[*index], "hook-failed", how).await?;
                for earlier in &order[..done] {
                    tidy_up(store, &record.hooks[*earlier], "hook-succeeded", how).await?;
                }
            }
            return Err(trouble);
        }
    }
    for index in order.iter().rev() {
        tidy_up(store, &record.hooks[*index], "hook-succeeded", how).await?;
    }
    Ok(())
}

async fn run_one(
    store: &Store<'_>,
    record: &mut Record,
    index: usize,
    moment: &str,
    how: Hooks,
) -> Result<(), Trouble> {
    if record.hooks[index].delete_policies.is_empty() {
        record.hooks[index].delete_policies.push("before-hook-creation".to_owned());
    }
    tidy_up(store, &record.hooks[index], "before-hook-creation", how).await?;
    let hook = record.hooks[index].clone();
    let items = item::build(store.wire, &hook.manifest).await.map_err(|trouble| {
        trouble.during(&format!("unable to build kubernetes object for {moment} hook {}", hook.path))
    })?;
    record.hooks[index].last_run =
        Execution { started_at: store.now(), completed_at: String::new(), phase: "Running".to_owned() };
    // The record may not be there yet, or not any more: as with helm, that is no reason to stop.
    let _ = store.update(record).await;
    let side = if how.server_side { Side::Server { force: false, migrate: false } } else { Side::Client };
    let made = apply::create(store.wire, &items, How { side, custom: Custom::TwoWay }).await;
    let ended = match made {
        Ok(()) => completed(store, &items, how.patience).await,
        Err(trouble) => Err(trouble.during(&format!("warning: Hook {moment} {} failed", hook.path))),
    };
    let last = &mut record.hooks[index].last_run;
    last.completed_at = store.now();
    if ended.is_ok() { "Succeeded" } else { "Failed" }.clone_into(&mut last.phase);
    ended
}

/// Deletes what a hook made, where its policies say so for that outcome, and waits until it is gone. Definitions stay.
async fn tidy_up(store: &Store<'_>, hook: &Hook, policy: &str, how: Hooks) -> Result<(), Trouble> {
    if hook.kind == "CustomResourceDefinition" || !hook.delete_policies.iter().any(|own| own == policy) {
        return Ok(());
    }
    let items = item::build(store.wire, &hook.manifest).await.map_err(|trouble| {
        trouble.during(&format!("unable to build kubernetes object for deleting hook {}", hook.path))
    })?;
    gone(store, &items, how.patience).await
}

/// Deletes objects and waits until they are gone.
async fn gone(store: &Store<'_>, items: &[Item], patience: Duration) -> Result<(), Trouble> {
    let mut there = Vec::new();
    for item in items {
        if store.wire.get(&item.spot).await?.is_some() {
            store.wire.delete(&item.spot).await?;
            there.push(wanted(item));
        }
    }
    Ok(objects::wait(store.world, &store.wire.cluster, &there, Wish::Gone, patience).await?)
}

/// An object as those who wait call it.
pub(super) fn wanted(item: &Item) -> objects::Wanted {
    (item.spot.resource.clone(), item.spot.namespace.clone(), item.spot.name.clone())
}

/// Jobs and pods of hooks are waited for to their end; anything else is done when it is made.
async fn completed(store: &Store<'_>, items: &[Item], patience: Duration) -> Result<(), Trouble> {
    for item in items {
        match (item.spot.resource.group.as_str(), item.spot.resource.kind.as_str()) {
            ("batch", "Job") => {
                objects::wait(store.world, &store.wire.cluster, &[wanted(item)], Wish::Ready, patience)
                    .await
                    .map_err(|fault| not_completed(item, &fault.message))?;
            }
            ("", "Pod") => ended(store, item, patience).await?,
            _ => {}
        }
    }
    Ok(())
}

async fn ended(store: &Store<'_>, item: &Item, patience: Duration) -> Result<(), Trouble> {
    let clock = &store.world.clock;
    let begun = clock.elapsed();
    loop {
        let live = store.wire.get(&item.spot).await?.unwrap_or_default();
        let phase = live.pointer("/status/phase").and_then(Value::as_str).unwrap_or("Pending");
        match phase {
            "Succeeded" => return Ok(()),
            "Failed" => return Err(not_completed(item, "pod failed")),
            _ if clock.elapsed().saturating_sub(begun) >= patience => {
                return Err(not_completed(item, &format!("its phase is {phase}")));
            }
            _ => clock.sleep(AGAIN).await,
        }
    }
}

fn not_completed(item: &Item, reason: &str) -> Trouble {
    let spot = &item.spot;
    Trouble::words(format!(
        "resource {}/{}/{} not ready. status: Failed, message: {reason}",
        spot.resource.kind, spot.namespace, spot.name
    ))
}
