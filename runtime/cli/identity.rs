//! Which cluster a run acts on: looked up beside the calls, so that none of them waits for it.
//!
//! Does not know what the run does there.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use runbook_core::Session;
use runbook_core::record::{Cluster, Entry, Event, Observer, Record, Settlement};
use runbook_core::world::Clock;
use tokio::runtime::Handle;
use tokio::sync::watch;

/// How long the end of a run waits for a look-up that is under way.
const PATIENCE: Duration = Duration::from_secs(1);

/// How far the look-up is.
#[derive(Debug, Clone)]
enum Progress {
    /// Not answered yet.
    Pending,
    /// Answered; `None` where there is no cluster, or it does not answer.
    Known(Option<Cluster>),
}

/// Which cluster a run acts on.
pub(crate) struct Identity {
    runtime: Handle,
    clock: Arc<dyn Clock>,
    session: OnceLock<Weak<Session>>,
    begun: AtomicBool,
    progress: watch::Sender<Progress>,
}

impl Identity {
    /// Nothing is looked up yet.
    pub(crate) fn new(runtime: Handle, clock: Arc<dyn Clock>) -> Arc<Self> {
        let progress = watch::Sender::new(Progress::Pending);
        Arc::new(Self { runtime, clock, session: OnceLock::new(), begun: AtomicBool::new(false), progress })
    }

    /// Says whose cluster is meant, once that exists.
    pub(crate) fn attach(&self, session: &Arc<Session>) {
        self.session.get_or_init(|| Arc::downgrade(session));
    }

    /// The cluster, looked up now if it has not been; waits that long.
    pub(crate) fn known(&self, patience: Duration) -> Option<Cluster> {
        self.look();
        let mut progress = self.progress.subscribe();
        self.runtime.block_on(async {
            let known = progress.wait_for(|progress| matches!(progress, Progress::Known(_)));
            tokio::select! {
                known = known => match known.as_deref() {
                    Ok(Progress::Known(cluster)) => cluster.clone(),
                    _ => None,
                },
                () = self.clock.sleep(patience) => None,
            }
        })
    }

    /// Lets a look-up that is under way come to its end, before the run's last record is written.
    pub(crate) fn finish(&self) {
        if self.begun.load(Ordering::Acquire) {
            drop(self.known(PATIENCE));
            // Whoever answers after this is not heard: nothing may follow the last record.
            self.progress.send_if_modified(|progress| {
                let pending = matches!(progress, Progress::Pending);
                *progress = if pending { Progress::Known(None) } else { progress.clone() };
                pending
            });
        }
    }

    fn look(&self) {
        let Some(session) = self.session.get().cloned() else { return };
        if self.begun.swap(true, Ordering::AcqRel) {
            return;
        }
        let progress = self.progress.clone();
        self.runtime.spawn(async move {
            let cluster = ask(&session).await;
            if let (Some(cluster), Some(session)) = (&cluster, session.upgrade())
                && matches!(*progress.borrow(), Progress::Pending)
                && let Err(fault) = session.record(Entry::Cluster(cluster.clone()))
            {
                tracing::error!("the cluster could not be recorded: {fault}");
            }
            progress.send_replace(Progress::Known(cluster));
        });
    }
}

/// Asks the run's own cluster who it is. Where there is none, the call that needs one says so.
async fn ask(session: &Weak<Session>) -> Option<Cluster> {
    let session = session.upgrade()?;
    let asking = session.clone();
    let connected = tokio::task::spawn_blocking(move || asking.world.clusters.get(None)).await;
    let cluster = connected.ok()?.ok()?;
    let path = "/api/v1/namespaces/kube-system";
    let request = http::Request::get(path).body(Vec::new()).expect("a constant request is well formed");
    let id = match cluster.client.request::<serde_json::Value>(request).await {
        Ok(namespace) => namespace.pointer("/metadata/uid").and_then(|uid| uid.as_str()).map(str::to_owned),
        Err(kube::Error::Api(_)) => None,
        Err(_) => return None,
    };
    Some(Cluster { context: cluster.context.clone(), server: cluster.server.clone(), id })
}

/// Looks it up as soon as a call has shown that a cluster is there: no first answer waits for it, and one that does not
/// answer is not asked twice.
pub(crate) struct Watching(pub(crate) Arc<Identity>);

impl Observer for Watching {
    fn observe(&self, event: &Event<'_>) {
        let answered = match event {
            Event::Waiting { .. } => true,
            Event::Recorded(Record { entry: Entry::Settled(settled), .. }) => {
                let asked = matches!(settled.call.primitive.split("::").next(), Some("helm" | "kubectl" | "wait"));
                asked && !matches!(settled.outcome, Settlement::Fault(_))
            }
            _ => false,
        };
        if answered {
            self.0.look();
        }
    }
}
