//! From text to something that can be run: Rhai's parser with our language around it, and its complaints as faults.
//!
//! Does not know what a script is for.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, OnceLock};

use rhai::packages::Package as _;
use rhai::packages::{
    ArithmeticPackage, BasicArrayPackage, BasicFnPackage, BasicIteratorPackage, BasicMapPackage, BasicMathPackage,
    BasicStringPackage, LanguageCorePackage, LogicPackage, MoreStringPackage,
};
use rhai::{AST, Module, OptimizationLevel, Position, Scope, Shared, Token};

use super::scan::Scan;
use super::trouble::place;
use super::words::{Names, of_syntax};
use super::{Limits, lint, step};
use crate::fault::Fault;
use crate::primitive::Primitive;

/// What every engine for a script shares. Cheap to clone.
#[derive(Clone)]
pub(super) struct Compiler {
    pub(super) shared: Arc<Vocabulary>,
}

/// The functions scripts may call, built once.
pub(super) struct Vocabulary {
    pub(super) primitives: Arc<[&'static Primitive]>,
    pub(super) standard: Shared<Module>,
    pub(super) global: Shared<Module>,
    pub(super) namespaces: BTreeMap<String, Shared<Module>>,
    pub(super) limits: Limits,
    pub(super) builtin: OnceLock<HashSet<String>>,
}

/// What Rhai itself brings: no clock, no bytes, no debugging.
pub(super) fn standard() -> Shared<Module> {
    let mut module = packages();
    module.build_index();
    Shared::new(module)
}

/// The names of the functions that Rhai brings. Costs more than having the functions, so it is asked for only where needed.
pub(super) fn standard_names() -> HashSet<String> {
    let module = packages();
    let signatures = module.gen_fn_signatures_with_mapper(std::borrow::Cow::Borrowed);
    signatures.filter_map(|signature| signature.split('(').next().map(|name| name.trim().to_owned())).collect()
}

fn packages() -> Module {
    let mut module = Module::new();
    LanguageCorePackage::init(&mut module);
    ArithmeticPackage::init(&mut module);
    BasicStringPackage::init(&mut module);
    BasicIteratorPackage::init(&mut module);
    BasicFnPackage::init(&mut module);
    LogicPackage::init(&mut module);
    BasicMathPackage::init(&mut module);
    BasicArrayPackage::init(&mut module);
    BasicMapPackage::init(&mut module);
    MoreStringPackage::init(&mut module);
    // Left as they are, functions are looked for one by one, by each closure anew: an eighth of a run with many objects.
    module.register_lazy_functions();
    module
}

impl Compiler {
    /// An engine for our language. Building one costs microseconds: the functions are shared.
    pub(super) fn engine(&self) -> rhai::Engine {
        let mut engine = rhai::Engine::new_raw();
        engine.register_global_module(self.shared.standard.clone());
        engine.register_global_module(self.shared.global.clone());
        for (name, module) in &self.shared.namespaces {
            engine.register_static_module(name, module.clone());
        }
        // The optimiser changes what scripts mean: it drops statements, and shows constants to functions by accident.
        engine.set_optimization_level(OptimizationLevel::None);
        engine.set_strict_variables(true);
        engine.disable_symbol("eval");
        step::register(&mut engine);
        self.shared.limits.set(&mut engine);
        engine
    }

    pub(super) fn scan(&self, text: &str) -> Scan {
        Scan::of(&self.engine(), text)
    }

    /// Compiles a script or module and looks for what can be seen to be wrong without running it.
    ///
    /// Faults: `RB010` and others with the place.
    pub(super) fn compile(&self, name: &str, text: &str, scan: &Arc<Scan>) -> Result<AST, Fault> {
        let mut engine = self.engine();
        let keywords = scan.clone();
        #[expect(deprecated, reason = "the only way to keep `step` an ordinary name elsewhere; the version is pinned")]
        engine.on_parse_token(move |token, position, _| match token {
            Token::Identifier(name) if name.as_str() == "step" && keywords.steps.contains(&position) => {
                // Not `Token::Custom`: after an expression that would be taken for an operator.
                Token::Identifier(Box::new(step::KEY.into()))
            }
            other => other,
        });
        let mut scope = Scope::new();
        for constant in &scan.constants {
            // Names only: it lets strict mode accept constants inside functions, where `on_var` finds their values.
            scope.push_constant(constant.as_str(), ());
        }
        let mut ast = engine.compile_with_scope(&scope, text).map_err(|error| {
            let names = Names { primitives: &self.shared.primitives, scan: Some(scan.clone()) };
            let mut fault = of_syntax(error.err_type(), &names, before(text, error.position()));
            fault.stack.extend(place(name, or_end(error.position(), text)));
            fault
        })?;
        ast.set_source(name);
        lint::check(self, &ast, name, scan)?;
        Ok(ast)
    }
}

/// What stands before a place on its line.
fn before(text: &str, position: Position) -> &str {
    let Some(line) = position.line().and_then(|line| text.lines().nth(line - 1)) else { return "" };
    let column = position.position().unwrap_or(1).saturating_sub(1);
    let end = line.char_indices().nth(column).map_or(line.len(), |(index, _)| index);
    &line[..end]
}

fn or_end(position: Position, text: &str) -> Position {
    if !position.is_none() {
        return position;
    }
    let line = u16::try_from(text.lines().count().max(1)).unwrap_or(u16::MAX);
    Position::new(line, 1)
}
