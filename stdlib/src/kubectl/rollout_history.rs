//! `kubectl::rollout_history`

use runbook_core::primitive::{Answer, Example};
use runbook_core::{Args, Call, Effect, Outcome, Primitive, Value};

use super::option::{CONTEXT, KIND, NAME, NAMESPACE, Target};
use super::rollout::{self, Revision};
use runbook_core::command::Command;

/// `kubectl::rollout_history`
pub(super) const ROLLOUT_HISTORY: Primitive = Primitive {
    name: "kubectl::rollout_history",
    summary: "List the revisions of a workload, oldest first; the last is the present one.",
    params: &[&KIND, &NAME, &NAMESPACE, &CONTEXT],
    effect: Effect::Read,
    answer: Answer::Recorded,
    announce: |args| format!("list the revisions of {}", Target::of(args).words(&args.get(&KIND), &args.get(&NAME))),
    command: |args| {
        let line = Command::new("kubectl rollout history").word(args.get(&KIND)).word(args.get(&NAME));
        Some(Target::of(args).flags(line))
    },
    run,
    examples: &[Example {
        cluster: "shop",
        script: r#"kubectl::rollout_history("deployment", "web", #{ namespace: "shop" })[0].images"#,
        expect: r#"["web:1"]"#,
    }],
};

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    let target = Target::of(args);
    let cluster = target.cluster(call)?;
    call.read(async {
        let api = target.open(&cluster, &args.get(&KIND)).await?;
        let workload = api.get(&args.get(&NAME)).await?;
        let revisions = rollout::revisions(&api, &workload).await?;
        Ok(revisions.iter().map(Revision::to_value).collect::<Vec<Value>>().into())
    })
}
