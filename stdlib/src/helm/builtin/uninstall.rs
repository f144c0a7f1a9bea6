//! Uninstalling, as helm does: what is the release's own goes, what says that it is kept stays, and so does what others own.

use runbook_chart::{Dialect, Direction, by_kind};

use super::super::object;
use super::hook::{self, Hooks};
use super::item::{self, Item};
use super::readiness;
use super::record::Record;
use super::render;
use super::store::Store;
use super::trouble::Trouble;
use super::word::Words;

/// Uninstalls.
pub(super) async fn run(store: &Store<'_>, words: &Words) -> Result<(), Trouble> {
    let (name, keep) = (words.place(0), words.on("keep-history"));
    let mut history = store.history(name).await?;
    let Some(mut record) = history.pop() else {
        return Err(Trouble::words(format!("uninstall: Release not loaded: {name}: release: not found")));
    };
    if record.info.status == "uninstalled" {
        if keep {
            return Err(Trouble::words(format!("the release named \"{name}\" is already deleted")));
        }
        history.push(record);
        return purge(store, &history).await;
    }
    record.info.deleted = store.now();
    record.settle("uninstalling", "Deletion in progress (or silently failed)".to_owned());
    let server_side = render::dialect(store.world) == Dialect::Helm4;
    let hooks = Hooks { server_side, patience: words.patience() };
    hook::run(store, &mut record, "pre-delete", hooks).await.map_err(|trouble| trouble.during("failed pre-delete"))?;
    store.update(&record).await?;
    let deleted = delete(store, &record).await?;
    let mut errors = Vec::new();
    if words.on("wait")
        && let Err(trouble) = readiness::gone(store, &deleted, words.patience()).await
    {
        errors.push(trouble);
    }
    if let Err(trouble) = hook::run(store, &mut record, "post-delete", hooks).await {
        errors.push(trouble.during("failed post-delete"));
    }
    record.settle("uninstalled", "Uninstallation complete".to_owned());
    if keep {
        store.update(&record).await?;
        for mut earlier in history.into_iter().filter(|record| record.info.status == "deployed") {
            "superseded".clone_into(&mut earlier.info.status);
            store.update(&earlier).await?;
        }
    } else {
        history.push(record);
        purge(store, &history).await?;
    }
    match errors.into_iter().next() {
        None => Ok(()),
        Some(trouble) => Err(trouble.during("uninstallation completed with 1 error(s)")),
    }
}

async fn purge(store: &Store<'_>, records: &[Record]) -> Result<(), Trouble> {
    for record in records {
        store.delete(record).await.map_err(|trouble| trouble.during("uninstall: Failed to purge the release"))?;
    }
    Ok(())
}

/// Deletes what is the release's own; what was deleted.
async fn delete(store: &Store<'_>, record: &Record) -> Result<Vec<Item>, Trouble> {
    let items = item::build(store.wire, &record.manifest)
        .await
        .map_err(|trouble| trouble.during("unable to build kubernetes objects for delete"))?;
    let mut items: Vec<_> = items.into_iter().filter(|item| !object::is_kept(&item.object)).collect();
    let dialect = render::dialect(store.world);
    items.sort_by(|a, b| by_kind(&a.spot.resource.kind, &b.spot.resource.kind, Direction::Uninstall, dialect));
    let (mut deleted, mut errors) = (Vec::new(), Vec::new());
    for item in items {
        let Some(live) = store.wire.get(&item.spot).await? else { continue };
        if item::stranger(&live, record).is_some() {
            continue;
        }
        match store.wire.delete(&item.spot).await {
            Ok(()) => deleted.push(item),
            Err(Trouble::Words(words)) => errors.push(words),
            Err(trouble) => return Err(trouble),
        }
    }
    if errors.is_empty() {
        return Ok(deleted);
    }
    Err(Trouble::words(format!("failed to delete release: {}: {}", record.name, errors.join("; "))))
}
