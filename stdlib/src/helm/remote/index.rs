//! Repositories: an `index.yaml` over HTTP that says which charts there are, and where.
//!
//! Does not know where helm keeps its settings.

use runbook_core::{Code, Fault, World, digest};
use serde_json::Value;

use super::super::reference::is_archive;
use super::super::repository::{self, Offer};
use super::settings::{Entry, Settings};
use super::web::{self, Access, shown};
use super::{Fetched, Wanted};
use crate::yaml;

/// An index is at most this large.
const LARGEST_INDEX: usize = 128 << 20;

/// A packed chart is at most this large.
pub(super) const LARGEST_CHART: usize = 128 << 20;

/// What a repository offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::helm) struct Index {
    text: String,
    url: String,
}

impl Index {
    /// Asks a repository.
    ///
    /// Faults: those of [`super::fetch`]; `RB044` where there is no index, or none that can be read.
    pub(in crate::helm) async fn get(world: &World, repository: &Entry) -> Result<Self, Fault> {
        let base = repository.url.trim_end_matches('/');
        let url = format!("{base}/index.yaml");
        let page = web::get(world, &url, &repository.access(world), "*/*", LARGEST_INDEX).await?.allowed(&url)?;
        let Some(page) = page else {
            return Err(Fault::new(
                Code::ChartNotFound,
                format!("`{}` is no chart repository: it has no `index.yaml`", shown(base)),
            ));
        };
        Ok(Self { text: String::from_utf8_lossy(&page.body).into_owned(), url: base.to_owned() })
    }

    /// The versions of a chart.
    ///
    /// Faults: `RB044` where the index cannot be read.
    pub(in crate::helm) fn offers(&self, name: &str) -> Result<Vec<Offer>, Fault> {
        repository::offers_in(&self.text, name, &shown(&self.url))
    }

    /// Keeps it as what a repository of that name offered.
    ///
    /// Faults: `RB044` where it cannot be read, `RB091` where it cannot be kept.
    pub(in crate::helm) fn keep(&self, settings: &Settings, name: &str) -> Result<(), Fault> {
        let url = shown(&self.url);
        let unreadable =
            |reason: String| Fault::new(Code::ChartNotFound, format!("the index of `{url}` cannot be read: {reason}"));
        let read = yaml::document(&self.text).map_err(unreadable)?;
        if read.get("apiVersion").and_then(Value::as_str).is_none() {
            return Err(unreadable("it says no `apiVersion`".to_owned()));
        }
        let entries = read.get("entries").and_then(Value::as_object);
        let charts: Vec<String> = entries.map(|entries| entries.keys().cloned().collect()).unwrap_or_default();
        settings.keep_index(name, self.text.as_bytes(), &charts)
    }
}

/// Fetches a chart that a URL, a repository's URL or a known repository's name leads to.
pub(super) async fn fetch(world: &World, settings: &Settings, wanted: Wanted<'_>) -> Result<Fetched, Fault> {
    let known = settings.known()?;
    if let Some(url) = wanted.repo {
        let same = |entry: &&Entry| entry.url.trim_end_matches('/') == url.trim_end_matches('/');
        let repository = known.iter().find(same).cloned().unwrap_or_else(|| Entry::new(wanted.chart, url, None));
        let index = Index::get(world, &repository).await?;
        return choose(world, &repository, &index, wanted.chart, wanted.version).await;
    }
    if wanted.chart.contains("://") {
        let repository = known.iter().find(|entry| wanted.chart.starts_with(&format!("{}/", entry.url)));
        let access = repository.map(|entry| entry.access(world)).unwrap_or_default();
        return download(world, wanted.chart, &access, None).await;
    }
    let (name, chart) = wanted.chart.split_once('/').unwrap_or(("", wanted.chart));
    let Some(repository) = known.iter().find(|entry| entry.name == name) else {
        let names: Vec<_> = known.iter().map(|entry| entry.name.as_str()).collect();
        let hint = match names.as_slice() {
            [] => "none is known: `helm::repo_add` makes one known".to_owned(),
            names => format!("known are {}; `helm::repo_add` makes another known", names.join(", ")),
        };
        return Err(Fault::new(Code::ChartNotFound, format!("no chart repository `{name}` is known")).hint(hint));
    };
    let Some(text) = settings.index(name) else {
        return Err(Fault::new(Code::ChartNotFound, format!("what repository `{name}` offers is not known here"))
            .hint("`helm::repo_update` asks it"));
    };
    let index = Index { text, url: repository.url.trim_end_matches('/').to_owned() };
    choose(world, repository, &index, chart, wanted.version).await
}

async fn choose(
    world: &World,
    repository: &Entry,
    index: &Index,
    chart: &str,
    version: Option<&str>,
) -> Result<Fetched, Fault> {
    let offer = repository::choose(index.offers(chart)?, chart, version, &shown(&index.url))?;
    let url = web::resolve(&format!("{}/index.yaml", index.url), &offer.place);
    let access = repository.access(world).towards(&index.url, &url);
    download(world, &url, &access, Some((chart, &offer))).await
}

/// Fetches an archive, and holds it against what the index says of it.
async fn download(world: &World, url: &str, access: &Access, listed: Option<(&str, &Offer)>) -> Result<Fetched, Fault> {
    let page = web::get(world, url, access, "*/*", LARGEST_CHART).await?.allowed(url)?;
    let Some(page) = page else {
        let message = match listed {
            Some((chart, offer)) => {
                format!("chart `{chart}` {} is listed, but is not at `{}`", offer.version, shown(url))
            }
            None => format!("there is no chart at `{}`", shown(url)),
        };
        return Err(Fault::new(Code::ChartNotFound, message));
    };
    if let Some((chart, offer)) = listed {
        same(&format!("chart `{chart}` {}", offer.version), offer.digest.as_deref(), &page.body)?;
    }
    let plain = shown(url);
    let file = plain.rsplit('/').next().filter(|name| is_archive(name) && !name.starts_with('.'));
    let file = file.map_or_else(
        || listed.map_or_else(|| "chart.tgz".to_owned(), |(chart, offer)| format!("{chart}-{}.tgz", offer.version)),
        str::to_owned,
    );
    Ok(Fetched { bytes: page.body, file })
}

/// Faults with `RB044` where bytes are not those of a digest.
pub(super) fn same(what: &str, listed: Option<&str>, bytes: &[u8]) -> Result<(), Fault> {
    let Some(listed) = listed.map(|listed| listed.trim_start_matches("sha256:")) else { return Ok(()) };
    let found = digest::of_bytes(bytes);
    if found == listed {
        return Ok(());
    }
    Err(Fault::new(Code::ChartNotFound, format!("{what} is not what it is said to be"))
        .seen(format!("listed digest {listed}"))
        .seen(format!("found digest {found}"))
        .hint("it was changed after it was listed, or on the way: do not use it before whoever offers it says why"))
}
