//! What a run claims for itself before it writes: calls that come before the first write, and what they hold until the end.
//!
//! Does not know where a claim is kept; a primitive does, and hands over a [`Hold`].

use std::sync::Mutex;

use crate::arg::Args;
use crate::fault::Fault;
use crate::primitive::Primitive;

/// The step path of calls that come before the first write: no step of a script can have it.
pub const BEFORE_WRITES: &str = "(before writes)";

/// Something that is this run's alone as long as it is held.
pub trait Hold: Send + Sync {
    /// Whether it is still held.
    ///
    /// Faults: `RB073` where it was lost, which no write may follow.
    fn check(&self) -> Result<(), Fault>;

    /// Lets go of it, at the end of the run.
    fn release(&self);
}

/// The claims of a run.
#[derive(Default)]
pub(crate) struct Claims {
    due: Mutex<Vec<(&'static Primitive, Args)>>,
    held: Mutex<Vec<Box<dyn Hold>>>,
}

impl Claims {
    /// A call to be made before the next write.
    pub(crate) fn add(&self, primitive: &'static Primitive, args: Args) {
        self.due.lock().expect(NO_PANIC).push((primitive, args));
    }

    /// Makes the calls that are due, in order, while other threads that want to write wait. One that fails stays due.
    pub(crate) fn make(&self, make: impl Fn(&'static Primitive, &Args) -> Result<(), Fault>) -> Result<(), Fault> {
        let mut due = self.due.lock().expect(NO_PANIC);
        while let Some((primitive, args)) = due.first() {
            make(primitive, args)?;
            due.remove(0);
        }
        drop(due);
        self.held.lock().expect(NO_PANIC).iter().try_for_each(|hold| hold.check())
    }

    /// Keeps what a call got hold of.
    pub(crate) fn keep(&self, hold: Box<dyn Hold>) {
        self.held.lock().expect(NO_PANIC).push(hold);
    }

    /// Lets go of everything, last first.
    pub(crate) fn release(&self) {
        let held = std::mem::take(&mut *self.held.lock().expect(NO_PANIC));
        held.iter().rev().for_each(|hold| hold.release());
    }
}

const NO_PANIC: &str = "no thread panics while it holds this lock";
