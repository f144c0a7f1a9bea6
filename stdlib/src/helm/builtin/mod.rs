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
mod rollback;
pub(super) mod source;
mod store;
mod trouble;
mod uninstall;
mod upgrade;
mod wire;
mod word;

use std::sync::Arc;

use runbook_core::world::Cluster;
use runbook_core::{Fault, Value, World};
use semver::Version;
use serde_json::Map;

use order::Order;
use store::Store;
use trouble::Trouble;
use wire::Wire;
use word::Words;

/// The helm whose ways it has.
pub(super) const VERSION: Version = Version::new(4, 3, 1);

/// Where a line reaches: a cluster, and the namespace of the release; none for all of them.
pub(super) struct Reach {
    pub(super) cluster: Arc<Cluster>,
    pub(super) namespace: String,
}

/// Answers a line, with what is handed over beside it.
///
/// Faults: those that the real helm's words are sorted into.
pub(super) async fn answer(
    world: &World,
    reach: Option<Reach>,
    line: &[String],
    values: Option<Map<String, Value>>,
) -> Result<String, Fault> {
    let words = Words::of(line);
    tracing::debug!(arguments = ?line, "the built-in helm");
    let answered = match reach {
        Some(reach) => {
            let wire = Wire { cluster: reach.cluster, namespace: reach.namespace };
            at_cluster(&Store { world, wire: &wire }, &words, values).await
        }
        None if words.verb == "template" => render::template(world, &words, values).await,
        None => Err(Trouble::words(format!("unknown command \"{}\" for the built-in helm", words.verb))),
    };
    answered.map_err(Trouble::into_fault)
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
        other => Err(Trouble::words(format!("unknown command \"{other}\" for the built-in helm"))),
    }
}
