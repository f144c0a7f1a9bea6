//! `helm::pull`

use runbook_core::primitive::Answer;
use runbook_core::{Args, Call, Code, Effect, Fault, Outcome, Param, Primitive, Repeat, digest};
use serde_json::json;

use super::chart::pulled;
use super::option::{CHART, VERSION};
use runbook_core::command::Command;

const DESTINATION: Param<String> = Param::must("destination", "Folder that the archive is put into; it must exist.");

/// `helm::pull`
pub(super) const PULL: Primitive = Primitive {
    name: "helm::pull",
    summary: "Fetch a chart's archive into a folder on this machine.",
    params: &[&CHART, &VERSION, &DESTINATION],
    effect: Effect::Write(Repeat::Safe),
    answer: Answer::Recorded,
    announce,
    command,
    run,
    examples: &[],
};

fn announce(args: &Args) -> String {
    let chart = args.get(&CHART).in_words(args.get(&VERSION).as_deref());
    format!("pull chart {chart} into {}", args.get(&DESTINATION))
}

fn command(args: &Args) -> Option<Command> {
    let chart = args.get(&CHART);
    let line = Command::new("helm pull").word(&chart.chart).flag("--repo", chart.repo);
    let line = line.flag("--version", args.get(&VERSION).or(chart.version));
    Some(line.flag("--destination", Some(args.get(&DESTINATION))))
}

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    let (reference, version) = (args.get(&CHART), args.get(&VERSION));
    if let Some(path) = reference.locate(call.world, version.clone())?.path {
        return Err(Fault::new(Code::WrongArgument, format!("chart `{}` is on this machine already", path.display())));
    }
    let folder = call.world.files.locate(&args.get(&DESTINATION))?;
    let (archive, (_private, file)) = call.block_on(pulled(call.world, &reference, version))?;
    let metadata = archive.metadata()?;
    let name = file.file_name().expect("it was listed in a folder");
    let place = folder.join(name);
    let before = fs_err::read(&place).ok().map(|bytes| digest::of_bytes(&bytes));
    let changed = before.as_deref() != Some(archive.digest());
    if changed {
        fs_err::copy(&file, &place).map_err(|error| Fault::new(Code::FileAccess, error.to_string()))?;
    }
    Ok(json!({
        "changed": changed,
        "path": place.display().to_string(),
        "name": metadata.name,
        "version": metadata.version,
        "digest": archive.digest(),
    }))
}
