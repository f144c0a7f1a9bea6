//! The one road from a script to the world.
//!
//! Every call a runbook makes arrives at [`Session::call`]. Decided here, and nowhere else: whether the call may happen,
//! and that it is written down before and after.
//!
//! Not known here: which cluster answers, which clock ticks, or whether any of it is real.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use serde_json::Value;
use tracing::field::Empty;

use crate::arg::{Args, Function};
use crate::claim::{BEFORE_WRITES, Claims, Hold};
use crate::course::Course;
use crate::effect::Effect;
use crate::fault::{Code, Fault};
use crate::journal::{Flush, Journal};
use crate::primitive::{Answer as Recording, Call, Outcome, Primitive, Script};
use crate::record::{
    Answered, CallId, Calling, Check, Entry, Event, Finished, Intent, Observer, Plan, Record, Run, Settled, Settlement,
    Undo, Waiting,
};
use crate::scope::{Scopes, Stated};
use crate::tally::Tally;
use crate::world::{Interrupt, Question, Style, World};

/// One run's road to the world.
pub struct Session {
    /// What the run was given.
    pub world: World,
    /// Where each thread of the script is.
    pub scopes: Scopes,
    journal: Journal,
    observers: Vec<Box<dyn Observer>>,
    consent: OnceLock<()>,
    asking: Mutex<()>,
    writes: AtomicU64,
    changed: AtomicU64,
    undos: Mutex<Vec<Function>>,
    tally: Tally,
    shown: Mutex<Option<(String, Waiting)>>,
    claims: Claims,
    started: OnceLock<Run>,
    course: OnceLock<Arc<dyn Course>>,
}

impl Session {
    /// A session over a world, with its journal and whoever watches.
    pub fn new(world: World, journal: Journal, observers: Vec<Box<dyn Observer>>) -> Arc<Self> {
        Arc::new(Self {
            world,
            scopes: Scopes::default(),
            journal,
            observers,
            consent: OnceLock::new(),
            asking: Mutex::default(),
            writes: AtomicU64::new(0),
            changed: AtomicU64::new(0),
            undos: Mutex::default(),
            tally: Tally::default(),
            shown: Mutex::default(),
            claims: Claims::default(),
            started: OnceLock::new(),
            course: OnceLock::new(),
        })
    }

    /// Carries one call from the script to the world and back. There is no other road.
    pub fn call(&self, primitive: &'static Primitive, args: &Args, script: &dyn Script) -> Outcome {
        let call = Call { world: &self.world, session: self, script, step: self.scopes.path() };
        let effect = primitive.effect_of(args);
        if effect == Effect::Pure {
            return (primitive.run)(&call, args);
        }
        self.may_go_on(&call)?;
        if self.scopes.unrecorded() {
            return self.unrecorded(primitive, effect, args, &call);
        }
        let id = self.identify(primitive, effect, args, &call.step, self.scopes.next_ordinal());
        let words = self.words(primitive, args);
        if let Some(course) = self.course.get() {
            course.admit(&id, &words, &args.to_value())?;
        }
        if effect.writes() {
            self.may_write(primitive, &words)?;
            self.claims.make(|primitive, args| self.claimed(primitive, args, &call))?;
            self.writes.fetch_add(1, Ordering::Relaxed);
            self.intend(&id, &words)?;
        }
        self.tell(&Event::Calling(&Calling {
            call: &id,
            words: &words,
            arguments: args,
            command: (primitive.command)(args),
            place: script.place(),
        }));
        self.measured(primitive, args, &call, id, words)
    }

    /// A call that comes before the first write. Its place does not depend on which write that is.
    fn claimed(&self, primitive: &Primitive, args: &Args, before: &Call<'_>) -> Result<(), Fault> {
        let step = BEFORE_WRITES.to_owned();
        let call = Call { world: before.world, session: self, script: before.script, step };
        let id = self.identify(primitive, primitive.effect, args, &call.step, 0);
        let words = self.words(primitive, args);
        self.intend(&id, &words)?;
        self.measured(primitive, args, &call, id, words).map(drop)
    }

