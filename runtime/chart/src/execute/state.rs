//! Walks the nodes of a template and evaluates its pipelines.

use std::collections::HashMap;
use std::rc::Rc;

use super::world::{Failure, World};
use crate::parse::{Branch, Command, Control, Expr, Node, Number, Pipe, Term, Tree};
use crate::value::{Value, plain, quote};

/// The templates that know each other by name. `tpl` adds a layer of its own.
#[derive(Default)]
pub(crate) struct Set {
    pub(crate) own: HashMap<Rc<str>, Rc<Tree>>,
    pub(crate) below: Option<Rc<Set>>,
}

impl Set {
    pub(crate) fn get(&self, name: &str) -> Option<Rc<Tree>> {
        self.own.get(name).cloned().or_else(|| self.below.as_ref()?.get(name))
    }

    /// Adds a tree; an empty one replaces nothing.
    pub(crate) fn add(&mut self, tree: Rc<Tree>) {
        if tree.is_empty() && self.get(&tree.name).is_some() {
            return;
        }
        self.own.insert(tree.name.clone(), tree);
    }
}

/// A value, and whether it lies inside an interface, as an element of a map does.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) value: Value,
    pub(crate) boxed: bool,
}

impl Seen {
    pub(crate) fn bare(value: Value) -> Self {
        Self { value, boxed: false }
    }

    /// What is inside the interface.
    pub(super) fn unboxed(self) -> Self {
        let value = if matches!(self.value, Value::Nil) { Value::Missing } else { self.value };
        Self { value, boxed: false }
    }

    /// The name of its type as messages give it.
    pub(super) fn type_name(&self) -> &'static str {
        if self.boxed || matches!(self.value, Value::Nil) { "interface {}" } else { self.value.type_name() }
    }
}

