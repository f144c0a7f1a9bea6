//! What a primitive is: a declaration without defaults, and the call it receives.
//!
//! Does not know any primitive; the script library declares them.

use std::time::Duration;

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::arg::{Arg, Args, Function};
use crate::command::Command;
use crate::effect::{Effect, Repeat};
use crate::fault::{Code, Fault, Place};
use crate::param::{AnyParam, Role};
use crate::record::Waiting;
use crate::session::Session;
use crate::world::{Interrupt, World};

/// What a call gives back.
pub type Outcome = Result<Value, Fault>;

/// A function that scripts may call. Every field is stated; there are no defaults.
pub struct Primitive {
    /// The name as scripts write it, such as `kubectl::scale`; without `::` it is a plain function.
    pub name: &'static str,
    /// One sentence on what it does, in the imperative.
    pub summary: &'static str,
    /// Its parameters: positional ones first, in order.
    pub params: &'static [&'static dyn AnyParam],
    /// What it may do to the world.
    pub effect: Effect,
    /// Whether its answer may be written down.
    pub answer: Answer,
    /// What a call is about to do, in a few words for people. Pure.
    pub announce: fn(&Args) -> String,
    /// The command a person would have typed instead, where there is one. Pure.
    pub command: fn(&Args) -> Option<Command>,
    /// Does it.
    pub run: fn(&Call<'_>, &Args) -> Outcome,
    /// Examples, each run by a test.
    pub examples: &'static [Example],
}

impl Primitive {
    /// How it is called: `kubectl::scale(kind, name, replicas, #{ namespace, context })`.
    pub fn signature(&self) -> String {
        let of = |positional: bool| {
            self.params
                .iter()
                .filter(move |param| (param.role() == Role::Positional) == positional)
                .map(|param| param.name())
        };
        let options: Vec<&str> = of(false).collect();
        let mut parts: Vec<String> = of(true).map(str::to_owned).collect();
        if !options.is_empty() {
            parts.push(format!("#{{ {} }}", options.join(", ")));
        }
        format!("{}({})", self.name, parts.join(", "))
    }

    /// The effect of one call: an option `writes: true` makes a write of a read whose harm nobody can tell beforehand, such as
    /// a command run in a pod.
    pub fn effect_of(&self, args: &Args) -> Effect {
        match (self.effect, args.any("writes")) {
            (Effect::Read, Some(Arg::Value(Value::Bool(true)))) => Effect::Write(Repeat::Ask),
            (effect, _) => effect,
        }
    }

    /// How many arguments it takes by position; one more where it has options.
    pub fn positional(&self) -> usize {
        self.params.iter().filter(|param| param.role() == Role::Positional).count()
    }
}

/// Whether an answer may be written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It is recorded, unless it holds a Kubernetes Secret.
    Recorded,
    /// It may hold secrets: only a keyed digest is recorded.
    Withheld,
}

/// A use of a primitive that documentation shows and a test runs.
#[derive(Debug, Clone, Copy)]
pub struct Example {
    /// Name of the prepared cluster it runs in; empty where it needs none.
    pub cluster: &'static str,
    /// The script.
    pub script: &'static str,
    /// What the answer, as JSON, contains.
    pub expect: &'static str,
}

/// The script's side of a call: what a primitive may ask of the engine.
pub trait Script {
    /// Where in the script the call stands; `None` where no script made it.
    fn place(&self) -> Option<Place>;

    /// Calls a function of the script on the present thread.
    fn invoke(&self, function: &Function, args: Vec<Value>) -> Outcome;

    /// Calls a function once per item on up to `width` threads; answers come in the order of the items.
    ///
    /// Once `enough` says so of the faults so far, no further item is started; those are absent from the answer.
    fn fan_out(
        &self,
        function: &Function,
        items: Vec<Value>,
        width: usize,
        enough: &(dyn Fn(usize) -> bool + Sync),
    ) -> Vec<Option<Outcome>>;
}

/// Stands in where calls come from no script, and so hand over no function.
#[derive(Debug, Clone, Copy)]
pub struct NoScript;

impl Script for NoScript {
    fn place(&self) -> Option<Place> {
        None
    }

    /// Faults: `RB001`, always.
    fn invoke(&self, _: &Function, _: Vec<Value>) -> Outcome {
        Err(Fault::new(Code::Internal, "this call comes from no script, and has no functions"))
    }

    fn fan_out(
        &self,
        function: &Function,
        items: Vec<Value>,
        _: usize,
        _: &(dyn Fn(usize) -> bool + Sync),
    ) -> Vec<Option<Outcome>> {
        items.into_iter().map(|item| Some(self.invoke(function, vec![item]))).collect()
    }
}

/// One call as its primitive sees it.
pub struct Call<'a> {
    /// What the run was given.
    pub world: &'a World,
    /// The seam, for primitives that steer the run (`undo`, `check`, `approve`).
    pub session: &'a Session,
    /// The script that called.
    pub script: &'a dyn Script,
    /// The step path of the call.
    pub step: String,
}

impl Call<'_> {
    /// Calls a function that the script handed over.
    pub fn invoke(&self, function: &Function, args: Vec<Value>) -> Outcome {
        self.script.invoke(function, args)
    }

    /// Runs a future to its end on this thread. It must be built inside, so that timers find their reactor.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.world.tokio.block_on(future)
    }

    /// The same for a read or a wait: the first Ctrl-C ends it.
    ///
    /// Faults: `RB080` where it was interrupted.
    pub fn read<T>(&self, future: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
        self.until(&self.world.interrupt.soft, future)
    }

    /// The same for a write: only the second Ctrl-C ends it, and what became of it is then unknown.
    ///
    /// Faults: `RB080` where it was interrupted.
    pub fn write<T>(&self, future: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
        self.until(&self.world.interrupt.hard, future)
    }

    fn until<T>(&self, end: &CancellationToken, future: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
        self.block_on(async { end.run_until_cancelled(future).await.unwrap_or_else(|| Err(Interrupt::fault())) })
    }

    /// When the time of the step is over, as elapsed time of the world's clock; `None` where no step around has a `timeout`.
    pub fn deadline(&self) -> Option<Duration> {
        self.session.scopes.deadline()
    }

    /// How long a wait may take: what it asked for, or what is left of the step's time where that is less.
    pub fn within(&self, timeout: Duration) -> Duration {
        let left = |deadline: Duration| deadline.saturating_sub(self.world.clock.elapsed());
        self.deadline().map_or(timeout, |deadline| timeout.min(left(deadline)))
    }

    /// Tells the reporters why a wait is not over yet; unchanged words are not told twice.
    pub fn waiting(&self, waiting: Waiting) {
        self.session.waiting(&self.step, waiting);
    }
}

/// For primitives that have no shell equivalent.
pub fn no_command(_: &Args) -> Option<Command> {
    None
}
