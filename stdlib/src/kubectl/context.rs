//! `kubectl::context`

use runbook_core::primitive::{Answer, Example};
use runbook_core::{Args, Call, Code, Effect, Outcome, Primitive};
use serde_json::json;

use super::api::{Api, Scope};
use super::kind;
use super::option::{CONTEXT, Target};
use crate::readiness::object::uid;
use runbook_core::command::Command;

/// The namespace whose uid tells clusters apart: every cluster has it, and it lives as long as the cluster.
const WITNESS: &str = "kube-system";

/// `kubectl::context`
pub(super) const CONTEXT_OF_RUN: Primitive = Primitive {
    name: "kubectl::context",
    summary: "Tell which cluster this is: `context`, `server`, `namespace`, and `cluster_id`, `()` where it may not be read.",
    params: &[&CONTEXT],
    effect: Effect::Read,
    answer: Answer::Recorded,
    announce: |_| "tell which cluster this is".to_owned(),
    command: |args| Some(Target::of_context(args).flags(Command::new("kubectl config view --minify"))),
    run,
    examples: &[Example { cluster: "shop", script: "kubectl::context().cluster_id.len()", expect: "36" }],
};

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    let cluster = Target::of_context(args).cluster(call)?;
    let api = Api::of(&cluster, kind::builtin("namespaces"), &Scope::All)?.metadata_only();
    let id = match call.read(api.get(WITNESS)) {
        Ok(namespace) => Some(uid(&namespace).to_owned()),
        Err(fault) if matches!(fault.code, Code::Forbidden | Code::NotFound) => None,
        Err(fault) => return Err(fault),
    };
    Ok(json!({
        "context": cluster.context,
        "server": cluster.server,
        "namespace": cluster.namespace,
        "cluster_id": id,
    }))
}
