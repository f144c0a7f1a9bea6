//! A bench for scripts: a world in which nothing is real, and primitives that only serve the tests.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::BoxFuture;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::arg::{Args, Function};
use crate::effect::{Effect, Repeat};
use crate::engine::{Engine, Library, Limits, Runbook, Source};
use crate::fault::{Code, Fault};
use crate::journal::Journal;
use crate::param::Param;
use crate::primitive::{Answer, Call, Outcome, Primitive, no_command};
use crate::record::Entry;
use crate::secret::Vault;
use crate::session::Session;
use crate::world::{self, Clock, Clusters, Files, Helm, Interrupt, Operator, Question, World};

/// A clock that only moves when somebody waits.
#[derive(Default)]
pub(super) struct StillClock(Arc<Mutex<Duration>>);

impl Clock for StillClock {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn elapsed(&self) -> Duration {
        *self.0.lock().unwrap()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let time = self.0.clone();
        Box::pin(async move { *time.lock().unwrap() += duration })
    }
}

/// An operator who says yes to what is on the list, and is not there for anything else.
struct Listed(Vec<&'static str>);

impl Operator for Listed {
    fn answer(&self, question: &Question) -> Result<world::Answer, Fault> {
        if self.0.contains(&question.id.as_str()) {
            return Ok(world::Answer { text: "yes".to_owned(), by: "test".to_owned() });
        }
        Err(Fault::new(Code::NeedsApproval, format!("nobody answers `{}`", question.id)))
    }

    fn overrides(&self, _: &str) -> Option<String> {
        None
    }
}

/// What a run of a test left behind.
pub(super) struct Ran {
    pub(super) outcome: Outcome,
    pub(super) entries: Vec<Entry>,
    pub(super) elapsed: Duration,
}

impl Ran {
    pub(super) fn value(self) -> Value {
        self.outcome.unwrap_or_else(|fault| panic!("{fault:#?}"))
    }

    pub(super) fn fault(self) -> Fault {
        self.outcome.unwrap_err()
    }

    /// What happened in a few words each: calls, steps, attempts, lines.
    pub(super) fn trace(&self) -> Vec<String> {
        self.entries.iter().filter_map(words).collect()
    }
}

fn words(entry: &Entry) -> Option<String> {
    Some(match entry {
        Entry::StepStarted(step) => format!("{}{}: {}", "  ".repeat(step.depth), step.step, step.title),
        Entry::StepFinished(step) => format!("{} {:?}", step.step, step.ended),
        Entry::Settled(call) => format!("{}#{} {}", call.call.step, call.call.ordinal, call.words),
        Entry::Attempt(attempt) => format!("{} attempt {}: {}", attempt.step, attempt.attempt, attempt.reason),
        Entry::Log(log) => format!("log {}", log.message),
        Entry::Answered(answer) => format!("answered {}", answer.id),
        _ => return None,
    })
}

/// A bench with a script.
pub(super) struct Bench {
    pub(super) modules: Vec<(String, String)>,
    pub(super) source: Source,
    pub(super) limits: Limits,
    pub(super) approved: Vec<&'static str>,
    pub(super) parameters: Value,
    pub(super) interrupt: Interrupt,
}

impl Bench {
    pub(super) fn new(script: &str) -> Self {
        Self {
            modules: Vec::new(),
            source: Source { name: "main.rhai".to_owned(), text: script.to_owned(), folder: None },
            limits: Limits { operations: 200_000, ..Limits::default() },
            approved: vec!["start"],
            parameters: json!({}),
            interrupt: Interrupt::default(),
        }
    }

    pub(super) fn module(mut self, name: &str, text: &str) -> Self {
        self.modules.push((name.to_owned(), text.to_owned()));
        self
    }

    pub(super) fn with(mut self, parameters: Value) -> Self {
        self.parameters = parameters;
        self
    }

    pub(super) fn approving(mut self, id: &'static str) -> Self {
        self.approved.push(id);
        self
    }

    pub(super) fn load(&self) -> Result<Runbook, Fault> {
        let library = Library::new(self.modules.clone());
        Engine::with_limits(PRIMITIVES.to_vec(), library, self.limits).load(self.source.clone())
    }

    pub(super) fn run(&self) -> Ran {
        let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let session = self.session(tokio.handle().clone());
        let parameters: Map<String, Value> = self.parameters.as_object().cloned().unwrap();
        let outcome = self.load().and_then(|runbook| runbook.run(session.clone(), parameters));
        let entries = session.journal().records().into_iter().map(|record| record.entry).collect();
        Ran { outcome, entries, elapsed: session.world.clock.elapsed() }
    }

    fn session(&self, tokio: tokio::runtime::Handle) -> Arc<Session> {
        let world = World {
            clusters: Clusters::new(Box::new(|_| Err(Fault::new(Code::NoCluster, "no cluster on the bench")))),
            helm: Helm::default(),
            clock: Arc::new(StillClock::default()),
            operator: Arc::new(Listed(self.approved.clone())),
            files: Files::default(),
            tokio,
            interrupt: self.interrupt.clone(),
            secrets: Arc::new(Vault::default()),
        };
        Session::new(world, Journal::in_memory(), Vec::new())
    }
}

/// Runs a script and gives its value.
pub(super) fn eval(script: &str) -> Value {
    Bench::new(script).run().value()
}

/// Runs a script that must end with a fault.
pub(super) fn fault(script: &str) -> Fault {
    Bench::new(script).run().fault()
}

/// The places of a fault as `source:line`, innermost first.
pub(super) fn places(fault: &Fault) -> Vec<String> {
    fault.stack.iter().map(|place| format!("{}:{}", place.source, place.line)).collect()
}

const VALUE: Param<Value> = Param::required("value", "Any value.");
const TEXT: Param<String> = Param::required("text", "Any text.");
const COUNT: Param<i64> = Param::required("count", "How many.");
const BODY: Param<Function> = Param::required("body", "What to call.");
const ITEMS: Param<Vec<Value>> = Param::required("items", "For each of these.");
const NAMESPACE: Param<Option<String>> = Param::option("namespace", "Where.");
const TIMEOUT: Param<Option<Duration>> = Param::option("timeout", "How long.");
const WHEN_DONE: Param<Option<Function>> = Param::option("when_done", "Called afterwards.");

const PRIMITIVES: [&Primitive; 8] = [&ECHO, &WRITE, &FAIL, &FLAKY, &WAIT, &TWICE, &EACH, &STOP];

const ECHO: Primitive = Primitive {
    name: "test::echo",
    summary: "Give a value back.",
    params: &[&VALUE, &NAMESPACE, &WHEN_DONE],
    effect: Effect::Read,
    answer: Answer::Recorded,
    announce: |args| format!("echo {}", args.get(&VALUE)),
    command: no_command,
    run: |call, args| match args.get(&WHEN_DONE) {
        Some(function) => call.invoke(&function, vec![args.get(&VALUE)]),
        None => Ok(args.get(&VALUE)),
    },
    examples: &[],
};

const WRITE: Primitive = Primitive {
    name: "test::write",
    summary: "Change something.",
    params: &[&TEXT],
    effect: Effect::Write(Repeat::Safe),
    announce: |args| format!("write {}", args.get(&TEXT)),
    run: |_, args| Ok(json!({ "changed": true, "text": args.get(&TEXT) })),
    ..ECHO
};

const FAIL: Primitive = Primitive {
    name: "test::fail",
    summary: "Fail with a code.",
    params: &[&TEXT],
    announce: |args| format!("fail {}", args.get(&TEXT)),
    run: |_, args| {
        let id = args.get(&TEXT);
        let code = Code::ALL.iter().copied().find(|code| code.id() == id).unwrap_or(Code::NotFound);
        Err(Fault::new(code, format!("failed with {id}")).about("deployment/web"))
    },
    ..ECHO
};

static TRIES: AtomicUsize = AtomicUsize::new(0);

const FLAKY: Primitive = Primitive {
    name: "test::flaky",
    summary: "Fail in a way that may pass, except for each `count`th time.",
    params: &[&COUNT],
    announce: |_| "flaky".to_owned(),
    run: |_, args| {
        let tries = TRIES.fetch_add(1, Ordering::SeqCst) + 1;
        if tries.is_multiple_of(usize::try_from(args.get(&COUNT)).unwrap()) {
            return Ok(json!("worked"));
        }
        Err(Fault::new(Code::Network, "no answer").retryable())
    },
    ..ECHO
};

const WAIT: Primitive = Primitive {
    name: "test::wait",
    summary: "Wait for something that never comes.",
    params: &[&TIMEOUT],
    effect: Effect::Wait,
    announce: |_| "wait".to_owned(),
    run: wait,
    ..ECHO
};

fn wait(call: &Call<'_>, args: &Args) -> Outcome {
    let timeout = call.within(args.get(&TIMEOUT).unwrap_or(Duration::from_mins(10)));
    let clock = call.world.clock.clone();
    call.block_on(async move { clock.sleep(timeout).await });
    Err(Fault::new(Code::Timeout, format!("it did not come within {timeout:?}")))
}

const TWICE: Primitive = Primitive {
    name: "test::twice",
    summary: "Call something twice.",
    params: &[&BODY],
    effect: Effect::Pure,
    announce: |_| String::new(),
    run: |call, args| {
        let body = args.get(&BODY);
        call.invoke(&body, vec![])?;
        call.invoke(&body, vec![])
    },
    ..ECHO
};

const EACH: Primitive = Primitive {
    name: "each",
    summary: "Call something for each item, on several threads.",
    params: &[&ITEMS, &BODY],
    effect: Effect::Pure,
    announce: |_| String::new(),
    run: |call, args| {
        let answers = call.script.fan_out(&args.get(&BODY), args.get(&ITEMS), 3, &|faults| faults > 0);
        answers.into_iter().map(|answer| answer.unwrap_or(Ok(json!("absent")))).collect()
    },
    ..ECHO
};

const STOP: Primitive = Primitive {
    name: "test::interrupt",
    summary: "Press Ctrl-C.",
    params: &[],
    announce: |_| "interrupt".to_owned(),
    run: |call, _| {
        call.world.interrupt.press();
        Ok(Value::Null)
    },
    ..ECHO
};
