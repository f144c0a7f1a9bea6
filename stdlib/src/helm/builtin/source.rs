//! Where a chart comes from, as a line names it: a folder, an archive, the repository `embedded`, or a server.
//!
//! What lies elsewhere is left to the real helm where a run has one: it knows the person's own ways to it. Does not render.

use std::path::Path;

use runbook_core::world::Program;
use runbook_core::{Code, Fault, World};

use super::super::archive::Archive;
use super::super::embedded;
use super::render::Chart;
use super::repo;
use super::trouble::Trouble;
use super::word::Words;

/// Reads the chart that stands in a line.
///
/// Faults: `RB044` where it is none, and those of fetching it.
pub(super) async fn chart(world: &World, named: &str, words: &Words) -> Result<Chart, Trouble> {
    if let Some(name) = embedded::name_in(named) {
        return Chart::of_archive(&embedded::packed(name, words.flag("version"))?);
    }
    let path = Path::new(named);
    if words.flag("repo").is_some() || !path.is_absolute() {
        if let Some(Program::File(_)) = world.helm.program {
            return Err(Trouble::beyond(Fault::new(Code::ChartNotFound, format!("chart `{named}` is elsewhere"))));
        }
        return Chart::of_archive(&repo::fetch(world, named, words).await?.bytes);
    }
    if path.is_dir() {
        if holds_links(path) {
            let message = format!("chart `{named}` holds symbolic links, which the built-in helm does not follow");
            return Err(Trouble::beyond(Fault::new(Code::ChartNotFound, message).hint("put files in their place")));
        }
        return Chart::of_files(Archive::open(path)?.into_files());
    }
    let bytes = fs_err::read(path)
        .map_err(|error| Fault::new(Code::ChartNotFound, format!("chart `{named}` cannot be read: {error}")))?;
    Chart::of_archive(&bytes)
}

/// Whether there is a link in a folder. One that cannot be read is told by whoever reads it.
fn holds_links(folder: &Path) -> bool {
    let entries = fs_err::read_dir(folder).into_iter().flatten().flatten();
    let mut kinds = entries.filter_map(|entry| Some((entry.file_type().ok()?, entry.path())));
    kinds.any(|(kind, path)| kind.is_symlink() || (kind.is_dir() && holds_links(&path)))
}
