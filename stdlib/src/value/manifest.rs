//! `manifest::parse`

use runbook_core::param::in_words;
use runbook_core::{Args, Call, Code, Fault, Outcome, Param, Primitive, Value};

use super::{example, pure};

const TEXT: Param<String> = Param::required("text", "YAML or JSON of any number of documents.");

/// `manifest::parse`
pub(super) const PARSE: Primitive = pure(
    "manifest::parse",
    "Read the objects of a manifest, as `kubectl` reads them; empty documents are left out.",
    &[&TEXT],
    parse,
    &[
        example(r#"manifest::parse("a: 1\n---\n# nothing\n---\nb: 0644\n")"#, r#"[{"a":1},{"b":420}]"#),
        example(r#"manifest::parse("")"#, "[]"),
    ],
);

fn parse(_: &Call<'_>, args: &Args) -> Outcome {
    let wrong = |reason: String| Fault::new(Code::WrongArgument, format!("the text is no manifest: {reason}"));
    let documents = crate::yaml::documents(&args.get(&TEXT)).map_err(wrong)?;
    let objects: Vec<Value> = documents.into_iter().filter(|document| !document.is_null()).collect();
    match objects.iter().find(|object| !object.is_object()) {
        Some(other) => Err(wrong(format!("each document is a map, one is {}", in_words(other)))),
        None => Ok(Value::Array(objects)),
    }
}
