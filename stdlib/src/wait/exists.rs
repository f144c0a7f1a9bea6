//! `wait::exists`

use runbook_core::command::Command;
use runbook_core::primitive::{Answer, Example};
use runbook_core::{Args, Call, Effect, Outcome, Primitive};

use super::ask::{Ask, What};
use super::option::{
    ALL_NAMESPACES, AT_LEAST, CONTEXT, FIELD_SELECTOR, INTERVAL, KIND, NAMES, NAMESPACE, NO_ACTIVITY, SELECTOR, TIMEOUT,
};
use super::{option, reach};

pub(super) const EXISTS: Primitive = Primitive {
    name: "wait::exists",
    summary: "Wait until objects are there.",
    params: &[
        &KIND,
        &NAMES,
        &NAMESPACE,
        &ALL_NAMESPACES,
        &SELECTOR,
        &FIELD_SELECTOR,
        &AT_LEAST,
        &CONTEXT,
        &TIMEOUT,
        &NO_ACTIVITY,
        &INTERVAL,
    ],
    effect: Effect::Wait,
    answer: Answer::Recorded,
    announce,
    command: |args| Some(command(args)),
    run,
    examples: &[Example {
        cluster: "shop",
        script: r#"wait::exists("deployment", "web", #{ namespace: "shop" })"#,
        expect: r#"{ "object": "deployment/web" }"#,
    }],
};

fn announce(args: &Args) -> String {
    format!("wait until {} exists", option::objects(args))
}

fn command(args: &Args) -> Command {
    option::command("kubectl wait --for=create", args)
}

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    reach::one(call, args, &Ask::of(args, What::Exists))
}
