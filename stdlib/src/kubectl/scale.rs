//! `kubectl::scale`

use runbook_core::primitive::{Answer, Example};
use runbook_core::{Args, Call, Code, Effect, Fault, Outcome, Param, Primitive, Repeat};
use serde_json::json;

use super::option::{CONTEXT, KIND, MANAGER, NAME, NAMESPACE, Target};
use super::outcome::{self, Decision};
use super::query::Writing;
use runbook_core::command::Command;

const REPLICAS: Param<i64> = Param::required("replicas", "How many replicas to ask for.");
const CURRENT_REPLICAS: Param<Option<i64>> =
    Param::option("current_replicas", "How many it must ask for before; a fault where it does not.");

/// `kubectl::scale`
pub(super) const SCALE: Primitive = Primitive {
    name: "kubectl::scale",
    summary: "Ask a workload for a number of replicas; does not wait for them.",
    params: &[&KIND, &NAME, &REPLICAS, &NAMESPACE, &CURRENT_REPLICAS, &CONTEXT],
    effect: Effect::Write(Repeat::Safe),
    answer: Answer::Recorded,
    announce,
    command: |args| Some(command(args)),
    run,
    examples: &[Example {
        cluster: "shop",
        script: r#"kubectl::scale("deployment", "web", 3, #{ namespace: "shop" })"#,
        expect: "deployment/web: replicas 2 -> 3",
    }],
};

fn announce(args: &Args) -> String {
    format!("scale {} to {}", Target::of(args).words(&args.get(&KIND), &args.get(&NAME)), args.get(&REPLICAS))
}

fn command(args: &Args) -> Command {
    let line = Command::new("kubectl scale").word(args.get(&KIND)).word(args.get(&NAME));
    let line = line.flag("--replicas", Some(args.get(&REPLICAS).to_string()));
    let line = line.flag("--current-replicas", args.get(&CURRENT_REPLICAS).map(|count| count.to_string()));
    Target::of(args).flags(line)
}

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    let (target, name, wanted) = (Target::of(args), args.get(&NAME), args.get(&REPLICAS));
    if wanted < 0 {
        return Err(Fault::new(Code::WrongArgument, format!("{wanted} replicas cannot be asked for")));
    }
    let cluster = target.cluster(call)?;
    call.write(async {
        let api = target.open(&cluster, &args.get(&KIND)).await?;
        let title = api.title(&name);
        let changed = outcome::change(&api, &name, Some("scale"), &Writing::by(MANAGER), |scale| {
            let found = scale["spec"]["replicas"].as_i64().unwrap_or(0);
            match args.get(&CURRENT_REPLICAS) {
                Some(expected) if expected != found && found != wanted => Err(Fault::new(
                    Code::Precondition,
                    format!("{title} asks for {found} replicas, expected {expected}; nothing was changed"),
                )
                .about(title.clone())
                .with("expected", expected)
                .with("found", found)),
                _ => Ok((found != wanted).then(|| {
                    let patch = json!({ "spec": { "replicas": wanted } });
                    Decision { patch, ..Decision::default() }
                })),
            }
        })
        .await?;
        let previous = changed.before["spec"]["replicas"].as_i64().unwrap_or(0);
        Ok(json!({
            "changed": changed.after.is_some(),
            "previous": previous,
            "replicas": wanted,
            "summary": if changed.after.is_some() {
                format!("{title}: replicas {previous} -> {wanted}")
            } else {
                format!("{title}: unchanged, {wanted} replicas")
            },
        }))
    })
}
