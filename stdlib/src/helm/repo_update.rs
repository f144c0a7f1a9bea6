//! `helm::repo_update`

use runbook_core::primitive::Answer;
use runbook_core::{Args, Call, Code, Effect, Fault, Outcome, Param, Primitive, Repeat};
use serde_json::json;

use super::option::PATIENCE;
use super::tool::{Line, Tool};
use runbook_core::command::Command;

const REPOS: Param<Option<Vec<String>>> =
    Param::option("repos", "Names of repositories; all that are known if absent.");

/// `helm::repo_update`
pub(super) const REPO_UPDATE: Primitive = Primitive {
    name: "helm::repo_update",
    summary: "Fetch anew what chart repositories offer.",
    params: &[&REPOS],
    effect: Effect::Write(Repeat::Safe),
    answer: Answer::Recorded,
    announce,
    command,
    run,
    examples: &[],
};

fn announce(args: &Args) -> String {
    match args.get(&REPOS).unwrap_or_default().as_slice() {
        [] => "update all chart repositories".to_owned(),
        some => format!("update chart repositories {}", some.join(", ")),
    }
}

fn command(args: &Args) -> Option<Command> {
    let names = args.get(&REPOS).unwrap_or_default();
    Some(names.iter().fold(Command::new("helm repo update"), Command::word))
}

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    let names = args.get(&REPOS).unwrap_or_default();
    if let Some(name) = names.iter().find(|name| name.is_empty() || name.starts_with('-')) {
        return Err(Fault::new(Code::WrongArgument, format!("`{name}` cannot be a repository")));
    }
    call.block_on(async {
        let tool = Tool::for_charts(call.world).await?;
        let line = names.iter().fold(Line::writing("repo update", PATIENCE), Line::word);
        tool.run(line).await?;
        Ok(json!({ "changed": true, "repos": names }))
    })
}
