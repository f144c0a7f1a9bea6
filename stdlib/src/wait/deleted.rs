//! `wait::deleted`

use runbook_core::command::Command;
use runbook_core::primitive::{Answer, Example};
use runbook_core::{Args, Call, Effect, Outcome, Primitive};

use super::ask::{Ask, What};
use super::option::{
    ALL_NAMESPACES, CONTEXT, FAIL_WHEN, FIELD_SELECTOR, INTERVAL, KIND, NAMES, NAMESPACE, NO_ACTIVITY, SELECTOR,
    TIMEOUT,
};
use super::{option, reach};

/// Those that are there when it begins: an object that comes later under the same name is another one.
pub(super) const DELETED: Primitive = Primitive {
    name: "wait::deleted",
    summary: "Wait until the objects that are there now are gone.",
    params: &[
        &KIND,
        &NAMES,
        &NAMESPACE,
        &ALL_NAMESPACES,
        &SELECTOR,
        &FIELD_SELECTOR,
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
        script: r#"wait::deleted("pod", "*", #{ namespace: "shop", selector: "app=gone" })"#,
        expect: r#"{ "object": "pods with app=gone in shop" }"#,
    }],
};

fn announce(args: &Args) -> String {
    format!("wait until {} is gone", option::objects(args))
}

fn command(args: &Args) -> Command {
    option::command("kubectl wait --for=delete", args)
}

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    reach::one(call, args, &Ask::of(args, What::Deleted))
}
