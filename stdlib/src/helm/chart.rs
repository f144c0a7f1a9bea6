//! `helm::chart`

use std::path::Path;

use runbook_core::primitive::Answer;
use runbook_core::{Args, Call, Code, Effect, Example, Fault, Outcome, Param, Primitive, Value, World, digest};

use super::archive::Archive;
use super::embedded;
use super::option::VERSION;
use super::reference::Reference;
use super::repository::{self, Offer};
use super::tool::{Line, Private, Tool};
use runbook_core::command::Command;

const NAME: Param<String> = Param::required("name", "Name of the chart, such as `web`.");
const CHARTS: Param<String> = Param::must(
    "charts",
    "Where charts are: a folder of archives (with or without `index.yaml`) or of charts, a repository's URL, `oci://...`, or `embedded` for the stand-ins in this program.",
);

const OR: Param<Option<Value>> =
    Param::option("or", "What to give where no such version can be found; a fault if absent.");

/// `helm::chart`
pub(super) const CHART: Primitive = Primitive {
    name: "helm::chart",
    summary: "Find one version of a chart, and give what other calls take as a chart.",
    params: &[&NAME, &CHARTS, &VERSION, &OR],
    effect: Effect::Read,
    answer: Answer::Recorded,
    announce,
    command,
    run,
    examples: &[Example {
        cluster: "",
        script: r#"helm::chart("web", #{ charts: "./charts", version: "1.1" })"#,
        expect: r#"{"version":"1.1.0"}"#,
    }],
};

fn announce(args: &Args) -> String {
    match args.get(&VERSION) {
        Some(version) => format!("find chart {} {version} in {}", args.get(&NAME), args.get(&CHARTS)),
        None => format!("find chart {} in {}", args.get(&NAME), args.get(&CHARTS)),
    }
}

fn command(args: &Args) -> Option<Command> {
    let (charts, name) = (args.get(&CHARTS), args.get(&NAME));
    if !charts.contains("://") {
        return None;
    }
    let line = Command::new("helm show chart");
    let line = if charts.starts_with("oci://") {
        line.word(format!("{}/{name}", charts.trim_end_matches('/')))
    } else {
        line.word(name).flag("--repo", Some(charts))
    };
    Some(line.flag("--version", args.get(&VERSION)))
}

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    let (name, charts, version) = (args.get(&NAME), args.get(&CHARTS), args.get(&VERSION));
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.is_empty() || name.starts_with(['-', '.']) || !name.chars().all(plain) {
        return Err(Fault::new(Code::WrongArgument, format!("`{name}` cannot be the name of a chart")));
    }
    match find(call, &name, &charts, version.as_deref()) {
        Ok(found) => Ok(found.to_value()),
        Err(fault) if fault.code == Code::ChartNotFound && args.has(&OR) => Ok(args.get(&OR).unwrap_or_default()),
        Err(fault) => Err(fault),
    }
}

fn find(call: &Call<'_>, name: &str, charts: &str, version: Option<&str>) -> Result<Reference, Fault> {
    if charts == embedded::REPOSITORY {
        let offer = repository::choose(embedded::offers(name), name, version, charts)?;
        let digest = digest::of_bytes(&embedded::packed(name, Some(&offer.version))?);
        Ok(Reference { chart: offer.place, repo: None, version: Some(offer.version), digest: Some(digest) })
    } else if charts.starts_with("oci://") {
        call.block_on(in_registry(call.world, name, charts, version))
    } else if charts.starts_with("http://") || charts.starts_with("https://") {
        call.block_on(in_repository(call.world, name, charts, version))
    } else {
        in_folder(call.world, name, charts, version)
    }
}

fn in_folder(world: &World, name: &str, charts: &str, version: Option<&str>) -> Result<Reference, Fault> {
    // A folder that a script names by a plain name is meant from where it stands.
    let folder = world.files.locate(charts)?;
    let unpacked = folder.join(name);
    if unpacked.join("Chart.yaml").is_file() {
        return in_source(&unpacked, name, version);
    }
    let offers = repository::offers_of(&folder, name)?;
    let offer = repository::choose(offers, name, version, charts)?;
    let path = repository::place_in(&folder, &offer);
    let bytes = fs_err::read(&path).map_err(|error| {
        Fault::new(
            Code::ChartNotFound,
            format!("chart `{name}` {} is listed, but cannot be read: {error}", offer.version),
        )
    })?;
    let found = digest::of_bytes(&bytes);
    if let Some(listed) = offer.digest.filter(|listed| *listed != found) {
        return Err(Fault::new(
            Code::ChartNotFound,
            format!("chart `{name}` {} is not what `{charts}` says it is", offer.version),
        )
        .seen(format!("listed digest {listed}"))
        .seen(format!("found digest {found}"))
        .hint("make the index anew with `helm repo index`, or get the archive again"));
    }
    let chart = path.display().to_string();
    Ok(Reference { chart, repo: None, version: Some(offer.version), digest: Some(found) })
}

