//! A runbook that was read: what it says of itself, and running it.
//!
//! Does not know where its text came from, nor what mode it runs in.

use std::sync::Arc;

use rhai::{Dynamic, EvalContext, Scope};
use serde_json::{Map, Value};

use super::branch::Decided;
use super::compile::Compiler;
use super::declared::DeclaredCheck;
use super::header::Header;
use super::modules::{Compiled, Modules, Resolver};
use super::parameter::{Parameter, ParameterKind, resolve};
use super::run::{Run, Tag};
use super::trouble::{caught, fault_of};
use super::value::{to_dynamic, to_value};
use super::{on_own_thread, outline};
use crate::fault::Fault;
use crate::primitive::Outcome;
use crate::record::Planned;
use crate::session::Session;

/// A runbook that was read and can be run.
pub struct Runbook {
    pub(super) compiler: Compiler,
    pub(super) modules: Arc<Modules>,
    pub(super) script: Arc<Compiled>,
    pub(super) header: Header,
    pub(super) parameters: Vec<Parameter>,
    pub(super) digest: String,
}

impl Runbook {
    /// What it says of itself.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Its parameters, in the order in which they are declared.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// The steps that can be seen without running it, less those in branches that `parameters` rule out: `if strategy == "canary"` where
    /// the strategy is another. Without any parameter given none is ruled out. An id is the whole path, as in the records of a run; where a title is
    /// computed it holds placeholders such as `<name>`, and neither it nor its id are those of the run.
    pub fn steps(&self, parameters: &Map<String, Value>) -> Vec<Planned> {
        // A secret is not there in clear.
        let secret = |name: &str| self.parameters.iter().any(|p| p.name == name && p.kind == ParameterKind::Secret);
        let clear = parameters.iter().filter(|(name, _)| !secret(name));
        let clear = clear.map(|(name, value)| (name.clone(), value.clone())).collect();
        outline::steps(&self.script.ast, &Decided::by(&self.script.ast, &clear))
    }

    /// The checks that the script and the modules it imports may make, as far as they can be seen without running it.
    pub fn checks(&self) -> Vec<DeclaredCheck> {
        self.modules.checks()
    }

    /// SHA-256 of the script's own text.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The text of the script or of a module it imports, by the name that a place in a fault carries.
    pub fn text_of(&self, source: &str) -> Option<String> {
        self.modules.text_of(source)
    }

    /// Runs it to its end, on a thread of its own. The answer is the value of its last statement.
    ///
    /// `parameters` holds what was given; fallbacks are filled in. Faults: whatever ended it, with its places, secrets masked.
    pub fn run(&self, session: Arc<Session>, parameters: Map<String, Value>) -> Outcome {
        let parameters = resolve(&self.parameters, parameters)?;
        let secrets = self.parameters.iter().filter(|parameter| parameter.kind == ParameterKind::Secret);
        for text in secrets.filter_map(|parameter| parameters.get(&parameter.name)?.as_str()) {
            session.world.secrets.learn(text);
        }
        let run = Run::new(session, parameters, self.compiler.shared.primitives.clone(), self.modules.clone());
        let outcome = on_own_thread(|| self.evaluate(&run));
        run.session.forget_undos();
        outcome.map_err(|fault| masked(fault, &run.session))
    }

    fn evaluate(&self, run: &Arc<Run>) -> Outcome {
        let engine = self.live(run);
        let answer = engine.eval_ast_with_scope::<Dynamic>(&mut Scope::new(), &self.script.ast);
        let source = &self.script.name;
        let answer = answer.map_err(|error| run.merge(fault_of(&error, source, run)))?;
        if let Some(poison) = run.poisoned() {
            return Err(poison);
        }
        run.session.settle_checks("")?;
        // What a script ends with need not be a plain value: a closure is as good as nothing.
        Ok(to_value(&answer).unwrap_or(Value::Null))
    }

    /// An engine for one run.
    fn live(&self, run: &Arc<Run>) -> rhai::Engine {
        let mut engine = self.compiler.engine();
        let tag: Tag = Arc::downgrade(run);
        engine.set_default_tag(Dynamic::from(tag));
        engine.set_module_resolver(Resolver::new(self.compiler.clone(), self.modules.clone()));
        let stop = run.clone();
        engine.on_progress(move |_| stop.must_stop().then_some(Dynamic::UNIT));
        let print = run.clone();
        engine.on_print(move |text| print.log(text));
        let debug = run.clone();
        engine.on_debug(move |text, _, _| debug.log(text));
        #[expect(
            deprecated,
            reason = "the only way for functions to see constants of their file; the version is pinned"
        )]
        engine.on_var(|name, index, context| Ok(variable(name, index, context)));
        engine
    }
}

/// Finds what Rhai does not: constants of the file inside of functions. And turns what `catch` got for an error of Rhai's own
/// into a fault's map the first time it is looked at.
fn variable(name: &str, index: usize, mut context: EvalContext<'_, '_, '_, '_, '_, '_>) -> Option<Dynamic> {
    if let Some(value) = context.scope().get(name) {
        let run = || Run::of(Some(context.tag()));
        let source = context.source().unwrap_or_default();
        let fault = if value.is_map() { caught(value, &run(), source) } else { None };
        if let (Some(fault), Some(slot)) = (fault, context.scope_mut().get_mut(name)) {
            *slot = to_dynamic(fault.to_value());
        }
        return None;
    }
    if index > 0 {
        return None;
    }
    let constants = context.global_runtime_state().constants.clone()?;
    let table = rhai::locked_read(&constants)?;
    table.get(name).cloned()
}

fn masked(fault: Fault, session: &Session) -> Fault {
    let mut value = fault.to_value();
    session.world.secrets.mask_value(&mut value);
    Fault::from_value(&value).unwrap_or(fault)
}
