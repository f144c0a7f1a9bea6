//! `log::info`, `log::warn` and `log::error`

use runbook_core::arg::Args;
use runbook_core::primitive::{Answer, no_command};
use runbook_core::record::{Entry, Level, Log};
use runbook_core::{Call, Effect, Example, Outcome, Param, Primitive, Value};

use crate::value::word;

const MESSAGE: Param<Value> = Param::required("message", "The line; anything but a text is written as JSON.");

pub(super) const INFO: Primitive = Primitive {
    name: "log::info",
    summary: "Say something for the record.",
    params: &[&MESSAGE],
    effect: Effect::Pure,
    answer: Answer::Recorded,
    announce: |args| word(&args.get(&MESSAGE)),
    command: no_command,
    run: |call, args| write(call, args, Level::Info),
    examples: &[Example { cluster: "", script: r#"log::info("istiod is at 1.30.3 already")"#, expect: "null" }],
};

pub(super) const WARN: Primitive = Primitive {
    name: "log::warn",
    summary: "Say something that should be known.",
    run: |call, args| write(call, args, Level::Warn),
    examples: &[Example { cluster: "", script: r#"log::warn(["a", "b"])"#, expect: "null" }],
    ..INFO
};

pub(super) const ERROR: Primitive = Primitive {
    name: "log::error",
    summary: "Say that something is wrong; the run goes on.",
    run: |call, args| write(call, args, Level::Error),
    examples: &[Example { cluster: "", script: r#"log::error("node-3 did not answer")"#, expect: "null" }],
    ..INFO
};

fn write(call: &Call<'_>, args: &Args, level: Level) -> Outcome {
    let message = word(&args.get(&MESSAGE));
    call.session.record(Entry::Log(Log { step: call.step.clone(), level, message }))?;
    Ok(Value::Null)
}
