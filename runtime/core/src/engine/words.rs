//! Rhai's errors in words that a person understands, with the nearest name or the usual way out as a hint.
//!
//! Does not know where an error happened.

use std::sync::Arc;

use rhai::{EvalAltResult, LexError, ParseErrorType};

use super::scan::Scan;
use crate::fault::{Code, Fault};
use crate::param::nearest;
use crate::primitive::Primitive;

/// Names that a hint may suggest.
pub(super) struct Names<'a> {
    pub(super) primitives: &'a [&'static Primitive],
    pub(super) scan: Option<Arc<Scan>>,
}

/// The fault for a script that cannot be read; `before` is what stands before the place on its line.
pub(super) fn of_syntax(error: &ParseErrorType, names: &Names<'_>, before: &str) -> Fault {
    let fault = |message: String| Fault::new(Code::ScriptSyntax, message);
    match error {
        ParseErrorType::VariableUndefined(name) => undefined(name, names),
        ParseErrorType::ModuleUndefined(name) => no_namespace(name, names),
        ParseErrorType::Reserved(word) => reserved(word, before),
        ParseErrorType::UnexpectedEOF => unfinished(names),
        ParseErrorType::MissingToken(token, _)
            if is_closing(token) && names.scan.as_ref().is_some_and(|scan| scan.open.is_some()) =>
        {
            unfinished(names)
        }
        ParseErrorType::BadInput(error) => lexical(error, before),
        ParseErrorType::MissingToken(token, what) => {
            let fault = fault(format!("expected `{token}` {what}"));
            if token == ";" { fault.hint("statements end with `;`") } else { fault }
        }
        ParseErrorType::VariableExpected => fault("expected the name of a variable".to_owned())
            .hint("some words are reserved, such as `default`, `match`, `new` and `case`; choose another name"),
        ParseErrorType::PropertyExpected => fault("expected the name of a property".to_owned()).hint(
            "put names that are reserved or hold other characters in quotes: `#{ \"match\": 1 }` and `obj[\"a-b\"]`",
        ),
        ParseErrorType::AssignmentToConstant(name) => {
            fault(format!("`{name}` is a constant")).hint("declare it with `let`")
        }
        ParseErrorType::ExprTooDeep => Fault::new(Code::Limit, "the script nests expressions too deeply"),
        ParseErrorType::LiteralTooLarge(what, most) => Fault::new(Code::Limit, format!("{what} is more than {most}")),
        ParseErrorType::TooManyFunctions => Fault::new(Code::Limit, "the script has too many functions"),
        ParseErrorType::MismatchedType(wanted, got) => {
            let fault = fault(format!("expected {wanted}, got {got}"));
            if wanted.contains("bool") {
                fault.hint("there is no truthiness: compare, as in `x != ()` or `text != \"\"`")
            } else {
                fault
            }
        }
        other => fault(lower(&other.to_string())),
    }
}

fn undefined(name: &str, names: &Names<'_>) -> Fault {
    let fault = Fault::new(Code::ScriptSyntax, format!("there is no variable `{name}`"));
    let namespaces: Vec<&str> =
        names.primitives.iter().filter_map(|p| p.name.split_once("::")).map(|(n, _)| n).collect();
    if namespaces.contains(&name) {
        return fault.hint(format!("`{name}` is a namespace: write `{name}::...`"));
    }
    if let "null" | "nil" | "none" | "None" | "undefined" = name {
        return fault.hint("the value that stands for nothing is `()`");
    }
    let Some(scan) = &names.scan else { return fault };
    if scan.variables.contains(name) {
        return fault.hint(format!(
            "functions do not see variables of the script: declare it with `const {name} = ...`, or pass it as an argument"
        ));
    }
    if scan.functions.contains(name) {
        return fault.hint(format!("`{name}` is a function: write `{name}(...)`, or `Fn(\"{name}\")` to hand it on"));
    }
    match nearest(name, scan.declared.iter().map(String::as_str).filter(|declared| *declared != name)) {
        Some(near) => fault.hint(format!("did you mean `{near}`?")),
        None => fault,
    }
}

/// The fault for a namespace that is neither ours nor imported.
pub(super) fn no_namespace(name: &str, names: &Names<'_>) -> Fault {
    let fault = Fault::new(Code::ScriptSyntax, format!("there is no namespace `{name}`"));
    let known =
        names.primitives.iter().filter_map(|primitive| primitive.name.split_once("::")).map(|(namespace, _)| namespace);
    match nearest(name, known.chain(["param", "global"])) {
        Some(near) => fault.hint(format!("did you mean `{near}`?")),
        None => fault.hint(format!("a module is imported before it is used: `import \"std/...\" as {name};`")),
    }
}

