//! Calls functions: counts and checks their arguments as reflection would, in Go's words.

use super::state::{At, Seen, Set, State, constant};
use super::world::{Failure, World};
use crate::function;
use crate::parse::{Expr, Term, parse};
use crate::value::{Value, quote};
use std::rc::Rc;

/// What a parameter is declared to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Param {
    Any,
    Text,
    Int,
    /// `uint32`, of which no value is but a number that a template states.
    Unsigned,
    Float,
    Bool,
    List,
    Map,
    /// A struct of this type.
    Struct(&'static str),
}

impl Param {
    fn name(self) -> &'static str {
        match self {
            Param::Any => "interface {}",
            Param::Text => "string",
            Param::Int => "int",
            Param::Unsigned => "uint32",
            Param::Float => "float64",
            Param::Bool => "bool",
            Param::List => "[]interface {}",
            Param::Map => "map[string]interface {}",
            Param::Struct(name) => name,
        }
    }

    fn accepts(self, value: &Value) -> bool {
        match self {
            Param::Any => true,
            Param::Text => matches!(value, Value::Text(_) | Value::Raw(_)),
            Param::Int => matches!(value, Value::Int(_)),
            Param::Unsigned => false,
            Param::Float => matches!(value, Value::Float(_)),
            Param::Bool => matches!(value, Value::Bool(_)),
            Param::List => matches!(value, Value::List(list) if list.boxes()),
            Param::Map => matches!(value, Value::Map(map) if map.boxes()),
            Param::Struct(name) => matches!(value, Value::Struct(made) if made.name == name),
        }
    }

    fn may_be_nil(self) -> bool {
        matches!(self, Param::Any | Param::List | Param::Map)
    }
}

/// What a function does with its arguments.
pub(crate) type Work = fn(&World<'_>, &[Value]) -> Result<Value, Failure>;

/// A function that templates may call.
pub(crate) struct Function {
    pub(crate) name: &'static str,
    pub(crate) params: &'static [Param],
    pub(crate) rest: Option<Param>,
    pub(crate) work: Work,
}

/// What is called: a function, or a method of a value.
pub(super) struct Callee<'f> {
    pub(super) name: &'f str,
    pub(super) params: &'static [Param],
    pub(super) rest: Option<Param>,
}

