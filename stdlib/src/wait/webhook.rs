//! `wait::webhook`

use runbook_core::primitive::{Answer, Example};
use runbook_core::{Args, Call, Code, Effect, Fault, Outcome, Param, Primitive};

use super::ask::{Ask, Place, What};
use super::option::{CONTEXT, INTERVAL, KIND, NAME, NO_ACTIVITY, TIMEOUT};
use super::reach;
use crate::readiness::webhook::Asked;

const FAILURE_POLICY: Param<Option<String>> =
    Param::option("failure_policy", "What every entry must do where it cannot be called: `Fail` or `Ignore`.");
const SERVICE: Param<Option<String>> = Param::option("service", "Name of the service every entry must lead to.");

pub(super) const WEBHOOK: Primitive = Primitive {
    name: "wait::webhook",
    summary: "Wait until every entry of a webhook configuration has its caBundle and a service with ready endpoints.",
    params: &[&KIND, &NAME, &FAILURE_POLICY, &SERVICE, &CONTEXT, &TIMEOUT, &NO_ACTIVITY, &INTERVAL],
    effect: Effect::Wait,
    answer: Answer::Recorded,
    announce,
    command: runbook_core::primitive::no_command,
    run,
    examples: &[Example {
        cluster: "shop",
        script: r#"wait::webhook("validatingwebhookconfiguration", "shop-rules", #{ failure_policy: "Fail" })"#,
        expect: r#"{ "object": "validatingwebhookconfiguration/shop-rules" }"#,
    }],
};

fn announce(args: &Args) -> String {
    let policy = args.get(&FAILURE_POLICY).map(|policy| format!(", failurePolicy {policy}")).unwrap_or_default();
    format!("wait until {}/{} can be called{policy}", args.get(&KIND).to_lowercase(), args.get(&NAME))
}

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    let asked = Asked { failure_policy: args.get(&FAILURE_POLICY), service: args.get(&SERVICE) };
    if let Some(policy) = asked.failure_policy.as_ref().filter(|policy| !["Fail", "Ignore"].contains(&policy.as_str()))
    {
        return Err(Fault::new(Code::WrongArgument, format!("`failure_policy` is `Fail` or `Ignore`, not `{policy}`")));
    }
    reach::one(call, args, &Ask::one(&args.get(&KIND), args.get(&NAME), Place::default(), What::Webhook(asked)))
}
