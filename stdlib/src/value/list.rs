//! `list::*`: what scripts do with long lists, in one call.
//!
//! A loop that adds to a list or a map is measured anew with every step, so that nothing grows without bounds: with tens of
//! thousands of entries that takes minutes.

use runbook_core::{Args, Call, Code, Fault, Param, Primitive, Value};
use serde_json::Map;

use super::{example, pure, word};
use crate::path::Path;

const TEXTS: Param<Vec<Value>> = Param::required("texts", "A list of texts; what is no text is written as JSON.");
const LISTS: Param<Vec<Value>> = Param::required("lists", "A list of lists; what is no list stays as it is.");
const ITEMS: Param<Vec<Value>> = Param::required("items", "A list of maps.");
const FIELD: Param<String> = Param::required("field", "A path in each of them, such as `spec.nodeName`.");

/// `list::counts`
pub(super) const COUNTS: Primitive = pure(
    "list::counts",
    "How often each text is in a list, by the text: `text in list::counts(list)` does not look through the list.",
    &[&TEXTS],
    |_: &Call<'_>, args: &Args| {
        let mut counts = Map::new();
        for text in args.get(&TEXTS) {
            let count = counts.entry(word(&text)).or_insert_with(|| 0.into());
            *count = (count.as_u64().unwrap_or(0) + 1).into();
        }
        Ok(Value::Object(counts))
    },
    &[example(r#"list::counts(["a", "b", "a"])"#, r#"{"a":2,"b":1}"#)],
);

/// `list::flat`
pub(super) const FLAT: Primitive = pure(
    "list::flat",
    "Make one list of several.",
    &[&LISTS],
    |_: &Call<'_>, args: &Args| {
        let mut items = Vec::new();
        for list in args.get(&LISTS) {
            match list {
                Value::Array(more) => items.extend(more),
                other => items.push(other),
            }
        }
        Ok(Value::Array(items))
    },
    &[example("list::flat([[1, 2], [], [3]])", "[1,2,3]")],
);

/// `list::group`
pub(super) const GROUP: Primitive = pure(
    "list::group",
    "Sort maps by what a field of theirs says, into a list for each; those without it are left out.",
    &[&ITEMS, &FIELD],
    |_: &Call<'_>, args: &Args| {
        let field = Path::parse(&args.get(&FIELD)).map_err(|reason| Fault::new(Code::WrongArgument, reason))?;
        let mut groups = Map::new();
        for item in args.get(&ITEMS) {
            let Some(name) = field.at(&item).filter(|value| !value.is_null()).map(word) else { continue };
            if let Value::Array(group) = groups.entry(name).or_insert_with(|| Value::Array(Vec::new())) {
                group.push(item);
            }
        }
        Ok(Value::Object(groups))
    },
    &[example(
        r#"list::group([#{ on: "a", n: 1 }, #{ on: "b", n: 2 }, #{ on: "a", n: 3 }], "on").a.map(|it| it.n)"#,
        "[1,3]",
    )],
);
