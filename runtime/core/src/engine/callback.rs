//! Functions of a script, called from a primitive: on its own thread or on several.
//!
//! Does not know why they are called.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use rhai::NativeCallContext;
use serde_json::Value;

use super::STACK;
use super::run::Run;
use super::trouble::fault_of;
use super::value::{to_dynamic, to_value};
use crate::arg::Function;
use crate::fault::{Code, Fault, Place};
use crate::primitive::{Outcome, Script};

/// The script's side of one call.
pub(super) struct Caller<'a> {
    pub(super) context: &'a NativeCallContext<'a>,
    pub(super) run: Arc<Run>,
    /// Where the call stands.
    pub(super) place: Option<Place>,
}

impl Caller<'_> {
    fn call(&self, function: &Function, args: Vec<Value>) -> Outcome {
        #[expect(
            deprecated,
            reason = "the only way to call a function of a script on another thread; the version is pinned"
        )]
        let home = function.home.create_context(self.context.engine());
        let args: Vec<_> = args.into_iter().map(to_dynamic).collect();
        let answer = function.pointer.call_raw(&home, None, args);
        let source = home.call_source().unwrap_or_default();
        match answer {
            Ok(value) => to_value(&value).map_err(|what| {
                Fault::new(Code::WrongArgument, format!("the function answers with {what}, which is no plain value"))
            }),
            Err(error) => Err(self.run.merge(fault_of(&error, source, &self.run))),
        }
    }
}

impl Script for Caller<'_> {
    fn place(&self) -> Option<Place> {
        self.place.clone()
    }

    fn invoke(&self, function: &Function, args: Vec<Value>) -> Outcome {
        self.call(function, args)
    }

    fn fan_out(
        &self,
        function: &Function,
        items: Vec<Value>,
        width: usize,
        enough: &(dyn Fn(usize) -> bool + Sync),
    ) -> Vec<Option<Outcome>> {
        let scopes = &self.run.session.scopes;
        let around = scopes.here();
        let fan = scopes.fan(&around);
        let answers: Vec<Mutex<Option<Outcome>>> = items.iter().map(|_| Mutex::default()).collect();
        let (next, faults) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let work = || {
            loop {
                let index = next.fetch_add(1, Ordering::SeqCst);
                let Some(item) = items.get(index) else { break };
                if enough(faults.load(Ordering::SeqCst)) || self.run.poisoned().is_some() {
                    break;
                }
                scopes.branch(&around, &fan, index);
                let answer = self.call(function, vec![item.clone()]);
                scopes.leave();
                faults.fetch_add(usize::from(answer.is_err()), Ordering::SeqCst);
                *answers[index].lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..width.clamp(1, items.len().max(1)) {
                let spawned =
                    std::thread::Builder::new().name("branch".to_owned()).stack_size(STACK).spawn_scoped(scope, work);
                if spawned.is_err() {
                    // No thread to be had: the present one does what is left.
                    work();
                }
            }
        });
        answers.into_iter().map(|answer| answer.into_inner().unwrap_or_else(PoisonError::into_inner)).collect()
    }
}
