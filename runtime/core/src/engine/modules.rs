//! The texts a run consists of: the script and the modules it imports, compiled once and found again by name.
//!
//! Does not know what they do.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use rhai::{
    AST, EvalAltResult, Expr, FnNamespace, GlobalRuntimeState, Module, ModuleResolver, Position, Scope, Shared, Stmt,
};

use super::compile::Compiler;
use super::declare::none_in_module;
use super::declared::{DeclaredCheck, checks};
use super::library::{self, Found, Home, Library};
use super::namesake::Functions;
use super::run::Run;
use super::scan::Scan;
use super::trouble::{Error, place, raise};
use super::words::Names;
use crate::fault::{Code, Fault};
use crate::primitive::Primitive;

/// The texts of one runbook.
#[derive(Default)]
pub(super) struct Modules {
    library: Library,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// By the name that places in faults carry.
    texts: HashMap<String, Text>,
    /// By what identifies a module.
    compiled: HashMap<String, Arc<Compiled>>,
}

struct Text {
    content: String,
    home: Home,
    scan: Arc<Scan>,
}

/// A compiled script or module.
pub(super) struct Compiled {
    pub(super) name: String,
    pub(super) ast: AST,
    functions: Functions,
}

impl Modules {
    pub(super) fn new(library: Library) -> Self {
        Self { library, inner: Mutex::default() }
    }

    /// The text of a script or module, by the name that places carry.
    pub(super) fn text_of(&self, name: &str) -> Option<String> {
        self.lock().texts.get(name).map(|text| text.content.clone())
    }

    /// Names that hints about a place in this script or module may suggest.
    pub(super) fn names<'a>(&self, name: &str, primitives: &'a [&'static Primitive]) -> Names<'a> {
        Names { primitives, scan: self.lock().texts.get(name).map(|text| text.scan.clone()) }
    }

    /// The checks of every text, each id once as often as it is declared.
    pub(super) fn checks(&self) -> Vec<DeclaredCheck> {
        self.lock().compiled.values().flat_map(|compiled| checks(&compiled.ast)).collect()
    }

    /// Compiles the script itself and everything it imports by a literal path.
    ///
    /// Faults: `RB010` where one of them cannot be read or two have functions that Rhai would mix up, `RB012` where one is not found or they import one another.
    pub(super) fn load(&self, compiler: &Compiler, main: Found) -> Result<Arc<Compiled>, Fault> {
        self.load_with(compiler, main, &mut Vec::new())
    }

    fn load_with(
        &self,
        compiler: &Compiler,
        found: Found,
        path: &mut Vec<(String, String)>,
    ) -> Result<Arc<Compiled>, Fault> {
        let home = found.home.clone();
        path.push((found.key.clone(), found.name.clone()));
        let script = self.compile(compiler, found)?;
        for (import, position) in imports(&script.ast) {
            let located = |mut fault: Fault| {
                fault.stack.extend(place(&script.name, position));
                fault
            };
            let next = self.library.find(&import, &home).map_err(located)?;
            if path.iter().any(|(key, _)| *key == next.key) {
                let chain: Vec<&str> = path.iter().map(|(_, name)| name.as_str()).chain([next.name.as_str()]).collect();
                let fault = Fault::new(Code::Import, format!("modules import one another: {}", chain.join(" → ")));
                return Err(located(fault.hint("move what both need into a third module")));
            }
            if self.lock().compiled.contains_key(&next.key) {
                continue;
            }
            let module = self.load_with(compiler, next, path)?;
            none_in_module(&module.ast, &module.name)?;
        }
        path.pop();
        Ok(script)
    }

    fn compile(&self, compiler: &Compiler, found: Found) -> Result<Arc<Compiled>, Fault> {
        if let Some(compiled) = self.lock().compiled.get(&found.key) {
            return Ok(compiled.clone());
        }
        let name = self.name_for(&found);
        let scan = Arc::new(compiler.scan(&found.text));
        let text = Text { content: found.text.clone(), home: found.home.clone(), scan: scan.clone() };
        self.lock().texts.insert(name.clone(), text);
        let ast = compiler.compile(&name, &found.text, &scan)?;
        let script = Arc::new(Compiled { functions: Functions::of(&ast), name, ast });
        let mut inner = self.lock();
        let mut others: Vec<_> = inner.compiled.values().collect();
        others.sort_by(|a, b| a.name.cmp(&b.name));
        let mixed = |other: &Arc<Compiled>| script.functions.against(&script.name, &other.functions, &other.name);
        if let Some(fault) = others.into_iter().find_map(mixed) {
            return Err(fault);
        }
        inner.compiled.insert(found.key, script.clone());
        Ok(script)
    }

    /// The name a person knows it by; the whole path where another one has that name already.
    fn name_for(&self, found: &Found) -> String {
        if self.lock().texts.contains_key(&found.name) { found.key.clone() } else { found.name.clone() }
    }

    fn home_of(&self, name: &str) -> Home {
        self.lock().texts.get(name).map_or(Home::Nowhere, |text| text.home.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("no thread panics while it holds this lock")
    }
}

/// What a script imports by a literal path, with the places.
fn imports(ast: &AST) -> Vec<(String, Position)> {
    let mut found = Vec::new();
    ast.walk(&mut |path| {
        if let Some(rhai::ASTNode::Stmt(Stmt::Import(import, position))) = path.last()
            && let Expr::StringConstant(name, _) = &import.0
        {
            found.push((name.to_string(), *position));
        }
        true
    });
    found
}

/// Evaluates modules when a script imports them: each once per run.
pub(super) struct Resolver {
    compiler: Compiler,
    modules: Arc<Modules>,
    evaluated: Mutex<HashMap<String, Shared<Module>>>,
    evaluating: Mutex<Vec<(std::thread::ThreadId, String)>>,
}

impl Resolver {
    pub(super) fn new(compiler: Compiler, modules: Arc<Modules>) -> Self {
        Self { compiler, modules, evaluated: Mutex::default(), evaluating: Mutex::default() }
    }

    fn evaluate(
        &self,
        engine: &rhai::Engine,
        global: &mut GlobalRuntimeState,
        key: String,
        compiled: &Compiled,
    ) -> Result<Shared<Module>, Error> {
        let mut module = Module::eval_ast_as_new_raw(engine, &mut Scope::new(), global, &compiled.ast)?;
        publish_closures(&mut module, &compiled.ast);
        let module = Shared::new(module);
        let mut evaluated = self.evaluated.lock().expect("no thread panics while it holds this lock");
        Ok(evaluated.entry(key).or_insert(module).clone())
    }
}

/// Lets closures that a module hands out be called where it is imported: Rhai looks them up by name.
fn publish_closures(module: &mut Module, ast: &AST) {
    for function in ast.iter_fn_def().filter(|function| function.name.starts_with("anon$")) {
        // The hash is made of name and arity alone, so a scratch module gives the same one.
        let hash = Module::new().set_script_fn(function.clone());
        #[expect(
            deprecated,
            reason = "closures are compiled by Rhai: there is no registration to state this in; the version is pinned"
        )]
        module.update_fn_namespace(hash, FnNamespace::Global);
    }
    module.build_index();
}

