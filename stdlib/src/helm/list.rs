//! `helm::list`

use runbook_core::primitive::Answer;
use runbook_core::{Args, Call, Effect, Example, Fault, Outcome, Param, Primitive, Value};
use serde::Deserialize;
use serde_json::json;

use super::option::{CONTEXT, NAMESPACE, Target};
use super::release::{name_and_version, unreadable};
use super::tool::{Feature, Line, Tool};
use runbook_core::command::Command;

const ALL_NAMESPACES: Param<Option<bool>> = Param::option("all_namespaces", "In all namespaces; false if absent.");

/// `helm::list`
pub(super) const LIST: Primitive = Primitive {
    name: "helm::list",
    summary: "List releases whatever their status, each with its chart and revision.",
    params: &[&NAMESPACE, &ALL_NAMESPACES, &CONTEXT],
    effect: Effect::Read,
    answer: Answer::Recorded,
    announce,
    command,
    run,
    examples: &[Example {
        cluster: "shop",
        script: r#"helm::list(#{ namespace: "shop" }).map(|release| release.name)"#,
        expect: r#"["web"]"#,
    }],
};

fn announce(args: &Args) -> String {
    match (args.get(&ALL_NAMESPACES), args.get(&NAMESPACE)) {
        (Some(true), _) => "list the releases of all namespaces".to_owned(),
        (_, Some(namespace)) => format!("list the releases in {namespace}"),
        (_, None) => "list the releases".to_owned(),
    }
}

fn command(args: &Args) -> Option<Command> {
    let line = Command::new("helm list --all").flag("--namespace", args.get(&NAMESPACE));
    Some(line.switch("--all-namespaces", args.get(&ALL_NAMESPACES)))
}

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    call.block_on(async {
        let tool = Tool::find(call.world).await?;
        // Helm 3 leaves out what is pending unless told; helm 4 lists everything and knows no such flag. 0 is no limit.
        let line = Line::reading("list --output=json --max=0").switch("--all", !tool.has(Feature::ListsEverything));
        let target = Target::of(args);
        let text = if args.get(&ALL_NAMESPACES) == Some(true) {
            tool.run_everywhere(target.context, line).await?
        } else {
            tool.run_at(&target, line).await?
        };
        parse(&text)
    })
}

/// One release as `helm list` prints it: its revision is a text there.
#[derive(Deserialize)]
struct Listed {
    name: String,
    namespace: String,
    revision: String,
    updated: String,
    status: String,
    chart: String,
    #[serde(default)]
    app_version: String,
}

fn parse(text: &str) -> Result<Value, Fault> {
    let listed: Vec<Listed> = serde_json::from_str(text).map_err(|error| unreadable("list", &error))?;
    let releases = listed.into_iter().map(|release| {
        let (chart, version) = name_and_version(&release.chart);
        Ok(json!({
            "name": release.name,
            "namespace": release.namespace,
            "revision": release.revision.parse::<u64>().map_err(|error| unreadable("list", &error))?,
            "updated": release.updated,
            "status": release.status,
            "chart": chart,
            "version": version,
            "app_version": release.app_version,
        }))
    });
    releases.collect::<Result<_, Fault>>().map(Value::Array)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_helm_lists_is_read() {
        let text = r#"[{"name":"t","namespace":"ns3","revision":"3","updated":"2026-11-22 23:21:52.663553743 +0000 UTC","status":"pending-upgrade","chart":"istiod-1.30.3","app_version":"9"}]"#;
        let releases = parse(text).unwrap();
        assert_eq!((&releases[0]["revision"], &releases[0]["version"]), (&json!(3), &json!("1.30.3")));
        assert_eq!(parse("[]\n").unwrap(), json!([]));
    }
}
