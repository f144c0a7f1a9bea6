//! `wait::pods`

use std::time::Duration;

use runbook_core::primitive::{Answer, Example};
use runbook_core::{Args, Call, Effect, Outcome, Param, Primitive};

use super::ask::{Ask, Place, What};
use super::goal::Names;
use super::option::{
    ALL_NAMESPACES, ALLOW_RESTARTS, AT_LEAST, CONTEXT, FAIL_FAST, FAIL_WHEN, FIELD_SELECTOR, INTERVAL, NAMESPACE,
    NO_ACTIVITY, TIMEOUT,
};
use super::{option, reach};
use runbook_core::command::Command;

const SELECTOR: Param<String> =
    Param::required("selector", "Labels of the pods: `app=web,tier in (a, b)`; empty for all.");

/// Pods on their way out do not count, and those that ended well do.
pub(super) const PODS: Primitive = Primitive {
    name: "wait::pods",
    summary: "Wait until all pods that a selector finds are ready.",
    params: &[
        &SELECTOR,
        &NAMESPACE,
        &ALL_NAMESPACES,
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
        script: r#"wait::pods("app=web", #{ namespace: "shop", at_least: 2 })"#,
        expect: r#"{ "count": 2 }"#,
    }],
};

fn announce(args: &Args) -> String {
    format!("wait until the pods with {}{} are ready", args.get(&SELECTOR), option::place(args))
}

fn command(args: &Args) -> Command {
    let verb = Command::new("kubectl wait --for=condition=Ready pod").flag("--selector", Some(args.get(&SELECTOR)));
    option::placed(verb, args).switch("--all-namespaces", args.get(&ALL_NAMESPACES))
}

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    let selector = Some(args.get(&SELECTOR)).filter(|selector| !selector.is_empty());
    let ask = Ask {
        kind: "pods".to_owned(),
        names: Names::All,
        place: Place { selector, ..Place::of(args) },
        what: What::Ready,
        at_least: args.get(&AT_LEAST),
        hold: Duration::ZERO,
    };
    reach::one(call, args, &ask)
}
