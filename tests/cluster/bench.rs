//! Calls single primitives on a real cluster, over the seam, without a script around them.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use jiff::Timestamp;
use runbook_core::arg::Arg;
use runbook_core::journal::Journal;
use runbook_core::primitive::NoScript;
use runbook_core::record::{self, End, Entry, Event, Finished, Observer, Run};
use runbook_core::world::{Answer, Clock, Clusters, Files, Helm, Interrupt, Operator, Question};
use runbook_core::{Engine, Fault, Outcome, Session, Source, Value, World, param};
use runbook_stdlib::cluster::{Counters, Limits, Options, Retry, connector};
use serde_json::json;

/// A session on a cluster, with its journal in memory.
pub(crate) struct Bench {
    _runtime: tokio::runtime::Runtime,
    session: Arc<Session>,
    counters: Arc<Counters>,
    retries: Arc<Mutex<Vec<Retry>>>,
    waits: Arc<Mutex<Vec<String>>>,
}

impl Bench {
    /// On the cluster of a kubeconfig, with the limits off.
    pub(crate) fn new(kubeconfig: &Path) -> Self {
        Self::with(kubeconfig, Limits::off(), &[])
    }

    /// The same, with limits, and with folders from which scripts may read.
    pub(crate) fn with(kubeconfig: &Path, limits: Limits, roots: &[PathBuf]) -> Self {
        Self::build(kubeconfig, limits, roots, Helm::default())
    }

    /// With limits off, and a helm to drive.
    pub(crate) fn driving(kubeconfig: &Path, roots: &[PathBuf], helm: Helm) -> Self {
        Self::build(kubeconfig, Limits::off(), roots, helm)
    }

    fn build(kubeconfig: &Path, limits: Limits, roots: &[PathBuf], helm: Helm) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let clock: Arc<dyn Clock> = Arc::new(Real(Instant::now()));
        let (counters, retries) = (Arc::<Counters>::default(), Arc::<Mutex<Vec<Retry>>>::default());
        let noted = retries.clone();
        let connect = connector(Options {
            kubeconfig: Some(kubeconfig.to_owned()),
            context: None,
            namespace: None,
            environment: Vec::new(),
            limits,
            on_retry: Arc::new(move |retry| noted.lock().unwrap_or_else(PoisonError::into_inner).push(retry.clone())),
            counters: counters.clone(),
            clock: clock.clone(),
            tokio: runtime.handle().clone(),
        });
        let world = World {
            clusters: Clusters::new(connect),
            helm,
            clock,
            operator: Arc::new(Consenting),
            files: Files { roots: roots.to_vec(), named: Vec::new() },
            tokio: runtime.handle().clone(),
            interrupt: Interrupt::default(),
            secrets: Arc::default(),
        };
        let waits = Arc::<Mutex<Vec<String>>>::default();
        let observers: Vec<Box<dyn Observer>> = vec![Box::new(Listener(waits.clone()))];
        Self {
            session: Session::new(world, Journal::in_memory(), observers),
            _runtime: runtime,
            counters,
            retries,
            waits,
        }
    }

    /// Calls a primitive as a script would: `call("kubectl::get", json!(["deploy", "web"]))`.
    pub(crate) fn call(&self, name: &str, given: Value) -> Outcome {
        let primitive = runbook_stdlib::primitives().into_iter().find(|primitive| primitive.name == name).unwrap();
        let Value::Array(given) = given else { panic!("arguments are a list") };
        let args = param::bind(primitive, given.into_iter().map(Arg::Value).collect())?;
        self.session.call(primitive, &args, &NoScript)
    }

    /// The answer of a call that has to succeed.
    #[track_caller]
    pub(crate) fn ok(&self, name: &str, given: Value) -> Value {
        self.call(name, given).unwrap_or_else(|fault| panic!("{name}: {fault}\n{fault:#?}"))
    }

    /// The fault of a call that has to fail.
    #[track_caller]
    pub(crate) fn fault(&self, name: &str, given: Value) -> Fault {
        match self.call(name, given) {
            Err(fault) => fault,
            Ok(value) => panic!("{name} should have failed, but answered {value:#}"),
        }
    }

    /// What is on record of a run at its beginning, for those who read who it is.
    pub(crate) fn begins(&self, run: &str) {
        let run = Run {
            version: record::VERSION,
            run: run.to_owned(),
            runbook: "example".to_owned(),
            title: String::new(),
            source: "bundled".to_owned(),
            digest: String::new(),
            parameters: serde_json::Map::new(),
            program: String::new(),
            steps: Vec::new(),
            beforehand: Vec::new(),
            by: None,
            rehearsal: None,
            dry_run: false,
            plan: None,
        };
        self.session.record(Entry::Run(Box::new(run))).unwrap();
    }

    /// The end of the run.
    pub(crate) fn ends(&self) {
        let finished = Finished { verdict: End::Done, fault: None, changed: 0, writes: 0, summary: None, ms: 0 };
        self.session.finish(finished).unwrap();
    }

    /// Runs a script, and gives what it ends with.
    pub(crate) fn script(&self, text: &str) -> Outcome {
        let engine = Engine::new(runbook_stdlib::primitives(), runbook_stdlib::library());
        let source = Source { name: "example".to_owned(), text: text.to_owned(), folder: None };
        engine.load(source)?.run(self.session.clone(), serde_json::Map::new())
    }

    /// The world, for Ctrl-C.
    pub(crate) fn world(&self) -> &World {
        &self.session.world
    }

    /// Requests so far: reads, and writes.
    pub(crate) fn requests(&self) -> (u64, u64) {
        use std::sync::atomic::Ordering::Relaxed;
        (self.counters.reads.load(Relaxed), self.counters.writes.load(Relaxed))
    }

    /// Failed tries that were followed by another.
    pub(crate) fn retries(&self) -> Vec<Retry> {
        self.retries.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What waits said they were waiting for.
    pub(crate) fn waits(&self) -> Vec<String> {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A namespace of one's own, made where it does not exist.
    pub(crate) fn namespace(&self, name: &str) {
        self.ok("kubectl::apply", json!([{ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } }]));
    }
}

struct Listener(Arc<Mutex<Vec<String>>>);

impl Observer for Listener {
    fn observe(&self, event: &Event<'_>) {
        if let Event::Waiting { waiting, .. } = event {
            let words = format!("{} {} {}", waiting.what, waiting.progress, waiting.reasons.join("; "));
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(words);
        }
    }
}

struct Consenting;

impl Operator for Consenting {
    fn answer(&self, _: &Question) -> Result<Answer, Fault> {
        Ok(Answer { text: "yes".to_owned(), by: "test".to_owned() })
    }

    fn overrides(&self, _: &str) -> Option<String> {
        None
    }
}

struct Real(Instant);

impl Clock for Real {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        tokio::time::sleep(duration).boxed()
    }
}
