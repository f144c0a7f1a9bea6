//! The arguments of one call, checked and named.
//!
//! Does not know which parameters exist: [`crate::param`] does.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use crate::param::{FromArg, Param};

/// A function that a script handed to a primitive, such as the body of `undo(|| ...)`.
///
/// It carries where it was handed over: the functions, imports and constants it may use, on whatever thread it runs later.
#[derive(Clone)]
pub struct Function {
    pub(crate) pointer: rhai::FnPtr,
    #[expect(
        deprecated,
        reason = "the only way to call a function of a script on another thread; the version is pinned"
    )]
    pub(crate) home: Arc<rhai::NativeCallContextStore>,
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Function").field(&self.pointer.fn_name()).finish()
    }
}

/// One argument.
#[derive(Debug, Clone)]
pub enum Arg {
    /// A plain value.
    Value(Value),
    /// A function of the script.
    Function(Function),
    /// A map of options of which at least one is a function; never seen by a primitive.
    Options(Vec<(String, Arg)>),
}

/// All arguments of one call by parameter name; absent options are not in it.
#[derive(Debug, Clone, Default)]
pub struct Args {
    named: BTreeMap<&'static str, Arg>,
}

impl Args {
    /// The argument for a parameter.
    ///
    /// Cannot fail: arguments are checked against the declared parameters before any primitive sees them.
    pub fn get<T: FromArg>(&self, param: &Param<T>) -> T {
        T::from_arg(self.named.get(param.name()))
            .expect("arguments are checked against the declaration before the primitive runs")
    }

    /// Whether the caller gave it.
    pub fn has<T>(&self, param: &Param<T>) -> bool {
        self.named.contains_key(param.name())
    }

    /// An argument by name, whatever its type.
    pub fn any(&self, name: &str) -> Option<&Arg> {
        self.named.get(name)
    }

    /// Puts an argument in. Used by the engine, and by primitives that call one another.
    pub fn set(&mut self, name: &'static str, arg: Arg) {
        self.named.insert(name, arg);
    }

    /// The arguments as one plain value, for digests and traces. Functions appear as `"<function>"`.
    pub fn to_value(&self) -> Value {
        self.named
            .iter()
            .map(|(name, arg)| {
                let value = match arg {
                    Arg::Value(value) => value.clone(),
                    Arg::Function(_) | Arg::Options(_) => Value::from("<function>"),
                };
                ((*name).to_owned(), value)
            })
            .collect::<serde_json::Map<_, _>>()
            .into()
    }
}
