//! What a line asks to be installed or upgraded, in a form that operations read.
//!
//! Does not know what is deployed.

use std::time::Duration;

use runbook_core::{Value, World};
use serde_json::Map;

use super::render::Chart;
use super::source;
use super::trouble::Trouble;
use super::word::Words;

/// How many revisions helm keeps where nothing is said.
const HISTORY: u64 = 10;

/// Which user values of before are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keeping {
    /// Those given and no others; or, where none are given, those of before.
    Given,
    Reset,
    Reuse,
    ResetThenReuse,
}

/// What is asked for.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of helm's own, read off a line")]
#[derive(Debug, Clone)]
pub(super) struct Order {
    pub(super) release: String,
    pub(super) values: Option<Map<String, Value>>,
    pub(super) keeping: Keeping,
    /// Only rendered against the cluster.
    pub(super) dry: bool,
    pub(super) install: bool,
    pub(super) create_namespace: bool,
    pub(super) wait: bool,
    pub(super) patience: Duration,
    pub(super) skip_crds: bool,
    pub(super) skip_schema: bool,
    pub(super) take_ownership: bool,
    pub(super) force_conflicts: bool,
    /// `None`: as the release was applied before.
    pub(super) server_side: Option<bool>,
    pub(super) description: Option<String>,
    pub(super) history_max: u64,
    words: Words,
}

impl Order {
    /// What a line says.
    pub(super) fn of(words: &Words, values: Option<Map<String, Value>>) -> Self {
        let keeping = [
            ("reuse-values", Keeping::Reuse),
            ("reset-then-reuse-values", Keeping::ResetThenReuse),
            ("reset-values", Keeping::Reset),
        ];
        let keeping = keeping.into_iter().find(|(flag, _)| words.on(flag)).map_or(Keeping::Given, |(_, kept)| kept);
        let server_side = match words.flag("server-side") {
            Some("true") => Some(true),
            Some("false") => Some(false),
            _ => None,
        };
        Self {
            release: words.place(0).to_owned(),
            values,
            keeping,
            dry: words.flag("dry-run").is_some_and(|mode| mode != "none"),
            install: words.on("install"),
            create_namespace: words.on("create-namespace"),
            wait: words.on("wait"),
            patience: words.patience(),
            skip_crds: words.on("skip-crds"),
            skip_schema: words.on("skip-schema-validation"),
            take_ownership: words.on("take-ownership"),
            force_conflicts: words.on("force-conflicts"),
            server_side,
            description: words.flag("description").map(str::to_owned),
            history_max: words.number("history-max").unwrap_or(HISTORY),
            words: words.clone(),
        }
    }

    /// The chart that stands behind the release's name.
    pub(super) async fn chart(&self, world: &World) -> Result<Chart, Trouble> {
        source::chart(world, self.words.place(1), &self.words).await
    }
}
