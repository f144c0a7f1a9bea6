//! The helm that is built in: answers the same command lines as the real one, in the same words.
//!
//! Charts are rendered in this process, releases are kept as helm keeps them, and everything goes over the cluster's own
//! client. The callers cannot tell which helm answers. Speaks as helm 4 does; what helm 3 made goes on as helm 3 made it.

mod apply;
mod hook;
mod install;
mod item;
mod order;
mod patch;
mod read;
mod readiness;
mod record;
mod render;
mod repo;
mod rollback;
mod source;
mod store;
mod trouble;
mod uninstall;
mod upgrade;
mod wire;
mod word;

use std::sync::Arc;

use runbook_core::world::Cluster;
use runbook_core::{Code, Fault, Value, World};
use semver::Version;
use serde_json::Map;

use order::Order;
use store::Store;
pub(super) use trouble::Trouble;
use wire::Wire;
use word::Words;

/// The helm whose ways it has.
pub(super) const VERSION: Version = Version::new(4, 3, 1);

/// What else there is.
const INSTEAD: &str = "put `helm` on the PATH, or name it with `--helm PATH`";

/// Where a line reaches: a cluster, and the namespace of the release; none for all of them.
pub(super) struct Reach {
    pub(super) cluster: Arc<Cluster>,
    pub(super) namespace: String,
}

/// What is handed over beside a line.
#[derive(Debug, Clone, Default)]
pub(super) struct Beside {
    /// User values.
    pub(super) values: Option<Map<String, Value>>,
    /// What stands on standard input.
    pub(super) input: Option<String>,
}

/// Whether a line fetches charts or speaks of where they come from, rather than of releases.
pub(super) fn fetches(line: &[String]) -> bool {
    line.first().is_some_and(|verb| ["repo", "pull"].contains(&verb.as_str()))
}

/// Answers a line, with what is handed over beside it.
///
/// In trouble: words that are sorted as the real helm's are, and what only the real helm does.
pub(super) async fn answer(
    world: &World,
    reach: Option<Reach>,
    line: &[String],
    beside: Beside,
) -> Result<String, Trouble> {
    let words = Words::of(line);
    tracing::debug!(arguments = ?line, "the built-in helm");
    match reach {
        Some(reach) => {
            let wire = Wire { cluster: reach.cluster, namespace: reach.namespace };
            at_cluster(&Store { world, wire: &wire }, &words, beside.values).await
        }
        None => match words.verb.as_str() {
            "template" => render::template(world, &words, beside.values).await,
            "repo add" => repo::add(world, &words, beside.input.as_deref()).await,
            "repo list" => repo::list(world, &words),
            "repo update" => repo::update(world, &words).await,
            "pull" => repo::pull(world, &words).await,
            other => Err(unknown(other)),
        },
    }
}

fn unknown(verb: &str) -> Trouble {
    Trouble::beyond(Fault::new(Code::HelmMissing, format!("the built-in helm has no command `{verb}`")).hint(INSTEAD))
}

async fn at_cluster(store: &Store<'_>, words: &Words, values: Option<Map<String, Value>>) -> Result<String, Trouble> {
    match words.verb.as_str() {
        "install" => Ok(install::printed(&install::run(store, &Order::of(words, values), None).await?)),
        "upgrade" => Ok(install::printed(&upgrade::run(store, &Order::of(words, values)).await?)),
        "rollback" => rollback::run(store, words).await.map(|_| String::new()),
        "uninstall" => uninstall::run(store, words).await.map(|()| String::new()),
        "history" => read::history(store, words).await,
        "list" => read::list(store, &store.wire.namespace).await,
        "get manifest" => read::manifest(store, words).await,
        "get hooks" => read::hooks(store, words).await,
        "get values" => read::values(store, words).await,
        "get metadata" => read::metadata(store, words).await,
        other => Err(unknown(other)),
    }
}