/// What is being evaluated, for messages.
#[derive(Clone, Copy)]
pub(super) enum At<'t> {
    Nothing,
    Node(&'t Node),
    Pipe(&'t Pipe),
    Command(&'t Command),
    Expr(&'t Expr),
}

/// Why a walk ends early.
pub(super) enum Stop {
    Fail(Failure),
    Break,
    Continue,
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Stop::Fail(failure)
    }
}

/// The execution of one template.
pub(crate) struct State<'t, 'w> {
    pub(super) world: &'w World<'w>,
    pub(super) set: Rc<Set>,
    tree: &'t Tree,
    at: At<'t>,
    vars: Vec<(Rc<str>, Seen)>,
}

/// Runs a template by name on a value.
pub(crate) fn execute(
    world: &World<'_>,
    set: &Rc<Set>,
    name: &str,
    data: Value,
    out: &mut String,
) -> Result<(), Failure> {
    let Some(tree) = set.get(name) else {
        return Err(Failure::plain(format!(
            "template: no template {} associated with template \"gotpl\"",
            quote(name)
        )));
    };
    run(world, set, &tree, Seen::bare(data).unboxed(), out)
}

fn run(world: &World<'_>, set: &Rc<Set>, tree: &Tree, dot: Seen, out: &mut String) -> Result<(), Failure> {
    world.enter()?;
    let mut state = State { world, set: set.clone(), tree, at: At::Nothing, vars: vec![(Rc::from("$"), dot.clone())] };
    let done = match state.list(&dot, &tree.nodes, out) {
        Ok(()) | Err(Stop::Break | Stop::Continue) => Ok(()),
        Err(Stop::Fail(failure)) => Err(failure),
    };
    world.leave();
    done
}

impl<'t> State<'t, '_> {
    pub(super) fn at(&mut self, at: At<'t>) {
        self.at = at;
    }

    /// An error at the place that is being evaluated.
    pub(super) fn fail(&self, words: &str) -> Failure {
        self.placed(words, None)
    }

    pub(super) fn placed(&self, words: &str, cause: Option<Box<Failure>>) -> Failure {
        let (pos, context) = match self.at {
            At::Nothing => {
                let words = format!("template: {}: {words}", self.tree.name);
                return Failure { words, cause, placed: true, bound: false };
            }
            At::Node(node) => (node.pos(), node.to_string()),
            At::Pipe(pipe) => (pipe.pos, pipe.to_string()),
            At::Command(command) => (command.args.first().map_or(0, |arg| arg.pos), command.to_string()),
            At::Expr(expr) => (expr.pos, expr.to_string()),
        };
        let place = self.tree.place(pos);
        let bound = cause.as_ref().is_some_and(|cause| cause.bound);
        let words = format!("template: {place}: executing {} at <{context}>: {words}", quote(&self.tree.name));
        Failure { words, cause, placed: true, bound }
    }

    /// A bound that was reached, told with the place where it was.
    pub(super) fn bounded(&self, failure: Failure) -> Failure {
        if failure.bound && !failure.placed {
            let mut placed = self.placed(&failure.words, None);
            placed.bound = true;
            return placed;
        }
        failure
    }

    fn list(&mut self, dot: &Seen, nodes: &'t [Node], out: &mut String) -> Result<(), Stop> {
        nodes.iter().try_for_each(|node| self.walk(dot, node, out))
    }

    fn walk(&mut self, dot: &Seen, node: &'t Node, out: &mut String) -> Result<(), Stop> {
        self.at = At::Node(node);
        self.world.step(1).map_err(|failure| self.bounded(failure))?;
        match node {
            Node::Text(text) => {
                self.world.take(text.len()).map_err(|failure| self.bounded(failure))?;
                out.push_str(text);
            }
            Node::Action(_, pipe) => {
                let seen = self.pipeline(dot, pipe)?;
                if pipe.declared.is_empty() {
                    self.at = At::Node(node);
                    self.print(&seen.value, out)?;
                }
            }
            Node::Control(branch) => {
                self.world.enter().map_err(|failure| self.bounded(failure))?;
                let mark = self.vars.len();
                let done = match branch.control {
                    Control::Range => self.range(dot, branch, out),
                    Control::If | Control::With => self.choice(dot, branch, out),
                };
                self.vars.truncate(mark);
                self.world.leave();
                done?;
            }
            Node::Template { name, pipe, .. } => self.template(dot, name, pipe.as_ref(), out)?,
            Node::Break(_) => return Err(Stop::Break),
            Node::Continue(_) => return Err(Stop::Continue),
        }
        Ok(())
    }

    fn print(&mut self, value: &Value, out: &mut String) -> Result<(), Failure> {
        let before = out.len();
        match value {
            Value::Missing | Value::Nil => out.push_str("<no value>"),
            Value::Text(text) => out.push_str(text),
            other => out.push_str(&plain(other)),
        }
        self.world.take(out.len() - before).map_err(|failure| self.bounded(failure))
    }

    fn choice(&mut self, dot: &Seen, branch: &'t Branch, out: &mut String) -> Result<(), Stop> {
        let seen = self.pipeline(dot, &branch.pipe)?;
        if seen.value.truth() {
            let dot = if branch.control == Control::With { &seen } else { dot };
            self.list(dot, &branch.list, out)
        } else if let Some(otherwise) = &branch.otherwise {
            self.list(dot, otherwise, out)
        } else {
            Ok(())
        }
    }

    fn range(&mut self, dot: &Seen, branch: &'t Branch, out: &mut String) -> Result<(), Stop> {
        let seen = self.pipeline(dot, &branch.pipe)?;
        let mut items: Box<dyn Iterator<Item = (Seen, Seen)>> = match &seen.value {
            Value::Int(n) | Value::Int64(n) => {
                if branch.pipe.declared.len() > 1 {
                    return Err(self.fail(&format!("can't use {n} to iterate over more than one variable")).into());
                }
                let whole = matches!(seen.value, Value::Int(_));
                let value = move |n| if whole { Value::Int(n) } else { Value::Int64(n) };
                Box::new((0..*n).map(move |n| (Seen::bare(Value::Missing), Seen::bare(value(n)))))
            }
            Value::List(list) => {
                let (list, boxed) = (list.clone(), list.boxes());
                Box::new((0..list.items.len()).map(move |index| {
                    let key = Seen::bare(Value::Int(i64::try_from(index).unwrap_or(i64::MAX)));
                    (key, Seen { value: list.items[index].clone(), boxed })
                }))
            }
            Value::Bytes(bytes) => {
                let bytes = bytes.clone();
                Box::new((0..bytes.len()).map(move |index| {
                    let key = Seen::bare(Value::Int(i64::try_from(index).unwrap_or(i64::MAX)));
                    (key, Seen::bare(Value::Int(i64::from(bytes[index]))))
                }))
            }
            Value::Map(map) => {
                let boxed = map.boxes();
                let entries: Vec<_> = map.entries.borrow().iter().map(|(k, v)| (k.clone(), v.clone())).collect();
                Box::new(entries.into_iter().map(move |(k, value)| (Seen::bare(Value::Text(k)), Seen { value, boxed })))
            }
            Value::Files(files) => {
                let files = files.clone();
                let keys: Vec<_> = files.0.keys().cloned().collect();
                Box::new(keys.into_iter().map(move |key| {
                    let bytes = files.0.get(&key).cloned().unwrap_or_else(|| Rc::from([]));
                    (Seen::bare(Value::text(key)), Seen::bare(Value::Bytes(bytes)))
                }))
            }
            Value::Missing | Value::Nil => Box::new(std::iter::empty()),
            other => {
                return Err(self.fail(&format!("range can't iterate over {}", plain(other))).into());
            }
        };
        let mark = self.vars.len();
        let mut ran = false;
        for (key, item) in items.by_ref() {
            ran = true;
            self.bind(branch, key, &item)?;
            let done = self.list(&item, &branch.list, out);
            self.vars.truncate(mark);
            match done {
                Ok(()) | Err(Stop::Continue) => {}
                Err(Stop::Break) => return Ok(()),
                Err(failed) => return Err(failed),
            }
            self.world.step(1).map_err(|failure| self.bounded(failure))?;
        }
        match &branch.otherwise {
            Some(otherwise) if !ran => self.list(dot, otherwise, out),
            _ => Ok(()),
        }
    }

    /// Gives the variables of a loop their values.
    fn bind(&mut self, branch: &Branch, key: Seen, item: &Seen) -> Result<(), Failure> {
        let declared = &branch.pipe.declared;
        let pairs = match declared.as_slice() {
            [] => return Ok(()),
            [one] => vec![(one, item.clone())],
            [one, two, ..] => vec![(one, key), (two, item.clone())],
        };
        for (name, seen) in pairs {
            self.assign(name, seen)?;
        }
        Ok(())
    }

    fn assign(&mut self, name: &Rc<str>, seen: Seen) -> Result<(), Failure> {
        match self.vars.iter_mut().rev().find(|(known, _)| known == name) {
            Some((_, held)) => *held = seen,
            None => return Err(self.fail(&format!("undefined variable: {name}"))),
        }
        Ok(())
    }

    fn template(&mut self, dot: &Seen, name: &str, pipe: Option<&'t Pipe>, out: &mut String) -> Result<(), Stop> {
        let Some(tree) = self.set.get(name) else {
            return Err(self.fail(&format!("template {} not defined", quote(name))).into());
        };
        let dot = match pipe {
            Some(pipe) => self.pipeline(dot, pipe)?,
            None => Seen::bare(Value::Missing),
        };
        let set = self.set.clone();
        run(self.world, &set, &tree, dot, out).map_err(|failure| Stop::Fail(self.bounded(failure)))
    }

    /// The value of a pipeline. Variables that it declares stay until the end of what holds it.
    pub(super) fn pipeline(&mut self, dot: &Seen, pipe: &'t Pipe) -> Result<Seen, Failure> {
        self.at = At::Pipe(pipe);
        self.world.step(1).map_err(|failure| self.bounded(failure))?;
        self.world.enter().map_err(|failure| self.bounded(failure))?;
        let mut last: Option<Seen> = None;
        for command in &pipe.commands {
            let seen = self.command(dot, command, last.take())?;
            let seen = if seen.boxed || matches!(seen.value, Value::Nil) { seen.unboxed() } else { seen };
            last = Some(seen);
        }
        self.world.leave();
        let seen = last.unwrap_or_else(|| Seen::bare(Value::Missing));
        for name in &pipe.declared {
            if pipe.assigns {
                self.assign(name, seen.clone())?;
            } else {
                self.vars.push((name.clone(), seen.clone()));
            }
        }
        Ok(seen)
    }

    fn command(&mut self, dot: &Seen, command: &'t Command, last: Option<Seen>) -> Result<Seen, Failure> {
        let first = &command.args[0];
        match &first.term {
            Term::Field(names) => {
                self.at = At::Expr(first);
                self.chain(dot, dot.clone(), first, names, &command.args[1..], last)
            }
            Term::Chain(inner, names) => {
                let receiver = self.chain_receiver(dot, first, inner)?;
                self.chain(dot, receiver, first, names, &command.args[1..], last)
            }
            Term::Function(name) => {
                self.at = At::Expr(first);
                self.function(dot, name, At::Command(command), &command.args[1..], last)
            }
            Term::Pipe(pipe) => {
                self.no_arguments(command, last.as_ref())?;
                self.pipeline(dot, pipe)
            }
            Term::Variable(names) => {
                self.at = At::Expr(first);
                let value = self.variable(&names[0])?;
                if names.len() == 1 {
                    self.no_arguments(command, last.as_ref())?;
                    return Ok(value);
                }
                self.chain(dot, value, first, &names[1..], &command.args[1..], last)
            }
            term => {
                self.at = At::Expr(first);
                self.no_arguments(command, last.as_ref())?;
                match term {
                    Term::Dot => Ok(dot.clone()),
                    Term::Nil => Err(self.fail("nil is not a command")),
                    _ => Ok(Seen::bare(constant(term).unwrap_or(Value::Missing))),
                }
            }
        }
    }

    fn no_arguments(&self, command: &Command, last: Option<&Seen>) -> Result<(), Failure> {
        if command.args.len() > 1 || last.is_some() {
            return Err(self.fail(&format!("can't give argument to non-function {}", command.args[0])));
        }
        Ok(())
    }

    pub(super) fn variable(&self, name: &str) -> Result<Seen, Failure> {
        match self.vars.iter().rev().find(|(known, _)| &**known == name) {
            Some((_, seen)) => Ok(seen.clone()),
            None => Err(self.fail(&format!("undefined variable: {name}"))),
        }
    }

    /// What the fields of a chain are looked up in.
    pub(super) fn chain_receiver(&mut self, dot: &Seen, chain: &'t Expr, inner: &'t Expr) -> Result<Seen, Failure> {
        self.at = At::Expr(chain);
        if matches!(inner.term, Term::Nil) {
            return Err(self.fail(&format!("indirection through explicit nil in {chain}")));
        }
        self.operand(dot, inner)
    }

    /// An argument whose type is of no concern.
    pub(super) fn operand(&mut self, dot: &Seen, expr: &'t Expr) -> Result<Seen, Failure> {
        self.at = At::Expr(expr);
        match &expr.term {
            Term::Dot => Ok(dot.clone()),
            Term::Nil => Ok(Seen::bare(Value::Nil)),
            Term::Field(names) => self.chain(dot, dot.clone(), expr, names, &[], None),
            Term::Variable(names) => {
                let value = self.variable(&names[0])?;
                if names.len() == 1 {
                    return Ok(value);
                }
                self.chain(dot, value, expr, &names[1..], &[], None)
            }
            Term::Pipe(pipe) => self.pipeline(dot, pipe),
            Term::Function(name) => self.function(dot, name, At::Expr(expr), &[], None),
            Term::Chain(inner, names) => {
                let receiver = self.chain_receiver(dot, expr, inner)?;
                self.chain(dot, receiver, expr, names, &[], None)
            }
            term => Ok(Seen::bare(constant(term).unwrap_or(Value::Missing))),
        }
    }

    /// Runs another template for a function; errors inside keep their own place.
    pub(super) fn nested(&self, set: &Rc<Set>, name: &str, data: Value) -> Result<String, Failure> {
        let mut out = String::new();
        execute(self.world, set, name, data, &mut out)?;
        Ok(out)
    }
}

/// The value of a literal.
pub(super) fn constant(term: &Term) -> Option<Value> {
    match term {
        Term::Bool(truth) => Some(Value::Bool(*truth)),
        Term::Number(number) => Some(ideal(number)),
        Term::Text { text, .. } => Some(Value::Text(text.clone())),
        _ => None,
    }
}

/// A number whose type its spelling decides.
fn ideal(number: &Number) -> Value {
    let hexadecimal = number.text.trim_start_matches(['+', '-']).to_ascii_lowercase().starts_with("0x");
    let spelt_float = !hexadecimal && !number.is_char && number.text.contains(['.', 'e', 'E', 'p', 'P']);
    match number.int {
        Some(whole) if !spelt_float => Value::Int(whole),
        _ => Value::Float(number.float),
    }
}
