//! Faults on their way through a script: as Rhai's errors, which a `catch` may see, and back as faults with their places.
//!
//! A fault travels as a run-time error that carries its map. One that must not be caught ([`Reach::Run`]) also poisons the
//! run: should a `catch` take it, the next operation of the script ends the run with it all the same.
//!
//! Does not know the words for Rhai's own errors: [`super::words`] has them.

use rhai::{Dynamic, EvalAltResult, Position};
use serde_json::{Map, Value};

use super::run::Run;
use super::value::{to_dynamic, to_value};
use super::words::{self, Names};
use crate::fault::{Code, Fault, Place, Reach};
use crate::param::in_words;
use crate::world::Interrupt;

/// What Rhai's functions give where they fail.
pub(super) type Error = Box<EvalAltResult>;

/// A fault as an error at a place of a script.
#[expect(clippy::unnecessary_box_returns, reason = "Rhai's functions fail with boxed errors")]
pub(super) fn raise(run: &Run, mut fault: Fault, source: &str, position: Position) -> Error {
    if let Some(place) = place(source, position) {
        push(&mut fault.stack, place);
    }
    if fault.code.reach() == Reach::Run {
        run.poison(&fault);
    }
    EvalAltResult::ErrorRuntime(to_dynamic(fault.to_value()), position).into()
}

/// A place of a script; none where the position is unknown.
pub(super) fn place(source: &str, position: Position) -> Option<Place> {
    Some(Place { source: source.to_owned(), line: position.line()?, column: position.position().unwrap_or(0) })
}

/// Adds a place, unless the last one is on the same line: a call and the closure handed to it are one place for a person.
fn push(stack: &mut Vec<Place>, place: Place) {
    if stack.last().is_none_or(|last| (&last.source, last.line) != (&place.source, place.line)) {
        stack.push(place);
    }
}

/// The fault that an error is, with all its places. `outer` is the script in which the outermost place stands.
pub(super) fn fault_of(error: &EvalAltResult, outer: &str, run: &Run) -> Fault {
    let mut places: Vec<Place> = Vec::new();
    let mut source = outer;
    let mut inner = error;
    while let EvalAltResult::ErrorInFunctionCall(_, callee, next, position)
    | EvalAltResult::ErrorInModule(callee, next, position) = inner
    {
        places.extend(place(source, *position));
        source = if callee.is_empty() { source } else { callee };
        inner = next;
    }
    places.extend(place(source, inner.position()));
    places.reverse();
    let mut fault = root(inner, run, source);
    for place in places {
        push(&mut fault.stack, place);
    }
    fault
}

/// The fault of the innermost error, with the places it brings along; `source` is the script in which it happened.
fn root(error: &EvalAltResult, run: &Run, source: &str) -> Fault {
    let names = run.names(source);
    match error {
        EvalAltResult::ErrorRuntime(thrown, _) => thrown_fault(thrown, &names),
        EvalAltResult::ErrorTerminated(..) => run.poisoned().unwrap_or_else(Interrupt::fault),
        EvalAltResult::ErrorParsing(error, _) => words::of_syntax(error, &names, ""),
        EvalAltResult::ErrorSystem(_, error) => match error.downcast_ref::<Fault>() {
            Some(fault) => fault.clone(),
            None => Fault::new(Code::Internal, error.to_string()),
        },
        other => words::of_run(other, &names),
    }
}

/// The fault that a thrown value is: a fault's map is that fault again, a text is its message.
fn thrown_fault(thrown: &Dynamic, names: &Names<'_>) -> Fault {
    let value = match to_value(thrown) {
        Ok(value) => value,
        Err(what) => return Fault::new(Code::Thrown, format!("the script threw {what}")),
    };
    if let Some(fault) = Fault::from_value(&value) {
        return fault;
    }
    match &value {
        Value::String(text) => Fault::new(Code::Thrown, text.clone()),
        Value::Null => Fault::new(Code::Thrown, "the script gave up without saying why"),
        Value::Object(map) if is_rhai_error(map) => rhai_error(map, names),
        Value::Object(map) => thrown_map(map),
        other => Fault::new(Code::Thrown, format!("the script threw {}", in_words(other))),
    }
}

