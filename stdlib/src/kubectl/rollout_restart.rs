//! `kubectl::rollout_restart`

use runbook_core::primitive::{Answer, Example};
use runbook_core::{Args, Call, Code, Effect, Fault, Outcome, Primitive, Repeat};
use serde_json::json;

use super::option::{CONTEXT, KIND, MANAGER, NAME, NAMESPACE, Target};
use super::outcome::{self, Decision};
use super::query::Writing;
use crate::path::Path;
use crate::readiness::object::flag;
use runbook_core::command::Command;

/// The stamp that kubectl writes too.
const STAMP: &str = "kubectl.kubernetes.io/restartedAt";

/// `kubectl::rollout_restart`
pub(super) const ROLLOUT_RESTART: Primitive = Primitive {
    name: "kubectl::rollout_restart",
    summary: "Replace all pods of a workload, as its update strategy says; does not wait for them.",
    params: &[&KIND, &NAME, &NAMESPACE, &CONTEXT],
    effect: Effect::Write(Repeat::Ask),
    answer: Answer::Recorded,
    announce: |args| format!("restart {}", Target::of(args).words(&args.get(&KIND), &args.get(&NAME))),
    command: |args| {
        let line = Command::new("kubectl rollout restart").word(args.get(&KIND)).word(args.get(&NAME));
        Some(Target::of(args).flags(line))
    },
    run,
    examples: &[Example {
        cluster: "shop",
        script: r#"kubectl::rollout_restart("deployment", "web", #{ namespace: "shop" })"#,
        expect: "deployment/web: restarted",
    }],
};

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    let (target, name) = (Target::of(args), args.get(&NAME));
    let cluster = target.cluster(call)?;
    // One time for all tries: sent twice, it is still one restart.
    let now = call.world.clock.now().to_string();
    call.write(async {
        let api = target.open(&cluster, &args.get(&KIND)).await?;
        let title = api.title(&name);
        let stamp = Path::default().key("spec").key("template").key("metadata").key("annotations").key(STAMP);
        let changed = outcome::change(&api, &name, None, &Writing::by(MANAGER), |workload| {
            if workload.pointer("/spec/template/spec").is_none() {
                let message = format!("{title} cannot be restarted: it has no pod template");
                return Err(Fault::new(Code::WrongArgument, message).about(title.clone()));
            }
            if flag(workload, "/spec/paused") {
                return Err(Fault::new(Code::Precondition, format!("{title} is paused, so a restart would not begin"))
                    .about(title.clone())
                    .hint("resume it first: `kubectl::patch(kind, name, #{ spec: #{ paused: false } })`"));
            }
            let patch = json!({ "spec": { "template": { "metadata": { "annotations": { STAMP: now } } } } });
            Ok(Some(Decision { patch, ..Decision::default() }))
        })
        .await?;
        Ok(json!({
            "changed": true,
            "restarted_at": now,
            "previous": stamp.at(&changed.before),
            "summary": format!("{title}: restarted"),
        }))
    })
}
