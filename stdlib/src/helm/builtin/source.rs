//! Where a chart comes from, as a line names it: a folder, an archive, the repository `embedded`.
//!
//! Fetches nothing over the network: this program trusts the certificates of clusters alone. Does not render.

use std::path::Path;

use runbook_core::{Code, Fault};

use super::super::archive::Archive;
use super::super::embedded;
use super::render::Chart;
use super::trouble::Trouble;
use super::word::Words;

/// Reads the chart that stands in a line.
///
/// Faults: `RB044` where it is none, or would have to be fetched.
pub(super) fn chart(named: &str, words: &Words) -> Result<Chart, Trouble> {
    let repository = words.flag("repo");
    if let Some(name) = embedded::name_in(named) {
        return Chart::of_archive(&embedded::packed(name, words.flag("version"))?);
    }
    let path = Path::new(named);
    if repository.is_some() || !path.is_absolute() {
        return Err(elsewhere(named, repository).into());
    }
    if path.is_dir() {
        return Chart::of_files(Archive::open(path)?.into_files());
    }
    let bytes = fs_err::read(path)
        .map_err(|error| Fault::new(Code::ChartNotFound, format!("chart `{named}` cannot be read: {error}")))?;
    Chart::of_archive(&bytes)
}

/// The fault of a chart that is not on this machine.
pub(in crate::helm) fn elsewhere(named: &str, repository: Option<&str>) -> Fault {
    let place = repository.map(|url| format!(" in `{url}`")).unwrap_or_default();
    Fault::new(
        Code::ChartNotFound,
        format!("chart `{named}`{place} is not on this machine, and the built-in helm fetches none"),
    )
    .hint("fetch it with `helm pull` and name the folder with `--charts DIR`; `--charts embedded` takes the stand-ins")
}
