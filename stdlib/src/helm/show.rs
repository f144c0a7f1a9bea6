//! `helm::show`

use runbook_core::primitive::Answer;
use runbook_core::{Args, Call, Effect, Example, Outcome, Primitive};
use serde_json::json;

use super::archive::Archive;
use super::chart::pulled;
use super::option::{CHART, VERSION};
use runbook_core::command::Command;

/// `helm::show`
pub(super) const SHOW: Primitive = Primitive {
    name: "helm::show",
    summary: "Say what is in a chart: Chart.yaml, default values, templates, CRDs that helm does not upgrade, digest.",
    params: &[&CHART, &VERSION],
    effect: Effect::Read,
    answer: Answer::Recorded,
    announce,
    command,
    run,
    examples: &[Example {
        cluster: "",
        script: r#"helm::show(helm::chart("web", #{ charts: "./charts", version: "1.1.0" }))"#,
        expect: r#"{"name":"web","version":"1.1.0","values":{"color":"red"},"crds":[]}"#,
    }],
};

fn announce(args: &Args) -> String {
    format!("look into chart {}", args.get(&CHART).in_words(args.get(&VERSION).as_deref()))
}

fn command(args: &Args) -> Option<Command> {
    let chart = args.get(&CHART);
    let line = Command::new("helm show all").word(&chart.chart).flag("--repo", chart.repo);
    Some(line.flag("--version", args.get(&VERSION)))
}

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    let (reference, version) = (args.get(&CHART), args.get(&VERSION));
    let archive = match reference.locate(call.world, version.clone())?.path {
        Some(path) => Archive::open(&path)?,
        None => call.block_on(pulled(call.world, &reference, version))?.0,
    };
    let metadata = archive.metadata()?;
    let templates: Vec<_> = archive.files().filter(|name| name.starts_with("templates/")).collect();
    Ok(json!({
        "name": metadata.name,
        "version": metadata.version,
        "app_version": metadata.app_version,
        "chart": archive.chart_yaml()?,
        "values": archive.values()?,
        "templates": templates,
        "crds": archive.crds()?,
        "files": archive.files().collect::<Vec<_>>(),
        "digest": archive.digest(),
    }))
}
