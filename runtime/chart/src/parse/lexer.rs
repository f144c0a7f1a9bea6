//! Cuts the text of a template into tokens, as Go's lexer does, white space trimming included.

use crate::value::quote;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Error,
    Eof,
    Text,
    LeftDelim,
    RightDelim,
    Space,
    Assign,
    Declare,
    Pipe,
    LeftParen,
    RightParen,
    Char,
    CharConstant,
    Bool,
    Dot,
    Field,
    Identifier,
    Number,
    Complex,
    RawString,
    String,
    Variable,
    Nil,
    Block,
    Break,
    Continue,
    Define,
    Else,
    End,
    If,
    Range,
    Template,
    With,
}

impl Kind {
    pub(super) fn is_keyword(self) -> bool {
        matches!(
            self,
            Kind::Nil
                | Kind::Block
                | Kind::Break
                | Kind::Continue
                | Kind::Define
                | Kind::Else
                | Kind::End
                | Kind::If
                | Kind::Range
                | Kind::Template
                | Kind::With
        )
    }
}

/// A token: its text, and where it begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token<'i> {
    pub(super) kind: Kind,
    /// A piece of the input; nothing where it cannot be cut any further.
    pub(super) text: &'i str,
    pub(super) pos: usize,
    pub(super) line: usize,
}

/// All tokens of a text. The last is the end or an error, which is told beside them.
pub(super) fn tokens(input: &str) -> (Vec<Token<'_>>, String) {
    let found = Vec::with_capacity(input.len() / 8);
    let mut lexer = Lexer { input, pos: 0, start: 0, line: 1, counted: 0, parens: 0, found };
    let error = lexer.text().err().unwrap_or_default();
    if !error.is_empty() {
        let start = lexer.start;
        let line = lexer.line_at(start);
        lexer.found.push(Token { kind: Kind::Error, text: "", pos: start, line });
    }
    (lexer.found, error)
}

struct Lexer<'i> {
    input: &'i str,
    pos: usize,
    start: usize,
    line: usize,
    counted: usize,
    parens: usize,
    found: Vec<Token<'i>>,
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

