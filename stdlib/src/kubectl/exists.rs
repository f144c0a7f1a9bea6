//! `kubectl::exists`

use runbook_core::primitive::{Answer, Example};
use runbook_core::{Args, Call, Effect, Outcome, Primitive, Value};

use super::option::{CONTEXT, KIND, NAME, NAMESPACE, Target};
use runbook_core::command::Command;

/// `kubectl::exists`
pub(super) const EXISTS: Primitive = Primitive {
    name: "kubectl::exists",
    summary: "Tell whether an object exists; a kind that the cluster does not have is a fault.",
    params: &[&KIND, &NAME, &NAMESPACE, &CONTEXT],
    effect: Effect::Read,
    answer: Answer::Recorded,
    announce,
    command: |args| Some(command(args)),
    run,
    examples: &[
        Example {
            cluster: "shop",
            script: r#"kubectl::exists("deployment", "web", #{ namespace: "shop" })"#,
            expect: "true",
        },
        Example { cluster: "shop", script: r#"kubectl::exists("namespace", "nowhere")"#, expect: "false" },
    ],
};

fn announce(args: &Args) -> String {
    format!("look for {}", Target::of(args).words(&args.get(&KIND), &args.get(&NAME)))
}

fn command(args: &Args) -> Command {
    let line = Command::new("kubectl get").word(args.get(&KIND)).word(args.get(&NAME));
    Target::of(args).flags(line).word("--ignore-not-found").word("-o").word("name")
}

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    let target = Target::of(args);
    let cluster = target.cluster(call)?;
    call.read(async {
        let api = target.open(&cluster, &args.get(&KIND)).await?.metadata_only();
        Ok(Value::from(api.find(&args.get(&NAME)).await?.is_some()))
    })
}
