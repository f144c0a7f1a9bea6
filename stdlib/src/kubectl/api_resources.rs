//! `kubectl::api_resources`

use runbook_core::primitive::{Answer, Example};
use runbook_core::{Args, Call, Effect, Outcome, Param, Primitive, Value};
use serde_json::json;

use super::kind;
use super::option::{CONTEXT, Target};
use runbook_core::command::Command;

const API_GROUP: Param<Option<String>> = Param::option("api_group", "Only of this group; `\"\"` for the core.");
const NAMESPACED: Param<Option<bool>> = Param::option("namespaced", "Only kinds with, or without, namespaces.");

/// `kubectl::api_resources`
pub(super) const API_RESOURCES: Primitive = Primitive {
    name: "kubectl::api_resources",
    summary: "List the kinds that the cluster has, every served version of each.",
    params: &[&API_GROUP, &NAMESPACED, &CONTEXT],
    effect: Effect::Read,
    answer: Answer::Recorded,
    announce: |_| "list the cluster's kinds".to_owned(),
    command: |args| Some(command(args)),
    run,
    examples: &[Example {
        cluster: "shop",
        script: r#"kubectl::api_resources(#{ api_group: "apps" }).filter(|r| r.kind == "Deployment")[0].short_names"#,
        expect: r#"["deploy"]"#,
    }],
};

fn command(args: &Args) -> Command {
    let line = Command::new("kubectl api-resources").flag("--api-group", args.get(&API_GROUP));
    let line = match args.get(&NAMESPACED) {
        Some(namespaced) => line.word(format!("--namespaced={namespaced}")),
        None => line,
    };
    Target::of_context(args).flags(line)
}

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    let cluster = Target::of_context(args).cluster(call)?;
    let kinds = call.read(kind::all(&cluster))?;
    let group = args.get(&API_GROUP);
    let namespaced = args.get(&NAMESPACED);
    let wanted = kinds.iter().filter(|kind| {
        group.as_ref().is_none_or(|group| *group == kind.group)
            && namespaced.is_none_or(|wanted| wanted == kind.namespaced)
    });
    let as_value = |kind: &std::sync::Arc<kind::Resource>| {
        json!({
            "name": kind.plural,
            "kind": kind.kind,
            "group": kind.group,
            "api_version": kind.api_version(),
            "short_names": kind.short,
            "namespaced": kind.namespaced,
            "verbs": kind.verbs,
        })
    };
    Ok(wanted.map(as_value).collect::<Vec<Value>>().into())
}