impl ModuleResolver for Resolver {
    fn resolve(
        &self,
        _: &rhai::Engine,
        _: Option<&str>,
        path: &str,
        position: Position,
    ) -> Result<Shared<Module>, Error> {
        // Imports of scripts arrive at `resolve_raw`.
        Err(EvalAltResult::ErrorModuleNotFound(path.to_owned(), position).into())
    }

    fn resolve_raw(
        &self,
        engine: &rhai::Engine,
        global: &mut GlobalRuntimeState,
        _scope: &mut Scope<'_>,
        path: &str,
        position: Position,
    ) -> Result<Shared<Module>, Error> {
        let run = Run::of(Some(&global.tag));
        let source = global.source().unwrap_or_default().to_owned();
        let fail = |fault: Fault| raise(&run, fault, &source, position);
        let by_person = run.session.world.files.named.iter().find(|file| file.as_os_str() == path);
        let found = match by_person {
            Some(file) => library::named(file),
            None => self.modules.library.find(path, &self.modules.home_of(&source)),
        };
        let found = found.map_err(fail)?;
        let key = found.key.clone();
        if let Some(module) = self.evaluated.lock().expect("no thread panics while it holds this lock").get(&key) {
            return Ok(module.clone());
        }
        let compiled = self.modules.compile(&self.compiler, found).map_err(fail)?;
        let here = (std::thread::current().id(), key.clone());
        let evaluating = || self.evaluating.lock().expect("no thread panics while it holds this lock");
        if evaluating().contains(&here) {
            return Err(fail(Fault::new(
                Code::Import,
                format!("modules import one another: `{path}` is not finished yet"),
            )));
        }
        evaluating().push(here.clone());
        let module = self.evaluate(engine, global, key, &compiled);
        evaluating().retain(|entry| *entry != here);
        module.map_err(|error| EvalAltResult::ErrorInModule(compiled.name.clone(), error, position).into())
    }
}
