//! `wait::stable`

use std::time::Duration;

use runbook_core::primitive::{Answer, Example};
use runbook_core::{Args, Call, Effect, Outcome, Param, Primitive};

use super::ask::{Ask, Place, What};
use super::option::{
    ALLOW_RESTARTS, CONTEXT, FAIL_FAST, FAIL_WHEN, INTERVAL, KIND, NAME, NAMESPACE, NO_ACTIVITY, TIMEOUT,
};
use super::words::in_words;
use super::{option, reach};

const HOLD: Param<Duration> = Param::required("for", "How long it must stay so, such as `60s`.");

/// It must be ready all that time, and nobody may change what is asked of it: a new generation starts the time anew.
pub(super) const STABLE: Primitive = Primitive {
    name: "wait::stable",
    summary: "Wait until an object has been ready and unchanged for a while without a break.",
    params: &[
        &KIND,
        &NAME,
        &HOLD,
        &NAMESPACE,
        &CONTEXT,
        &TIMEOUT,
        &NO_ACTIVITY,
        &FAIL_FAST,
        &FAIL_WHEN,
        &ALLOW_RESTARTS,
        &INTERVAL,
    ],
    effect: Effect::Wait,
    answer: Answer::Recorded,
    announce,
    command: runbook_core::primitive::no_command,
    run,
    examples: &[Example {
        cluster: "shop",
        script: r#"wait::stable("deployment", "web", "5s", #{ namespace: "shop" })"#,
        expect: r#"{ "object": "deployment/web" }"#,
    }],
};

fn announce(args: &Args) -> String {
    format!("wait until {} has been ready for {}", option::objects(args), in_words(args.get(&HOLD)))
}

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    let ask = Ask::one(&args.get(&KIND), args.get(&NAME), Place::of(args), What::Ready);
    reach::one(call, args, &Ask { hold: args.get(&HOLD), ..ask })
}
