//! `wait::crd`

use runbook_core::primitive::{Answer, Example};
use runbook_core::{Args, Call, Effect, Outcome, Param, Primitive};

use super::ask::{Ask, Place, What};
use super::option::{CONTEXT, INTERVAL, NAME, NO_ACTIVITY, TIMEOUT};
use super::{option, reach};
use runbook_core::command::Command;

const VERSIONS: Param<Option<Vec<String>>> = Param::option("versions", "Versions it must serve, such as `[\"v1\"]`.");

pub(super) const CRD: Primitive = Primitive {
    name: "wait::crd",
    summary: "Wait until the definition of a custom resource is established, and what is stored is still defined.",
    params: &[&NAME, &VERSIONS, &CONTEXT, &TIMEOUT, &NO_ACTIVITY, &INTERVAL],
    effect: Effect::Wait,
    answer: Answer::Recorded,
    announce,
    command: |args| Some(command(args)),
    run,
    examples: &[Example {
        cluster: "shop",
        script: r#"wait::crd("widgets.example.com", #{ timeout: "60s" })"#,
        expect: r#"{ "object": "customresourcedefinition/widgets.example.com" }"#,
    }],
};

fn announce(args: &Args) -> String {
    format!("wait until crd/{} is established", args.get(&NAME))
}

fn command(args: &Args) -> Command {
    let verb = Command::new("kubectl wait --for=condition=Established").word(format!("crd/{}", args.get(&NAME)));
    option::placed(verb, args)
}

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    let what = What::Crd(args.get(&VERSIONS).unwrap_or_default());
    let kind = "customresourcedefinitions.apiextensions.k8s.io";
    reach::one(call, args, &Ask::one(kind, args.get(&NAME), Place::default(), what))
}
