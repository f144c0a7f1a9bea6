//! The primitives as Rhai sees them: functions in namespaces, each called through the seam.
//!
//! Does not know what any of them does.

use std::any::TypeId;
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use rhai::{Dynamic, FuncRegistration, Module, NativeCallContext, Position, RhaiFunc, Shared};

use super::callback::Caller;
use super::run::Run;
use super::trouble::{self, Error, raise};
use super::value::{Home, to_arg, to_dynamic};
use crate::arg::Arg;
use crate::fault::{Code, Fault};
use crate::param::bind;
use crate::primitive::Primitive;

/// Where primitives and other functions end up: in namespaces, or global.
#[derive(Default)]
pub(super) struct Functions {
    pub(super) global: Module,
    pub(super) namespaces: BTreeMap<String, Module>,
}

/// A function as Rhai calls it.
type Native = dyn Fn(&NativeCallContext<'_>, &mut [&mut Dynamic]) -> Result<Dynamic, Error> + Send + Sync;

impl Functions {
    /// Adds a function for a number of arguments of any type. The name may hold a namespace.
    pub(super) fn add(&mut self, name: &str, arity: usize, native: &Arc<Native>) {
        let (module, name) = match name.split_once("::") {
            Some((namespace, name)) => (self.namespaces.entry(namespace.to_owned()).or_default(), name),
            None => (&mut self.global, name),
        };
        let native = native.clone();
        let function = RhaiFunc::Pure {
            func: Shared::new(move |context: Option<NativeCallContext<'_>>, args: &mut [&mut Dynamic]| {
                native(&context.expect("asked for with `has_context`"), args)
            }),
            has_context: true,
            is_pure: true,
            is_volatile: true,
        };
        let types = vec![TypeId::of::<Dynamic>(); arity];
        FuncRegistration::new(name).in_internal_namespace().set_into_module_raw(module, types, function);
    }

    /// Adds a primitive: with its positional arguments, and with a map of options after them.
    pub(super) fn add_primitive(&mut self, primitive: &'static Primitive) {
        let native: Arc<Native> = Arc::new(move |context, args| call(primitive, context, args));
        let positional = primitive.positional();
        self.add(primitive.name, positional, &native);
        self.add(primitive.name, positional + 1, &native);
    }
}

fn call(
    primitive: &'static Primitive,
    context: &NativeCallContext<'_>,
    args: &mut [&mut Dynamic],
) -> Result<Dynamic, Error> {
    let run = Run::of(context.tag());
    let place = || {
        let source = context.call_source().unwrap_or_default();
        trouble::place(source, start_of(primitive, context.call_position()))
    };
    let outcome = arguments(primitive, context, args)
        .and_then(|given| bind(primitive, given))
        .and_then(|args| run.session.call(primitive, &args, &Caller { context, run: run.clone(), place: place() }));
    match outcome {
        Ok(value) => Ok(to_dynamic(value)),
        Err(mut fault) => {
            // A fault with places comes out of a function of the script, which the primitive only called.
            if fault.stack.is_empty() {
                fault.primitive.get_or_insert_with(|| primitive.name.to_owned());
            }
            Err(raise(
                &run,
                fault,
                context.call_source().unwrap_or_default(),
                start_of(primitive, context.call_position()),
            ))
        }
    }
}

/// Where the name of a call begins. Rhai's position is that of the last part, after the namespace.
fn start_of(primitive: &Primitive, position: Position) -> Position {
    let namespace = primitive.name.rfind("::").map_or(0, |end| end + 2);
    match (position.line(), position.position()) {
        (Some(line), Some(column)) if column > namespace => {
            let narrow = |number: usize| u16::try_from(number).unwrap_or(u16::MAX);
            Position::new(narrow(line), narrow(column - namespace))
        }
        _ => position,
    }
}

/// A fault as an error at the call.
#[expect(clippy::unnecessary_box_returns, reason = "Rhai's functions fail with boxed errors")]
pub(super) fn fail(run: &Run, fault: Fault, context: &NativeCallContext<'_>) -> Error {
    raise(run, fault, context.call_source().unwrap_or_default(), context.call_position())
}

fn arguments(primitive: &Primitive, context: &NativeCallContext<'_>, args: &[&mut Dynamic]) -> Result<Vec<Arg>, Fault> {
    let kept: OnceCell<Home> = OnceCell::new();
    #[expect(
        deprecated,
        reason = "the only way to call a function of a script on another thread; the version is pinned"
    )]
    let home = || kept.get_or_init(|| Arc::new(context.store_data())).clone();
    args.iter()
        .enumerate()
        .map(|(index, arg)| {
            to_arg(arg, &home).map_err(|what| {
                let name = primitive.params.get(index).map_or("an argument", |param| param.name());
                Fault::new(Code::WrongArgument, format!("`{name}` of `{}` holds {what}", primitive.name))
            })
        })
        .collect()
}
