//! `yaml::parse`, `yaml::dump`

use runbook_core::{Args, Call, Code, Fault, Param, Primitive, Value};

use super::{example, pure};

const TEXT: Param<String> = Param::required("text", "YAML, one document.");
const VALUE: Param<Value> = Param::required("value", "Any plain value.");

/// `yaml::parse`
pub(super) const PARSE: Primitive = pure(
    "yaml::parse",
    "Read YAML as Kubernetes reads it.",
    &[&TEXT],
    |_: &Call<'_>, args: &Args| {
        crate::yaml::document(&args.get(&TEXT))
            .map_err(|reason| Fault::new(Code::WrongArgument, format!("the text is no YAML: {reason}")))
    },
    &[example(r#"yaml::parse("a: yes").a"#, "true")],
);

/// `yaml::dump`
pub(super) const DUMP: Primitive = pure(
    "yaml::dump",
    "Write a value as YAML; texts that YAML would take for something else are quoted.",
    &[&VALUE],
    |_: &Call<'_>, args: &Args| {
        serde_saphyr::to_string(&args.get(&VALUE))
            .map(Value::String)
            .map_err(|error| Fault::new(Code::WrongArgument, format!("the value cannot be written as YAML: {error}")))
    },
    &[example(r#"yaml::parse(yaml::dump(#{ a: "yes" })).a"#, "yes")],
);
