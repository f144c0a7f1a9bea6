//! Tokens become a tree.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::lexer::{Kind, Token, tokens};
use super::literal::{number, spelt, unquote};
use super::node::{Branch, Command, Control, Expr, Node, Pipe, Term};
use crate::value::quote;

/// How deep control structures and parentheses may nest.
const DEEPEST: usize = 1_000;

/// A template: its name, the file it stands in, and its nodes.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) name: Rc<str>,
    pub(crate) file: Rc<str>,
    pub(crate) source: Rc<str>,
    pub(crate) nodes: Vec<Node>,
}

impl Tree {
    /// Whether it is empty of everything but white space.
    pub(crate) fn is_empty(&self) -> bool {
        self.nodes.iter().all(Node::is_blank)
    }

    /// `file:line:column` of an offset.
    pub(crate) fn place(&self, pos: usize) -> String {
        let before = &self.source.as_bytes()[..pos.min(self.source.len())];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        let column = before.iter().rev().take_while(|byte| **byte != b'\n').count();
        format!("{}:{line}:{column}", self.file)
    }
}

/// All templates that a text defines; that of the text itself is the one by the name given.
pub(crate) fn parse(
    name: &str,
    source: &str,
    knows: &dyn Fn(&str) -> bool,
) -> Result<BTreeMap<Rc<str>, Rc<Tree>>, String> {
    let (tokens, error) = tokens(source);
    let mut parser = Parser {
        file: Rc::from(name),
        source: Rc::from(source),
        tokens,
        error,
        at: 0,
        furthest: 0,
        vars: vec!["$"],
        ranges: 0,
        depth: 0,
        action_line: 0,
        trees: BTreeMap::new(),
        knows,
    };
    match parser.all() {
        Ok(()) => Ok(parser.trees),
        Err(words) => {
            let line = parser.tokens.get(parser.furthest).map_or(1, |token| token.line);
            Err(format!("template: {name}:{line}: {words}"))
        }
    }
}

struct Parser<'p> {
    file: Rc<str>,
    source: Rc<str>,
    tokens: Vec<Token<'p>>,
    /// Why the last token is an error, if it is one.
    error: String,
    at: usize,
    furthest: usize,
    vars: Vec<&'p str>,
    ranges: usize,
    depth: usize,
    action_line: usize,
    trees: BTreeMap<Rc<str>, Rc<Tree>>,
    knows: &'p dyn Fn(&str) -> bool,
}

/// What ends a list of nodes.
enum End {
    End,
    Else,
}

type Parsed<T> = Result<T, String>;

