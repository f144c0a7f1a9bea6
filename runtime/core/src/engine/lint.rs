//! What can be seen to be wrong without running: calls that no function answers to, text that looks interpolated and is not.
//!
//! Looks at calls by name only; what an object's method is can be known at run time alone.

use std::collections::HashSet;
use std::sync::Arc;

use rhai::{AST, ASTNode, Expr, FnCallExpr, Position, Stmt};

use super::compile::{Compiler, standard_names};
use super::scan::Scan;
use super::trouble::place;
use super::words::{Names, no_function, no_namespace, wrong_arity};
use crate::fault::{Code, Fault};

/// Names that Rhai's parser knows as functions.
const KEYWORDS: [&str; 9] =
    ["print", "debug", "type_of", "Fn", "call", "curry", "is_shared", "is_def_var", "is_def_fn"];

/// Looks at a script; the fault is the first in the order of the text, with the others as evidence.
pub(super) fn check(compiler: &Compiler, ast: &AST, name: &str, scan: &Arc<Scan>) -> Result<(), Fault> {
    let mut found: Vec<(Position, Fault)> = Vec::new();
    ast.walk(&mut |path| {
        let (call, position) = match path.last() {
            Some(ASTNode::Expr(Expr::FnCall(call, position)) | ASTNode::Stmt(Stmt::FnCall(call, position))) => {
                (call, *position)
            }
            Some(ASTNode::Expr(Expr::StringConstant(text, position))) => {
                found.extend(interpolated(text, scan).map(|fault| (*position, fault)));
                return true;
            }
            _ => return true,
        };
        found.extend(call_fault(compiler, ast, call, scan).map(|fault| (position, fault)));
        true
    });
    found.sort_by_key(|(position, _)| (position.line(), position.position()));
    let mut found = found.into_iter();
    let Some((position, mut fault)) = found.next() else { return Ok(()) };
    fault.code = Code::ScriptSyntax;
    fault.stack.extend(place(name, position));
    for (position, other) in found {
        fault.evidence.push(format!("line {}: {}", position.line().unwrap_or_default(), other.message));
    }
    Err(fault)
}

/// `"${x}"` where `x` is a name of the script: a back-tick was meant.
fn interpolated(text: &str, scan: &Scan) -> Option<Fault> {
    let mut names = text.split("${").skip(1).filter_map(|rest| rest.split_once('}')).map(|(inner, _)| inner.trim());
    let name = names.find(|inner| scan.declared.contains(root(inner)))?;
    let fault = Fault::new(Code::ScriptSyntax, format!("`${{{name}}}` stays as it is in a string with double quotes"));
    Some(fault.hint("only text in back-ticks is filled in: `like ${this}`"))
}

fn root(expression: &str) -> &str {
    expression.split(['.', '[', '(', '?', ' ']).next().unwrap_or_default()
}

fn call_fault(compiler: &Compiler, ast: &AST, call: &FnCallExpr, scan: &Arc<Scan>) -> Option<Fault> {
    if call.is_operator_call() {
        return None;
    }
    let vocabulary = &compiler.shared;
    let names = Names { primitives: &vocabulary.primitives, scan: Some(scan.clone()) };
    if call.is_qualified() {
        let namespace = call.namespace.path.iter().map(rhai::Ident::as_str).collect::<Vec<_>>().join("::");
        if !vocabulary.namespaces.contains_key(&namespace) {
            // Rhai's parser sees to this everywhere but in closures.
            let known = namespace == "global" || imported(ast).contains(call.namespace.root());
            return (!known).then(|| no_namespace(&namespace, &names));
        }
        if namespace == "param" {
            return None;
        }
        let name = format!("{namespace}::{}", call.name);
        return primitive_fault(&name, call, &names);
    }
    let name = call.name.as_str();
    if let Some(fault) = forbidden(name) {
        return Some(fault);
    }
    let arities: Vec<usize> = ast.iter_fn_def().filter(|f| f.name == call.name).map(|f| f.params.len()).collect();
    if arities.contains(&call.args.len()) || KEYWORDS.contains(&name) || builtin(compiler).contains(name) {
        return None;
    }
    if let Some(wanted) = arities.first() {
        let fault =
            Fault::new(Code::ScriptSyntax, format!("`{name}` is called with {}, it takes {wanted}", call.args.len()));
        return Some(fault);
    }
    primitive_fault(name, call, &names)
}

/// The names under which a script imports modules.
fn imported(ast: &AST) -> HashSet<String> {
    let mut aliases = HashSet::new();
    ast.walk(&mut |path| {
        if let Some(ASTNode::Stmt(Stmt::Import(import, _))) = path.last() {
            aliases.insert(import.1.name.to_string());
        }
        true
    });
    aliases
}

fn unknown(signature: &str, names: &Names<'_>) -> Fault {
    let mut fault = no_function(signature, names);
    if let Some((message, _)) = fault.message.split_once(" for (") {
        fault.message = message.to_owned();
    }
    fault
}

/// What is wrong with the call of a primitive, or of what should be one.
fn primitive_fault(name: &str, call: &FnCallExpr, names: &Names<'_>) -> Option<Fault> {
    let Some(primitive) = names.primitives.iter().find(|primitive| primitive.name == name) else {
        return Some(unknown(&format!("{name} ({})", vec!["?"; call.args.len()].join(", ")), names));
    };
    let positional = primitive.positional();
    let fits = (positional..=positional + 1).contains(&call.args.len());
    (!fits).then(|| wrong_arity(primitive, call.args.len()))
}

fn forbidden(name: &str) -> Option<Fault> {
    let hint = match name {
        "exit" => "`return` ends a script or function, `throw` ends it with a fault",
        "sleep" => "waiting is `wait::pause(\"30s\")`",
        "timestamp" => "the time is `time::now()`",
        "eval" => "scripts cannot run text as code",
        _ => return None,
    };
    Some(Fault::new(Code::ScriptSyntax, format!("`{name}` cannot be used in a runbook")).hint(hint))
}

/// Names of the functions that Rhai itself brings.
fn builtin(compiler: &Compiler) -> &HashSet<String> {
    compiler.shared.builtin.get_or_init(standard_names)
}
