//! `helm::uninstall`

use runbook_core::primitive::Answer;
use runbook_core::{Args, Call, Effect, Example, Outcome, Param, Primitive, Repeat, Value};
use serde_json::json;

use super::comparison;
use super::install::NAMESPACE;
use super::object::{self, Identity};
use super::option::{CONTEXT, RELEASE, TIMEOUT, Target, WAIT, patience, release_name};
use super::order::beyond;
use super::release::{History, absent, left_behind};
use super::tool::{Line, Tool, in_seconds};
use runbook_core::command::Command;

const KEEP_HISTORY: Param<Option<bool>> =
    Param::option("keep_history", "Remember the release as uninstalled; false if absent.");
const IGNORE_NOT_FOUND: Param<Option<bool>> =
    Param::option("ignore_not_found", "A release that is not there is no fault; false if absent.");

/// `helm::uninstall`
pub(super) const UNINSTALL: Primitive = Primitive {
    name: "helm::uninstall",
    summary: "Delete a release and its objects, but not those that say `helm.sh/resource-policy: keep`.",
    params: &[&RELEASE, &NAMESPACE, &CONTEXT, &KEEP_HISTORY, &WAIT, &TIMEOUT, &IGNORE_NOT_FOUND],
    effect: Effect::Write(Repeat::Safe),
    answer: Answer::Recorded,
    announce,
    command,
    run,
    examples: &[Example {
        cluster: "shop",
        script: r#"helm::uninstall("web", #{ namespace: "shop" })"#,
        expect: r#"{"changed":true,"release":"web","kept":[]}"#,
    }],
};

fn announce(args: &Args) -> String {
    format!("uninstall {} from {}", args.get(&RELEASE), args.get(&NAMESPACE))
}

fn command(args: &Args) -> Option<Command> {
    let line = Command::new("helm uninstall").word(args.get(&RELEASE)).flag("--namespace", Some(args.get(&NAMESPACE)));
    let line = line.switch("--keep-history", args.get(&KEEP_HISTORY)).switch("--wait", args.get(&WAIT));
    Some(line.switch("--ignore-not-found", args.get(&IGNORE_NOT_FOUND)))
}

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    call.block_on(async {
        let (target, release) = (Target::of(args), release_name(args)?);
        let tool = Tool::find(call.world).await?;
        let history = History::read(&tool, &target, &release).await?;
        let keep_history = args.get(&KEEP_HISTORY) == Some(true);
        // Where only history is left, there is still that to delete.
        let history = history.filter(|history| !(history.is_uninstalled() && keep_history));
        let Some(history) = history else {
            if args.get(&IGNORE_NOT_FOUND) == Some(true) {
                return Ok(json!({ "changed": false, "release": release, "deleted": [], "kept": [] }));
            }
            return Err(absent(&release).hint("pass `ignore_not_found: true` where that is as good"));
        };
        let last = history.last();
        let manifest = comparison::manifest(&tool, &target, &release, last.revision).await?;
        let objects = if history.is_uninstalled() { Vec::new() } else { object::parse(&manifest)? };
        let patience = patience(call, args);
        let line = Line::writing("uninstall", beyond(patience))
            .release(&release)
            .switch("--keep-history", keep_history)
            .switch("--wait", args.get(&WAIT) == Some(true))
            .flag("--timeout", Some(in_seconds(patience)));
        if let Err(fault) = tool.run_at(&target, line).await {
            return Err(left_behind(&tool, &target, &release, fault).await);
        }
        let namespace = target.namespace(call.world)?;
        Ok(answer(&release, last.revision, &objects, &namespace))
    })
}

/// Uninstalling looks at the annotation in the manifest, not at the live object's.
fn answer(release: &str, revision: u64, objects: &[Value], namespace: &str) -> Value {
    let (kept, deleted): (Vec<_>, Vec<_>) = objects.iter().partition(|object| object::is_kept(object));
    let names = |objects: Vec<&Value>| -> Vec<_> {
        objects.into_iter().map(|object| Identity::of(object, namespace).in_words()).collect()
    };
    json!({ "changed": true, "release": release, "revision": revision, "deleted": names(deleted), "kept": names(kept) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_told_from_what_is_deleted() {
        let crd = json!({ "kind": "CustomResourceDefinition", "metadata": { "name": "a.b", "annotations": { "helm.sh/resource-policy": "keep" } } });
        let account = json!({ "kind": "ServiceAccount", "metadata": { "name": "reader" } });
        let answer = answer("base", 3, &[crd, account], "istio-system");
        assert_eq!(answer["kept"], json!(["CustomResourceDefinition/a.b"]));
        assert_eq!(answer["deleted"], json!(["ServiceAccount/reader"]));
    }
}
