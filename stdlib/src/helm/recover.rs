//! `helm::recover`

use std::time::Duration;

use runbook_core::primitive::Answer;
use runbook_core::{Args, Call, Effect, Example, Fault, Outcome, Param, Primitive, Repeat, Value};
use serde_json::json;

use super::comparison::Deployed;
use super::install::NAMESPACE;
use super::live;
use super::option::{CONTEXT, RELEASE, TIMEOUT, Target, WAIT, patience, release_name};
use super::order::{FORCE_CONFLICTS, beyond};
use super::release::{History, Revision, in_words, pending};
use super::rollback::go_back;
use super::tool::{Feature, Line, Tool, in_seconds};
use runbook_core::command::Command;

const STALE_AFTER: Param<Option<Duration>> = Param::option(
    "stale_after",
    "How old a pending revision must be before nobody can still be at work on it; 15m if absent.",
);

const OR_UNINSTALL: Param<Option<bool>> = Param::option(
    "or_uninstall",
    "Uninstall a release of which no revision was ever finished, as there is none to go back to; a fault if absent.",
);

/// Three times helm's own patience.
const STALE: Duration = Duration::from_mins(15);

/// `helm::recover`
pub(super) const RECOVER: Primitive = Primitive {
    name: "helm::recover",
    summary: "Bring a release that a helm left pending back to its last finished revision; any other stays as it is.",
    params: &[&RELEASE, &NAMESPACE, &CONTEXT, &STALE_AFTER, &OR_UNINSTALL, &WAIT, &TIMEOUT, &FORCE_CONFLICTS],
    effect: Effect::Write(Repeat::Ask),
    answer: Answer::Recorded,
    announce,
    command,
    run,
    examples: &[Example {
        cluster: "shop",
        script: r#"helm::recover("web", #{ namespace: "shop" })"#,
        expect: r#"{"changed":false,"found":{"status":"deployed","pending":false}}"#,
    }],
};

fn announce(args: &Args) -> String {
    format!("recover {} in {} if it was left pending", args.get(&RELEASE), args.get(&NAMESPACE))
}

fn command(args: &Args) -> Option<Command> {
    let line = Command::new("helm rollback").word(args.get(&RELEASE)).word("0");
    Some(line.flag("--namespace", Some(args.get(&NAMESPACE))))
}

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    call.block_on(async {
        let (target, release) = (Target::of(args), release_name(args)?);
        let tool = Tool::find(call.world).await?;
        tool.require(Feature::ForceConflicts, args.get(&FORCE_CONFLICTS) == Some(true))?;
        let history = History::must(&tool, &target, &release).await?;
        let last = history.last();
        if !last.is_pending() {
            let found = json!({ "status": last.status, "revision": last.revision, "pending": false });
            let revision = last.revision;
            return Ok(json!({ "changed": false, "release": release, "revision": revision, "found": found }));
        }
        let age = last.age(call.world);
        let stale = args.get(&STALE_AFTER).unwrap_or(STALE);
        if age < stale {
            return Err(pending(last, call.world, &release).hint(format!(
                "a helm may still be at work on it; it counts as left behind after {}, or pass `stale_after`",
                in_words(stale)
            )));
        }
        let Some(finished) = history.finished() else {
            if args.get(&OR_UNINSTALL) == Some(true) {
                let line = Line::writing("uninstall", beyond(patience(call, args)))
                    .release(&release)
                    .switch("--wait", args.get(&WAIT) == Some(true));
                tool.run_at(&target, line).await?;
                let found = json!({ "status": last.status, "revision": last.revision, "pending": true });
                return Ok(json!({ "changed": true, "release": release, "revision": null, "found": found }));
            }
            return Err(pending(last, call.world, &release).hint(
                "no revision was ever finished, so there is none to go back to: pass `or_uninstall: true`, and begin anew",
            ));
        };
        let found = examine(call, &tool, &target, &release, last, finished).await?;
        let line = line(args, patience(call, args), &release, finished);
        let previous = last.revision;
        let mut value = go_back(&tool, &target, &release, line, previous).await?;
        value["back_to"] = json!(finished.revision);
        value["found"] = found;
        Ok(value)
    })
}

fn line(args: &Args, patience: Duration, release: &str, finished: &Revision) -> Line {
    Line::writing("rollback", beyond(patience))
        .release(release)
        .word(finished.revision.to_string())
        .switch("--force-conflicts", args.get(&FORCE_CONFLICTS) == Some(true))
        .switch("--wait", args.get(&WAIT) == Some(true))
        .flag("--timeout", Some(in_seconds(patience)))
}

/// What the helm that was cut off had done already: of the objects in which the two revisions differ, how many are as in
/// the one and how many as in the other.
async fn examine(
    call: &Call<'_>,
    tool: &Tool<'_>,
    target: &Target,
    release: &str,
    last: &Revision,
    finished: &Revision,
) -> Result<Value, Fault> {
    let namespace = target.namespace(call.world)?;
    let cluster = target.cluster(call.world)?;
    let (new, old) = futures::try_join!(
        Deployed::read(tool, target, release, last, &namespace),
        Deployed::read(tool, target, release, finished, &namespace),
    )?;
    let mut pairs: Vec<(Option<&Value>, Option<&Value>)> =
        old.objects.iter().map(|(id, object)| (Some(object), new.objects.get(id))).collect();
    let only_new = new.objects.iter().filter(|(id, _)| !old.objects.contains_key(*id));
    pairs.extend(only_new.map(|(_, object)| (None, Some(object))));
    pairs.retain(|(old, new)| old != new);
    let wanted: Vec<_> = pairs.iter().filter_map(|(old, new)| old.or(*new)).collect();
    let live = live::find_all(&cluster, &wanted, &namespace).await?;
    let (mut as_old, mut as_new, mut neither) = (0, 0, 0);
    for ((old, new), live) in pairs.iter().zip(&live) {
        match (is_as(*old, live.as_ref()), is_as(*new, live.as_ref())) {
            (true, false) => as_old += 1,
            (false, true) => as_new += 1,
            _ => neither += 1,
        }
    }
    Ok(json!({
        "status": last.status,
        "revision": last.revision,
        "pending": true,
        "age": in_words(last.age(call.world)),
        "objects": { "differing": pairs.len(), "as_before": as_old, "as_wanted": as_new, "unclear": neither },
        "state": state(pairs.len(), as_old, as_new),
    }))
}

fn is_as(said: Option<&Value>, live: Option<&Value>) -> bool {
    match (said, live) {
        (None, live) => live.is_none(),
        (Some(said), Some(live)) => live::holds(said, live),
        (Some(_), None) => false,
    }
}

fn state(differing: usize, as_old: usize, as_new: usize) -> &'static str {
    match (as_old, as_new) {
        _ if differing == 0 => "the two revisions are the same",
        (old, _) if old == differing => "nothing had been applied",
        (_, new) if new == differing => "everything had been applied",
        _ => "applied in part",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_off_helm_is_judged_by_what_it_left() {
        assert_eq!(state(0, 0, 0), "the two revisions are the same");
        assert_eq!(state(3, 3, 0), "nothing had been applied");
        assert_eq!(state(3, 0, 3), "everything had been applied");
        assert_eq!(state(3, 1, 1), "applied in part");
    }
}
