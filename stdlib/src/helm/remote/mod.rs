//! Charts that are not on this machine: out of a repository with an index, or out of a registry.
//!
//! What the built-in helm fetches, with the settings that helm keeps on this machine. Does not render, and does not read charts.

mod index;
mod registry;
mod settings;
#[cfg(test)]
mod tests;
mod web;

use runbook_core::{Fault, World, digest};

pub(super) use index::Index;
pub(super) use settings::{Entry, Settings};

/// A packed chart that was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fetched {
    /// The archive.
    pub(super) bytes: Vec<u8>,
    /// What its file is called: `web-1.0.0.tgz`.
    pub(super) file: String,
}

impl Fetched {
    /// SHA-256 of the archive.
    pub(super) fn digest(&self) -> String {
        digest::of_bytes(&self.bytes)
    }
}

/// A chart as a line of helm names it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// `oci://...`, `https://....tgz`, `repository/name`, or a plain name where there is a `repo`.
    pub(super) chart: &'a str,
    /// URL of the repository, where `chart` is a plain name.
    pub(super) repo: Option<&'a str>,
    /// The version; the newest where absent.
    pub(super) version: Option<&'a str>,
}

/// Fetches a packed chart.
///
/// Faults: `RB044` where there is no such chart or version, or where it is not what the index or registry says it is; `RB021`
/// where we are not let in; `RB025` where the server cannot be reached or trusted; `RB028` where it is too large.
pub(super) async fn fetch(world: &World, settings: &Settings, wanted: Wanted<'_>) -> Result<Fetched, Fault> {
    if wanted.chart.starts_with(registry::SCHEME) {
        return registry::fetch(world, settings, wanted).await;
    }
    index::fetch(world, settings, wanted).await
}
