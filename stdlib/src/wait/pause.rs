//! `wait::pause`

use std::time::Duration;

use runbook_core::primitive::{Answer, Example};
use runbook_core::record::Waiting;
use runbook_core::{Args, Call, Code, Effect, Fault, Outcome, Param, Primitive};
use serde_json::json;

use super::words::in_words;
use runbook_core::command::Command;

const HOW_LONG: Param<Duration> = Param::required("duration", "How long, such as `30s`.");

pub(super) const PAUSE: Primitive = Primitive {
    name: "wait::pause",
    summary: "Let time pass.",
    params: &[&HOW_LONG],
    effect: Effect::Wait,
    answer: Answer::Recorded,
    announce,
    command: |args| Some(command(args)),
    run,
    examples: &[Example { cluster: "", script: r#"wait::pause("10ms")"#, expect: r#"{ "elapsed_ms": 10 }"# }],
};

fn announce(args: &Args) -> String {
    format!("pause for {}", in_words(args.get(&HOW_LONG)))
}

fn command(args: &Args) -> Command {
    Command::new("sleep").word(args.get(&HOW_LONG).as_secs_f64().to_string())
}

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    let wanted = args.get(&HOW_LONG);
    let left_ms = u64::try_from(wanted.as_millis()).unwrap_or(u64::MAX);
    call.waiting(Waiting { what: announce(args), left_ms: Some(left_ms), ..Waiting::default() });
    let within = call.within(wanted);
    call.session.pause(within)?;
    if within < wanted {
        let message =
            format!("paused for {} of {}, then the time of the step was over", in_words(within), in_words(wanted));
        return Err(Fault::new(Code::Timeout, message));
    }
    Ok(json!({ "elapsed_ms": left_ms }))
}
