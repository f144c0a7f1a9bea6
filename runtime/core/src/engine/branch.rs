//! Branches of a script that its parameters alone decide: `if strategy == "canary" { ... }`, where `strategy` is one.
//!
//! Does not know what stands in a branch. What it cannot decide for certain it calls undecided.

use std::collections::HashMap;

use rhai::{AST, ASTNode, Expr, FnCallExpr, Stmt};
use serde_json::{Map, Value};

/// What the variables hold that are set to a parameter at the top of a script and to nothing else later.
pub(super) struct Decided(HashMap<String, Value>);

impl Decided {
    /// For the parameters of a run, by their names.
    pub(super) fn by(ast: &AST, parameters: &Map<String, Value>) -> Self {
        let mut known = HashMap::new();
        for statement in ast.statements() {
            let Stmt::Var(variable, ..) = statement else { continue };
            let (name, value) =
                (variable.0.name.to_string(), declared(&variable.1).and_then(|name| parameters.get(name)));
            match value {
                Some(value) => drop(known.insert(name, value.clone())),
                // The later one of two variables of a name is the one that is meant.
                None => drop(known.remove(&name)),
            }
        }
        ast.walk(&mut |path: &[ASTNode<'_>]| {
            if let Some(ASTNode::Stmt(Stmt::Assignment(assignment))) = path.last()
                && let Expr::Variable(name, ..) = &assignment.1.lhs
            {
                known.remove(name.1.as_str());
            }
            if let [_, .., ASTNode::Stmt(Stmt::Var(variable, ..))] = path {
                known.remove(variable.0.name.as_str());
            }
            true
        });
        Self(known)
    }

    /// Whether a node of the script's own statements may be reached: no `if` around it has gone the other way.
    pub(super) fn reaches(&self, path: &[ASTNode<'_>]) -> bool {
        path.windows(2).all(|pair| {
            let (ASTNode::Stmt(Stmt::If(flow, _)), ASTNode::Stmt(inner)) = (&pair[0], &pair[1]) else { return true };
            let inside = |block: &[Stmt]| block.iter().any(|statement| std::ptr::eq(statement, *inner));
            match self.holds(&flow.expr) {
                Some(true) => !inside(flow.branch.statements()),
                Some(false) => !inside(flow.body.statements()),
                None => true,
            }
        })
    }

    fn holds(&self, condition: &Expr) -> Option<bool> {
        match condition {
            Expr::And(parts, _) => all(parts.iter().map(|part| self.holds(part)), false),
            Expr::Or(parts, _) => all(parts.iter().map(|part| self.holds(part)), true),
            Expr::FnCall(call, _) => self.compared(call),
            other => self.value(other)?.as_bool(),
        }
    }

    fn compared(&self, call: &FnCallExpr) -> Option<bool> {
        match (call.name.as_str(), call.args.as_slice()) {
            ("!", [inner]) => self.holds(inner).map(|holds| !holds),
            ("==", [left, right]) => Some(self.value(left)? == self.value(right)?),
            ("!=", [left, right]) => Some(self.value(left)? != self.value(right)?),
            _ => None,
        }
    }

    fn value(&self, expression: &Expr) -> Option<Value> {
        match expression {
            Expr::BoolConstant(value, _) => Some(Value::from(*value)),
            Expr::IntegerConstant(value, _) => Some(Value::from(*value)),
            Expr::StringConstant(text, _) => Some(Value::from(text.as_str())),
            Expr::Variable(name, ..) => self.0.get(name.1.as_str()).cloned(),
            _ => None,
        }
    }
}

/// One part that says `decisive` decides; else all must be known.
fn all(parts: impl Iterator<Item = Option<bool>>, decisive: bool) -> Option<bool> {
    let mut known = true;
    for part in parts {
        if part == Some(decisive) {
            return Some(decisive);
        }
        known &= part.is_some();
    }
    known.then_some(!decisive)
}

/// The parameter that an expression such as `param::bool("remove-old", ...)` declares.
fn declared(expression: &Expr) -> Option<&str> {
    let Expr::FnCall(call, _) = expression else { return None };
    let of_param = call.is_qualified() && call.namespace.root() == "param";
    match call.args.first() {
        Some(Expr::StringConstant(name, _)) if of_param => Some(name),
        _ => None,
    }
}
