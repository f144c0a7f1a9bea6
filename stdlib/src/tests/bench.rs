//! The bench that unit tests of primitives stand on: a session over a world without a cluster, with a journal in memory.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use jiff::Timestamp;
use runbook_core::arg::Arg;
use runbook_core::journal::Journal;
use runbook_core::primitive::NoScript;
use runbook_core::record::{Event, Observer};
use runbook_core::world::{Answer, Clock, Clusters, Files, Helm, Interrupt, Operator, Question};
use runbook_core::{Code, Fault, Outcome, Primitive, Session, Value, World, param};

/// A session over a world without a cluster.
pub(crate) struct Bench {
    runtime: tokio::runtime::Runtime,
    pub(crate) session: Arc<Session>,
    written: Arc<Mutex<Vec<Value>>>,
}

impl Bench {
    /// Nothing is there: no cluster, no helm, no files.
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    /// What a test needs is put in by `change`.
    pub(crate) fn with(change: impl FnOnce(&mut World)) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let mut world = World {
            clusters: Clusters::new(Box::new(|_| Err(Fault::new(Code::NoCluster, "a bench has no cluster")))),
            helm: Helm::default(),
            clock: Arc::new(RealClock(std::sync::OnceLock::new())),
            operator: Arc::new(Consenting),
            files: Files::default(),
            tokio: runtime.handle().clone(),
            interrupt: Interrupt::default(),
            secrets: Arc::default(),
        };
        change(&mut world);
        let written = Arc::<Mutex<Vec<Value>>>::default();
        let observers: Vec<Box<dyn Observer>> = vec![Box::new(Recorder(written.clone()))];
        Self { session: Session::new(world, Journal::in_memory(), observers), runtime, written }
    }

    /// Its world.
    pub(crate) fn world(&self) -> &World {
        &self.session.world
    }

    /// Calls a primitive as a script would, over the seam.
    pub(crate) fn call(&self, primitive: &'static Primitive, given: &[Value]) -> Outcome {
        let args = param::bind(primitive, given.iter().cloned().map(Arg::Value).collect())?;
        self.session.call(primitive, &args, &NoScript)
    }

    /// Runs a future to its end.
    pub(crate) fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// Every line of the journal so far.
    pub(crate) fn written(&self) -> Vec<Value> {
        self.written.lock().unwrap().clone()
    }
}

/// Keeps what is written down.
struct Recorder(Arc<Mutex<Vec<Value>>>);

impl Observer for Recorder {
    fn observe(&self, event: &Event<'_>) {
        if let Event::Recorded(record) = event {
            self.0.lock().unwrap().push(serde_json::to_value(record).unwrap());
        }
    }
}

/// Says yes.
struct Consenting;

impl Operator for Consenting {
    fn answer(&self, _: &Question) -> Result<Answer, Fault> {
        Ok(Answer { text: "yes".to_owned(), by: "test".to_owned() })
    }

    fn overrides(&self, _: &str) -> Option<String> {
        None
    }
}

#[expect(clippy::disallowed_methods, reason = "programs under test take real time")]
mod real {
    use std::time::{Duration, Instant};

    pub(super) fn start() -> Instant {
        Instant::now()
    }

    pub(super) async fn sleep(duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// The machine's clock.
struct RealClock(std::sync::OnceLock<std::time::Instant>);

impl Clock for RealClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn elapsed(&self) -> Duration {
        self.0.get_or_init(real::start).elapsed()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        real::sleep(duration).boxed()
    }
}
