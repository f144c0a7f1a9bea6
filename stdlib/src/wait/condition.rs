//! `wait::condition`

use runbook_core::command::Command;
use runbook_core::primitive::{Answer, Example};
use runbook_core::{Args, Call, Effect, Outcome, Param, Primitive};

use super::ask::{Ask, What};
use super::option::{
    ALL_NAMESPACES, AT_LEAST, CONTEXT, FAIL_WHEN, FIELD_SELECTOR, INTERVAL, KIND, NAMES, NAMESPACE, NO_ACTIVITY,
    SELECTOR, TIMEOUT,
};
use super::{option, reach};

const TYPE: Param<String> = Param::required("type", "Type of the condition, such as `Programmed`.");
const STATUS: Param<Option<String>> = Param::option("status", "Its status: `True` if absent.");

/// A condition counts only where it speaks of the object's present generation.
pub(super) const CONDITION: Primitive = Primitive {
    name: "wait::condition",
    summary: "Wait until a condition in the status of objects holds, for their present generation.",
    params: &[
        &KIND,
        &NAMES,
        &TYPE,
        &STATUS,
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
    command: |args| Some(command(args)),
    run,
    examples: &[Example {
        cluster: "shop",
        script: r#"wait::condition("deployment", "web", "Available", #{ namespace: "shop" })"#,
        expect: r#"{ "object": "deployment/web" }"#,
    }],
};

fn status(args: &Args) -> String {
    args.get(&STATUS).unwrap_or_else(|| "True".to_owned())
}

fn announce(args: &Args) -> String {
    format!("wait until {} has {}={}", option::objects(args), args.get(&TYPE), status(args))
}

fn command(args: &Args) -> Command {
    let verb = option::command("kubectl wait", args);
    verb.word(format!("--for=condition={}={}", args.get(&TYPE), status(args)))
}

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    let what = What::Condition { kind: args.get(&TYPE), status: status(args) };
    reach::one(call, args, &Ask::of(args, what))
}
