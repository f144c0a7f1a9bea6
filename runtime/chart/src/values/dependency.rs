//! Which subcharts are in, under which names, and what the parent imports of their values.

use serde_json::{Map, Value};

use super::{Mode, coalesce, merge_tables, table};
use crate::chart::{Chart, Dependency};
use crate::fault::Fault;
use crate::function::compatible;
use crate::order::Dialect;

type Table = Map<String, Value>;

/// The chart as it is once conditions, tags, aliases and imports have had their say.
pub(crate) fn settle(chart: &Chart, values: &Table, dialect: Dialect) -> Result<Chart, Fault> {
    let mut chart = chart.clone();
    enable(&mut chart, values, "", dialect)?;
    import(&mut chart, dialect)?;
    Ok(chart)
}

fn enable(chart: &mut Chart, values: &Table, path: &str, dialect: Dialect) -> Result<(), Fault> {
    if chart.metadata.dependencies.is_empty() {
        return Ok(());
    }
    let asked = &chart.metadata.dependencies;
    let asked_for =
        |chart: &Chart| asked.iter().any(|one| one.name == chart.name() && compatible(&one.version, chart.version()));
    let mut subcharts: Vec<Chart> = chart.dependencies.iter().filter(|one| !asked_for(one)).cloned().collect();
    for one in asked {
        let found = chart
            .dependencies
            .iter()
            .find(|chart| chart.name() == one.name && compatible(&one.version, chart.version()));
        if let Some(found) = found {
            let mut found = found.clone();
            if !one.alias.is_empty() {
                found.metadata.name.clone_from(&one.alias);
            }
            subcharts.push(found);
        }
    }
    chart.dependencies = subcharts;
    for one in &mut chart.metadata.dependencies {
        if !one.alias.is_empty() {
            one.name.clone_from(&one.alias);
        }
        one.enabled = true;
    }
    let all = coalesce(chart, values, Mode::Coalesce, dialect)?;
    for one in &mut chart.metadata.dependencies {
        by_tags(one, &all);
        by_condition(one, &all, path);
    }
    let out: Vec<String> =
        chart.metadata.dependencies.iter().filter(|one| !one.enabled).map(|one| one.name.clone()).collect();
    chart.dependencies.retain(|subchart| !out.iter().any(|name| name == subchart.name()));
    chart.metadata.dependencies.retain(|one| !out.contains(&one.name));
    for subchart in &mut chart.dependencies {
        let path = format!("{path}{}.", subchart.name());
        enable(subchart, &all, &path, dialect)?;
    }
    Ok(())
}

fn by_tags(one: &mut Dependency, values: &Table) {
    let Some(tags) = values.get("tags").and_then(Value::as_object) else { return };
    let said: Vec<bool> = one.tags.iter().filter_map(|tag| tags.get(tag)?.as_bool()).collect();
    one.enabled = said.contains(&true) || !said.contains(&false);
}

fn by_condition(one: &mut Dependency, values: &Table, path: &str) {
    for condition in one.condition.trim().split(',').filter(|condition| !condition.is_empty()) {
        let whole = format!("{path}{condition}");
        let found = match whole.rsplit_once('.') {
            Some((above, key)) => table(values, above).and_then(|table| table.get(key)),
            None => values.get(&whole),
        };
        if let Some(truth) = found.and_then(Value::as_bool) {
            one.enabled = truth;
            return;
        }
    }
}

/// Values that a subchart exports become defaults of its parent.
fn import(chart: &mut Chart, dialect: Dialect) -> Result<(), Fault> {
    for subchart in &mut chart.dependencies {
        import(subchart, dialect)?;
    }
    if chart.metadata.dependencies.is_empty() {
        return Ok(());
    }
    let all = coalesce(chart, &Table::new(), Mode::Merge, dialect)?;
    let mut imported = Value::Object(Table::new());
    for one in &chart.metadata.dependencies {
        for import in &one.import_values {
            let (child, parent) = match import {
                Value::String(name) => (format!("exports.{name}"), ".".to_owned()),
                Value::Object(pair) => (part(pair, "child"), part(pair, "parent")),
                _ => continue,
            };
            let Some(found) = table(&all, &format!("{}.{child}", one.name)) else { continue };
            imported = merge_tables(&imported, &at(&parent, found.clone()));
        }
    }
    chart.values = merge_tables(&Value::Object(all), &imported);
    Ok(())
}

fn part(pair: &Table, key: &str) -> String {
    match pair.get(key) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => "<nil>".to_owned(),
    }
}

/// A table at a dotted path.
fn at(path: &str, table: Table) -> Value {
    if path == "." {
        return Value::Object(table);
    }
    path.rsplit('.')
        .fold(Value::Object(table), |inner, part| Value::Object([(part.to_owned(), inner)].into_iter().collect()))
}
