//! `wait::rollout`

use runbook_core::command::Command;
use runbook_core::primitive::{Answer, Example};
use runbook_core::{Args, Call, Effect, Outcome, Primitive};

use super::ask::{Ask, What};
use super::option::{
    ALL_NAMESPACES, ALLOW_RESTARTS, AT_LEAST, CONTEXT, FAIL_FAST, FAIL_WHEN, FIELD_SELECTOR, INTERVAL, KIND, NAMES,
    NAMESPACE, NO_ACTIVITY, SELECTOR, TIMEOUT,
};
use super::{option, reach};

pub(super) const ROLLOUT: Primitive = Primitive {
    name: "wait::rollout",
    summary: "Wait until deployments, daemonsets or statefulsets are rolled out to their last pod.",
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
        &FAIL_FAST,
        &FAIL_WHEN,
        &ALLOW_RESTARTS,
        &INTERVAL,
    ],
    effect: Effect::Wait,
    answer: Answer::Recorded,
    announce,
    command: |args| Some(command(args)),
    run,
    examples: &[Example {
        cluster: "shop",
        script: r#"wait::rollout("deployment", "web", #{ namespace: "shop" })"#,
        expect: r#"{ "object": "deployment/web" }"#,
    }],
};

fn announce(args: &Args) -> String {
    format!("wait until {} is rolled out", option::objects(args))
}

fn command(args: &Args) -> Command {
    option::command("kubectl rollout status", args)
}

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    reach::one(call, args, &Ask::of(args, What::Rollout))
}
