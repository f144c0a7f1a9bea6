//! Whether new pods may come to a node: what `kubectl::cordon`, `uncordon` and `drain` have in common.

use runbook_core::{Args, Call, Fault, Outcome, Param, Value};
use serde_json::json;

use super::api::{Api, Scope};
use super::kind;
use super::option::{CONTEXT, MANAGER, Target};
use super::outcome::{self, Decision};
use super::query::Writing;
use runbook_core::command::Command;

pub(super) const NODE: Param<String> = Param::required("node", "Name of the node.");

/// Whether new pods may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    Open,
    Closed,
}

/// The command that does the same.
pub(super) fn command(verb: &str, args: &Args) -> Command {
    Target::of_context(args).flags(Command::new(verb).word(args.get(&NODE)))
}

/// Does it.
pub(super) fn run(call: &Call<'_>, args: &Args, wanted: Wanted) -> Outcome {
    let cluster = call.world.clusters.get(args.get(&CONTEXT).as_deref())?;
    call.write(async {
        let api = Api::of(&cluster, kind::builtin("nodes"), &Scope::All)?;
        set(&api, &args.get(&NODE), wanted).await
    })
}

/// Opens or closes a node. Answers `changed`.
pub(super) async fn set(nodes: &Api, name: &str, wanted: Wanted) -> Result<Value, Fault> {
    let changed = outcome::change(nodes, name, None, &Writing::by(MANAGER), |node| {
        let closed = node["spec"]["unschedulable"] == true;
        let patch = match wanted {
            Wanted::Closed => json!({ "spec": { "unschedulable": true } }),
            Wanted::Open => json!({ "spec": { "unschedulable": null } }),
        };
        Ok((closed != (wanted == Wanted::Closed)).then(|| Decision { patch, ..Decision::default() }))
    })
    .await?;
    let word = match (&changed.after, wanted) {
        (None, _) => "unchanged",
        (Some(_), Wanted::Closed) => "cordoned",
        (Some(_), Wanted::Open) => "uncordoned",
    };
    Ok(json!({ "changed": changed.after.is_some(), "summary": format!("{}: {word}", nodes.title(name)) }))
}
