//! Parameters as a script declares them: literal `param::*` calls at the top, read without running; and what such a call
//! answers when the script runs.
//!
//! Does not know what a parameter's type means: [`super::parameter`] does.

use std::sync::Arc;

use rhai::{AST, ASTNode, Dynamic, Expr, FnCallExpr, NativeCallContext, Position, Stmt};
use serde_json::Value;

use super::bridge::{Functions, fail};
use super::parameter::{Parameter, ParameterKind};
use super::run::Run;
use super::trouble::{Error, place};
use super::value::{to_dynamic, to_value};
use crate::fault::{Code, Fault, Place};
use crate::param::nearest;

/// The parameters that a script declares, in order.
///
/// Faults: `RB016` where one is not literal, not at the top level, or declared twice.
pub(super) fn declared(ast: &AST, source: &str) -> Result<Vec<Parameter>, Fault> {
    let mut found: Vec<Parameter> = Vec::new();
    let mut wrong: Option<Fault> = None;
    each_call(ast, &mut |call, position, top_level| {
        let place = place(source, position).unwrap_or(Place { source: source.to_owned(), line: 1, column: 0 });
        let outcome = if top_level { read(call, place.clone()) } else { Err(misplaced(call)) };
        let twice = |parameter: &Parameter| found.iter().any(|other| other.name == parameter.name);
        let outcome = match outcome {
            Ok(parameter) if twice(&parameter) => {
                Err(Fault::new(Code::Parameter, format!("parameter `{}` is declared twice", parameter.name)))
            }
            other => other,
        };
        match outcome {
            Ok(parameter) => found.push(parameter),
            Err(mut fault) => {
                if fault.stack.is_empty() {
                    fault.stack.push(place);
                }
                wrong.get_or_insert(fault);
            }
        }
    });
    wrong.map_or(Ok(found), Err)
}

/// The fault for a module that declares parameters, where it does.
pub(super) fn none_in_module(ast: &AST, source: &str) -> Result<(), Fault> {
    let mut wrong = None;
    each_call(ast, &mut |_, position, _| {
        let mut fault = Fault::new(Code::Parameter, "a module cannot declare parameters")
            .hint("declare it in the runbook and pass it on");
        fault.stack.extend(place(source, position));
        wrong.get_or_insert(fault);
    });
    wrong.map_or(Ok(()), Err)
}

/// Gives every `param::*` call, and whether it stands at the top level; those of the top level in the order of the text.
fn each_call(ast: &AST, see: &mut dyn FnMut(&FnCallExpr, Position, bool)) {
    ast.walk(&mut |path: &[ASTNode<'_>]| {
        if let Some((call, position)) = param_call(path.last()) {
            // The walk goes on into functions after the statements of the script.
            let of_script =
                matches!(path[0], ASTNode::Stmt(root) if ast.statements().iter().any(|own| std::ptr::eq(own, root)));
            see(call, position, of_script && !path[..path.len() - 1].iter().any(is_block));
        }
        true
    });
}

fn param_call<'a>(node: Option<&ASTNode<'a>>) -> Option<(&'a FnCallExpr, Position)> {
    match node? {
        ASTNode::Expr(Expr::FnCall(call, position)) | ASTNode::Stmt(Stmt::FnCall(call, position)) => {
            (call.is_qualified() && call.namespace.root() == "param").then_some((&**call, *position))
        }
        _ => None,
    }
}

fn is_block(node: &ASTNode<'_>) -> bool {
    !matches!(node, ASTNode::Stmt(Stmt::Var(..) | Stmt::Expr(_) | Stmt::FnCall(..)))
        && matches!(node, ASTNode::Stmt(_) | ASTNode::Expr(Expr::Stmt(_) | Expr::Custom(..)))
}

fn misplaced(call: &FnCallExpr) -> Fault {
    Fault::new(Code::Parameter, format!("`param::{}` stands inside of a block or function", call.name))
        .hint("parameters are declared at the top level of the runbook, so that they can be read without running it")
}

