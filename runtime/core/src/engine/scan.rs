//! A first look at a script's words: where `step` is the keyword, which names it declares, which brackets stay open.
//!
//! Does not parse: that is Rhai's. What is found here lets Rhai's parser accept `step` as an ordinary name everywhere else
//! (`e.step`, `#{ step: 1 }`), lets functions see the constants of their file, and gives syntax faults their hints.

use std::collections::{BTreeSet, HashSet};

use rhai::{Position, Token};

/// What a first look finds.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// Where `step` begins a step.
    pub(super) steps: HashSet<Position>,
    /// Constants at the top level.
    pub(super) constants: BTreeSet<String>,
    /// Variables at the top level.
    pub(super) variables: BTreeSet<String>,
    /// Every name that is declared anywhere: variables, constants, parameters of functions and closures.
    pub(super) declared: BTreeSet<String>,
    /// Functions, by name.
    pub(super) functions: BTreeSet<String>,
    /// The innermost bracket that is never closed.
    pub(super) open: Option<(char, Position)>,
}

impl Scan {
    /// Looks at a script. Stops where it cannot be read: the parser says why.
    pub(super) fn of(engine: &rhai::Engine, text: &str) -> Self {
        let mut scan = Self::default();
        let mut brackets: Vec<(char, Position)> = Vec::new();
        let tokens = tokens(engine, text);
        for (index, (token, position)) in tokens.iter().enumerate() {
            let previous = index.checked_sub(1).map(|i| &tokens[i].0);
            let next = tokens.get(index + 1).map(|(token, _)| token);
            scan.note(token, *position, previous, next, brackets.is_empty());
            track(&mut brackets, token, *position);
            if matches!(token, Token::Fn | Token::Pipe) {
                scan.parameters(&tokens[index + 1..], token);
            }
        }
        scan.open = brackets.last().copied();
        scan
    }

    fn note(&mut self, token: &Token, position: Position, previous: Option<&Token>, next: Option<&Token>, top: bool) {
        let Token::Identifier(name) = token else { return };
        match previous {
            Some(Token::Const) => {
                self.declared.insert(name.to_string());
                if top {
                    self.constants.insert(name.to_string());
                }
            }
            Some(Token::Let) => {
                self.declared.insert(name.to_string());
                if top {
                    self.variables.insert(name.to_string());
                }
            }
            Some(Token::For) => {
                self.declared.insert(name.to_string());
            }
            Some(Token::Fn) => {
                self.functions.insert(name.to_string());
            }
            Some(Token::Period | Token::Elvis | Token::DoubleColon) => {}
            _ if name.as_str() == "step" && begins_title(next) => {
                self.steps.insert(position);
            }
            _ => {}
        }
    }

    /// The names between `fn name(` and `)`, or between two pipes.
    fn parameters(&mut self, rest: &[(Token, Position)], opened_by: &Token) {
        let names = rest
            .iter()
            .skip(if matches!(opened_by, Token::Fn) { 2 } else { 0 })
            .map_while(|(token, _)| match token {
                Token::Identifier(name) => Some(Some(name.to_string())),
                Token::Comma => Some(None),
                _ => None,
            })
            .flatten();
        self.declared.extend(names);
    }
}

fn begins_title(next: Option<&Token>) -> bool {
    matches!(next, Some(Token::StringConstant(_) | Token::InterpolatedString(_) | Token::Identifier(_)))
}

fn track(brackets: &mut Vec<(char, Position)>, token: &Token, position: Position) {
    match token {
        Token::LeftBrace | Token::MapStart => brackets.push(('{', position)),
        Token::LeftParen => brackets.push(('(', position)),
        Token::LeftBracket | Token::QuestionBracket => brackets.push(('[', position)),
        Token::RightBrace | Token::RightParen | Token::RightBracket => {
            brackets.pop();
        }
        _ => {}
    }
}

/// The tokens of a script. Within back-ticks the lexer has to be told where text goes on after `${ ... }`.
fn tokens(engine: &rhai::Engine, text: &str) -> Vec<(Token, Position)> {
    let inputs = [text];
    let (stream, control) = engine.lex(&inputs);
    let mut tokens = Vec::new();
    let mut depth = 0_usize;
    let mut interpolations: Vec<usize> = Vec::new();
    for (token, position) in stream {
        match &token {
            Token::EOF | Token::LexError(_) => break,
            Token::InterpolatedString(_) if interpolations.last() != Some(&depth) => interpolations.push(depth),
            Token::StringConstant(_) if resumed(&tokens, &interpolations, depth) => {
                interpolations.pop();
                continue;
            }
            Token::LeftBrace | Token::MapStart => depth += 1,
            Token::RightBrace => {
                depth = depth.saturating_sub(1);
                if interpolations.last() == Some(&depth) {
                    control.borrow_mut().is_within_text = true;
                }
            }
            _ => {}
        }
        tokens.push((token, position));
    }
    tokens
}

/// Whether a text token is the rest of an interpolated string: it comes straight after the brace that closes `${`.
fn resumed(tokens: &[(Token, Position)], interpolations: &[usize], depth: usize) -> bool {
    interpolations.last() == Some(&depth) && matches!(tokens.last(), Some((Token::RightBrace, _)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(text: &str) -> Scan {
        Scan::of(&rhai::Engine::new_raw(), text)
    }

    #[test]
    fn step_is_a_keyword_only_before_a_title() {
        let text =
            "step \"a\" { let x = e.step; let step = #{ step: 1 }; step += 1; step `b ${step} c` { } } step title { }";
        let columns: BTreeSet<usize> = scan(text).steps.iter().filter_map(|p| p.position()).collect();
        let expected: BTreeSet<usize> =
            [1, text.find("step `b").unwrap() + 1, text.find("step title").unwrap() + 1].into();
        assert_eq!(columns, expected);
    }

    #[test]
    fn names_are_found_also_after_interpolated_text() {
        let scan =
            scan("const A = `x ${ #{ a: `${1}` }.a } y`; let b = 1; fn f(c, d) { let e = |g| g; } for h in b { }");
        assert_eq!(scan.constants, ["A".to_owned()].into());
        assert_eq!(scan.variables, ["b".to_owned()].into());
        assert_eq!(scan.functions, ["f".to_owned()].into());
        let declared: Vec<&str> = scan.declared.iter().map(String::as_str).collect();
        assert_eq!(declared, ["A", "b", "c", "d", "e", "g", "h"]);
        assert_eq!(scan.open, None);
    }

    #[test]
    fn a_bracket_that_stays_open_is_found() {
        let open = scan("step \"a\" {\n  f(1);\n  if x {\n}").open.unwrap();
        assert_eq!((open.0, open.1.line()), ('{', Some(1)));
    }
}
