//! Objects as rows of a table, as `kubectl get` prints them.
//!
//! Not known here: the columns of single kinds.

mod cell;
mod column;

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Server, path::Place, query::Query, render};
use crate::{kind::Source, store::Stored};

/// A column: its head, and what stands in it.
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) form: Form,
    /// Zero is always shown, one only in wide tables.
    pub(crate) priority: u8,
    pub(crate) cell: fn(&Value, Timestamp) -> Value,
}

/// What sort of value stands in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Text,
    Number,
    Name,
}

/// A table of objects.
pub(crate) fn of(server: &Server, place: &Place, query: &Query, objects: &[Arc<Stored>], about: &Value) -> Value {
    let now = server.clock.now();
    let whole = query.get("includeObject");
    let row = |cells: Vec<Value>, object: &Value| {
        let shown = match whole {
            Some("Object") => {
                let mut object = object.clone();
                object["apiVersion"] = place.kind.api_version().into();
                object
            }
            Some("None") => return json!({ "cells": cells, "object": null }),
            _ => render::metadata(object),
        };
        json!({ "cells": cells, "object": shown })
    };
    let (columns, rows): (Vec<Value>, Vec<Value>) = match &place.kind.source {
        Source::Custom(custom) => {
            let declared = custom.version()["additionalPrinterColumns"].as_array().cloned().unwrap_or_default();
            let rows = objects.iter().map(|stored| {
                let object = stored.value();
                row(cell::declared(&declared, &object, now), &object)
            });
            (cell::declarations(&declared), rows.collect())
        }
        Source::BuiltIn => {
            let columns = column::of(&place.kind.group, &place.kind.plural);
            let rows = objects.iter().map(|stored| {
                let object = stored.value();
                let cells = columns.iter().map(|column| (column.cell)(&object, now)).collect();
                row(cells, &object)
            });
            (columns.iter().map(definition).collect(), rows.collect())
        }
    };
    json!({ "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": about, "columnDefinitions": columns, "rows": rows })
}

fn definition(column: &Column) -> Value {
    let (form, format) = match column.form {
        Form::Text => ("string", ""),
        Form::Number => ("integer", ""),
        Form::Name => ("string", "name"),
    };
    json!({ "name": column.name, "type": form, "format": format, "description": "", "priority": column.priority })
}
