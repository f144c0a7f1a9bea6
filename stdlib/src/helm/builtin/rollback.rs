//! Going back, as helm does: the manifest and hooks of an earlier revision, applied as a new one.

use super::apply::{self, How, Side};
use super::hook::{self, Hooks};
use super::item;
use super::patch::Custom;
use super::readiness;
use super::record::{Info, Record};
use super::store::Store;
use super::trouble::Trouble;
use super::word::Words;

/// Goes back to the revision that stands behind the release's name; 0 is the one before the last.
pub(super) async fn run(store: &Store<'_>, words: &Words) -> Result<Record, Trouble> {
    let history = store.history(words.place(0)).await?;
    let Some(mut current) = history.last().cloned() else { return Err(Trouble::words("release: not found")) };
    let wanted = match words.place(1).parse().unwrap_or(0) {
        0 => current.version.saturating_sub(1),
        number => number,
    };
    let Some(earlier) = history.iter().find(|record| record.version == wanted) else {
        return Err(Trouble::words(format!("release has no {wanted} version")));
    };
    let server_side = match words.flag("server-side") {
        Some("true") => true,
        Some("false") => false,
        _ => earlier.is_server_side(),
    };
    let mut target = Record {
        version: current.version + 1,
        namespace: current.namespace.clone(),
        info: Info {
            first_deployed: current.info.first_deployed.clone(),
            last_deployed: store.now(),
            deleted: String::new(),
            status: "pending-rollback".to_owned(),
            description: format!("Rollback to {wanted}"),
            rollback_revision: wanted,
            notes: earlier.info.notes.clone(),
        },
        apply_method: if server_side { "ssa" } else { "csa" }.to_owned(),
        ..earlier.clone()
    };
    store.create(&target, Some(words.number("history-max").unwrap_or(10))).await?;
    perform(store, words, &mut current, &mut target).await?;
    for mut record in store.history(&target.name).await? {
        if record.info.status == "deployed" {
            "superseded".clone_into(&mut record.info.status);
            store.update(&record).await?;
        }
    }
    "deployed".clone_into(&mut target.info.status);
    store.update(&target).await?;
    Ok(target)
}

async fn perform(store: &Store<'_>, words: &Words, current: &mut Record, target: &mut Record) -> Result<(), Trouble> {
    let before = item::build(store.wire, &current.manifest)
        .await
        .map_err(|trouble| trouble.during("unable to build kubernetes objects from current release manifest"))?;
    let mut after = item::build(store.wire, &target.manifest)
        .await
        .map_err(|trouble| trouble.during("unable to build kubernetes objects from new release manifest"))?;
    let hooks = Hooks { server_side: target.is_server_side(), patience: words.patience() };
    hook::run(store, target, "pre-rollback", hooks).await.map_err(|trouble| trouble.during("failed pre-rollback"))?;
    item::own(&mut after, target);
    let side = if target.is_server_side() {
        Side::Server { force: words.on("force-conflicts"), migrate: true }
    } else {
        Side::Client
    };
    if let Err(trouble) = apply::update(store.wire, &before, &after, How { side, custom: Custom::TwoWay }).await {
        "superseded".clone_into(&mut current.info.status);
        target.settle("failed", format!("Rollback \"{}\" failed: {}", target.name, trouble.in_words()));
        store.update(current).await?;
        store.update(target).await?;
        return Err(trouble);
    }
    if words.on("wait")
        && let Err(trouble) = readiness::ready(store, &after, words.patience()).await
    {
        target.settle("failed", format!("Release \"{}\" failed: {}", target.name, trouble.in_words()));
        store.update(current).await?;
        store.update(target).await?;
        return Err(trouble.during(&format!("release {} failed", target.name)));
    }
    hook::run(store, target, "post-rollback", hooks).await.map_err(|trouble| trouble.during("failed post-rollback"))
}