    /// A read that is the work of another call: how often it is made depends on time, so it is neither counted nor recorded.
    fn unrecorded(&self, primitive: &Primitive, effect: Effect, args: &Args, call: &Call<'_>) -> Outcome {
        if effect.writes() {
            self.may_write(primitive, &self.words(primitive, args))?;
        }
        let outcome = carry_out(primitive, call, args);
        if let Ok(value) = &outcome {
            self.world.secrets.learn_from(value);
        }
        outcome
    }

    /// What a call is about to do, for people.
    fn words(&self, primitive: &Primitive, args: &Args) -> String {
        self.world.secrets.mask(&(primitive.announce)(args))
    }

    /// Writes down that a write is about to be sent; on disk when this returns.
    fn intend(&self, call: &CallId, words: &str) -> Result<(), Fault> {
        self.write(Entry::Intent(Intent { call: call.clone(), words: words.to_owned() }), Flush::Now)
    }

    fn may_go_on(&self, call: &Call<'_>) -> Result<(), Fault> {
        if self.world.interrupt.soft.is_cancelled() {
            return Err(Interrupt::fault());
        }
        match call.deadline() {
            Some(deadline) if deadline <= self.world.clock.elapsed() => {
                Err(Fault::new(Code::Timeout, "the time of the step is over")
                    .hint("give the step a longer `timeout`, or find out what took so long"))
            }
            _ => Ok(()),
        }
    }

    fn identify(&self, primitive: &Primitive, effect: Effect, args: &Args, step: &str, ordinal: u64) -> CallId {
        CallId {
            step: step.to_owned(),
            ordinal,
            primitive: primitive.name.to_owned(),
            effect,
            digest: self.journal.digest(&args.to_value()),
        }
    }

    fn measured(&self, primitive: &Primitive, args: &Args, call: &Call<'_>, id: CallId, words: String) -> Outcome {
        let span = tracing::info_span!(
            "call",
            primitive = primitive.name,
            effect = id.effect.word(),
            step = %call.step,
            duration_ms = Empty,
            outcome = Empty
        );
        let _entered = span.enter();
        let started = self.world.clock.elapsed();
        let outcome = carry_out(primitive, call, args);
        let ms = millis(self.world.clock.elapsed().saturating_sub(started));
        span.record("duration_ms", ms);
        span.record("outcome", outcome.as_ref().map_or_else(|fault| fault.code.id(), |_| "ok"));
        tracing::info!(target: "runbook::call", words = %words, "{}", if outcome.is_ok() { "done" } else { "failed" });
        self.settle(primitive, args, id, words, &outcome, ms)?;
        outcome
    }

    fn settle(
        &self,
        primitive: &Primitive,
        args: &Args,
        call: CallId,
        words: String,
        outcome: &Outcome,
        ms: f64,
    ) -> Result<(), Fault> {
        let settlement = match outcome {
            Ok(value) => {
                self.world.secrets.learn_from(value);
                // What a run claims for itself is its own book-keeping: nothing that anyone asked for is different by it.
                let asked_for = call.effect.writes() && call.step != BEFORE_WRITES;
                if asked_for && value.get("changed") != Some(&Value::Bool(false)) {
                    self.changed.fetch_add(1, Ordering::Relaxed);
                }
                self.journal.settle(value, primitive.answer == Recording::Withheld)?
            }
            Err(fault) => Settlement::Fault(fault.clone()),
        };
        let command = (primitive.command)(args).map(|command| command.line());
        self.write(Entry::Settled(Box::new(Settled { call, words, command, outcome: settlement, ms })), Flush::Later)
    }

    fn may_write(&self, primitive: &Primitive, words: &str) -> Result<(), Fault> {
        if self.scopes.reading() {
            return Err(Fault::new(
                Code::WriteInRead,
                format!("`{}` writes ({words}), but here only reads are allowed", primitive.name),
            )
            .hint("move the call out of the check, or out of the function that a wait asks"));
        }
        self.settle_checks("")?;
        self.consent(Plan::default())
    }

