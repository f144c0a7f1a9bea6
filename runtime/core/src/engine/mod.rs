//! Runs a script: Rhai with our language around it.
//!
//! What is ours: `step`, parameters, imports confined to their roots, primitives as functions in namespaces, faults as maps
//! that `catch` gets, and Ctrl-C and limits that no script can catch.
//!
//! **Constants in functions.** Rhai's functions see nothing around them, and with the optimiser off (it changes what scripts
//! mean) not even constants. Here a `const` at the top level of a script or module is visible in its functions and closures:
//! the parser is told their names, and `on_var` finds their values in the table that Rhai keeps for `global::NAME`. A `let`
//! is not visible there; the fault for it says so.
//!
//! Not known here: which primitives there are, and what the session does with a call.

mod branch;
mod bridge;
mod callback;
mod compile;
mod declare;
mod declared;
mod header;
mod library;
mod lint;
mod modules;
mod namesake;
mod native;
mod outline;
mod parameter;
mod path;
mod run;
mod runbook;
mod scan;
mod step;
mod trouble;
mod value;
mod words;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use rhai::Shared;

pub use declared::DeclaredCheck;
pub use header::Header;
pub use library::Library;
pub use parameter::{Parameter, ParameterKind};
pub use runbook::Runbook;

use bridge::Functions;
use compile::{Compiler, Vocabulary};
use library::{Found, Home};
use modules::Modules;

use crate::fault::{Code, Fault};
use crate::primitive::Primitive;

/// Stack of a thread that runs a script: Rhai's evaluation is recursive, and hungry in debug builds.
const STACK: usize = 32 * 1024 * 1024;

/// A script as it was given.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its name as the person knows it, such as `ambient-upgrade.rhai`: places in faults carry it.
    pub name: String,
    /// Its text.
    pub text: String,
    /// The folder it stands in, where it came from a file: `./` imports are looked up there and never above.
    pub folder: Option<PathBuf>,
}

/// What a script may use up before it is stopped with `RB013`.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Operations of one run; a loop without end meets this.
    pub operations: u64,
    /// Functions calling one another.
    pub call_levels: usize,
    /// Expressions inside of one another.
    pub expression_depth: usize,
    /// Bytes of all texts in one value.
    pub text: usize,
    /// Items of all lists in one value.
    pub items: usize,
    /// Entries of all maps in one value.
    pub entries: usize,
    /// Imports carried out, each time one is met.
    pub modules: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            operations: 200_000_000,
            call_levels: 100,
            expression_depth: 256,
            text: 512 * 1024 * 1024,
            items: 20_000_000,
            entries: 50_000_000,
            modules: 100_000,
        }
    }
}

impl Limits {
    fn set(&self, engine: &mut rhai::Engine) {
        engine.set_max_operations(self.operations);
        engine.set_max_call_levels(self.call_levels);
        engine.set_max_expr_depths(self.expression_depth, self.expression_depth);
        engine.set_max_string_size(self.text);
        engine.set_max_array_size(self.items);
        engine.set_max_map_size(self.entries);
        engine.set_max_modules(self.modules);
    }
}

/// What scripts may call and import. Makes runbooks of their texts.
pub struct Engine {
    compiler: Compiler,
    library: Library,
}

impl Engine {
    /// An engine in which scripts may call these primitives and import these modules.
    pub fn new(primitives: Vec<&'static Primitive>, library: Library) -> Self {
        Self::with_limits(primitives, library, Limits::default())
    }

    /// The same with other limits.
    pub fn with_limits(primitives: Vec<&'static Primitive>, library: Library, limits: Limits) -> Self {
        let mut functions = Functions::default();
        for primitive in &primitives {
            functions.add_primitive(primitive);
        }
        declare::add(&mut functions);
        native::add(&mut functions);
        let indexed = |mut module: rhai::Module, name: &str| {
            // Without an id Rhai copies a module whenever an engine takes it in.
            module.set_id(name);
            module.build_index();
            Shared::new(module)
        };
        let vocabulary = Vocabulary {
            primitives: primitives.into(),
            standard: compile::standard(),
            global: indexed(functions.global, ""),
            namespaces: functions
                .namespaces
                .into_iter()
                .map(|(name, module)| (name.clone(), indexed(module, &name)))
                .collect(),
            limits,
            builtin: OnceLock::new(),
        };
        Self { compiler: Compiler { shared: Arc::new(vocabulary) }, library }
    }

    /// Reads a script and everything it imports by literal paths, without running any of it.
    ///
    /// Faults: `RB010` where something cannot be read or calls what does not exist, `RB012` for imports, `RB016` for
    /// parameters; each with its place.
    pub fn load(&self, source: Source) -> Result<Runbook, Fault> {
        // Parsing is recursive too.
        on_own_thread(|| self.load_here(source))
    }

    fn load_here(&self, source: Source) -> Result<Runbook, Fault> {
        let modules = Arc::new(Modules::new(self.library.clone()));
        let home = match source.folder {
            Some(folder) => Home::Disk { root: folder.clone(), folder },
            None => Home::Nowhere,
        };
        let header = Header::of(&source.text);
        let digest = crate::digest::of_bytes(source.text.as_bytes());
        let found = Found { key: "main".to_owned(), name: source.name, text: source.text, home };
        let script = modules.load(&self.compiler, found)?;
        let parameters = declare::declared(&script.ast, &script.name)?;
        Ok(Runbook { compiler: self.compiler.clone(), modules, script, header, parameters, digest })
    }
}

/// Runs something on a thread with a stack that is large enough for it.
fn on_own_thread<T: Send>(work: impl FnOnce() -> Result<T, Fault> + Send) -> Result<T, Fault> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("script".to_owned()).stack_size(STACK).spawn_scoped(scope, work);
        match thread.map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(panic)) => {
                let words = panic
                    .downcast_ref::<String>()
                    .map(String::as_str)
                    .or_else(|| panic.downcast_ref::<&str>().copied());
                Err(Fault::new(Code::Internal, format!("a defect in runbook itself: {}", words.unwrap_or("no words"))))
            }
            Err(error) => Err(Fault::new(Code::Internal, format!("no thread for the script: {error}"))),
        }
    })
}
