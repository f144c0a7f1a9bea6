//! What a dry run is given: an overlay over the live cluster, in which planned objects come up by simulated controllers and stand-ins.
//!
//! Does not know what a run does in it, nor how what was planned is told.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use futures::FutureExt as _;
use runbook_core::fault::{Code, Fault};
use runbook_core::world::{Clock as _, Cluster};
use runbook_sim::Call;
use runbook_sim::actor::Fleet;
use runbook_sim::overlay::{Options, Overlay, Validation};
use tempfile::TempDir;
use tokio::runtime::Handle;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::consent::{Asked, Consenting};
use super::lease;
use super::trace::unknown;
use crate::clock::RealClock;
use crate::rehearsal::{self, SimulatedClock};

/// What a dry run is given.
pub(crate) struct Overlaid {
    /// What the run plans, over what is live.
    pub(crate) overlay: Overlay,
    /// Simulated time. It begins now.
    pub(crate) clock: Arc<SimulatedClock>,
    /// The live cluster, as it was connected to.
    pub(crate) live: Cluster,
    asked: Arc<Mutex<Vec<Asked>>>,
    folder: TempDir,
    _stop: DropGuard,
}

impl Overlaid {
    /// Lays an overlay over `live`. Nothing is read of it yet.
    ///
    /// Faults: `RB001` where the loopback address cannot be listened on.
    pub(crate) fn over(
        live: Cluster,
        validation: Validation,
        real: &Arc<RealClock>,
        runtime: &Handle,
    ) -> Result<Arc<Self>, Fault> {
        let _inside = runtime.enter();
        let start = real.now();
        let overlay = Overlay::over(
            live.client.clone(),
            Options {
                // Names that the cluster has given out already are not given out again.
                seed: start.as_millisecond().unsigned_abs(),
                start,
                habits: runbook_sim::Habits::default(),
                validation,
                veil: Some(lease::veil(real.clone())),
            },
        );
        let stop = CancellationToken::new();
        let listening = runtime.block_on(overlay.listen(stop.clone())).map_err(|error| {
            Fault::new(Code::Internal, format!("the dry run cannot listen on the loopback address: {error}"))
        })?;
        let folder = rehearsal::kubeconfig(&listening)?;
        let clock = Arc::new(SimulatedClock::new(overlay.simulation().clock().clone(), real.clone()));
        rehearsal::let_live(overlay.simulation(), runtime, &stop);
        cast(&overlay, runtime, &stop);
        let asked = Arc::default();
        Ok(Arc::new(Self { overlay, clock, live, asked, folder, _stop: stop.drop_guard() }))
    }

    /// A kubeconfig that leads to the overlay from other programs.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        rehearsal::kubeconfig_in(&self.folder)
    }

    /// Who answers the run's questions, and keeps them.
    pub(crate) fn operator(&self, beforehand: crate::operator::Beforehand) -> Consenting {
        Consenting { beforehand, asked: self.asked.clone() }
    }

    /// What is to be known of the run beside its trace: questions that nobody answered, notes, and what is not known.
    pub(crate) fn told(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let open = asked.iter().filter(|asked| asked.answer.is_none());
        let open = open.map(|asked| format!("`{}` is asked, and only a person can answer it", asked.question.text));
        let notes = self.overlay.notes().into_iter();
        let notes = notes.map(|(subject, note)| format!("{}/{}: {note}", subject.resource, subject.name));
        let unknowns = self.overlay.unknowns().into_iter();
        let unknowns = unknowns.map(|it| unknown(&it.what, &it.because));
        open.chain(notes).chain(unknowns).collect()
    }
}

/// Lets stand-ins act once the run has written something, and answer webhooks from then on.
fn cast(overlay: &Overlay, runtime: &Handle, stop: &CancellationToken) {
    let pace = Arc::new(overlay.simulation().clock().clone());
    let fleet = Arc::new(Fleet::new(overlay.actor(), rehearsal::AUTHORITY.to_owned(), pace).adopting());
    let answering = fleet.clone();
    overlay.simulation().set_answerer(Arc::new(move |call: Call| {
        let fleet = answering.clone();
        async move {
            fleet.ready().await;
            fleet.admit(&call.namespace, &call.service, &call.path, call.review).await
        }
        .boxed()
    }));
    let (until, first) = (stop.clone(), overlay.first_write());
    runtime.spawn(async move {
        tokio::select! {
            () = until.cancelled() => {}
            () = async { first.await; fleet.run(until.clone()).await } => {}
        }
    });
}
