//! `wait::field`

use runbook_core::command::Command;
use runbook_core::primitive::{Answer, Example};
use runbook_core::{Args, Call, Effect, Outcome, Param, Primitive, Value};

use super::ask::{Ask, What};
use super::option::{
    ALL_NAMESPACES, AT_LEAST, CONTEXT, FAIL_WHEN, FIELD_SELECTOR, INTERVAL, KIND, NAMES, NAMESPACE, NO_ACTIVITY,
    SELECTOR, TIMEOUT,
};
use super::{option, reach};

const PATH: Param<String> = Param::required("path", "Path of the field, such as `spec.http[0].match`.");
const EXPECTED: Param<Value> = Param::required("expected", "The value it is to have; `()` where it is to be absent.");

pub(super) const FIELD: Primitive = Primitive {
    name: "wait::field",
    summary: "Wait until a field of objects has a value.",
    params: &[
        &KIND,
        &NAMES,
        &PATH,
        &EXPECTED,
        &NAMESPACE,
        &ALL_NAMESPACES,
        &SELECTOR,
        &FIELD_SELECTOR,
        &AT_LEAST,
        &CONTEXT,
        &TIMEOUT,
        &NO_ACTIVITY,
        &FAIL_WHEN,
        &INTERVAL,
    ],
    effect: Effect::Wait,
    answer: Answer::Recorded,
    announce,
    command,
    run,
    examples: &[Example {
        cluster: "shop",
        script: r#"wait::field("deployment", "web", "status.readyReplicas", 2, #{ namespace: "shop" })"#,
        expect: r#"{ "object": "deployment/web" }"#,
    }],
};

fn announce(args: &Args) -> String {
    format!("wait until {} has {} = {}", option::objects(args), args.get(&PATH), args.get(&EXPECTED))
}

fn command(args: &Args) -> Option<Command> {
    let expected = match args.get(&EXPECTED) {
        // kubectl cannot wait for a field to be absent.
        Value::Null => return None,
        Value::String(text) => text,
        other => other.to_string(),
    };
    let verb = option::command("kubectl wait", args);
    Some(verb.word(format!("--for=jsonpath={{.{}}}={expected}", args.get(&PATH))))
}

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    let what = What::Field { path: args.get(&PATH), expected: args.get(&EXPECTED) };
    reach::one(call, args, &Ask::of(args, what))
}