impl<'p> Parser<'p> {
    fn next(&mut self) -> Token<'p> {
        let at = self.at.min(self.tokens.len() - 1);
        self.at = at + 1;
        self.furthest = self.furthest.max(at);
        self.tokens[at]
    }

    fn backup(&mut self) {
        self.at -= 1;
    }

    fn peek(&mut self) -> Kind {
        let at = self.at.min(self.tokens.len() - 1);
        self.furthest = self.furthest.max(at);
        self.tokens[at].kind
    }

    fn next_solid(&mut self) -> Token<'p> {
        loop {
            let token = self.next();
            if token.kind != Kind::Space {
                return token;
            }
        }
    }

    fn peek_solid(&mut self) -> Token<'p> {
        let token = self.next_solid();
        self.backup();
        token
    }

    fn expect(&mut self, kind: Kind, context: &str) -> Parsed<Token<'p>> {
        let token = self.next_solid();
        if token.kind == kind { Ok(token) } else { Err(self.unexpected(&token, context)) }
    }

    fn unexpected(&self, token: &Token<'_>, context: &str) -> String {
        if token.kind == Kind::Error {
            let mut extra = String::new();
            if self.action_line != 0 && self.action_line != token.line {
                extra = format!(" in action started at {}:{}", self.file, self.action_line);
                if self.error.ends_with(" action") {
                    extra = extra[" in action".len()..].to_owned();
                }
            }
            return format!("{}{extra}", self.error);
        }
        format!("unexpected {} in {context}", spelt(token))
    }

    fn add(&mut self, name: &str, nodes: Vec<Node>) -> Parsed<()> {
        let tree = Tree { name: Rc::from(name), file: self.file.clone(), source: self.source.clone(), nodes };
        match self.trees.get(name) {
            Some(known) if !known.is_empty() => {
                if !tree.is_empty() {
                    return Err(format!("template: multiple definition of template {}", quote(name)));
                }
            }
            _ => {
                self.trees.insert(tree.name.clone(), Rc::new(tree));
            }
        }
        Ok(())
    }

    fn all(&mut self) -> Parsed<()> {
        let mut nodes = Vec::new();
        loop {
            match self.peek() {
                Kind::Eof => break,
                Kind::LeftDelim => {
                    let back = self.at;
                    self.next();
                    if self.next_solid().kind == Kind::Define {
                        self.definition()?;
                        continue;
                    }
                    self.at = back;
                }
                _ => {}
            }
            match self.text_or_action()? {
                Ok(node) => nodes.push(node),
                Err(End::End) => return Err("unexpected {{end}}".to_owned()),
                Err(End::Else) => return Err("unexpected {{else}}".to_owned()),
            }
        }
        let name = self.file.clone();
        self.add(&name, nodes)
    }

    /// A tree of its own: its variables and loops are not those around it.
    fn apart<T>(&mut self, work: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        let vars = std::mem::replace(&mut self.vars, vec!["$"]);
        let ranges = std::mem::take(&mut self.ranges);
        let done = work(self);
        self.vars = vars;
        self.ranges = ranges;
        done
    }

    fn definition(&mut self) -> Parsed<()> {
        let token = self.next_solid();
        if !matches!(token.kind, Kind::String | Kind::RawString) {
            return Err(self.unexpected(&token, "define clause"));
        }
        let name = unquote(token.text)?;
        self.expect(Kind::RightDelim, "define clause")?;
        let (nodes, end) = self.apart(Self::list)?;
        if matches!(end, End::Else) {
            return Err("unexpected {{else}} in define clause".to_owned());
        }
        self.add(&name, nodes)
    }

    fn list(&mut self) -> Parsed<(Vec<Node>, End)> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("max nesting depth exceeded".to_owned());
        }
        let mut nodes = Vec::new();
        while self.peek_solid().kind != Kind::Eof {
            match self.text_or_action()? {
                Ok(node) => nodes.push(node),
                Err(end) => {
                    self.depth -= 1;
                    return Ok((nodes, end));
                }
            }
        }
        Err("unexpected EOF".to_owned())
    }

    fn text_or_action(&mut self) -> Parsed<Result<Node, End>> {
        let token = self.next_solid();
        match token.kind {
            Kind::Text => Ok(Ok(Node::Text(Rc::from(token.text)))),
            Kind::LeftDelim => {
                self.action_line = token.line;
                let node = self.action()?;
                self.action_line = 0;
                Ok(node)
            }
            _ => Err(self.unexpected(&token, "input")),
        }
    }

    fn action(&mut self) -> Parsed<Result<Node, End>> {
        let token = self.next_solid();
        Ok(Ok(match token.kind {
            Kind::Block => self.block()?,
            Kind::Break | Kind::Continue => self.jump(&token)?,
            Kind::Else => {
                if !matches!(self.peek_solid().kind, Kind::If | Kind::With) {
                    self.expect(Kind::RightDelim, "else")?;
                }
                return Ok(Err(End::Else));
            }
            Kind::End => {
                self.expect(Kind::RightDelim, "end")?;
                return Ok(Err(End::End));
            }
            Kind::If => self.control(Control::If)?,
            Kind::Range => self.control(Control::Range)?,
            Kind::With => self.control(Control::With)?,
            Kind::Template => self.template()?,
            _ => {
                self.backup();
                let pos = token.pos;
                Node::Action(pos, self.pipeline("command", Kind::RightDelim)?)
            }
        }))
    }

    fn jump(&mut self, word: &Token<'_>) -> Parsed<Node> {
        let token = self.next_solid();
        if token.kind != Kind::RightDelim {
            return Err(self.unexpected(&token, &format!("{{{{{}}}}}", word.text)));
        }
        if self.ranges == 0 {
            return Err(format!("{{{{{}}}}} outside {{{{range}}}}", word.text));
        }
        Ok(if word.kind == Kind::Break { Node::Break(word.pos) } else { Node::Continue(word.pos) })
    }

    fn control(&mut self, control: Control) -> Parsed<Node> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("max nesting depth exceeded".to_owned());
        }
        let known = self.vars.len();
        let context = match control {
            Control::If => "if",
            Control::Range => "range",
            Control::With => "with",
        };
        let pipe = self.pipeline(context, Kind::RightDelim)?;
        let looping = usize::from(control == Control::Range);
        self.ranges += looping;
        let (list, end) = self.list()?;
        self.ranges -= looping;
        let otherwise = match end {
            End::End => None,
            End::Else => {
                let next = self.peek_solid().kind;
                let chained = match (control, next) {
                    (Control::If, Kind::If) => Some(Control::If),
                    (Control::With, Kind::With) => Some(Control::With),
                    _ => None,
                };
                if let Some(chained) = chained.filter(|_| self.after_else()) {
                    self.next_solid();
                    Some(vec![self.control(chained)?])
                } else {
                    let (list, end) = self.list()?;
                    if matches!(end, End::Else) {
                        return Err("expected end; found {{else}}".to_owned());
                    }
                    Some(list)
                }
            }
        };
        self.vars.truncate(known);
        self.depth -= 1;
        Ok(Node::Control(Branch { pos: pipe.pos, control, pipe, list, otherwise }))
    }

    /// Whether the last solid token was `else`, so that `if` or `with` goes on with it.
    fn after_else(&self) -> bool {
        self.tokens[..self.at]
            .iter()
            .rev()
            .find(|token| token.kind != Kind::Space)
            .is_some_and(|t| t.kind == Kind::Else)
    }

    fn template_name(&mut self, context: &str) -> Parsed<(Token<'p>, String)> {
        let token = self.next_solid();
        if !matches!(token.kind, Kind::String | Kind::RawString) {
            return Err(self.unexpected(&token, context));
        }
        let name = unquote(token.text)?;
        Ok((token, name))
    }

    fn block(&mut self) -> Parsed<Node> {
        let (token, name) = self.template_name("block clause")?;
        let pipe = self.pipeline("block clause", Kind::RightDelim)?;
        let (nodes, end) = self.apart(Self::list)?;
        if matches!(end, End::Else) {
            return Err("unexpected {{else}} in block clause".to_owned());
        }
        self.add(&name, nodes)?;
        Ok(Node::Template { pos: token.pos, name: Rc::from(name), pipe: Some(pipe) })
    }

    fn template(&mut self) -> Parsed<Node> {
        let (token, name) = self.template_name("template clause")?;
        let pipe = if self.next_solid().kind == Kind::RightDelim {
            None
        } else {
            self.backup();
            Some(self.pipeline("template clause", Kind::RightDelim)?)
        };
        Ok(Node::Template { pos: token.pos, name: Rc::from(name), pipe })
    }

    fn pipeline(&mut self, context: &str, end: Kind) -> Parsed<Pipe> {
        let pos = self.peek_solid().pos;
        let mut pipe = Pipe { pos, assigns: false, declared: Vec::new(), commands: Vec::new() };
        self.declarations(&mut pipe, context)?;
        loop {
            let token = self.next_solid();
            match token.kind {
                kind if kind == end => break,
                Kind::Bool
                | Kind::CharConstant
                | Kind::Complex
                | Kind::Dot
                | Kind::Field
                | Kind::Identifier
                | Kind::Number
                | Kind::Nil
                | Kind::RawString
                | Kind::String
                | Kind::Variable
                | Kind::LeftParen => {
                    self.backup();
                    pipe.commands.push(self.command()?);
                }
                _ => return Err(self.unexpected(&token, context)),
            }
        }
        if pipe.commands.is_empty() {
            return Err(format!("missing value for {context}"));
        }
        for (index, command) in pipe.commands.iter().enumerate().skip(1) {
            if matches!(
                command.args[0].term,
                Term::Bool(_) | Term::Dot | Term::Nil | Term::Number(_) | Term::Text { .. }
            ) {
                return Err(format!("non executable command in pipeline stage {}", index + 1));
            }
        }
        Ok(pipe)
    }

    fn declarations(&mut self, pipe: &mut Pipe, context: &str) -> Parsed<()> {
        while self.peek_solid().kind == Kind::Variable {
            let back = self.at;
            let name = self.next_solid().text;
            let next = self.peek_solid();
            match next.kind {
                Kind::Assign | Kind::Declare => {
                    pipe.assigns = next.kind == Kind::Assign;
                    self.next_solid();
                    self.vars.push(name);
                    pipe.declared.push(Rc::from(name));
                    return Ok(());
                }
                Kind::Char if next.text == "," => {
                    self.next_solid();
                    self.vars.push(name);
                    pipe.declared.push(Rc::from(name));
                    if context == "range" && pipe.declared.len() < 2 {
                        if matches!(self.peek_solid().kind, Kind::Variable | Kind::RightDelim | Kind::RightParen) {
                            continue;
                        }
                        return Err("range can only initialize variables".to_owned());
                    }
                    return Err(format!("too many declarations in {context}"));
                }
                _ => {
                    self.at = back;
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn command(&mut self) -> Parsed<Command> {
        let mut args = Vec::new();
        loop {
            self.peek_solid();
            while self.peek() == Kind::Space {
                self.next();
            }
            if let Some(operand) = self.operand()? {
                args.push(operand);
            }
            let token = self.next();
            match token.kind {
                Kind::Space => {}
                Kind::RightDelim | Kind::RightParen => {
                    self.backup();
                    break;
                }
                Kind::Pipe => break,
                _ => return Err(self.unexpected(&token, "operand")),
            }
        }
        if args.is_empty() {
            return Err("empty command".to_owned());
        }
        Ok(Command { args })
    }

    fn operand(&mut self) -> Parsed<Option<Expr>> {
        let Some(term) = self.term()? else { return Ok(None) };
        if self.peek() != Kind::Field {
            return Ok(Some(term));
        }
        let mut names = Vec::new();
        let at = self.at.min(self.tokens.len() - 1);
        let pos = self.tokens[at].pos;
        while self.peek() == Kind::Field {
            names.push(Rc::from(&self.next().text[1..]));
        }
        Ok(Some(match term.term {
            Term::Field(mut own) => {
                own.append(&mut names);
                Expr { pos, term: Term::Field(own) }
            }
            Term::Variable(mut own) => {
                own.append(&mut names);
                Expr { pos, term: Term::Variable(own) }
            }
            Term::Bool(_) | Term::Text { .. } | Term::Number(_) | Term::Nil | Term::Dot => {
                return Err(format!("unexpected . after term {}", quote(&term.to_string())));
            }
            _ => Expr { pos, term: Term::Chain(Box::new(term), names) },
        }))
    }

    fn term(&mut self) -> Parsed<Option<Expr>> {
        let token = self.next_solid();
        let term = match token.kind {
            Kind::Identifier => {
                if !(self.knows)(token.text) {
                    return Err(format!("function {} not defined", quote(token.text)));
                }
                Term::Function(Rc::from(token.text))
            }
            Kind::Dot => Term::Dot,
            Kind::Nil => Term::Nil,
            Kind::Variable => {
                if !self.vars.contains(&token.text) {
                    return Err(format!("undefined variable {}", quote(token.text)));
                }
                Term::Variable(vec![Rc::from(token.text)])
            }
            Kind::Field => Term::Field(vec![Rc::from(&token.text[1..])]),
            Kind::Bool => Term::Bool(token.text == "true"),
            Kind::CharConstant | Kind::Complex | Kind::Number => Term::Number(number(&token)?),
            Kind::LeftParen => {
                self.depth += 1;
                if self.depth > DEEPEST {
                    return Err("max expression depth exceeded".to_owned());
                }
                let pipe = self.pipeline("parenthesized pipeline", Kind::RightParen)?;
                self.depth -= 1;
                Term::Pipe(Box::new(pipe))
            }
            Kind::String | Kind::RawString => {
                let text = unquote(token.text)?;
                Term::Text { quoted: Rc::from(token.text), text: Rc::from(text) }
            }
            _ => {
                self.backup();
                return Ok(None);
            }
        };
        // A parenthesis stands where its contents begin.
        let pos = if let Term::Pipe(pipe) = &term { pipe.pos } else { token.pos };
        Ok(Some(Expr { pos, term }))
    }
}
