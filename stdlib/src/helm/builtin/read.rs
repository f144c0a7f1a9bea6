//! What is asked of releases: their history, values, manifests; in the form in which helm prints it.

use std::collections::BTreeMap;

use runbook_core::Value;
use serde_json::json;

use super::install::time;
use super::record::Record;
use super::render;
use super::store::Store;
use super::trouble::Trouble;
use super::word::Words;

/// `history`
pub(super) async fn history(store: &Store<'_>, words: &Words) -> Result<String, Trouble> {
    let records = store.history(words.place(0)).await?;
    if records.is_empty() {
        return Err(Trouble::words("release: not found"));
    }
    let rows: Vec<_> = records.iter().map(row).collect();
    Ok(Value::Array(rows).to_string())
}

fn row(record: &Record) -> Value {
    json!({
        "revision": record.version,
        "updated": time(&record.info.last_deployed),
        "status": record.info.status,
        "chart": chart_of(record),
        "app_version": record.chart_text("appVersion"),
        "description": record.info.description,
    })
}

fn chart_of(record: &Record) -> String {
    format!("{}-{}", record.chart_text("name"), record.chart_text("version"))
}

/// `list`: the last revision of each release, whatever its state.
pub(super) async fn list(store: &Store<'_>, namespace: &str) -> Result<String, Trouble> {
    let mut last = BTreeMap::new();
    for record in store.everything(namespace).await? {
        last.insert((record.namespace.clone(), record.name.clone()), record);
    }
    let mut rows: Vec<_> = last.into_values().collect();
    rows.sort_by(|a, b| (&a.name, &a.namespace).cmp(&(&b.name, &b.namespace)));
    let rows: Vec<_> = rows.iter().map(listed).collect();
    Ok(Value::Array(rows).to_string())
}

fn listed(record: &Record) -> Value {
    json!({
        "name": record.name,
        "namespace": record.namespace,
        "revision": record.version.to_string(),
        "updated": time(&record.info.last_deployed),
        "status": record.info.status,
        "chart": chart_of(record),
        "app_version": record.chart_text("appVersion"),
    })
}

/// The revision that `--revision` says, or the last one.
async fn one(store: &Store<'_>, words: &Words) -> Result<Record, Trouble> {
    let records = store.history(words.place(0)).await?;
    let found = match words.number("revision").filter(|number| *number > 0) {
        Some(number) => records.into_iter().find(|record| record.version == number),
        None => records.into_iter().next_back(),
    };
    found.ok_or_else(|| Trouble::words("release: not found"))
}

/// `get manifest`
pub(super) async fn manifest(store: &Store<'_>, words: &Words) -> Result<String, Trouble> {
    Ok(one(store, words).await?.manifest)
}

/// `get hooks`
pub(super) async fn hooks(store: &Store<'_>, words: &Words) -> Result<String, Trouble> {
    let record = one(store, words).await?;
    let texts = record.hooks.iter().map(|hook| format!("---\n# Source: {}\n{}\n", hook.path, hook.manifest));
    Ok(texts.collect())
}

/// `get values`
pub(super) async fn values(store: &Store<'_>, words: &Words) -> Result<String, Trouble> {
    let record = one(store, words).await?;
    if words.on("all") {
        return Ok(render::all_values(store.world, &record)?.to_string());
    }
    Ok(Value::Object(record.config).to_string())
}

/// `get metadata`
pub(super) async fn metadata(store: &Store<'_>, words: &Words) -> Result<String, Trouble> {
    let record = one(store, words).await?;
    let method = if record.apply_method.is_empty() { "csa" } else { &record.apply_method };
    let metadata = json!({
        "name": record.name,
        "chart": record.chart_text("name"),
        "version": record.chart_text("version"),
        "appVersion": record.chart_text("appVersion"),
        "namespace": record.namespace,
        "revision": record.version,
        "status": record.info.status,
        "deployedAt": time(&record.info.last_deployed),
        "applyMethod": method,
    });
    Ok(metadata.to_string())
}
