//! `report::table`

use runbook_core::arg::Args;
use runbook_core::param::in_words;
use runbook_core::primitive::{Answer, no_command};
use runbook_core::record::{Entry, Note};
use runbook_core::{Call, Code, Effect, Example, Fault, Outcome, Param, Primitive, Value};
use serde_json::Map;

const ROWS: Param<Vec<Value>> = Param::required("rows", "The rows, each a map.");
const COLUMNS: Param<Option<Vec<String>>> =
    Param::option("columns", "Which keys become columns, in this order; all of them, sorted, if absent.");
const TITLE: Param<Option<String>> = Param::option("title", "What stands above it.");

pub(super) const TABLE: Primitive = Primitive {
    name: "report::table",
    summary: "Write a table into the report.",
    params: &[&ROWS, &COLUMNS, &TITLE],
    effect: Effect::Pure,
    answer: Answer::Recorded,
    announce: |_| "table".to_owned(),
    command: no_command,
    run,
    examples: &[Example {
        cluster: "",
        script: r#"report::table([#{ node: "a", pods: 3 }], #{ columns: ["node", "pods"], title: "Moved" })"#,
        expect: "null",
    }],
};

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    let rows = args.get(&ROWS).into_iter().map(row).collect::<Result<Vec<_>, _>>()?;
    let columns = args.get(&COLUMNS).unwrap_or_else(|| all_columns(&rows));
    let markdown = markdown(args.get(&TITLE), &columns, &rows);
    call.session.record(Entry::Note(Note { step: call.step.clone(), markdown }))?;
    Ok(Value::Null)
}

fn row(value: Value) -> Result<Map<String, Value>, Fault> {
    match value {
        Value::Object(row) => Ok(row),
        other => Err(Fault::new(Code::WrongArgument, format!("a row of a table is a map, not {}", in_words(&other)))),
    }
}

fn all_columns(rows: &[Map<String, Value>]) -> Vec<String> {
    let mut columns: Vec<String> = rows.iter().flat_map(Map::keys).cloned().collect();
    columns.sort();
    columns.dedup();
    columns
}

fn markdown(title: Option<String>, columns: &[String], rows: &[Map<String, Value>]) -> String {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let mut text = title.map(|title| format!("**{}**\n\n", cell(&Value::from(title)))).unwrap_or_default();
    text += &line(columns.iter().map(|name| cell(&Value::from(name.as_str()))).collect());
    text += &line(columns.iter().map(|_| "---".to_owned()).collect());
    for row in rows {
        text += &line(columns.iter().map(|name| row.get(name).map(cell).unwrap_or_default()).collect());
    }
    text
}

/// A value in one cell: neither a line break nor a bar may end it.
fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    text.replace('\\', "\\\\").replace('|', "\\|").replace(['\r', '\n'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_cell_cannot_break_the_table() {
        let rows = vec![json!({ "a": "x|y\nz", "b": 3 }).as_object().cloned().unwrap()];
        let text = markdown(None, &all_columns(&rows), &rows);
        assert_eq!(text, "| a | b |\n| --- | --- |\n| x\\|y z | 3 |\n");
    }
}
