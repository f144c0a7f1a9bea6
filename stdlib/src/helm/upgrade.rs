//! `helm::upgrade`

use runbook_core::command::Command;
use runbook_core::primitive::Answer;
use runbook_core::{Args, Call, Effect, Example, Fault, Outcome, Param, Primitive, Repeat, Value};
use serde_json::json;

use super::applied::Applied;
use super::comparison::Comparison;
use super::install::NAMESPACE;
use super::option::{CHART, CONTEXT, RELEASE, SET, SKIP_SCHEMA, TIMEOUT, VALUES, VALUES_FILES, VERSION, WAIT};
use super::order::{
    self, CREATE_NAMESPACE, DESCRIPTION, FORCE_CONFLICTS, HISTORY_MAX, INSTALL, Order, RESET_THEN_REUSE_VALUES,
    RESET_VALUES, REUSE_VALUES, SERVER_SIDE, SKIP_CRDS, TAKE_OWNERSHIP,
};
use super::plan;
use super::release::{History, absent, left_behind, name_and_version};
use super::tool::Tool;

const FORCE: Param<Option<bool>> =
    Param::option("force", "Make a new revision even where nothing would change; false if absent.");

/// `helm::upgrade`
pub(super) const UPGRADE: Primitive = Primitive {
    name: "helm::upgrade",
    summary: "Bring a release to a chart and values; where nothing would change, no revision is made.",
    params: &[
        &RELEASE,
        &CHART,
        &NAMESPACE,
        &CONTEXT,
        &VERSION,
        &VALUES,
        &VALUES_FILES,
        &SET,
        &INSTALL,
        &CREATE_NAMESPACE,
        &WAIT,
        &TIMEOUT,
        &RESET_VALUES,
        &REUSE_VALUES,
        &RESET_THEN_REUSE_VALUES,
        &SKIP_CRDS,
        &TAKE_OWNERSHIP,
        &SKIP_SCHEMA,
        &SERVER_SIDE,
        &FORCE_CONFLICTS,
        &HISTORY_MAX,
        &DESCRIPTION,
        &FORCE,
    ],
    effect: Effect::Write(Repeat::Ask),
    answer: Answer::Recorded,
    announce,
    command,
    run,
    examples: &[Example {
        cluster: "shop",
        script: r#"helm::upgrade("web", helm::chart("web", #{ charts: "./charts", version: "1.1.0" }), #{ namespace: "shop", values: #{ color: "blue" } })"#,
        expect: r#"{"changed":true,"revision":2,"previous_revision":1,"version":"1.1.0"}"#,
    }],
};

fn announce(args: &Args) -> String {
    let chart = args.get(&CHART).in_words(args.get(&VERSION).as_deref());
    format!("upgrade {} to {chart} in {}", args.get(&RELEASE), args.get(&NAMESPACE))
}

fn command(args: &Args) -> Option<Command> {
    Some(order::command("helm upgrade", args))
}

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    call.block_on(async {
        let tool = Tool::find(call.world).await?;
        let order = Order::of(call, &tool, args)?;
        let history = History::read(&tool, &order.target, &order.release).await?;
        let exists = history.as_ref().is_some_and(|history| !history.is_uninstalled());
        if !exists && args.get(&INSTALL) != Some(true) {
            return Err(absent(&order.release).hint("pass `install: true` to install it where it does not exist"));
        }
        let comparison = Comparison::make(call.world, &tool, &order, history.as_ref()).await?;
        if comparison.unchanged && args.get(&FORCE) != Some(true) {
            return Ok(unchanged(&order, &comparison, &order.target.namespace(call.world)?));
        }
        let previous = comparison.deployed.as_ref().map(|deployed| deployed.revision);
        let kept = plan::kept(call.world, &order, &comparison).await?;
        let diff = plan::diff(&comparison, &kept);
        send(&tool, &order, !exists, previous, diff).await
    })
}

async fn send(
    tool: &Tool<'_>,
    order: &Order,
    install: bool,
    previous: Option<u64>,
    diff: Value,
) -> Result<Value, Fault> {
    match tool.run_at(&order.target, order.upgrade(install)).await {
        Ok(text) => {
            let mut value = Applied::parse(&text)?.to_value(previous);
            value["diff"] = diff;
            Ok(value)
        }
        Err(fault) => Err(left_behind(tool, &order.target, &order.release, fault).await),
    }
}

fn unchanged(order: &Order, comparison: &Comparison, namespace: &str) -> Value {
    let (name, version) = name_and_version(&comparison.rendered.chart);
    let revision = comparison.deployed.as_ref().map(|deployed| deployed.revision);
    json!({
        "changed": false,
        "release": order.release,
        "namespace": namespace,
        "revision": revision,
        "previous_revision": revision,
        "status": "deployed",
        "chart": name,
        "version": version,
        "app_version": comparison.rendered.app_version,
        "diff": { "added": [], "removed": [], "changed": [] },
    })
}
