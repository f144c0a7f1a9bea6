//! What is looked up beside the objects that are waited for: opened when wanted, closed when not, each with what it found.
//!
//! Does not know who wants it, nor what it means.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::BoxStream;
use runbook_core::world::{Clock, Cluster};
use runbook_core::{Code, Fault};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::feed::{Delta, Feed};
use crate::kubectl::api::{Api, Scope};
use crate::kubectl::kind::builtin;
use crate::kubectl::query::{Detail, Listing};
use crate::readiness::object::uid;
use crate::readiness::{Finding, Origin, Query, Related, Source};

/// Something that was found, under its uid; without anything to keep, it is only known to be there.
pub(super) type Found = (String, Option<Finding>);

/// A lookup that was opened, and what it gives.
pub(super) type Opened = (Query, BoxStream<'static, Delta<Found>>);

/// All that is being looked up.
#[derive(Default)]
pub(super) struct Lookups {
    open: BTreeMap<Query, Lookup>,
}

struct Lookup {
    stop: CancellationToken,
    loaded: bool,
    uids: HashSet<String>,
    /// What a list that is being read has brought so far.
    listed: Option<HashSet<String>>,
}

impl Lookups {
    /// Whether all that a query asks for is known, or known to be out of reach.
    pub(super) fn loaded(&self, query: &Query) -> bool {
        self.open.get(query).is_some_and(|lookup| lookup.loaded)
    }

    /// Whether all that is open is known.
    pub(super) fn all_loaded(&self) -> bool {
        self.open.values().all(|lookup| lookup.loaded)
    }

    /// Opens what is wanted and not open, closes what is open and no longer wanted. Gives the streams to follow.
    pub(super) fn adjust(
        &mut self,
        wanted: &BTreeSet<Query>,
        related: &mut Related,
        cluster: &Arc<Cluster>,
        clock: &Arc<dyn Clock>,
        interval: Duration,
        gate: &CancellationToken,
    ) -> Result<Vec<Opened>, Fault> {
        // Whether events are wanted changes with every pod that comes and goes; a namespace's are followed from then on.
        let kept = |query: &&Query| wanted.contains(*query) || query.source == Source::Events;
        let superfluous: Vec<Query> = self.open.keys().filter(|query| !kept(query)).cloned().collect();
        for query in superfluous {
            self.close(&query, related);
        }
        let new: Vec<&Query> = wanted.iter().filter(|query| !self.open.contains_key(*query)).collect();
        let mut streams = Vec::new();
        for query in new {
            let stop = CancellationToken::new();
            let feed = Feed { gate: gate.clone(), ..feed(query, cluster, clock, interval)? };
            streams.push((query.clone(), feed.open().take_until(stop.clone().cancelled_owned()).boxed()));
            let lookup = Lookup { stop, loaded: false, uids: HashSet::new(), listed: None };
            self.open.insert(query.clone(), lookup);
        }
        Ok(streams)
    }

    fn close(&mut self, query: &Query, related: &mut Related) {
        let Some(closed) = self.open.remove(query) else { return };
        closed.stop.cancel();
        for uid in closed.uids {
            self.forget(&uid, related);
        }
    }

    /// Forgets what nobody sees any more: another lookup may have found the same.
    fn forget(&self, uid: &str, related: &mut Related) -> bool {
        !self.open.values().any(|lookup| lookup.uids.contains(uid)) && related.remove(uid)
    }

    /// Takes in what a lookup gave. Says whether that tells of something happening.
    ///
    /// Faults: where a rule cannot do without what may not be seen.
    pub(super) fn apply(&mut self, query: &Query, delta: Delta<Found>, related: &mut Related) -> Result<bool, Fault> {
        let Some(lookup) = self.open.get_mut(query) else { return Ok(false) };
        match delta {
            Delta::Anew => lookup.listed = Some(HashSet::new()),
            Delta::Listed(all) => {
                for (uid, finding) in all {
                    if let Some(listed) = &mut lookup.listed {
                        listed.insert(uid.clone());
                    }
                    keep(lookup, uid, finding, related);
                }
            }
            Delta::Complete => {
                let listed = lookup.listed.take().unwrap_or_default();
                lookup.loaded = true;
                let gone: Vec<String> = lookup.uids.iter().filter(|uid| !listed.contains(*uid)).cloned().collect();
                lookup.uids.retain(|uid| listed.contains(uid));
                for uid in gone {
                    self.forget(&uid, related);
                }
            }
            Delta::Added((uid, finding)) | Delta::Modified((uid, finding)) => {
                let changed = keep(lookup, uid, finding, related);
                return Ok(changed && query.source != Source::Events);
            }
            Delta::Gone((uid, _)) => {
                lookup.uids.remove(&uid);
                return Ok(self.forget(&uid, related) && query.source != Source::Events);
            }
            Delta::Failed(fault) if query.source.required() || fault.code != Code::Forbidden => return Err(*fault),
            Delta::Failed(fault) => {
                tracing::warn!(target: "runbook::wait", reason = %fault.message, "reasons will be less specific");
                lookup.loaded = true;
            }
        }
        Ok(false)
    }
}

fn keep(lookup: &mut Lookup, uid: String, finding: Option<Finding>, related: &mut Related) -> bool {
    match finding {
        Some(finding) => {
            let changed = related.put(&uid, finding);
            lookup.uids.insert(uid);
            changed
        }
        None => lookup.uids.remove(&uid) && related.remove(&uid),
    }
}

fn feed(
    query: &Query,
    cluster: &Arc<Cluster>,
    clock: &Arc<dyn Clock>,
    interval: Duration,
) -> Result<Feed<Found>, Fault> {
    let (plural, objects) = match query.source {
        Source::Pods | Source::TroubledPods => ("pods", Detail::Whole),
        Source::ReplicaSets => ("replicasets", Detail::Metadata),
        Source::ControllerRevisions => ("controllerrevisions", Detail::Whole),
        Source::Nodes => ("nodes", Detail::Whole),
        Source::Events => ("events", Detail::Whole),
        Source::Services => ("services", Detail::Metadata),
        Source::EndpointSlices => ("endpointslices", Detail::Whole),
    };
    let scope = match &query.namespace {
        Some(namespace) => Scope::Namespace(Some(namespace.clone())),
        None => Scope::All,
    };
    let field_selector = match (&query.name, query.source) {
        (Some(name), _) => Some(format!("metadata.name={name}")),
        (None, Source::Events) => Some("type=Warning".to_owned()),
        (None, _) => None,
    };
    let source = query.source;
    Ok(Feed {
        api: Api::of(cluster, builtin(plural), &scope)?,
        listing: Listing { selector: query.labels.clone(), field_selector, objects, ..Listing::default() },
        single: query.name.clone(),
        interval,
        clock: clock.clone(),
        gate: CancellationToken::new(),
        keep: Arc::new(move |object: Value, origin: Origin| {
            (uid(&object).to_owned(), Finding::of(source, &object, origin))
        }),
    })
}
