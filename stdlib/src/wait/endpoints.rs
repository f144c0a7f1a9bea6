//! `wait::endpoints`

use runbook_core::primitive::{Answer, Example};
use runbook_core::{Args, Call, Effect, Outcome, Param, Primitive};

use super::ask::{Ask, Place, What};
use super::option::{CONTEXT, INTERVAL, NAMESPACE, NO_ACTIVITY, TIMEOUT};
use super::{option, reach};

const SERVICE: Param<String> = Param::required("service", "Name of the service.");
const AT_LEAST: Param<Option<i64>> = Param::option("at_least", "How many ready addresses it must have; 1 if absent.");

pub(super) const ENDPOINTS: Primitive = Primitive {
    name: "wait::endpoints",
    summary: "Wait until a service has addresses that take traffic.",
    params: &[&SERVICE, &AT_LEAST, &NAMESPACE, &CONTEXT, &TIMEOUT, &NO_ACTIVITY, &INTERVAL],
    effect: Effect::Wait,
    answer: Answer::Recorded,
    announce,
    command: runbook_core::primitive::no_command,
    run,
    examples: &[Example {
        cluster: "shop",
        script: r#"wait::endpoints("web", #{ namespace: "shop" })"#,
        expect: r#"{ "object": "service/web" }"#,
    }],
};

fn announce(args: &Args) -> String {
    let least = args.get(&AT_LEAST).unwrap_or(1);
    format!("wait until service/{}{} has {least} ready endpoints", args.get(&SERVICE), option::place(args))
}

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    let what = What::Endpoints(args.get(&AT_LEAST).unwrap_or(1));
    reach::one(call, args, &Ask::one("services", args.get(&SERVICE), Place::of(args), what))
}