/// A chart that lies unpacked, as in a checkout.
fn in_source(folder: &Path, name: &str, version: Option<&str>) -> Result<Reference, Fault> {
    let archive = Archive::open(folder)?;
    let found = archive.metadata()?.version;
    let shown = folder.display().to_string();
    let offer = Offer { version: found, digest: None, place: shown.clone() };
    let offer = repository::choose(vec![offer], name, version, &shown)?;
    let digest = Some(archive.digest().to_owned());
    Ok(Reference { chart: shown, repo: None, version: Some(offer.version), digest })
}

/// Helm fetches the index, with its own settings for proxies and certificates, into a cache that only this call sees.
async fn in_repository(world: &World, name: &str, url: &str, version: Option<&str>) -> Result<Reference, Fault> {
    let tool = Tool::for_charts(world).await?;
    let private = Private::make()?;
    let line = Line::reading("repo add --force-update charts")
        .word(url)
        .flag("--repository-config", Some(private.path().join("repositories.yaml").display()))
        .flag("--repository-cache", Some(private.path().display()));
    tool.run_in(&private, line).await?;
    let index = fs_err::read_to_string(private.path().join("charts-index.yaml"))
        .map_err(|error| Fault::new(Code::ChartNotFound, format!("the index of `{url}` cannot be read: {error}")))?;
    let offer = repository::choose(repository::offers_in(&index, name, url)?, name, version, url)?;
    Ok(Reference {
        chart: name.to_owned(),
        repo: Some(url.to_owned()),
        version: Some(offer.version),
        digest: offer.digest,
    })
}

/// A registry cannot be asked what it has; the chart itself says its version.
async fn in_registry(world: &World, name: &str, url: &str, version: Option<&str>) -> Result<Reference, Fault> {
    let chart = format!("{}/{name}", url.trim_end_matches('/'));
    let reference = Reference { chart, version: version.map(str::to_owned), ..Reference::default() };
    let (archive, _) = pulled(world, &reference, None).await?;
    let version = Some(archive.metadata()?.version);
    Ok(Reference { version, digest: Some(archive.digest().to_owned()), ..reference })
}

/// Pulls a chart that is not on this machine, and reads it; the file goes with the folder.
pub(super) async fn pulled(
    world: &World,
    reference: &Reference,
    version: Option<String>,
) -> Result<(Archive, (Private, std::path::PathBuf)), Fault> {
    let private = Private::make()?;
    if let Some(name) = embedded::name_in(&reference.chart) {
        let version = version.or_else(|| reference.version.clone());
        let (bytes, file) = (embedded::packed(name, version.as_deref())?, private.path().join(format!("{name}.tgz")));
        fs_err::write(&file, &bytes).map_err(|error| Fault::new(Code::FileAccess, error.to_string()))?;
        return Ok((Archive::of_bytes(&reference.chart, &bytes)?, (private, file)));
    }
    let tool = Tool::for_charts(world).await?;
    let into = private.path().join("pulled");
    fs_err::create_dir(&into).map_err(|error| Fault::new(Code::FileAccess, error.to_string()))?;
    let line = reference.locate(world, version)?.add_to(Line::reading("pull"));
    tool.run_in(&private, line.flag("--destination", Some(into.display()))).await?;
    let file = fs_err::read_dir(&into)
        .ok()
        .and_then(|mut entries| entries.find_map(|entry| entry.ok().map(|entry| entry.path())))
        .ok_or_else(|| Fault::new(Code::ChartNotFound, format!("helm pulled nothing for `{}`", reference.chart)))?;
    let archive = Archive::open(&file)?;
    match &reference.digest {
        Some(expected) if expected != archive.digest() => Err(Fault::new(
            Code::ChartNotFound,
            format!("chart `{}` has changed since it was looked up", reference.chart),
        )
        .seen(format!("expected digest {expected}"))
        .seen(format!("found digest {}", archive.digest()))),
        _ => Ok((archive, (private, file))),
    }
}
