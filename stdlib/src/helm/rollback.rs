//! `helm::rollback`

use std::time::Duration;

use runbook_core::primitive::Answer;
use runbook_core::{Args, Call, Code, Effect, Example, Fault, Outcome, Param, Primitive, Repeat, Value};
use serde_json::json;

use super::comparison::Deployed;
use super::install::NAMESPACE;
use super::option::{CONTEXT, RELEASE, TIMEOUT, Target, WAIT, patience, release_name};
use super::order::{FORCE_CONFLICTS, HISTORY_MAX, SERVER_SIDE, ServerSide, beyond};
use super::release::{History, Revision, absent, left_behind};
use super::tool::{Feature, Line, Tool, in_seconds};
use runbook_core::command::Command;

const REVISION: Param<i64> = Param::required("revision", "Revision to go back to.");

/// `helm::rollback`
pub(super) const ROLLBACK: Primitive = Primitive {
    name: "helm::rollback",
    summary: "Bring a release back to an earlier revision, as a new one; where it is there already, none is made.",
    params: &[&RELEASE, &REVISION, &NAMESPACE, &CONTEXT, &WAIT, &TIMEOUT, &SERVER_SIDE, &FORCE_CONFLICTS, &HISTORY_MAX],
    effect: Effect::Write(Repeat::Ask),
    answer: Answer::Recorded,
    announce,
    command,
    run,
    examples: &[Example {
        cluster: "shop",
        script: r#"helm::rollback("web", 1, #{ namespace: "shop" })"#,
        expect: r#"{"changed":false,"revision":1}"#,
    }],
};

fn announce(args: &Args) -> String {
    format!("roll {} back to revision {} in {}", args.get(&RELEASE), args.get(&REVISION), args.get(&NAMESPACE))
}

fn command(args: &Args) -> Option<Command> {
    let line = Command::new("helm rollback").word(args.get(&RELEASE)).word(args.get(&REVISION).to_string());
    let line = line.flag("--namespace", Some(args.get(&NAMESPACE))).switch("--wait", args.get(&WAIT));
    Some(line.switch("--force-conflicts", args.get(&FORCE_CONFLICTS)))
}

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    call.block_on(async {
        let (target, release) = (Target::of(args), release_name(args)?);
        let tool = Tool::find(call.world).await?;
        let line = line(&tool, args, patience(call, args), &release)?;
        let history = History::must(&tool, &target, &release).await?;
        history.refuse_pending(call.world, &release)?;
        let wanted = wanted(&history, args.get(&REVISION), &release)?;
        let namespace = target.namespace(call.world)?;
        let last = history.last();
        if last.status == "deployed" && is_there(&tool, &target, &release, last, wanted, &namespace).await? {
            return Ok(answer(&release, last, last.revision, Outcomes::Unchanged));
        }
        go_back(&tool, &target, &release, line, last.revision).await
    })
}

fn line(tool: &Tool<'_>, args: &Args, patience: Duration, release: &str) -> Result<Line, Fault> {
    let side = args.get(&SERVER_SIDE).unwrap_or(ServerSide::Auto);
    tool.require(Feature::ServerSide, side == ServerSide::On)?;
    tool.require(Feature::ForceConflicts, args.get(&FORCE_CONFLICTS) == Some(true))?;
    Ok(Line::writing("rollback", beyond(patience))
        .release(release)
        .word(args.get(&REVISION).to_string())
        .words(side.flag(tool))
        .switch("--force-conflicts", args.get(&FORCE_CONFLICTS) == Some(true))
        .switch("--wait", args.get(&WAIT) == Some(true))
        .flag("--history-max", args.get(&HISTORY_MAX))
        .flag("--timeout", Some(in_seconds(patience))))
}

fn wanted<'a>(history: &'a History, number: i64, release: &str) -> Result<&'a Revision, Fault> {
    let revisions = history.revisions();
    revisions.iter().find(|revision| i64::try_from(revision.revision) == Ok(number)).ok_or_else(|| {
        let kept: Vec<_> = revisions.iter().map(|revision| revision.revision.to_string()).collect();
        Fault::new(Code::NotFound, format!("release `{release}` has no revision {number}"))
            .about(format!("release {release}"))
            .hint(format!("there are {}", kept.join(", ")))
    })
}

/// Whether what is deployed is what that revision was.
async fn is_there(
    tool: &Tool<'_>,
    target: &Target,
    release: &str,
    last: &Revision,
    wanted: &Revision,
    namespace: &str,
) -> Result<bool, Fault> {
    if last.revision == wanted.revision {
        return Ok(true);
    }
    if last.chart != wanted.chart {
        return Ok(false);
    }
    let (now, then) = futures::try_join!(
        Deployed::read(tool, target, release, last, namespace),
        Deployed::read(tool, target, release, wanted, namespace),
    )?;
    Ok(now.objects == then.objects && now.values == then.values)
}

/// Sends a rollback, and says which revision came of it.
pub(super) async fn go_back(tool: &Tool<'_>, target: &Target, release: &str, line: Line, previous: u64) -> Outcome {
    if let Err(fault) = tool.run_at(target, line).await {
        return Err(left_behind(tool, target, release, fault).await);
    }
    let history = History::after(tool, target, release).await?.ok_or_else(|| absent(release))?;
    Ok(answer(release, history.last(), previous, Outcomes::Changed))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcomes {
    Changed,
    Unchanged,
}

fn answer(release: &str, last: &Revision, previous: u64, outcome: Outcomes) -> Value {
    let mut value = last.to_value();
    value["release"] = json!(release);
    value["previous_revision"] = json!(previous);
    value["changed"] = json!(outcome == Outcomes::Changed);
    value
}
