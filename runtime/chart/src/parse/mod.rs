//! The text of a template becomes a tree, by the rules and in the words of Go's `text/template/parse`.
//!
//! Not known here: what anything evaluates to.

mod lexer;
mod literal;
mod node;
mod parser;

pub(crate) use node::{Branch, Command, Control, Expr, Node, Number, Pipe, Term};
pub(crate) use parser::{Tree, parse};
