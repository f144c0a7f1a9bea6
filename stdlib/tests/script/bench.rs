//! A bench for scripts over the whole library: a world without a cluster, a clock that only moves when somebody waits, and an
//! operator with answers given beforehand.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use jiff::Timestamp;
use runbook_core::journal::Journal;
use runbook_core::record::Entry;
use runbook_core::world::{Answer, Clock, Clusters, Files, Helm, Interrupt, Operator, Question};
use runbook_core::{Code, Engine, Fault, Outcome, Session, Source, Value, World};
use serde_json::Map;

/// What a run left behind.
pub(super) struct Ran {
    /// How it ended.
    pub(super) outcome: Outcome,
    /// Every line of its journal.
    pub(super) entries: Vec<Entry>,
    /// How much time passed.
    pub(super) elapsed: Duration,
}

/// An operator with answers given beforehand: the text for an id, or for `*`.
#[derive(Default)]
pub(super) struct Answers {
    /// Ids of questions, and what is answered.
    pub(super) given: Vec<(&'static str, &'static str)>,
    /// Checks that are let through, and why.
    pub(super) overrides: Vec<(&'static str, &'static str)>,
}

impl Operator for Answers {
    fn answer(&self, question: &Question) -> Result<Answer, Fault> {
        let given = self.given.iter().find(|(id, _)| *id == "*" || *id == question.id);
        let (_, text) =
            given.ok_or_else(|| Fault::new(Code::NeedsApproval, format!("nobody answers `{}`", question.id)))?;
        Ok(Answer { text: (*text).to_owned(), by: "test".to_owned() })
    }

    fn overrides(&self, check: &str) -> Option<String> {
        self.overrides.iter().find(|(id, _)| *id == check).map(|(_, reason)| (*reason).to_owned())
    }
}

#[derive(Default)]
struct StillClock(Arc<Mutex<Duration>>);

impl Clock for StillClock {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH + *self.0.lock().unwrap()
    }

    fn elapsed(&self) -> Duration {
        *self.0.lock().unwrap()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let time = self.0.clone();
        async move { *time.lock().unwrap() += duration }.boxed()
    }
}

/// Runs a script to its end.
pub(super) fn run(script: &str, answers: Answers) -> Ran {
    let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let world = World {
        clusters: Clusters::new(Box::new(|_| Err(Fault::new(Code::NoCluster, "a bench has no cluster")))),
        helm: Helm::default(),
        clock: Arc::new(StillClock::default()),
        operator: Arc::new(answers),
        files: Files::default(),
        tokio: tokio.handle().clone(),
        interrupt: Interrupt::default(),
        secrets: Arc::default(),
    };
    let session = Session::new(world, Journal::in_memory(), Vec::new());
    let engine = Engine::new(runbook_stdlib::primitives(), runbook_stdlib::library());
    let source = Source { name: "main.rhai".to_owned(), text: script.to_owned(), folder: None };
    let outcome = engine.load(source).and_then(|runbook| runbook.run(session.clone(), Map::new()));
    let entries = session.journal().records().into_iter().map(|record| record.entry).collect();
    Ran { outcome, entries, elapsed: session.world.clock.elapsed() }
}

impl Ran {
    /// The value it ended with.
    pub(super) fn value(self) -> Value {
        self.outcome.unwrap_or_else(|fault| panic!("{fault:#?}"))
    }

    /// The fault it ended with.
    pub(super) fn fault(self) -> Fault {
        self.outcome.unwrap_err()
    }
}