impl<'t> State<'t, '_> {
    pub(super) fn function(
        &mut self,
        dot: &Seen,
        name: &str,
        node: At<'t>,
        args: &'t [Expr],
        last: Option<Seen>,
    ) -> Result<Seen, Failure> {
        if name == "and" || name == "or" {
            return self.shortcut(dot, name, args, last);
        }
        let Some(function) = function::find(name, self.world.dialect()) else {
            return Err(self.fail(&format!("{} is not a defined function", quote(name))));
        };
        let callee = Callee { name, params: function.params, rest: function.rest };
        let values = self.arguments(dot, &callee, args, last)?;
        self.world.step(1).map_err(|failure| self.bounded(failure))?;
        let done = match name {
            "include" => self.include(&values),
            "tpl" => self.tpl(&values),
            _ => (function.work)(self.world, &values),
        };
        match done {
            Ok(value) => {
                let boxed = matches!(value, Value::Nil);
                if let Value::Text(text) = &value {
                    self.world.take(text.len()).map_err(|failure| self.bounded(failure))?;
                }
                Ok(Seen { value, boxed })
            }
            Err(failure) => {
                self.at(node);
                Err(self.calling(name, failure))
            }
        }
    }

    /// An error of a function, told at the call.
    pub(super) fn calling(&self, name: &str, failure: Failure) -> Failure {
        let words = format!("error calling {name}: {}", failure.words);
        self.placed(&words, Some(Box::new(failure)))
    }

    /// `and` and `or`, which stop at the first argument that decides.
    fn shortcut(&mut self, dot: &Seen, name: &str, args: &'t [Expr], last: Option<Seen>) -> Result<Seen, Failure> {
        if args.is_empty() && last.is_none() {
            return Err(self.fail(&format!("wrong number of args for {name}: want at least 1 got 0")));
        }
        let mut seen = Seen::bare(Value::Missing);
        for arg in args {
            seen = if matches!(arg.term, Term::Nil) { Seen::bare(Value::Missing) } else { self.operand(dot, arg)? };
            if seen.value.truth() == (name == "or") {
                return Ok(seen);
            }
        }
        Ok(last.unwrap_or(seen))
    }

    pub(super) fn arguments(
        &mut self,
        dot: &Seen,
        callee: &Callee<'_>,
        args: &'t [Expr],
        last: Option<Seen>,
    ) -> Result<Vec<Value>, Failure> {
        let given = args.len() + usize::from(last.is_some());
        let wanted = callee.params.len();
        if callee.rest.is_some() {
            if given < wanted {
                let words =
                    format!("wrong number of args for {}: want at least {wanted} got {}", callee.name, args.len());
                return Err(self.fail(&words));
            }
        } else if given != wanted {
            return Err(self.fail(&format!("wrong number of args for {}: want {wanted} got {given}", callee.name)));
        }
        let param = |index: usize| callee.params.get(index).copied().or(callee.rest).unwrap_or(Param::Any);
        let mut values = Vec::with_capacity(given);
        for (index, arg) in args.iter().enumerate() {
            values.push(self.argument(dot, param(index), arg)?);
        }
        if let Some(last) = last {
            values.push(self.validate(last, param(args.len()))?);
        }
        Ok(values)
    }

    fn argument(&mut self, dot: &Seen, param: Param, arg: &'t Expr) -> Result<Value, Failure> {
        self.at(At::Expr(arg));
        match &arg.term {
            Term::Nil if param.may_be_nil() => Ok(Value::Nil),
            Term::Nil => Err(self.fail(&format!("cannot assign nil to {}", param.name()))),
            Term::Bool(_) | Term::Number(_) | Term::Text { .. } => self.literal(param, arg),
            _ => {
                let seen = self.operand(dot, arg)?;
                self.validate(seen, param)
            }
        }
    }

    fn literal(&self, param: Param, arg: &Expr) -> Result<Value, Failure> {
        let expected = |kind: &str| Err(self.fail(&format!("expected {kind}; found {arg}")));
        match (param, &arg.term) {
            (Param::Any, term) => Ok(constant(term).unwrap_or(Value::Missing)),
            (Param::Text, Term::Text { text, .. }) => Ok(Value::Text(text.clone())),
            (Param::Text, _) => expected("string"),
            (Param::Bool, Term::Bool(truth)) => Ok(Value::Bool(*truth)),
            (Param::Bool, _) => expected("bool"),
            (Param::Int, Term::Number(number)) if number.int.is_some() => Ok(Value::Int(number.int.unwrap_or(0))),
            (Param::Int, _) => expected("integer"),
            (Param::Unsigned, Term::Number(number)) if number.int.is_some_and(|int| int >= 0) => {
                Ok(Value::Int(number.int.unwrap_or(0)))
            }
            (Param::Unsigned, _) => expected("unsigned integer"),
            (Param::Float, Term::Number(number)) => Ok(Value::Float(number.float)),
            (Param::Float, _) => expected("float"),
            (Param::List | Param::Map | Param::Struct(_), _) => {
                Err(self.fail(&format!("can't handle {arg} for arg of type {}", param.name())))
            }
        }
    }

    /// Guarantees that a value fits a parameter.
    fn validate(&self, seen: Seen, param: Param) -> Result<Value, Failure> {
        match &seen.value {
            Value::Missing if param.may_be_nil() => Ok(Value::Nil),
            Value::Missing => Err(self.fail(&format!("invalid value; expected {}", param.name()))),
            Value::Nil if param == Param::Any => Ok(Value::Nil),
            value if param.accepts(value) => Ok(seen.value),
            value => {
                let words = format!("wrong type for value; expected {}; got {}", param.name(), value.type_name());
                Err(self.fail(&words))
            }
        }
    }

    /// `include`: a template by name, its output as a string.
    fn include(&self, values: &[Value]) -> Result<Value, Failure> {
        let (Some(Value::Text(name)), Some(data)) = (values.first(), values.get(1)) else {
            return Err(Failure::plain("include needs a name and a value"));
        };
        {
            let mut included = self.world.included.borrow_mut();
            let count = included.entry(name.clone()).or_insert(0);
            if *count > 1_000 {
                let words =
                    format!("rendering template has a nested reference name: {name}: unable to execute template");
                return Err(Failure::plain(words));
            }
            *count += 1;
        }
        let set = self.set.clone();
        let done = self.nested(&set, name, data.clone());
        if let Some(count) = self.world.included.borrow_mut().get_mut(name) {
            *count -= 1;
        }
        done.map(Value::text)
    }

    /// `tpl`: a template made of a string, which sees all the others.
    fn tpl(&self, values: &[Value]) -> Result<Value, Failure> {
        let (Some(Value::Text(source)), Some(data)) = (values.first(), values.get(1)) else {
            return Err(Failure::plain("tpl needs a text and a value"));
        };
        if !source.contains("{{") {
            return Ok(Value::text(source.replace("<no value>", "")));
        }
        self.world.step(source.len() / 4)?;
        let dialect = self.world.dialect();
        let trees = parse("gotpl", source, &|name| function::knows(name, dialect))
            .map_err(|words| Failure::plain(words).wrapped(&format!("cannot parse template {}", quote(source))))?;
        let mut set = Set { own: std::collections::HashMap::new(), below: Some(self.set.clone()) };
        for tree in trees.into_values() {
            if &*tree.name == "gotpl" || !tree.is_empty() || set.get(&tree.name).is_none() {
                set.own.insert(tree.name.clone(), tree);
            }
        }
        let out = self.nested(&Rc::new(set), "gotpl", data.clone()).map_err(|failure| {
            failure.wrapped(&format!("error during tpl function execution for {}", quote(source)))
        })?;
        Ok(Value::text(out.replace("<no value>", "")))
    }
}
