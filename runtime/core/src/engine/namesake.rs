//! Functions of one name in two texts of a run, where Rhai would call one text's in place of the other's.
//!
//! Rhai 1.27 looks a name up through all texts that are calling one another at the moment, and `call_script_fn` keeps the answers that
//! its caller got (`func/script.rs`). A text's own function is therefore taken for the one of the same name and number of arguments in
//! another text, a method of Rhai's included: `fn some(x)` in a script answers `list.some(..)` in a module. What is called as `module::name`
//! is never mixed up. Does not know which of two texts is right: both are named.

use std::collections::BTreeMap;

use rhai::{AST, ASTNode, Expr, FnCallExpr, Position, Stmt};

use super::trouble::place;
use super::words::arguments_word;
use crate::fault::{Code, Fault};

/// A name with how many arguments it takes.
type Signature = (String, usize);

/// The functions that a text has, and what it calls without naming a module, each with its first place.
#[derive(Debug)]
pub(super) struct Functions {
    defined: BTreeMap<Signature, Position>,
    called: BTreeMap<Signature, Position>,
}

impl Functions {
    pub(super) fn of(ast: &AST) -> Self {
        let mut called = BTreeMap::new();
        ast.walk(&mut |path| {
            if let Some((call, position)) = path.last().and_then(unqualified) {
                called.entry((call.name.to_string(), call.args.len())).or_insert(position);
            }
            true
        });
        // A closure has a name made of its own text, so that two of one name are the same.
        let own = ast.iter_fn_def().filter(|function| !function.name.contains('$'));
        let defined = own
            .map(|function| ((function.name.to_string(), function.params.len()), function.body.start_position()))
            .collect();
        Self { defined, called }
    }

    /// The first name of this text and another that Rhai would mix up, as a fault at its place in the text named `own`.
    pub(super) fn against(&self, own: &str, other: &Self, others: &str) -> Option<Fault> {
        let both = self.defined.iter().find_map(|(signature, at)| {
            let there = other.defined.get(signature)?;
            let mixed = self.called.contains_key(signature) && other.called.contains_key(signature);
            mixed.then(|| {
                fault(
                    signature,
                    (own, *at),
                    (others, *there),
                    "has one of that name too, and both call theirs without naming a module",
                )
            })
        });
        both.or_else(|| self.taken_for(own, other, others)).or_else(|| other.taken_for(others, self, own))
    }

    /// A function of this text that another text would get where it means Rhai's or ours.
    fn taken_for(&self, own: &str, other: &Self, others: &str) -> Option<Fault> {
        let (signature, at) = self
            .defined
            .iter()
            .find(|(signature, _)| other.called.contains_key(*signature) && !other.defined.contains_key(*signature))?;
        Some(fault(
            signature,
            (own, *at),
            (others, other.called[signature]),
            "calls what the language itself has under that name",
        ))
    }
}

fn fault(signature: &Signature, own: (&str, Position), other: (&str, Position), why: &str) -> Fault {
    let (name, count) = signature;
    let there = format!("{}:{}", other.0, other.1.line().unwrap_or_default());
    let message = format!("the language would mix up function `{name}` with {}: {there} {why}", arguments_word(*count));
    let mut fault = Fault::new(Code::ScriptSyntax, message).hint(format!("give `{name}` another name in {}", own.0));
    fault.stack.extend(place(own.0, own.1));
    fault
}

fn unqualified<'a>(node: &ASTNode<'a>) -> Option<(&'a FnCallExpr, Position)> {
    let (ASTNode::Expr(Expr::FnCall(call, position) | Expr::MethodCall(call, position))
    | ASTNode::Stmt(Stmt::FnCall(call, position))) = node
    else {
        return None;
    };
    (!call.is_qualified() && !call.is_operator_call()).then_some((&**call, *position))
}
