//! `json::parse`, `json::dump`

use runbook_core::{Args, Call, Code, Fault, Param, Primitive, Value};

use super::{example, pure};

const TEXT: Param<String> = Param::required("text", "JSON.");
const VALUE: Param<Value> = Param::required("value", "Any plain value.");

/// `json::parse`
pub(super) const PARSE: Primitive = pure(
    "json::parse",
    "Read JSON.",
    &[&TEXT],
    |_: &Call<'_>, args: &Args| {
        serde_json::from_str(&args.get(&TEXT))
            .map_err(|error| Fault::new(Code::WrongArgument, format!("the text is no JSON: {error}")))
    },
    &[example(r#"json::parse("{\"a\": [1, 2]}").a[1]"#, "2")],
);

/// `json::dump`
pub(super) const DUMP: Primitive = pure(
    "json::dump",
    "Write a value as JSON on one line.",
    &[&VALUE],
    |_: &Call<'_>, args: &Args| Ok(Value::String(args.get(&VALUE).to_string())),
    &[example(r"json::dump(#{ a: [1, true, ()] })", r#"{"a":[1,true,null]}"#)],
);
