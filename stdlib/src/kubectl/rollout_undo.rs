//! `kubectl::rollout_undo`

use runbook_core::primitive::{Answer, Example};
use runbook_core::{Args, Call, Code, Effect, Fault, Outcome, Param, Primitive, Repeat, Value};
use serde_json::json;

use super::api::Api;
use super::option::{CONTEXT, KIND, MANAGER, NAME, NAMESPACE, Target};
use super::outcome::{Trace, settle};
use super::query::{Patch, Writing};
use super::rollout::{self, Revision};
use crate::readiness::object::flag;
use runbook_core::command::Command;

const TO_REVISION: Param<Option<i64>> =
    Param::option("to_revision", "Revision to go back to; the one before the present one if absent.");

/// `kubectl::rollout_undo`
pub(super) const ROLLOUT_UNDO: Primitive = Primitive {
    name: "kubectl::rollout_undo",
    summary: "Give a workload the pod template of an earlier revision; does not wait for its pods.",
    params: &[&KIND, &NAME, &NAMESPACE, &TO_REVISION, &CONTEXT],
    effect: Effect::Write(Repeat::Ask),
    answer: Answer::Recorded,
    announce,
    command: |args| {
        let line = Command::new("kubectl rollout undo").word(args.get(&KIND)).word(args.get(&NAME));
        let line = line.flag("--to-revision", args.get(&TO_REVISION).map(|revision| revision.to_string()));
        Some(Target::of(args).flags(line))
    },
    run,
    examples: &[Example {
        cluster: "shop",
        script: r#"
            let words = "";
            try { kubectl::rollout_undo("deployment", "web", #{ namespace: "shop", to_revision: 7 }); } catch (e) { words = e.message; }
            words
        "#,
        expect: "deployment/web has no revision 7",
    }],
};

fn announce(args: &Args) -> String {
    let back =
        args.get(&TO_REVISION).map_or_else(|| "the revision before".to_owned(), |number| format!("revision {number}"));
    format!("take {} back to {back}", Target::of(args).words(&args.get(&KIND), &args.get(&NAME)))
}

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    let (target, name) = (Target::of(args), args.get(&NAME));
    let cluster = target.cluster(call)?;
    call.write(async {
        let api = target.open(&cluster, &args.get(&KIND)).await?;
        let workload = api.get(&name).await?;
        let title = api.title(&name);
        if flag(&workload, "/spec/paused") {
            return Err(Fault::new(Code::Precondition, format!("{title} is paused, so going back would not begin")).about(title));
        }
        let revisions = rollout::revisions(&api, &workload).await?;
        let (present, wanted) = choose(&title, &workload, &revisions, args.get(&TO_REVISION))?;
        let template = wanted.template();
        let changed = !same(&template, &workload["spec"]["template"]);
        if changed {
            replace(&api, &name, &workload, &template).await?;
        }
        Ok(json!({
            "changed": changed,
            "from": present.map(|revision| revision.number),
            "to": wanted.number,
            "images": wanted.to_value()["images"],
            "summary": if changed { format!("{title}: back to revision {}", wanted.number) } else { format!("{title}: unchanged") },
        }))
    })
}

/// The present revision, where it is known, and the one to go back to.
fn choose<'a>(
    title: &str,
    workload: &Value,
    revisions: &'a [Revision],
    asked: Option<i64>,
) -> Result<(Option<&'a Revision>, &'a Revision), Fault> {
    let present = revisions.iter().rev().find(|one| same(&one.template(), &workload["spec"]["template"]));
    let before = present.map_or(i64::MAX, |present| present.number);
    let (wanted, what) = match asked {
        Some(number) => (revisions.iter().find(|one| one.number == number), format!("revision {number}")),
        None => (revisions.iter().rev().find(|one| one.number < before), "earlier revision to go back to".to_owned()),
    };
    let Some(wanted) = wanted else {
        let known: Vec<String> = revisions.iter().map(|one| one.number.to_string()).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        return Err(Fault::new(Code::NotFound, format!("{title} has no {what}"))
            .about(title)
            .hint(format!("its revisions: {known}")));
    };
    Ok((present, wanted))
}

/// Whether two templates mean the same; what is null or empty says nothing.
fn same(left: &Value, right: &Value) -> bool {
    fn essence(value: &Value) -> Value {
        match value {
            Value::Object(map) => {
                let kept = map.iter().map(|(key, value)| (key.clone(), essence(value)));
                Value::Object(kept.filter(|(_, value)| !value.is_null() && *value != json!({})).collect())
            }
            Value::Array(items) => items.iter().map(essence).collect(),
            other => other.clone(),
        }
    }
    essence(left) == essence(right)
}

async fn replace(api: &Api, name: &str, workload: &Value, template: &Value) -> Result<Value, Fault> {
    let patch = Patch::Json(json!([
        { "op": "test", "path": "/metadata/uid", "value": workload["metadata"]["uid"] },
        { "op": "test", "path": "/metadata/generation", "value": workload["metadata"]["generation"] },
        { "op": "replace", "path": "/spec/template", "value": template },
    ]));
    settle(
        api,
        name,
        async || api.patch(name, &patch, &Writing::by(MANAGER)).await,
        |live| match live {
            Some(live) if same(template, &live["spec"]["template"]) => Trace::Done(live),
            // The tests go with it.
            _ => Trace::NotDone,
        },
    )
    .await
}
