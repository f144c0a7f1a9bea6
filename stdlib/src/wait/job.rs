//! `wait::job`

use runbook_core::primitive::{Answer, Example};
use runbook_core::{Args, Call, Effect, Outcome, Primitive};

use super::ask::{Ask, Place, What};
use super::option::{CONTEXT, FAIL_FAST, FAIL_WHEN, INTERVAL, NAME, NAMESPACE, NO_ACTIVITY, TIMEOUT};
use super::{option, reach};
use runbook_core::command::Command;

pub(super) const JOB: Primitive = Primitive {
    name: "wait::job",
    summary: "Wait until a job is complete; stops early once it has given up.",
    params: &[&NAME, &NAMESPACE, &CONTEXT, &TIMEOUT, &NO_ACTIVITY, &FAIL_FAST, &FAIL_WHEN, &INTERVAL],
    effect: Effect::Wait,
    answer: Answer::Recorded,
    announce,
    command: |args| Some(command(args)),
    run,
    examples: &[Example {
        cluster: "shop",
        script: r#"wait::job("migrate", #{ namespace: "shop" })"#,
        expect: r#"{ "object": "job/migrate", "succeeded": 1 }"#,
    }],
};

fn announce(args: &Args) -> String {
    format!("wait until job/{}{} is complete", args.get(&NAME), option::place(args))
}

fn command(args: &Args) -> Command {
    let verb = Command::new("kubectl wait --for=condition=Complete").word(format!("job/{}", args.get(&NAME)));
    option::placed(verb, args)
}

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    reach::one(call, args, &Ask::one("jobs.batch", args.get(&NAME), Place::of(args), What::Ready))
}
