//! Values: versions, label selectors, manifests, JSON, YAML, lists, text, files and the time. All but files and the time computes.

mod file;
mod json;
pub mod labels;
mod list;
mod manifest;
mod semver;
mod text;
mod time;
mod yaml;

use runbook_core::param::AnyParam;
use runbook_core::primitive::{Answer, no_command};
use runbook_core::{Args, Call, Effect, Example, Outcome, Primitive, Value};

/// The primitives of this folder, in the order of the reference page.
pub const ALL: &[&Primitive] = &[
    &semver::PARSE,
    &semver::COMPARE,
    &semver::SATISFIES,
    &labels::MATCHES,
    &manifest::PARSE,
    &json::PARSE,
    &json::DUMP,
    &yaml::PARSE,
    &yaml::DUMP,
    &list::COUNTS,
    &list::FLAT,
    &list::GROUP,
    &text::TRIM,
    &text::SPLIT,
    &text::JOIN,
    &text::REPLACE,
    &text::PAD,
    &text::MATCHES,
    &text::SHA256,
    &time::NOW,
    &time::REACHED,
    &file::READ,
];

/// A text as it is, anything else as JSON.
pub(crate) fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The declaration that all primitives of this folder share: they compute.
const fn pure(
    name: &'static str,
    summary: &'static str,
    params: &'static [&'static dyn AnyParam],
    run: fn(&Call<'_>, &Args) -> Outcome,
    examples: &'static [Example],
) -> Primitive {
    Primitive {
        name,
        summary,
        params,
        effect: Effect::Pure,
        answer: Answer::Recorded,
        announce: |_| String::new(),
        command: no_command,
        run,
        examples,
    }
}

/// An example that needs no cluster.
const fn example(script: &'static str, expect: &'static str) -> Example {
    Example { cluster: "", script, expect }
}
