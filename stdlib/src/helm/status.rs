//! `helm::status`

use runbook_core::primitive::Answer;
use runbook_core::{Args, Call, Effect, Example, Fault, Outcome, Primitive, Value};
use serde::Deserialize;
use serde_json::json;

use super::option::{CONTEXT, NAMESPACE, RELEASE, Target, release_name};
use super::release::{History, unreadable};
use super::tool::{Line, Tool};
use runbook_core::command::Command;

/// `helm::status`
pub(super) const STATUS: Primitive = Primitive {
    name: "helm::status",
    summary: "Say how a release is: its last revision, the deployed one, chart and version, whether it is held.",
    params: &[&RELEASE, &NAMESPACE, &CONTEXT],
    effect: Effect::Read,
    answer: Answer::Recorded,
    announce,
    command,
    run,
    examples: &[Example {
        cluster: "shop",
        script: r#"helm::status("web", #{ namespace: "shop" })"#,
        expect: r#"{"status":"deployed","pending":false,"chart":"web","version":"1.0.0","deployed_revision":1}"#,
    }],
};

fn announce(args: &Args) -> String {
    format!("look at release {}", args.get(&RELEASE))
}

fn command(args: &Args) -> Option<Command> {
    Some(Command::new("helm status").word(args.get(&RELEASE)).flag("--namespace", args.get(&NAMESPACE)))
}

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    call.block_on(async {
        let (target, release) = (Target::of(args), release_name(args)?);
        let tool = Tool::find(call.world).await?;
        let line = Line::reading("get metadata --output=json").release(&release);
        // Asked at once, but read in turn: where there is no release, the history says it best.
        let (history, metadata) = futures::join!(History::must(&tool, &target, &release), tool.run_at(&target, line));
        let (history, metadata) = (history?, metadata?);
        let last = history.last();
        let mut value = last.to_value();
        value["release"] = json!(release);
        value["namespace"] = json!(target.namespace(call.world)?);
        value["pending"] = json!(last.is_pending());
        value["age"] = json!(format!("{}s", last.age(call.world).as_secs()));
        value["deployed_revision"] = json!(history.deployed().map(|revision| revision.revision));
        value["server_side"] = server_side(&metadata)?;
        Ok(value)
    })
}

/// How the last revision was applied; helm 3 does not say it, and applies by itself.
fn server_side(metadata: &str) -> Result<Value, Fault> {
    #[derive(Deserialize)]
    struct Metadata {
        #[serde(rename = "applyMethod", default)]
        method: Option<String>,
    }
    let metadata: Metadata = serde_json::from_str(metadata).map_err(|error| unreadable("get metadata", &error))?;
    Ok(json!(metadata.method.as_deref() == Some("ssa")))
}
