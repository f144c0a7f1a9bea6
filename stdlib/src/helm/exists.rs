//! `helm::exists`

use runbook_core::primitive::Answer;
use runbook_core::{Args, Call, Effect, Example, Outcome, Primitive, Value};

use super::option::{CONTEXT, NAMESPACE, RELEASE, Target, release_name};
use super::release::History;
use super::tool::Tool;
use runbook_core::command::Command;

/// `helm::exists`
pub(super) const EXISTS: Primitive = Primitive {
    name: "helm::exists",
    summary: "Say whether there is a release, in whatever state; one that is uninstalled and kept as history is none.",
    params: &[&RELEASE, &NAMESPACE, &CONTEXT],
    effect: Effect::Read,
    answer: Answer::Recorded,
    announce,
    command,
    run,
    examples: &[Example {
        cluster: "shop",
        script: r#"helm::exists("shop-front", #{ namespace: "shop" })"#,
        expect: "false",
    }],
};

fn announce(args: &Args) -> String {
    format!("look whether there is a release {}", args.get(&RELEASE))
}

fn command(args: &Args) -> Option<Command> {
    Some(Command::new("helm status").word(args.get(&RELEASE)).flag("--namespace", args.get(&NAMESPACE)))
}

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    call.block_on(async {
        let tool = Tool::find(call.world).await?;
        let history = History::read(&tool, &Target::of(args), &release_name(args)?).await?;
        Ok(Value::Bool(history.is_some_and(|history| !history.is_uninstalled())))
    })
}