fn read(call: &FnCallExpr, place: Place) -> Result<Parameter, Fault> {
    let kind = ParameterKind::ALL.into_iter().find(|kind| kind.word() == call.name.as_str());
    let kind = kind.ok_or_else(|| unknown_kind(&call.name))?;
    let wrong = |reason: &str| {
        Fault::new(Code::Parameter, format!("`param::{}` is declared wrongly: {reason}", kind.word())).hint(usage(kind))
    };
    let values: Vec<Value> =
        call.args.iter().map(|arg| literal(arg).ok_or_else(|| not_literal(kind))).collect::<Result<_, _>>()?;
    let texts = usize::from(kind == ParameterKind::Choice) + 2;
    if values.len() < texts || values.len() > texts + 1 {
        return Err(wrong(&format!("it has {} arguments", values.len())));
    }
    let (Value::String(name), Value::String(help)) = (&values[0], &values[1]) else {
        return Err(wrong("its name and its help are strings"));
    };
    if !is_name(name) {
        return Err(wrong(&format!("`{name}` is no name: lower case letters, digits, `-` and `_`")));
    }
    let choices = if kind == ParameterKind::Choice {
        texts_of(&values[2]).ok_or_else(|| wrong("its choices are a list of strings"))?
    } else {
        Vec::new()
    };
    let mut parameter = Parameter { name: name.clone(), help: help.clone(), kind, fallback: None, choices, place };
    if let Some(options) = values.get(texts) {
        let Value::Object(options) = options else { return Err(wrong("its options are a map")) };
        if let Some(unknown) = options.keys().find(|key| key.as_str() != "fallback") {
            let near = nearest(unknown, ["fallback"])
                .map_or("it has `fallback`".to_owned(), |near| format!("did you mean `{near}`?"));
            return Err(
                Fault::new(Code::Parameter, format!("`param::{}` has no option `{unknown}`", kind.word())).hint(near)
            );
        }
        parameter.fallback = options.get("fallback").map(|fallback| fallback_of(&parameter, fallback)).transpose()?;
    }
    Ok(parameter)
}

fn fallback_of(parameter: &Parameter, fallback: &Value) -> Result<Value, Fault> {
    if fallback.is_null() {
        return Ok(Value::Null);
    }
    parameter.accept(fallback).map_err(|mut fault| {
        fault.message = format!("the fallback does not fit: {}", fault.message);
        fault
    })
}

fn literal(expression: &Expr) -> Option<Value> {
    to_value(&expression.get_literal_value(None)?).ok()
}

fn texts_of(value: &Value) -> Option<Vec<String>> {
    let items = value.as_array().filter(|items| !items.is_empty())?;
    items.iter().map(|item| item.as_str().map(str::to_owned)).collect()
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_'))
}

fn not_literal(kind: ParameterKind) -> Fault {
    Fault::new(Code::Parameter, format!("`param::{}` is not literal", kind.word()))
        .hint("declarations are read without running the runbook: write its arguments out, without variables or calls")
}

fn usage(kind: ParameterKind) -> String {
    let choices = if kind == ParameterKind::Choice { "[\"a\", \"b\"], " } else { "" };
    format!("`param::{}(\"name\", \"what it means\", {choices}#{{ fallback: ... }})`", kind.word())
}

fn unknown_kind(name: &str) -> Fault {
    let fault = Fault::new(Code::Parameter, format!("there is no `param::{name}`"));
    match nearest(name, ParameterKind::ALL.map(ParameterKind::word)) {
        Some(near) => fault.hint(format!("did you mean `param::{near}`?")),
        None => fault.hint(format!("there are {}", ParameterKind::ALL.map(ParameterKind::word).join(", "))),
    }
}

/// Adds what `param::*` calls answer at run time: the value of the declared parameter.
pub(super) fn add(functions: &mut Functions) {
    for kind in ParameterKind::ALL {
        let name = format!("param::{}", kind.word());
        for arity in 2..=4 {
            functions.add(&name, arity, &(Arc::new(answer) as Arc<_>));
        }
    }
}

fn answer(context: &NativeCallContext<'_>, args: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    let run = Run::of(context.tag());
    let name = args[0].as_immutable_string_ref().map(|name| name.to_string()).unwrap_or_default();
    match run.parameters.get(&name) {
        Some(value) => Ok(to_dynamic(value.clone())),
        None => Err(fail(&run, Fault::new(Code::Parameter, format!("parameter `{name}` is not declared")), context)),
    }
}