    /// Asks the one question, unless it has been answered: may this run change the cluster?
    ///
    /// Faults: `RB060` where nobody can answer, `RB061` where the answer is no.
    pub fn consent(&self, plan: Plan) -> Result<(), Fault> {
        let _one_at_a_time = self.asking.lock().expect("no thread panics while it holds this lock");
        if self.consent.get().is_some() {
            return Ok(());
        }
        self.record(Entry::Plan(plan.clone()))?;
        let question = Question {
            id: "start".to_owned(),
            step: self.scopes.path(),
            text: "Continue?".to_owned(),
            evidence: Vec::new(),
            style: Style::Consent(plan),
        };
        self.agreed(&question)?;
        self.consent.set(()).expect("the lock above lets one thread in");
        Ok(())
    }

    /// Asks for an approval inside the run.
    ///
    /// Faults: `RB060` where nobody can answer, `RB061` where the answer is no.
    pub fn approve(&self, question: &Question) -> Result<(), Fault> {
        let _one_at_a_time = self.asking.lock().expect("no thread panics while it holds this lock");
        self.agreed(question)
    }

    fn agreed(&self, question: &Question) -> Result<(), Fault> {
        if self.answered(question)? == "yes" {
            return Ok(());
        }
        Err(Fault::new(Code::Declined, format!("`{}` was answered with no", question.text)).about(question.id.clone()))
    }

    /// Asks, and writes down what was answered and by whom.
    ///
    /// Faults: `RB060` where nobody can answer.
    pub fn ask(&self, question: &Question) -> Result<String, Fault> {
        let _one_at_a_time = self.asking.lock().expect("no thread panics while it holds this lock");
        self.answered(question)
    }

    fn answered(&self, question: &Question) -> Result<String, Fault> {
        let answer = self.world.operator.answer(question)?;
        self.record(Entry::Answered(Answered {
            step: question.step.clone(),
            id: question.id.clone(),
            question: question.text.clone(),
            answer: answer.text.clone(),
            by: answer.by,
        }))?;
        Ok(answer.text)
    }

    /// Keeps an inverse and writes down that it was registered; gives its number, from 1.
    pub fn register_undo(&self, step: &str, words: Option<String>, function: Function) -> Result<u64, Fault> {
        let mut undos = self.undos.lock().expect("no thread panics while it holds this lock");
        let number = undos.len() as u64 + 1;
        self.record(Entry::Undo(Undo { step: step.to_owned(), number, words }))?;
        undos.push(function);
        Ok(number)
    }

    /// Lets go of the inverses, which only make sense while their script is alive.
    pub(crate) fn forget_undos(&self) {
        self.undos.lock().expect("no thread panics while it holds this lock").clear();
    }

    /// Notes what a check found, and writes it down.
    pub fn register_check(&self, check: Check) -> Result<(), Fault> {
        self.tally.add(check.clone());
        self.record(Entry::Check(check))
    }

    /// Answers for the checks made in a step and below it, or for all open ones where the path is empty. The end of a
    /// step, the next write and the end of the script do so.
    ///
    /// Faults: `RB070` where at least one failed; it lists all of them.
    pub fn settle_checks(&self, path: &str) -> Result<(), Fault> {
        self.tally.settle(path, self.counts().1)
    }

    /// Runs something in which only reads are allowed.
    pub fn reading<T>(&self, body: impl FnOnce() -> T) -> T {
        self.scopes.enter_reading();
        let result = body();
        self.scopes.leave();
        result
    }

    /// The journal of the run.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Runs a function that a call asks again and again: only reads are allowed in it, and only the call itself is recorded.
    pub fn asking<T>(&self, body: impl FnOnce() -> T) -> T {
        self.scopes.enter_unrecorded();
        let result = body();
        self.scopes.leave();
        result
    }

    /// Lets time of the world's clock pass, less where the time of the step or the run ends before.
    ///
    /// Faults: `RB080` on Ctrl-C.
    pub fn pause(&self, wanted: Duration) -> Result<(), Fault> {
        let left = self.scopes.deadline().map(|deadline| deadline.saturating_sub(self.world.clock.elapsed()));
        let pause = left.map_or(wanted, |left| wanted.min(left));
        let (clock, stop) = (self.world.clock.clone(), self.world.interrupt.soft.clone());
        self.world.tokio.block_on(async move {
            tokio::select! {
                () = clock.sleep(pause) => Ok(()),
                () = stop.cancelled() => Err(Interrupt::fault()),
            }
        })
    }