fn reserved(word: &str, before: &str) -> Fault {
    let fault = Fault::new(Code::ScriptSyntax, format!("`{word}` is a reserved word"));
    let before = before.trim_end();
    if before.ends_with('.') {
        return fault
            .hint(format!("read it with `.at(\"{word}\")` or `[\"{word}\"]`, as in `obj.at(\"spec.http[0].match\")`"));
    }
    if before.ends_with("#{") || before.ends_with(',') || before.is_empty() {
        return fault.hint(format!("as a key of a map put it in quotes: `\"{word}\": ...`; as a name choose another"));
    }
    match word {
        "null" | "nil" => fault.hint("the value that stands for nothing is `()`"),
        "eval" => fault.hint("scripts cannot run text as code"),
        "new" | "var" => fault.hint("variables are declared with `let` or `const`"),
        "match" | "case" => fault.hint("the statement is `switch value { \"a\" => ..., _ => ... }`"),
        _ => fault.hint("choose another name"),
    }
}

fn is_closing(token: &str) -> bool {
    matches!(token, "}" | ")" | "]")
}

fn unfinished(names: &Names<'_>) -> Fault {
    let open = names.scan.as_ref().and_then(|scan| scan.open);
    match open.and_then(|(bracket, position)| Some((bracket, position.line()?))) {
        Some((bracket, line)) => Fault::new(
            Code::ScriptSyntax,
            format!("the script ends too early: the `{bracket}` of line {line} is not closed"),
        ),
        None => Fault::new(Code::ScriptSyntax, "the script ends too early"),
    }
}

fn lexical(error: &LexError, before: &str) -> Fault {
    let message = match error {
        LexError::UnterminatedString => "a string is not closed before the end of its line".to_owned(),
        LexError::UnexpectedInput(what) => format!("`{}` makes no sense here", what.replace(super::step::KEY, "step")),
        LexError::MalformedEscapeSequence(text) => format!("`{text}` is no escape sequence"),
        LexError::MalformedNumber(text) => format!("`{text}` is no number"),
        LexError::ImproperSymbol(symbol, why) if why.is_empty() => format!("`{symbol}` makes no sense here"),
        other => lower(&other.to_string()).replace(super::step::KEY, "step"),
    };
    let fault = Fault::new(Code::ScriptSyntax, message);
    match error {
        LexError::UnterminatedString if before.contains('`') => fault.hint("text in back-ticks ends with a back-tick"),
        LexError::MalformedEscapeSequence(_) => fault.hint("a back-slash in a string is written twice"),
        _ => fault,
    }
}

/// The fault for an error at run time, by its kind; `None` for what carries a value of its own.
pub(super) fn of_run(error: &EvalAltResult, names: &Names<'_>) -> Fault {
    use EvalAltResult as E;
    let fault = |message: String| Fault::new(Code::ScriptError, message);
    let limit = |message: &str| Fault::new(Code::Limit, message);
    match error {
        E::ErrorFunctionNotFound(signature, _) => no_function(signature, names),
        E::ErrorVariableNotFound(name, _) => match name.rsplit_once("::") {
            Some((namespace, name)) => fault(format!("there is no `{name}` in `{namespace}`")),
            None => Fault { code: Code::ScriptError, ..undefined(name, names) },
        },
        E::ErrorModuleNotFound(name, _) => fault(format!("there is no namespace `{name}`")),
        E::ErrorMismatchDataType(wanted, got, _) | E::ErrorMismatchOutputType(wanted, got, _) => mismatch(wanted, got),
        E::ErrorDotExpr(message, _) => property(message),
        E::ErrorPropertyNotFound(name, _) => fault(format!("there is no property `{name}`")),
        E::ErrorIndexingType(kind, _) => {
            fault(format!("a value of type {} cannot be indexed like that", type_word(kind)))
                .hint("`obj.at(\"a.b[0]\")` reads a path and gives `()` where there is nothing")
        }
        E::ErrorArrayBounds(length, index, _) => fault(format!("there is no item {index} in a list of {length}")),
        E::ErrorStringBounds(length, index, _) => {
            fault(format!("there is no character {index} in a string of {length}"))
        }
        E::ErrorFor(_) => {
            fault("`for` goes over lists and ranges only".to_owned()).hint("a map gives its keys with `.keys()`")
        }
        E::ErrorArithmetic(message, _) => fault(lower(message)),
        E::ErrorAssignmentToConstant(name, _) => fault(format!("`{name}` is a constant")).hint("declare it with `let`"),
        E::ErrorDataRace(name, _) => fault(format!("two places use `{name}` at the same time"))
            .hint("give results back as values instead of changing a variable from inside `parallel`"),
        E::ErrorTooManyOperations(_) => {
            limit("the script does not come to an end: it went over the limit of operations")
        }
        E::ErrorStackOverflow(_) => limit("functions call one another too deeply"),
        E::ErrorTooManyVariables(_) => limit("there are too many variables"),
        E::ErrorTooManyModules(_) => limit("too many modules are imported"),
        E::ErrorDataTooLarge(what, _) => limit(&format!("a value is too large: {}", lower(what))),
        E::ErrorUnboundThis(_) => fault("`this` stands for nothing here".to_owned()),
        other => fault(lower(first_line(&other.to_string()))),
    }
}

