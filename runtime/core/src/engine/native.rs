//! Functions of the language itself that no primitive declares: reading objects by path, and what Rhai has and we do not want.
//!
//! Does not reach the world.

use std::sync::Arc;

use rhai::{Dynamic, ImmutableString, NativeCallContext};

use super::bridge::{Functions, fail};
use super::path;
use super::run::Run;
use super::trouble::Error;
use crate::fault::{Code, Fault};

/// Adds them.
pub(super) fn add(functions: &mut Functions) {
    functions.add("at", 2, &(Arc::new(at) as Arc<_>));
    functions.add("must", 2, &(Arc::new(must) as Arc<_>));
    for (name, arities) in [("exit", 0..=1), ("sleep", 1..=1)] {
        for arity in arities {
            functions.add(
                name,
                arity,
                &(Arc::new(move |context: &NativeCallContext<'_>, _: &mut [&mut Dynamic]| refused(name, context))
                    as Arc<_>),
            );
        }
    }
}

fn at(context: &NativeCallContext<'_>, args: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    read(context, args, path::at)
}

fn must(context: &NativeCallContext<'_>, args: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    read(context, args, path::must)
}

fn read(
    context: &NativeCallContext<'_>,
    args: &mut [&mut Dynamic],
    how: fn(&Dynamic, &str) -> Result<Dynamic, Fault>,
) -> Result<Dynamic, Error> {
    let found = path::text(args[1]).and_then(|path: ImmutableString| how(args[0], &path));
    found.map_err(|fault| fail(&Run::of(context.tag()), fault, context))
}

fn refused(name: &str, context: &NativeCallContext<'_>) -> Result<Dynamic, Error> {
    let fault = Fault::new(Code::ScriptError, format!("`{name}` cannot be used in a runbook"));
    Err(fail(&Run::of(context.tag()), fault, context))
}
