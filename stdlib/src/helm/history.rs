//! `helm::history`

use runbook_core::primitive::Answer;
use runbook_core::{Args, Call, Effect, Example, Outcome, Primitive, Value};

use super::option::{CONTEXT, NAMESPACE, RELEASE, Target, release_name};
use super::release::{History, Revision};
use super::tool::Tool;
use runbook_core::command::Command;

/// `helm::history`
pub(super) const HISTORY: Primitive = Primitive {
    name: "helm::history",
    summary: "List the revisions of a release, oldest first.",
    params: &[&RELEASE, &NAMESPACE, &CONTEXT],
    effect: Effect::Read,
    answer: Answer::Recorded,
    announce,
    command,
    run,
    examples: &[Example {
        cluster: "shop",
        script: r#"helm::history("web", #{ namespace: "shop" })[0]"#,
        expect: r#"{"revision":1,"status":"deployed","chart":"web","version":"1.0.0"}"#,
    }],
};

fn announce(args: &Args) -> String {
    format!("read the history of {}", args.get(&RELEASE))
}

fn command(args: &Args) -> Option<Command> {
    Some(Command::new("helm history").word(args.get(&RELEASE)).flag("--namespace", args.get(&NAMESPACE)))
}

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    call.block_on(async {
        let tool = Tool::find(call.world).await?;
        let history = History::must(&tool, &Target::of(args), &release_name(args)?).await?;
        Ok(Value::Array(history.revisions().iter().map(Revision::to_value).collect()))
    })
}
