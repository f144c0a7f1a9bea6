//! `helm::version`

use runbook_core::command::Command;
use runbook_core::primitive::Answer;
use runbook_core::{Args, Call, Effect, Example, Outcome, Primitive};
use serde_json::json;

use super::tool::Tool;

/// `helm::version`
pub(super) const VERSION: Primitive = Primitive {
    name: "helm::version",
    summary: "Say which helm is driven: a text such as `3.22.0`.",
    params: &[],
    effect: Effect::Read,
    answer: Answer::Recorded,
    announce: |_| "ask helm for its version".to_owned(),
    command,
    run,
    examples: &[Example {
        cluster: "shop",
        script: r#"semver::satisfies(helm::version(), ">=3.14.0, <5")"#,
        expect: "true",
    }],
};

fn command(_: &Args) -> Option<Command> {
    Some(Command::new("helm version").flag("--template", Some("{{.Version}}")))
}

fn run(call: &Call<'_>, _: &Args) -> Outcome {
    call.block_on(async { Ok(json!(Tool::find(call.world).await?.version.to_string())) })
}