    /// Enters a step on this thread; gives its path.
    ///
    /// Faults: `RB017` where the script stated an id twice.
    pub fn enter(&self, id: &str, stated: Stated) -> Result<String, Fault> {
        self.scopes.enter(id, stated).map_err(|_| {
            Fault::new(Code::StepId, format!("two steps have the id `{id}`")).hint("give each step an id of its own")
        })
    }

    /// Writes a record that nothing depends on yet: it reaches the disk with the next intent.
    pub fn record(&self, entry: Entry) -> Result<(), Fault> {
        self.write(entry, Flush::Later)
    }

    /// A call to be made before the next write of the run: one that claims something for this run alone.
    pub fn before_writes(&self, primitive: &'static Primitive, args: Args) {
        self.claims.add(primitive, args);
    }

    /// Keeps what such a call got hold of until the run ends; no write follows once it is lost.
    pub fn hold(&self, hold: Box<dyn Hold>) {
        self.claims.keep(hold);
    }

    /// Holds the run to a course: no call is made that it does not admit. The first one counts.
    pub fn follow(&self, course: Arc<dyn Course>) {
        self.course.get_or_init(|| course);
    }

    /// Whether the run has come to the end of its course, where it has one.
    ///
    /// Faults: what [`Course::complete`] gives.
    pub fn complete(&self) -> Result<(), Fault> {
        self.course.get().map_or(Ok(()), |course| course.complete())
    }

    /// What was started, once that is on record.
    pub fn started(&self) -> Option<&Run> {
        self.started.get()
    }

    /// Lets go of what was held, then writes the last record, on disk when this returns.
    pub fn finish(&self, finished: Finished) -> Result<(), Fault> {
        self.claims.release();
        self.write(Entry::Finished(finished), Flush::Now)
    }

    /// How many writes were sent, and how many of them changed something.
    pub fn counts(&self) -> (u64, u64) {
        (self.writes.load(Ordering::Relaxed), self.changed.load(Ordering::Relaxed))
    }

    /// Shows why a wait is not over; the same words are not shown twice in a row.
    pub fn waiting(&self, step: &str, mut waiting: Waiting) {
        // Time that passes is no news.
        let left = waiting.left_ms.take();
        let mut shown = self.shown.lock().expect("no thread panics while it holds this lock");
        if shown.as_ref().is_some_and(|(s, w)| s == step && *w == waiting) {
            return;
        }
        *shown = Some((step.to_owned(), waiting.clone()));
        drop(shown);
        waiting.left_ms = left;
        self.tell(&Event::Waiting { step, waiting: &waiting });
    }

    fn write(&self, entry: Entry, flush: Flush) -> Result<(), Fault> {
        if let Entry::Run(run) = &entry {
            self.started.get_or_init(|| (**run).clone());
        }
        let record = Record { at: self.world.clock.now(), entry: self.masked(entry) };
        self.journal.append(&record, flush)?;
        self.tell(&Event::Recorded(&record));
        Ok(())
    }

    fn masked(&self, entry: Entry) -> Entry {
        if self.world.secrets.is_empty() {
            return entry;
        }
        let mut value = serde_json::to_value(&entry).expect("a record is plain data");
        self.world.secrets.mask_value(&mut value);
        serde_json::from_value(value).expect("masking changes texts, not their shape")
    }

    fn tell(&self, event: &Event<'_>) {
        for observer in &self.observers {
            observer.observe(event);
        }
    }
}

/// Does what a call asks for; its fault says which call that was.
fn carry_out(primitive: &Primitive, call: &Call<'_>, args: &Args) -> Outcome {
    (primitive.run)(call, args).map_err(|mut fault| {
        fault.primitive.get_or_insert_with(|| primitive.name.to_owned());
        fault.step.get_or_insert_with(|| call.step.clone());
        fault
    })
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds for people")]
fn millis(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1000.0
}
