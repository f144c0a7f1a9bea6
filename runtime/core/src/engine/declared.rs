//! The checks of a runbook as they can be seen without running it: those of its script and of every module it imports.
//!
//! Does not know which of them will be made: a check in a function that nobody calls is listed too.

use rhai::{AST, ASTNode, Expr, FnCallExpr, Stmt};

use crate::scope::id_of;

/// A check as its declaration says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredCheck {
    /// What `--override` calls it; absent where it is computed.
    pub id: Option<String>,
    /// Whether `--override` may let its failure through; a computed answer counts as yes.
    pub overridable: bool,
}

/// The checks of one script or module, in the order of the text.
pub(super) fn checks(ast: &AST) -> Vec<DeclaredCheck> {
    let mut found = Vec::new();
    ast.walk(&mut |path: &[ASTNode<'_>]| {
        if let Some(ASTNode::Expr(Expr::FnCall(call, _)) | ASTNode::Stmt(Stmt::FnCall(call, _))) = path.last()
            && call.name == "check"
            && !call.is_qualified()
        {
            found.push(declared(call));
        }
        true
    });
    found
}

fn declared(call: &FnCallExpr) -> DeclaredCheck {
    let option = |name: &str| match call.args.get(2) {
        Some(Expr::Map(map, _)) => map.0.iter().find(|(key, _)| key.as_str() == name).map(|(_, value)| value),
        _ => None,
    };
    let text = |expression: &Expr| match expression {
        Expr::StringConstant(text, _) => Some(text.to_string()),
        _ => None,
    };
    let id = match option("id") {
        Some(stated) => text(stated),
        None => call.args.first().and_then(text).map(|title| id_of(&title)),
    };
    let overridable = match (option("allow_override"), call.args.get(2)) {
        (Some(Expr::BoolConstant(allowed, _)), _) => *allowed,
        (Some(_), _) => true,
        // Options that are no literal may say anything.
        (None, options) => options.is_some_and(|options| !matches!(options, Expr::Map(..))),
    };
    DeclaredCheck { id, overridable }
}