fn is_blank(byte: u8) -> bool {
    is_space(char::from(byte))
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

fn left_marker(rest: &str) -> bool {
    matches!(rest.as_bytes(), [b'-', blank, ..] if is_blank(*blank))
}

fn right_marker(rest: &str) -> bool {
    matches!(rest.as_bytes(), [blank, b'-', ..] if is_blank(*blank))
}

/// Whether an action ends here. Bytes are compared one by one: a call for two of them takes longer.
fn is_closing(rest: &[u8]) -> bool {
    matches!(rest, [b'}', b'}', ..])
}

impl<'i> Lexer<'i> {
    fn rest(&self) -> &'i str {
        &self.input[self.pos..]
    }

    fn line_at(&mut self, offset: usize) -> usize {
        if offset < self.counted {
            self.line = 1;
            self.counted = 0;
        }
        self.line += memchr::memchr_iter(b'\n', &self.input.as_bytes()[self.counted..offset]).count();
        self.counted = offset;
        self.line
    }

    fn emit(&mut self, kind: Kind) {
        let (pos, text) = (self.start, &self.input[self.start..self.pos]);
        let line = self.line_at(pos);
        self.found.push(Token { kind, text, pos, line });
        self.start = self.pos;
    }

    fn next(&mut self) -> Option<char> {
        let c = self.rest().chars().next()?;
        self.pos += c.len_utf8();
        Some(c)
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Text up to the next action, and so on to the end.
    fn text(&mut self) -> Result<(), String> {
        loop {
            let Some(at) = memchr::memmem::find(self.rest().as_bytes(), b"{{") else {
                self.pos = self.input.len();
                if self.pos > self.start {
                    self.emit(Kind::Text);
                }
                self.emit(Kind::Eof);
                return Ok(());
            };
            if at > 0 {
                let delim = self.pos + at;
                let trims = left_marker(&self.input[delim + 2..]);
                let kept = &self.input[self.start..delim];
                let kept = if trims { kept.trim_end_matches(is_space) } else { kept };
                self.pos = self.start + kept.len();
                if !kept.is_empty() {
                    self.emit(Kind::Text);
                }
                self.pos = delim;
                self.start = delim;
            }
            self.left()?;
        }
    }

    fn left(&mut self) -> Result<(), String> {
        self.pos += 2;
        let marker = if left_marker(self.rest()) { 2 } else { 0 };
        if self.input[self.pos + marker..].starts_with("/*") {
            self.pos += marker;
            self.start = self.pos;
            return self.comment();
        }
        self.emit(Kind::LeftDelim);
        self.pos += marker;
        self.start = self.pos;
        self.parens = 0;
        self.action()
    }

    fn comment(&mut self) -> Result<(), String> {
        self.pos += 2;
        let Some(at) = self.rest().find("*/") else { return Err("unclosed comment".to_owned()) };
        self.pos += at + 2;
        let Some(trims) = self.at_right() else { return Err("comment ends before closing delimiter".to_owned()) };
        self.finish(trims);
        Ok(())
    }

    /// Whether the closing delimiter stands here, and whether it trims.
    fn at_right(&self) -> Option<bool> {
        match self.rest().as_bytes() {
            [blank, b'-', rest @ ..] if is_blank(*blank) && is_closing(rest) => Some(true),
            rest => is_closing(rest).then_some(false),
        }
    }

    fn finish(&mut self, trims: bool) {
        self.pos += if trims { 4 } else { 2 };
        if trims {
            let rest = self.rest();
            self.pos += rest.len() - rest.trim_start_matches(is_space).len();
        }
        self.start = self.pos;
    }

    fn right(&mut self, trims: bool) {
        if trims {
            self.pos += 2;
            self.start = self.pos;
        }
        self.pos += 2;
        self.emit(Kind::RightDelim);
        if trims {
            let rest = self.rest();
            self.pos += rest.len() - rest.trim_start_matches(is_space).len();
            self.start = self.pos;
        }
    }

    fn action(&mut self) -> Result<(), String> {
        loop {
            if let Some(trims) = self.at_right() {
                if self.parens == 0 {
                    self.right(trims);
                    return Ok(());
                }
                return Err("unclosed left paren".to_owned());
            }
            let Some(c) = self.next() else { return Err("unclosed action".to_owned()) };
            match c {
                c if is_space(c) => {
                    self.pos = self.start;
                    self.space();
                }
                '=' => self.emit(Kind::Assign),
                ':' => {
                    if self.next() != Some('=') {
                        return Err("expected :=".to_owned());
                    }
                    self.emit(Kind::Declare);
                }
                '|' => self.emit(Kind::Pipe),
                '"' => self.quoted('"', "unterminated quoted string", Kind::String)?,
                '`' => self.raw()?,
                '\'' => self.quoted('\'', "unterminated character constant", Kind::CharConstant)?,
                '$' => self.variable()?,
                '.' if !self.peek().is_some_and(|c| c.is_ascii_digit()) && self.pos < self.input.len() => {
                    self.field_or_variable(Kind::Field)?;
                }
                c if matches!(c, '.' | '+' | '-') || c.is_ascii_digit() => {
                    self.pos = self.start;
                    self.number()?;
                }
                c if is_word(c) => {
                    self.pos = self.start;
                    self.identifier()?;
                }
                '(' => {
                    self.parens += 1;
                    self.emit(Kind::LeftParen);
                }
                ')' => {
                    if self.parens == 0 {
                        return Err("unexpected right paren".to_owned());
                    }
                    self.parens -= 1;
                    self.emit(Kind::RightParen);
                }
                c if c.is_ascii_graphic() => self.emit(Kind::Char),
                c => return Err(format!("unrecognized character in action: {}", unicode(Some(c)))),
            }
        }
    }

    fn space(&mut self) {
        let mut count = 0;
        while self.peek().is_some_and(is_space) {
            self.pos += 1;
            count += 1;
        }
        let last = &self.input[self.pos - 1..];
        if right_marker(last) && is_closing(&last.as_bytes()[2..]) {
            self.pos -= 1;
            if count == 1 {
                return;
            }
        }
        self.emit(Kind::Space);
    }

    fn identifier(&mut self) -> Result<(), String> {
        while self.peek().is_some_and(is_word) {
            self.next();
        }
        if !self.at_terminator() {
            return Err(format!("bad character {}", unicode(self.peek())));
        }
        let kind = match &self.input[self.start..self.pos] {
            "true" | "false" => Kind::Bool,
            "block" => Kind::Block,
            "break" => Kind::Break,
            "continue" => Kind::Continue,
            "define" => Kind::Define,
            "else" => Kind::Else,
            "end" => Kind::End,
            "if" => Kind::If,
            "range" => Kind::Range,
            "nil" => Kind::Nil,
            "template" => Kind::Template,
            "with" => Kind::With,
            _ => Kind::Identifier,
        };
        self.emit(kind);
        Ok(())
    }

    fn variable(&mut self) -> Result<(), String> {
        if self.at_terminator() {
            self.emit(Kind::Variable);
            return Ok(());
        }
        self.field_or_variable(Kind::Variable)
    }

    fn field_or_variable(&mut self, kind: Kind) -> Result<(), String> {
        if self.at_terminator() {
            self.emit(if kind == Kind::Variable { Kind::Variable } else { Kind::Dot });
            return Ok(());
        }
        while self.peek().is_some_and(is_word) {
            self.next();
        }
        if !self.at_terminator() {
            return Err(format!("bad character {}", unicode(self.peek())));
        }
        self.emit(kind);
        Ok(())
    }

    fn at_terminator(&self) -> bool {
        match self.rest().as_bytes() {
            [] | [b'.' | b',' | b'|' | b':' | b')' | b'(', ..] => true,
            rest => is_blank(rest[0]) || is_closing(rest),
        }
    }

    fn quoted(&mut self, end: char, unterminated: &str, kind: Kind) -> Result<(), String> {
        loop {
            match self.next() {
                Some('\\') if self.next().is_some_and(|c| c != '\n') => {}
                None | Some('\\' | '\n') => return Err(unterminated.to_owned()),
                Some(c) if c == end => break,
                Some(_) => {}
            }
        }
        self.emit(kind);
        Ok(())
    }

    fn raw(&mut self) -> Result<(), String> {
        let Some(at) = self.rest().find('`') else { return Err("unterminated raw quoted string".to_owned()) };
        self.pos += at + 1;
        self.emit(Kind::RawString);
        Ok(())
    }

    fn accept(&mut self, valid: &str) -> bool {
        let fits = self.peek().is_some_and(|c| valid.contains(c));
        if fits {
            self.pos += 1;
        }
        fits
    }

    fn run(&mut self, valid: &str) {
        while self.accept(valid) {}
    }

    fn scan_number(&mut self) -> bool {
        self.accept("+-");
        let mut digits = "0123456789_";
        if self.accept("0") {
            if self.accept("xX") {
                digits = "0123456789abcdefABCDEF_";
            } else if self.accept("oO") {
                digits = "01234567_";
            } else if self.accept("bB") {
                digits = "01_";
            }
        }
        self.run(digits);
        if self.accept(".") {
            self.run(digits);
        }
        if digits.len() == 11 && self.accept("eE") || digits.len() == 23 && self.accept("pP") {
            self.accept("+-");
            self.run("0123456789_");
        }
        self.accept("i");
        if self.peek().is_some_and(is_word) {
            self.next();
            return false;
        }
        true
    }

    fn number(&mut self) -> Result<(), String> {
        let bad = |lexer: &Self| format!("bad number syntax: {}", quote(&lexer.input[lexer.start..lexer.pos]));
        if !self.scan_number() {
            return Err(bad(self));
        }
        if matches!(self.peek(), Some('+' | '-')) {
            if !self.scan_number() || !self.input[..self.pos].ends_with('i') {
                return Err(bad(self));
            }
            self.emit(Kind::Complex);
            return Ok(());
        }
        self.emit(Kind::Number);
        Ok(())
    }
}

/// `%#U`
fn unicode(c: Option<char>) -> String {
    match c {
        None => "U+FFFFFFFFFFFFFFFF".to_owned(),
        Some(c) if c.is_control() => format!("U+{:04X}", u32::from(c)),
        Some(c) => format!("U+{:04X} '{c}'", u32::from(c)),
    }
}
