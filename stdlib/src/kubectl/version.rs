//! `kubectl::version`

use http::Request;
use runbook_core::primitive::{Answer, Example};
use runbook_core::{Args, Call, Effect, Outcome, Primitive};
use serde_json::json;

use super::option::{CONTEXT, Target};
use super::request::{self, Asked};
use crate::readiness::object::text;
use runbook_core::command::Command;

/// `kubectl::version`
pub(super) const VERSION: Primitive = Primitive {
    name: "kubectl::version",
    summary: "Read the API server's version: `server` as in `v1.36.3`, `major` and `minor` as numbers, `platform`.",
    params: &[&CONTEXT],
    effect: Effect::Read,
    answer: Answer::Recorded,
    announce: |_| "read the cluster's version".to_owned(),
    command: |args| Some(Target::of_context(args).flags(Command::new("kubectl version"))),
    run,
    examples: &[Example { cluster: "shop", script: "kubectl::version().major", expect: "1" }],
};

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    let cluster = Target::of_context(args).cluster(call)?;
    let asked = Asked::about("read", "the cluster's version");
    call.read(async {
        let version = request::answer(&cluster.client, Request::get("/version"), Vec::new(), &asked).await?;
        // Some providers write `36+`.
        let number = |pointer: &str| text(&version, pointer).trim_end_matches('+').parse::<u32>().ok();
        Ok(json!({
            "server": text(&version, "/gitVersion"),
            "major": number("/major"),
            "minor": number("/minor"),
            "platform": text(&version, "/platform"),
        }))
    })
}
