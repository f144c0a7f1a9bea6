//! `helm::install`

use runbook_core::command::Command;
use runbook_core::primitive::Answer;
use runbook_core::{Args, Call, Effect, Example, Outcome, Param, Primitive, Repeat};

use super::applied::Applied;
use super::option::{CHART, CONTEXT, RELEASE, SET, SKIP_SCHEMA, TIMEOUT, VALUES, VALUES_FILES, VERSION, WAIT};
use super::order::{self, CREATE_NAMESPACE, DESCRIPTION, Order, SERVER_SIDE, SKIP_CRDS, TAKE_OWNERSHIP};
use super::release::left_behind;
use super::tool::Tool;

/// The namespace of a release that is made or changed: never a guess.
pub(super) const NAMESPACE: Param<String> = Param::must("namespace", "Namespace of the release.");

/// `helm::install`
pub(super) const INSTALL: Primitive = Primitive {
    name: "helm::install",
    summary: "Install a chart as a new release.",
    params: &[
        &RELEASE,
        &CHART,
        &NAMESPACE,
        &CONTEXT,
        &VERSION,
        &VALUES,
        &VALUES_FILES,
        &SET,
        &CREATE_NAMESPACE,
        &WAIT,
        &TIMEOUT,
        &SKIP_CRDS,
        &TAKE_OWNERSHIP,
        &SKIP_SCHEMA,
        &SERVER_SIDE,
        &DESCRIPTION,
    ],
    effect: Effect::Write(Repeat::Ask),
    answer: Answer::Recorded,
    announce,
    command,
    run,
    examples: &[Example {
        cluster: "shop",
        script: r#"helm::install("web-canary", helm::chart("web", #{ charts: "./charts", version: "1.1.0" }), #{ namespace: "shop", values: #{ color: "blue" } })"#,
        expect: r#"{"changed":true,"revision":1,"chart":"web","version":"1.1.0"}"#,
    }],
};

fn announce(args: &Args) -> String {
    let chart = args.get(&CHART).in_words(args.get(&VERSION).as_deref());
    format!("install {} from {chart} in {}", args.get(&RELEASE), args.get(&NAMESPACE))
}

fn command(args: &Args) -> Option<Command> {
    Some(order::command("helm install", args))
}

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    call.block_on(async {
        let tool = Tool::find(call.world).await?;
        let order = Order::of(call, &tool, args)?;
        match tool.run_at(&order.target, order.install()).await {
            Ok(text) => Ok(Applied::parse(&text)?.to_value(None)),
            Err(fault) => Err(left_behind(&tool, &order.target, &order.release, fault).await),
        }
    })
}
