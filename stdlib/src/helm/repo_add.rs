//! `helm::repo_add`

use runbook_core::primitive::Answer;
use runbook_core::{Args, Call, Code, Effect, Fault, Outcome, Param, Primitive, Repeat};
use serde::Deserialize;
use serde_json::json;

use super::release::unreadable;
use super::tool::{Line, Tool};
use runbook_core::command::Command;

const NAME: Param<String> = Param::required("name", "Name that charts are called by afterwards: `name/chart`.");
const URL: Param<String> = Param::required("url", "URL of the repository.");
const USERNAME: Param<Option<String>> = Param::option("username", "Who we are to it; nobody if absent.");
const PASSWORD: Param<Option<String>> = Param::option("password", "What proves that; never on a command line.");
const FORCE_UPDATE: Param<Option<bool>> =
    Param::option("force_update", "Replace one of that name with another URL; a fault if absent.");

/// `helm::repo_add`
pub(super) const REPO_ADD: Primitive = Primitive {
    name: "helm::repo_add",
    summary: "Make a chart repository known to helm on this machine.",
    params: &[&NAME, &URL, &USERNAME, &PASSWORD, &FORCE_UPDATE],
    effect: Effect::Write(Repeat::Safe),
    answer: Answer::Recorded,
    announce,
    command,
    run,
    examples: &[],
};

fn announce(args: &Args) -> String {
    format!("add chart repository {} at {}", args.get(&NAME), args.get(&URL))
}

fn command(args: &Args) -> Option<Command> {
    let line = Command::new("helm repo add").word(args.get(&NAME)).word(args.get(&URL));
    let line = line.flag("--username", args.get(&USERNAME)).switch("--force-update", args.get(&FORCE_UPDATE));
    Some(line.switch("--password-stdin", Some(args.has(&PASSWORD))))
}

/// A repository as `helm repo list` prints it.
#[derive(Deserialize)]
struct Known {
    name: String,
    url: String,
}

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    let (name, url) = (args.get(&NAME), args.get(&URL));
    if [&name, &url].iter().any(|word| word.is_empty() || word.starts_with('-')) || name.contains('/') {
        return Err(Fault::new(Code::WrongArgument, format!("`{name}` at `{url}` cannot be a repository")));
    }
    call.block_on(async {
        let tool = Tool::for_charts(call.world).await?;
        let known = known(&tool).await?.into_iter().find(|known| known.name == name);
        let force = args.get(&FORCE_UPDATE) == Some(true);
        let password = args.get(&PASSWORD);
        if let Some(known) = known {
            if known.url.trim_end_matches('/') != url.trim_end_matches('/') && !force {
                return Err(Fault::new(
                    Code::Conflict,
                    format!("repository `{name}` is known at another URL: {}", known.url),
                )
                .hint("choose another name, or pass `force_update: true`"));
            }
            if known.url.trim_end_matches('/') == url.trim_end_matches('/') && password.is_none() {
                return Ok(json!({ "changed": false, "name": name, "url": url }));
            }
        }
        if let Some(password) = &password {
            call.world.secrets.learn(password);
        }
        let line = Line::writing("repo add --force-update", super::option::PATIENCE)
            .flag("--username", args.get(&USERNAME))
            .switch("--password-stdin", password.is_some())
            .word(&name)
            .word(&url)
            .input(password);
        tool.run(line).await?;
        Ok(json!({ "changed": true, "name": name, "url": url }))
    })
}

async fn known(tool: &Tool<'_>) -> Result<Vec<Known>, Fault> {
    match tool.run(Line::reading("repo list --output=json")).await {
        Ok(text) => serde_json::from_str(&text).map_err(|error| unreadable("repo list", &error)),
        // Helm says so with exit code 1 where nothing was ever added.
        Err(fault) if fault.evidence.iter().any(|line| line.contains("no repositories")) => Ok(Vec::new()),
        Err(fault) => Err(fault),
    }
}