fn thrown_map(map: &Map<String, Value>) -> Fault {
    let text = |key: &str| map.get(key).and_then(Value::as_str).map(str::to_owned);
    let message = text("message").unwrap_or_else(|| "the script threw a map".to_owned());
    let mut fault = Fault::new(Code::Thrown, message);
    fault.hint = text("hint");
    fault.object = text("object");
    fault.retryable = map.get("retryable") == Some(&Value::Bool(true));
    fault.detail =
        map.iter().filter(|(key, _)| !KNOWN.contains(&key.as_str())).map(|(k, v)| (k.clone(), v.clone())).collect();
    fault
}

const KNOWN: [&str; 4] = ["message", "hint", "object", "retryable"];

/// Whether a map is what Rhai gives `catch` for an error of its own.
fn is_rhai_error(map: &Map<String, Value>) -> bool {
    let named = map.get("error").and_then(Value::as_str).is_some_and(|name| name.starts_with("Error"));
    named && map.contains_key("message")
}

/// The fault that a variable holds, where it is what Rhai gave `catch` for an error of its own.
pub(super) fn caught(value: &Dynamic, run: &Run, source: &str) -> Option<Fault> {
    {
        // Asked of every map in a variable that is read, so the rest is only done where it is one.
        let map = value.as_map_ref().ok()?;
        let error = map.get("error")?;
        error.as_immutable_string_ref().ok().filter(|name| name.starts_with("Error"))?;
    }
    let Ok(Value::Object(map)) = to_value(value) else { return None };
    let mut fault = is_rhai_error(&map).then(|| rhai_error(&map, &run.names(source)))?;
    fault.step = Some(run.session.scopes.path()).filter(|path| !path.is_empty());
    Some(fault)
}

/// The fault of an error that Rhai turned into a map for `catch`.
fn rhai_error(map: &Map<String, Value>, names: &Names<'_>) -> Fault {
    use EvalAltResult as E;
    let text = |key: &str| map.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let number = |key: &str| map.get(key).and_then(Value::as_i64).unwrap_or_default();
    let size = |key: &str| usize::try_from(number(key)).unwrap_or_default();
    let none = Position::NONE;
    let error = match text("error").as_str() {
        "ErrorFunctionNotFound" => E::ErrorFunctionNotFound(text("function"), none),
        "ErrorVariableNotFound" => E::ErrorVariableNotFound(text("variable"), none),
        "ErrorPropertyNotFound" => E::ErrorPropertyNotFound(text("variable"), none),
        "ErrorAssignmentToConstant" => E::ErrorAssignmentToConstant(text("variable"), none),
        "ErrorDataRace" => E::ErrorDataRace(text("variable"), none),
        "ErrorMismatchDataType" => E::ErrorMismatchDataType(text("requested"), text("actual"), none),
        "ErrorMismatchOutputType" => E::ErrorMismatchOutputType(text("requested"), text("actual"), none),
        "ErrorArrayBounds" => E::ErrorArrayBounds(size("length"), number("index"), none),
        "ErrorStringBounds" => E::ErrorStringBounds(size("length"), number("index"), none),
        "ErrorDotExpr" => E::ErrorDotExpr(text("property"), none),
        "ErrorIndexingType" => E::ErrorIndexingType(text("type"), none),
        "ErrorFor" => E::ErrorFor(none),
        "ErrorInFunctionCall" | "ErrorInModule" => {
            E::ErrorArithmetic(text("message").lines().next().unwrap_or_default().to_owned(), none)
        }
        _ => E::ErrorArithmetic(text("message"), none),
    };
    let mut fault = words::of_run(&error, names);
    if let Ok(line) = usize::try_from(number("line"))
        && line > 0
    {
        fault.stack.push(Place { source: text("source"), line, column: size("position") });
    }
    fault
}

/// Says in an error on its way up in which step it happened, and makes a fault of an error of Rhai's own, so that a `catch`
/// further up finds code and kind.
pub(super) fn annotate(error: &mut EvalAltResult, step: &str, run: &Run, outer: &str) {
    let mut inner = error;
    let mut source = outer;
    while let EvalAltResult::ErrorInFunctionCall(_, callee, next, _) | EvalAltResult::ErrorInModule(callee, next, _) =
        inner
    {
        source = if callee.is_empty() { source } else { callee };
        inner = next;
    }
    if !matches!(inner, EvalAltResult::ErrorRuntime(..)) && (inner.is_pseudo_error() || !inner.is_catchable()) {
        return;
    }
    let mut fault = root(inner, run, source);
    if fault.step.is_some() {
        return;
    }
    fault.step = Some(step.to_owned());
    *inner = EvalAltResult::ErrorRuntime(to_dynamic(fault.to_value()), inner.position());
}
