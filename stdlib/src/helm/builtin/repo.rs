//! `repo add`, `repo list`, `repo update` and `pull`: what is fetched, and what is remembered on this machine.
//!
//! Reaches no cluster. Does not know how a server is asked.

use std::path::{Path, PathBuf};

use runbook_core::{Code, Fault, World};
use serde_json::json;

use super::super::remote::{self, Entry, Index, Settings, Wanted};
use super::trouble::Trouble;
use super::word::Words;

/// Where helm keeps things, as the environment and the line say.
fn settings(world: &World, words: &Words) -> Settings {
    let mut settings = Settings::of(world);
    if let Some(file) = words.flag("repository-config") {
        settings.repositories = Some(PathBuf::from(file));
    }
    if let Some(folder) = words.flag("repository-cache") {
        settings.cache = Some(PathBuf::from(folder));
    }
    settings
}

/// `repo add`: asked first, and known only where it answers.
pub(super) async fn add(world: &World, words: &Words, input: Option<&str>) -> Result<String, Trouble> {
    let (name, url) = (words.place(0), words.place(1));
    let settings = settings(world, words);
    let password = input.map(str::trim_end).filter(|_| words.on("password-stdin")).unwrap_or_default();
    let user = words.flag("username").map(|user| (user, password));
    let entry = Entry::new(name, url, user);
    let mut known = settings.known()?;
    Index::get(world, &entry).await?.keep(&settings, name)?;
    match known.iter_mut().find(|known| known.name == name) {
        Some(known) => *known = entry,
        None => known.push(entry),
    }
    settings.write(&known)?;
    Ok(format!("{name:?} has been added to your repositories\n"))
}

/// `repo list`
pub(super) fn list(world: &World, words: &Words) -> Result<String, Trouble> {
    let known = settings(world, words).known()?;
    let rows: Vec<_> = known.iter().map(|entry| json!({ "name": entry.name, "url": entry.url })).collect();
    Ok(json!(rows).to_string())
}

/// `repo update`: all, or those that are named. All are asked; the first that fails is told.
pub(super) async fn update(world: &World, words: &Words) -> Result<String, Trouble> {
    let settings = settings(world, words);
    let known = settings.known()?;
    if let Some(stranger) = words.places.iter().find(|name| !known.iter().any(|entry| entry.name == **name)) {
        let fault = Fault::new(Code::ChartNotFound, format!("no chart repository `{stranger}` is known"));
        return Err(fault.hint("`helm::repo_add` makes it known").into());
    }
    let asked = known.iter().filter(|entry| words.places.is_empty() || words.places.contains(&entry.name));
    let mut failed = None;
    for entry in asked {
        let done = match Index::get(world, entry).await {
            Ok(index) => index.keep(&settings, &entry.name),
            Err(fault) => Err(fault),
        };
        failed = failed.or(done.err());
    }
    failed.map_or_else(|| Ok(String::new()), |fault| Err(fault.into()))
}

/// `pull`: the archive, put into a folder.
pub(super) async fn pull(world: &World, words: &Words) -> Result<String, Trouble> {
    let fetched = fetch(world, words.place(0), words).await?;
    let file = Path::new(words.flag("destination").unwrap_or(".")).join(&fetched.file);
    fs_err::write(&file, &fetched.bytes).map_err(|error| Fault::new(Code::FileAccess, error.to_string()))?;
    Ok(format!("Digest: sha256:{}\n", fetched.digest()))
}

/// The chart that stands in a line, fetched.
pub(super) async fn fetch(world: &World, chart: &str, words: &Words) -> Result<remote::Fetched, Trouble> {
    let wanted = Wanted { chart, repo: words.flag("repo"), version: words.flag("version") };
    Ok(remote::fetch(world, &settings(world, words), wanted).await?)
}
