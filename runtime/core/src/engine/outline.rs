//! The steps of a script as they can be seen without running it.
//!
//! Does not know which of them will run: a branch is listed unless the parameters rule it out, and a loop's body once.

use std::collections::HashMap;

use rhai::{AST, ASTNode, CustomExpr, Expr, FnCallExpr, FnPtr, Position, Stmt};

use super::branch::Decided;
use super::step::KEY;
use crate::record::Planned;
use crate::scope::id_of;

/// What a statement contains, in the order of the text.
enum Event {
    Step { title: String, id: String, depth: usize },
    Call { name: String, arity: Option<usize>, depth: usize },
}

/// A function and where its text stands.
struct Body {
    name: String,
    arity: usize,
    start: (usize, usize),
    end: (usize, usize),
    events: Vec<Event>,
}

/// The steps of a script, those of its own functions where they are called, less those in branches that `decided` rules out. Ids are
/// paths, as at run time.
pub(super) fn steps(ast: &AST, decided: &Decided) -> Vec<Planned> {
    let mut bodies: Vec<Body> = ast
        .iter_fn_def()
        .map(|function| Body {
            name: function.name.to_string(),
            arity: function.params.len(),
            start: at(function.body.start_position()),
            end: at(function.body.end_position()),
            events: Vec::new(),
        })
        .collect();
    let mut script = Vec::new();
    ast.walk(&mut |path: &[ASTNode<'_>]| {
        if let Some(event) = event(path) {
            match owner(ast, path, &mut bodies) {
                Some(body) => body.events.push(event),
                None if decided.reaches(path) => script.push(event),
                None => {}
            }
        }
        true
    });
    let mut outline =
        Outline { bodies: &bodies, calling: Vec::new(), path: Vec::new(), entered: HashMap::new(), steps: Vec::new() };
    outline.follow(&script, 0);
    outline.steps
}

fn at(position: Position) -> (usize, usize) {
    (position.line().unwrap_or(0), position.position().unwrap_or(0))
}

/// The innermost function around a node; none for the script's own statements.
fn owner<'b>(ast: &AST, path: &[ASTNode<'_>], bodies: &'b mut [Body]) -> Option<&'b mut Body> {
    let ASTNode::Stmt(root) = path[0] else { return None };
    if ast.statements().iter().any(|own| std::ptr::eq(own, root)) {
        return None;
    }
    let place = at(root.position());
    let holds = |body: &Body| match body.end {
        // The body of a closure without braces is one statement, and has no end of its own.
        (0, _) => body.start == place,
        end => body.start <= place && place <= end,
    };
    bodies.iter_mut().filter(|body| holds(body)).max_by_key(|body| body.start)
}

fn event(path: &[ASTNode<'_>]) -> Option<Event> {
    let depth = path[..path.len() - 1].iter().filter(|node| as_step(node).is_some()).count();
    let node = path.last()?;
    if let Some(step) = as_step(node) {
        let title = text(step.inputs.first()?);
        let id =
            step.inputs.get(1).filter(|_| step.inputs.len() == 3).and_then(stated).unwrap_or_else(|| id_of(&title));
        return Some(Event::Step { title, id, depth });
    }
    match node {
        ASTNode::Expr(Expr::FnCall(call, _)) | ASTNode::Stmt(Stmt::FnCall(call, _)) => called(call, depth),
        ASTNode::Expr(Expr::DynamicConstant(constant, _)) => {
            let name = constant.read_lock::<FnPtr>()?.fn_name().to_owned();
            Some(Event::Call { name, arity: None, depth })
        }
        _ => None,
    }
}

fn called(call: &FnCallExpr, depth: usize) -> Option<Event> {
    let plain = !call.is_qualified() && !call.is_operator_call();
    plain.then(|| Event::Call { name: call.name.to_string(), arity: Some(call.args.len()), depth })
}

fn as_step<'a>(node: &ASTNode<'a>) -> Option<&'a CustomExpr> {
    match node {
        ASTNode::Expr(Expr::Custom(custom, _)) if custom.tokens.first().is_some_and(|token| token == KEY) => {
            Some(&**custom)
        }
        _ => None,
    }
}

fn stated(options: &Expr) -> Option<String> {
    let Expr::Map(map, _) = options else { return None };
    let (_, value) = map.0.iter().find(|(key, _)| key.as_str() == "id")?;
    if let Expr::StringConstant(id, _) = value { Some(id.to_string()) } else { None }
}

/// The text of a title; what is computed stands as its own text in braces, or as dots.
fn text(expression: &Expr) -> String {
    match expression {
        Expr::StringConstant(text, _) => text.to_string(),
        Expr::InterpolatedString(parts, _) => parts.iter().map(text).collect(),
        Expr::Variable(name, ..) => format!("<{}>", name.1),
        Expr::Stmt(block) => match block.statements() {
            [Stmt::Expr(inner)] => text(inner),
            _ => "…".to_owned(),
        },
        Expr::FnCall(call, _) if call.name == "+" => call.args.iter().map(text).collect(),
        Expr::Dot(chain, ..) => match (&chain.lhs, &chain.rhs) {
            (Expr::Variable(..), Expr::Property(property, _)) => format!("<{}>", property.2),
            _ => "…".to_owned(),
        },
        _ => "…".to_owned(),
    }
}

struct Outline<'a> {
    bodies: &'a [Body],
    calling: Vec<(&'a str, usize)>,
    path: Vec<String>,
    entered: HashMap<String, usize>,
    steps: Vec<Planned>,
}

impl<'a> Outline<'a> {
    fn follow(&mut self, events: &'a [Event], base: usize) {
        for event in events {
            match event {
                Event::Step { title, id, depth } => self.step(title, id, base + depth),
                Event::Call { name, arity, depth } => self.call(name, *arity, base + depth),
            }
        }
    }

    fn step(&mut self, title: &str, id: &str, depth: usize) {
        self.path.truncate(depth);
        let parent = self.path.last().map(|path| format!("{path}/")).unwrap_or_default();
        let wanted = format!("{parent}{id}");
        let times = self.entered.entry(wanted.clone()).or_default();
        *times += 1;
        let path = if *times == 1 { wanted } else { format!("{wanted}-{times}") };
        self.path.push(path.clone());
        self.steps.push(Planned { id: path, title: title.to_owned(), depth });
    }

    fn call(&mut self, name: &str, arity: Option<usize>, depth: usize) {
        let fits = |body: &&Body| body.name == name && arity.is_none_or(|arity| body.arity == arity);
        let Some(body) = self.bodies.iter().find(fits) else { return };
        let key = (body.name.as_str(), body.arity);
        if self.calling.contains(&key) {
            return;
        }
        self.path.truncate(depth);
        self.calling.push(key);
        self.follow(&body.events, depth);
        self.calling.pop();
    }
}
