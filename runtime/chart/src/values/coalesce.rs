//! Values of a chart, of its subcharts and of the user become one.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::chart::Chart;
use crate::fault::Fault;
use crate::order::Dialect;

type Table = Map<String, Value>;

const GLOBAL: &str = "global";

/// Whether null removes a key, or is kept for a later round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Coalesce,
    Merge,
}

/// The values of a chart and its subcharts under those of the user.
pub(crate) fn coalesce(chart: &Chart, values: &Table, mode: Mode, dialect: Dialect) -> Result<Table, Fault> {
    let mut into = values.clone();
    all(chart, &mut into, mode, dialect)?;
    Ok(into)
}

fn all(chart: &Chart, into: &mut Table, mode: Mode, dialect: Dialect) -> Result<(), Fault> {
    own(chart, into, mode, dialect);
    for subchart in &chart.dependencies {
        let name = subchart.name();
        let mut table = match into.remove(name) {
            None => Table::new(),
            Some(Value::Object(table)) => table,
            Some(other) => {
                let shown = crate::value::format("%t", &[crate::value::from_plain(&other)]);
                into.insert(name.to_owned(), other);
                return Err(Fault::new(format!("type mismatch on {name}: {shown}")).of(chart.name()));
            }
        };
        globals(&mut table, into);
        all(subchart, &mut table, mode, dialect)?;
        into.insert(name.to_owned(), Value::Object(table));
    }
    Ok(())
}

/// What the parent says to all goes down to the subchart, over what the subchart was told.
fn globals(into: &mut Table, from: &Table) {
    let mut down = match into.get(GLOBAL) {
        None => Table::new(),
        Some(Value::Object(table)) => table.clone(),
        Some(_) => return,
    };
    let from = match from.get(GLOBAL) {
        None => &Table::new(),
        Some(Value::Object(table)) => table,
        Some(_) => return,
    };
    for (key, value) in from {
        match (value, down.get_mut(key)) {
            (Value::Object(theirs), Some(Value::Object(ours))) => {
                let mut merged = theirs.clone();
                tables(&mut merged, ours, Mode::Merge);
                down.insert(key.clone(), Value::Object(merged));
            }
            // A map does not go over what is none, nor the other way round.
            (Value::Object(_), Some(_)) | (_, Some(Value::Object(_))) => {}
            (value, _) => {
                down.insert(key.clone(), value.clone());
            }
        }
    }
    into.insert(GLOBAL.to_owned(), Value::Object(down));
}

/// The chart's own defaults go under what is there.
fn own(chart: &Chart, into: &mut Table, mode: Mode, dialect: Dialect) {
    let Value::Object(defaults) = &chart.values else { return };
    let clean = mode == Mode::Coalesce && dialect == Dialect::Helm4;
    for (key, default) in defaults {
        match into.get_mut(key) {
            Some(Value::Null) if mode == Mode::Coalesce => {
                into.remove(key);
            }
            Some(Value::Object(given)) => {
                if let Value::Object(default) = default {
                    let mut default = default.clone();
                    let child = chart.dependencies.iter().any(|subchart| subchart.name() == key);
                    let inner = if child { Mode::Merge } else { mode };
                    if inner == Mode::Coalesce && dialect == Dialect::Helm4 {
                        without_nulls(&mut default);
                    }
                    tables(given, &mut default, inner);
                }
            }
            Some(_) => {}
            None if clean && default.is_null() => {}
            None => {
                let mut default = default.clone();
                if let (true, Value::Object(table)) = (clean, &mut default) {
                    without_nulls(table);
                }
                into.insert(key.clone(), default);
            }
        }
    }
}

fn without_nulls(table: &mut Table) {
    table.retain(|_, value| !value.is_null());
    for value in table.values_mut() {
        if let Value::Object(inner) = value {
            without_nulls(inner);
        }
    }
}

/// `coalesceTablesFullKey`, to the letter: `from` goes under `into`.
fn tables(into: &mut Table, from: &mut Table, mode: Mode) {
    let set: BTreeSet<String> = from.iter().filter(|(_, value)| !value.is_null()).map(|(key, _)| key.clone()).collect();
    for (key, value) in into.iter() {
        if value.is_null() {
            from.insert(key.clone(), Value::Null);
        }
    }
    for (key, value) in from.iter_mut() {
        match into.get_mut(key) {
            Some(Value::Null) if mode == Mode::Coalesce && set.contains(key) => {
                into.remove(key);
            }
            None => {
                into.insert(key.clone(), value.clone());
            }
            Some(Value::Object(ours)) => {
                if let Value::Object(theirs) = value {
                    tables(ours, theirs, mode);
                }
            }
            Some(_) => {}
        }
    }
}

/// Puts one table under another; null removes what lies below it. This is what `--reset-then-reuse-values` does.
pub fn coalesce_tables(into: &Value, from: &Value) -> Value {
    combined(into, from, Mode::Coalesce)
}

/// Puts one table under another and keeps nulls.
pub fn merge_tables(into: &Value, from: &Value) -> Value {
    combined(into, from, Mode::Merge)
}

fn combined(into: &Value, from: &Value, mode: Mode) -> Value {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            let (mut into, mut from) = (into.clone(), from.clone());
            tables(&mut into, &mut from, mode);
            Value::Object(into)
        }
        (Value::Object(_), _) => into.clone(),
        _ => from.clone(),
    }
}