fn mismatch(wanted: &str, got: &str) -> Fault {
    let fault = Fault::new(Code::ScriptError, format!("expected {}, got {}", type_word(wanted), type_word(got)));
    if wanted == "bool" {
        fault.hint("there is no truthiness: compare, as in `x != ()` or `text != \"\"`")
    } else {
        fault
    }
}

/// Rhai says of `a.b` where `a` is `()`: "Unknown property 'b' - a getter is not registered for type '()'".
fn property(message: &str) -> Fault {
    let quoted: Vec<&str> = message.split('\'').skip(1).step_by(2).collect();
    let (name, kind) = (quoted.first().copied().unwrap_or_default(), quoted.last().copied().unwrap_or_default());
    if name.is_empty() || quoted.len() < 2 {
        return Fault::new(Code::ScriptError, lower(first_line(message)));
    }
    let fault =
        Fault::new(Code::ScriptError, format!("`{name}` cannot be read: what stands before it is {}", type_word(kind)));
    if kind == "()" {
        fault.hint(format!("`?.{name}` or `.at(\"... .{name}\")` give `()` where something is absent"))
    } else {
        fault
    }
}

/// The fault for a call that no function answers to. The signature is `helm::upgrade (string, map)`.
pub(super) fn no_function(signature: &str, names: &Names<'_>) -> Fault {
    let (name, arguments) = signature.split_once('(').unwrap_or((signature, ""));
    let (name, arguments) = (name.trim(), arguments.trim_end_matches(')'));
    let count = if arguments.trim().is_empty() { 0 } else { arguments.split(',').count() };
    if let Some(fault) = operator(name, arguments) {
        return fault;
    }
    if name.starts_with("anon$") {
        return Fault::new(
            Code::ScriptError,
            format!("a closure is called with {}, which is not what it takes", arguments_word(count)),
        )
        .hint("`|item| ...` takes one argument, `|| ...` takes none");
    }
    if let Some(primitive) = names.primitives.iter().find(|primitive| primitive.name == name) {
        return wrong_arity(primitive, count);
    }
    if names.scan.as_ref().is_some_and(|scan| scan.functions.contains(name)) {
        return Fault::new(
            Code::ScriptError,
            format!("`{name}` does not take {} of these types", arguments_word(count)),
        );
    }
    let fault = Fault::new(Code::ScriptError, format!("there is no function `{name}` for ({})", type_words(arguments)));
    if names.scan.as_ref().is_some_and(|scan| scan.declared.contains(name)) {
        return fault.hint(format!("a function in a variable is called with `{name}.call(...)`"));
    }
    let own = names.scan.iter().flat_map(|scan| scan.functions.iter().map(String::as_str));
    match nearest(name, names.primitives.iter().map(|primitive| primitive.name).chain(own)) {
        Some(near) => fault.hint(match names.primitives.iter().find(|primitive| primitive.name == near) {
            Some(primitive) => format!("did you mean `{}`?", primitive.signature()),
            None => format!("did you mean `{near}`?"),
        }),
        None => fault,
    }
}

/// The fault for a primitive that is called with too few or too many arguments.
pub(super) fn wrong_arity(primitive: &Primitive, count: usize) -> Fault {
    Fault::new(Code::WrongArgument, format!("`{}` does not take {}", primitive.name, arguments_word(count)))
        .hint(format!("it is `{}`", primitive.signature()))
}

fn operator(name: &str, arguments: &str) -> Option<Fault> {
    if name.is_empty() || name.chars().any(|c| c.is_alphanumeric() || c == '_' || c == '$') {
        return None;
    }
    let fault = Fault::new(Code::ScriptError, format!("`{name}` does not work on {}", type_words(arguments)));
    Some(if name == "!" { fault.hint("there is no truthiness: compare, as in `x == ()`") } else { fault })
}

pub(super) fn arguments_word(count: usize) -> String {
    match count {
        0 => "no argument".to_owned(),
        1 => "1 argument".to_owned(),
        n => format!("{n} arguments"),
    }
}

fn type_words(arguments: &str) -> String {
    arguments.split(',').map(|kind| type_word(kind.trim())).collect::<Vec<_>>().join(", ")
}

/// What Rhai calls a type, in our words.
pub(super) fn type_word(kind: &str) -> &str {
    match kind.trim_start_matches("&mut ").trim() {
        "i64" => "a whole number",
        "f64" => "a number",
        "string" | "&str | ImmutableString | String" => "a string",
        "array" => "a list",
        "map" => "a map",
        "Fn" => "a function",
        "bool" => "a bool",
        "()" => "()",
        other => other,
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

fn lower(text: &str) -> String {
    let text = text.trim_end_matches('.');
    let mut chars = text.chars();
    match chars.next() {
        Some(first) if !chars.as_str().starts_with(char::is_uppercase) => first.to_lowercase().chain(chars).collect(),
        _ => text.to_owned(),
    }
}
