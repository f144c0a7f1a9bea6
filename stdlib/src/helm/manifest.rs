//! `helm::manifest`

use runbook_core::primitive::Answer;
use runbook_core::{Args, Call, Effect, Example, Outcome, Primitive, Value};

use super::object;
use super::option::{CONTEXT, NAMESPACE, RELEASE, REVISION, Target, release_name};
use super::tool::{Line, Tool};
use runbook_core::command::Command;

/// `helm::manifest`
pub(super) const MANIFEST: Primitive = Primitive {
    name: "helm::manifest",
    summary: "Give the objects of a release as helm applied them.",
    params: &[&RELEASE, &NAMESPACE, &CONTEXT, &REVISION],
    effect: Effect::Read,
    answer: Answer::Withheld,
    announce,
    command,
    run,
    examples: &[Example {
        cluster: "shop",
        script: r#"helm::manifest("web", #{ namespace: "shop" }).filter(|o| o.kind == "Service")[0].metadata.name"#,
        expect: r#""web""#,
    }],
};

fn announce(args: &Args) -> String {
    format!("read the manifest of {}", args.get(&RELEASE))
}

fn command(args: &Args) -> Option<Command> {
    let line = Command::new("helm get manifest").word(args.get(&RELEASE)).flag("--namespace", args.get(&NAMESPACE));
    Some(line.flag("--revision", args.get(&REVISION).map(|revision| revision.to_string())))
}

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    call.block_on(async {
        let tool = Tool::find(call.world).await?;
        let line = Line::reading("get manifest").release(&release_name(args)?).flag("--revision", args.get(&REVISION));
        Ok(Value::Array(object::parse(&tool.run_at(&Target::of(args), line).await?)?))
    })
}
