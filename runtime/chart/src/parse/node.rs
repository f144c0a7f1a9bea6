//! The tree of a template, and how each part of it is spelt in a message.

use std::fmt;
use std::rc::Rc;

use crate::value::quote;

/// What stands in a template.
#[derive(Debug)]
pub(crate) enum Node {
    Text(Rc<str>),
    Action(usize, Pipe),
    Control(Branch),
    Template { pos: usize, name: Rc<str>, pipe: Option<Pipe> },
    Break(usize),
    Continue(usize),
}

/// Which control structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Control {
    If,
    Range,
    With,
}

/// `if`, `range` or `with`.
#[derive(Debug)]
pub(crate) struct Branch {
    pub(crate) pos: usize,
    pub(crate) control: Control,
    pub(crate) pipe: Pipe,
    pub(crate) list: Vec<Node>,
    pub(crate) otherwise: Option<Vec<Node>>,
}

/// Commands joined by `|`, perhaps with variables to hold the outcome.
#[derive(Debug)]
pub(crate) struct Pipe {
    pub(crate) pos: usize,
    pub(crate) assigns: bool,
    pub(crate) declared: Vec<Rc<str>>,
    pub(crate) commands: Vec<Command>,
}

/// A function or value with its arguments.
#[derive(Debug)]
pub(crate) struct Command {
    pub(crate) args: Vec<Expr>,
}

/// A term and where it stands.
#[derive(Debug)]
pub(crate) struct Expr {
    pub(crate) pos: usize,
    pub(crate) term: Term,
}

/// A number in the source.
#[derive(Clone, Debug)]
pub(crate) struct Number {
    pub(crate) text: Rc<str>,
    pub(crate) int: Option<i64>,
    pub(crate) float: f64,
    pub(crate) is_char: bool,
}

/// The smallest parts.
#[derive(Debug)]
pub(crate) enum Term {
    Dot,
    Nil,
    Bool(bool),
    Number(Number),
    Text { quoted: Rc<str>, text: Rc<str> },
    Field(Vec<Rc<str>>),
    Variable(Vec<Rc<str>>),
    Function(Rc<str>),
    Pipe(Box<Pipe>),
    Chain(Box<Expr>, Vec<Rc<str>>),
}

impl Node {
    /// Whether it is nothing but white space.
    pub(super) fn is_blank(&self) -> bool {
        matches!(self, Node::Text(text) if text.trim().is_empty())
    }

    /// Where an error in this node is reported.
    pub(crate) fn pos(&self) -> usize {
        match self {
            Node::Text(_) => 0,
            Node::Action(pos, _) | Node::Template { pos, .. } | Node::Break(pos) | Node::Continue(pos) => *pos,
            Node::Control(branch) => branch.pos,
        }
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Node::Text(text) => write!(f, "{}", quote(text)),
            Node::Action(_, pipe) => write!(f, "{{{{{pipe}}}}}"),
            Node::Control(branch) => {
                let word = match branch.control {
                    Control::If => "if",
                    Control::Range => "range",
                    Control::With => "with",
                };
                write!(f, "{{{{{word} {}}}}}", branch.pipe)?;
                branch.list.iter().try_for_each(|node| spelt(node, f))?;
                if let Some(otherwise) = &branch.otherwise {
                    f.write_str("{{else}}")?;
                    otherwise.iter().try_for_each(|node| spelt(node, f))?;
                }
                f.write_str("{{end}}")
            }
            Node::Template { name, pipe, .. } => {
                write!(f, "{{{{template {}", quote(name))?;
                if let Some(pipe) = pipe {
                    write!(f, " {pipe}")?;
                }
                f.write_str("}}")
            }
            Node::Break(_) => f.write_str("{{break}}"),
            Node::Continue(_) => f.write_str("{{continue}}"),
        }
    }
}

fn spelt(node: &Node, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match node {
        Node::Text(text) => f.write_str(text),
        other => write!(f, "{other}"),
    }
}

impl fmt::Display for Pipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.declared.is_empty() {
            write!(f, "{} {} ", self.declared.join(", "), if self.assigns { "=" } else { ":=" })?;
        }
        for (index, command) in self.commands.iter().enumerate() {
            write!(f, "{}{command}", if index > 0 { " | " } else { "" })?;
        }
        Ok(())
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, arg) in self.args.iter().enumerate() {
            let gap = if index > 0 { " " } else { "" };
            match &arg.term {
                Term::Pipe(pipe) => write!(f, "{gap}({pipe})")?,
                _ => write!(f, "{gap}{arg}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.term {
            Term::Dot => f.write_str("."),
            Term::Nil => f.write_str("nil"),
            Term::Bool(truth) => write!(f, "{truth}"),
            Term::Number(number) => f.write_str(&number.text),
            Term::Text { quoted, .. } => f.write_str(quoted),
            Term::Field(names) => names.iter().try_for_each(|name| write!(f, ".{name}")),
            Term::Variable(names) => f.write_str(&names.join(".")),
            Term::Function(name) => f.write_str(name),
            Term::Pipe(pipe) => write!(f, "{pipe}"),
            Term::Chain(inner, names) => {
                match &inner.term {
                    Term::Pipe(pipe) => write!(f, "({pipe})")?,
                    _ => write!(f, "{inner}")?,
                }
                names.iter().try_for_each(|name| write!(f, ".{name}"))
            }
        }
    }
}
