//! A run without consequences, watched: from its calls, and from the cluster that answers them, its trace.
//!
//! Works over anything that answers as a cluster and tells what is asked of it and what changes in it. Does not know how the
//! trace is shown.

use std::sync::Arc;

use futures::{StreamExt as _, TryStreamExt as _};
use runbook_core::command::Command;
use runbook_core::fault::Fault;
use runbook_core::record::{Event, Observer};
use runbook_core::secret::Vault;
use runbook_core::world::Cluster;
use runbook_core::{Session, Value};
use runbook_sim::Onlooker;
use runbook_sim::overlay::Subject;
use runbook_stdlib::kubectl::api::{Api, Scope};
use runbook_stdlib::kubectl::can_i;
use runbook_stdlib::kubectl::kind;
use runbook_stdlib::kubectl::query::Listing;

use super::budget;
use super::collector::{Collected, Collector};
use super::disguise::Disguise;
use super::disruption::Disruption;
use super::grade::Ground;
use super::right::Need;
use super::trace::{Sources, Trace, unknown};
use super::webhook::{self, State};
use crate::plan;
use crate::story::Story;

/// Questions about rights in flight.
const AT_ONCE: usize = 8;

/// A run without consequences, watched.
pub(crate) struct Watched {
    ground: Ground,
    collector: Arc<Collector>,
}

impl Watched {
    /// Nothing has been seen yet.
    pub(crate) fn new(ground: Ground) -> Self {
        Self { ground, collector: Arc::default() }
    }

    /// Who is told of calls.
    pub(crate) fn observer(&self) -> Box<dyn Observer> {
        Box::new(Listening(self.collector.clone()))
    }

    /// Who is told of requests and changes.
    pub(crate) fn onlooker(&self) -> Arc<dyn Onlooker> {
        self.collector.clone()
    }

    /// The calls so far, as a plan has them, with their arguments as they were.
    pub(crate) fn planned(&self, vault: &Vault) -> Vec<(plan::Call, Value)> {
        self.collector.planned(&Disguise::new(vault))
    }

    /// The trace, once the run is over. `placed` says where a command acts that does not say so itself; of what is `undecided` it is not known
    /// what becomes of it.
    pub(crate) fn trace(
        &self,
        session: &Session,
        story: &Story,
        vault: &Vault,
        placed: &dyn Fn(Command) -> Command,
        undecided: &[Subject],
    ) -> Trace {
        let collected = self.collector.close();
        let disguise = Disguise::new(vault);
        let mut trace =
            Trace::of(Sources { story, collected: &collected, ground: self.ground, disguise, placed, undecided });
        // Without any request there was no cluster, and none is looked for now.
        let cluster = session.world.clusters.get(None).ok().filter(|_| !trace.rights.needs.is_empty());
        if let Some(cluster) = cluster {
            let (state, missing, budgets) = session.world.tokio.block_on(async {
                let (state, missing) =
                    (state(&cluster, &collected).await, missing(&cluster, &trace.rights.needs).await);
                (state, missing, budgets(&cluster, &trace.disturbs).await)
            });
            // What cannot be asked is not known; of rights, the trace says so where they are listed.
            match budgets {
                Ok(budgets) => budget::name(&mut trace.disturbs, &budgets),
                Err(fault) => {
                    trace.notes.push(unknown("which disruption budgets speak of the pods that go", &fault.message));
                }
            }
            match state {
                Ok(state) => trace.disturbs.extend(webhook::disruptions(&collected, state)),
                Err(fault) => {
                    trace.notes.push(unknown("which webhooks have nobody to answer them meanwhile", &fault.message));
                }
            }
            trace.rights.missing = missing.ok();
        }
        trace
    }
}

/// What whoever makes the run may not do of what it needs.
async fn missing(cluster: &Cluster, needs: &[Need]) -> Result<Vec<Need>, Fault> {
    let asked: Vec<(Need, bool)> = futures::stream::iter(needs.iter().cloned())
        .map(|need| async move { can_i::allows(cluster, &need.attributes()).await.map(|allowed| (need, allowed)) })
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    Ok(asked.into_iter().filter(|(_, allowed)| !allowed).map(|(need, _)| need).collect())
}

/// The disruption budgets of the cluster; nothing where no pod goes.
async fn budgets(cluster: &Arc<Cluster>, disturbs: &[Disruption]) -> Result<Vec<Value>, Fault> {
    if disturbs.iter().all(|disruption| disruption.pods.is_none()) {
        return Ok(Vec::new());
    }
    let kind = kind::resolve(cluster, "poddisruptionbudgets.policy").await?;
    Ok(Api::of(cluster, kind, &Scope::All)?.list(&Listing::default()).await?.items)
}

/// What webhooks depend on, as the run left it; nothing where nothing of it has changed.
async fn state(cluster: &Arc<Cluster>, collected: &Collected) -> Result<State, Fault> {
    let mut state = State::default();
    if collected.moments.is_empty() {
        return Ok(state);
    }
    for resource in webhook::RESOURCES {
        let (group, plural) = resource;
        let word = if group.is_empty() { plural.to_owned() } else { format!("{plural}.{group}") };
        let kind = kind::resolve(cluster, &word).await?;
        state.put(resource, Api::of(cluster, kind, &Scope::All)?.list(&Listing::default()).await?.items);
    }
    Ok(state)
}

/// A collector among a session's observers.
struct Listening(Arc<Collector>);

impl Observer for Listening {
    fn observe(&self, event: &Event<'_>) {
        self.0.observe(event);
    }
}
