//! `helm::values`

use runbook_core::primitive::Answer;
use runbook_core::{Args, Call, Effect, Example, Outcome, Param, Primitive, Value};

use super::comparison::parse_values;
use super::option::{CONTEXT, NAMESPACE, RELEASE, REVISION, Target, release_name};
use super::overlay;
use super::tool::{Line, Tool};
use runbook_core::command::Command;

const ALL: Param<Option<bool>> =
    Param::option("all", "With the chart's defaults, not only the user's own; never feed that back. False if absent.");

/// `helm::values`
pub(super) const VALUES: Primitive = Primitive {
    name: "helm::values",
    summary: "Give the user values of a release.",
    params: &[&RELEASE, &NAMESPACE, &CONTEXT, &REVISION, &ALL],
    effect: Effect::Read,
    answer: Answer::Withheld,
    announce,
    command,
    run,
    examples: &[Example {
        cluster: "shop",
        script: r#"helm::values("web", #{ namespace: "shop" })"#,
        expect: r#"{"color":"green"}"#,
    }],
};

fn announce(args: &Args) -> String {
    format!("read the values of {}", args.get(&RELEASE))
}

fn command(args: &Args) -> Option<Command> {
    let line = Command::new("helm get values").word(args.get(&RELEASE)).flag("--namespace", args.get(&NAMESPACE));
    let line = line.flag("--revision", args.get(&REVISION).map(|revision| revision.to_string()));
    Some(line.switch("--all", args.get(&ALL)).word("-o").word("yaml"))
}

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    call.block_on(async {
        let tool = Tool::find(call.world).await?;
        let line = Line::reading("get values --output=json")
            .release(&release_name(args)?)
            .flag("--revision", args.get(&REVISION))
            .switch("--all", args.get(&ALL) == Some(true));
        let values = parse_values(&tool.run_at(&Target::of(args), line).await?)?;
        overlay::learn(&call.world.secrets, &values);
        Ok(Value::Object(values))
    })
}
