//! `step "title" { ... }` and `step "title" with #{ ... } { ... }`: the unit of progress, as an expression.
//!
//! Does not know what a step does, nor how it is shown.

use std::time::Duration;

use rhai::{Dynamic, Engine, EvalContext, Expression, ImmutableString, LexError, ParseError, Position};
use serde_json::Value;

use super::run::Run;
use super::trouble::{Error, annotate, fault_of, raise};
use super::value::to_value;
use crate::fault::{Code, Fault, Reach};
use crate::param::{in_words, nearest, parse_duration};
use crate::record::{Attempt, Ended, Entry, StepFinished, StepStarted};
use crate::scope::{Stated, id_of};
use crate::world::{Question, Style};

/// The name under which Rhai knows the syntax. No identifier, so that `step` stays an ordinary name elsewhere.
pub(super) const KEY: &str = "@step";

/// Pause before the second try of a step; it doubles with each further one.
const PAUSE: Duration = Duration::from_secs(2);

/// The longest pause between tries.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// What stands in `with #{ ... }`.
#[derive(Debug, Default)]
struct Options {
    id: Option<String>,
    when: Option<bool>,
    approve: Option<String>,
    timeout: Option<Duration>,
    retries: u32,
}

const OPTIONS: [&str; 5] = ["id", "when", "approve", "timeout", "retries"];

/// Teaches an engine the syntax.
pub(super) fn register(engine: &mut Engine) {
    engine.register_custom_syntax_with_state_raw(
        KEY,
        |symbols, ahead, _| parse(symbols, ahead),
        false,
        |context, inputs, _| evaluate(context, inputs),
    );
}

fn parse(symbols: &[ImmutableString], ahead: &str) -> Result<Option<ImmutableString>, ParseError> {
    let with_options = symbols.get(2).is_some_and(|symbol| symbol == "with");
    match (symbols.len(), ahead) {
        (1, _) => Ok(Some("$expr$".into())), // the title
        (2, "with") => Ok(Some("with".into())),
        (2 | 4, "{") => Ok(Some("$block$".into())),
        (3, _) if with_options => Ok(Some("$expr$".into())),
        (3 | 5, _) => Ok(None),
        _ => {
            let message = "a step is `step \"title\" { ... }` or `step \"title\" with #{ ... } { ... }`";
            Err(LexError::ImproperSymbol(ahead.to_owned(), message.to_owned()).into_err(Position::NONE))
        }
    }
}

fn evaluate(context: &mut EvalContext<'_, '_, '_, '_, '_, '_>, inputs: &[Expression<'_>]) -> Result<Dynamic, Error> {
    let run = Run::of(Some(context.tag()));
    let source = context.source().unwrap_or_default().to_owned();
    let position = inputs[0].position();
    let fail = |fault: Fault| raise(&run, fault, &source, position);
    let title = inputs[0].eval_with_context(context)?;
    let title = title.into_string().map_err(|found| fail(no_title(found)))?;
    let options = match inputs {
        [_, options, _] => {
            let given = options.eval_with_context(context)?;
            Options::of(&given).map_err(|fault| raise(&run, fault, &source, options.position()))?
        }
        _ => Options::default(),
    };
    let block = inputs.last().expect("a step has a block");
    let mut step = Step::enter(&run, &title, options).map_err(fail)?;
    if step.options.when == Some(false) {
        step.finish(Ended::Skipped).map_err(fail)?;
        return Ok(Dynamic::UNIT);
    }
    if let Err(fault) = step.approve() {
        step.finish(Ended::Failed).map_err(fail)?;
        return Err(fail(fault));
    }
    let outcome = step.attempts(&source, || block.eval_with_context(context));
    step.settle(outcome, &source, position)
}

fn no_title(found: &str) -> Fault {
    Fault::new(Code::WrongArgument, format!("the title of a step is a string, not {}", super::words::type_word(found)))
}

/// A step that was entered.
struct Step<'a> {
    run: &'a Run,
    path: String,
    id: String,
    title: String,
    options: Options,
    started: Duration,
    open: bool,
}

impl<'a> Step<'a> {
    fn enter(run: &'a Run, title: &str, mut options: Options) -> Result<Self, Fault> {
        let stated = if options.id.is_some() { Stated::ByScript } else { Stated::FromTitle };
        let id = options.id.take().unwrap_or_else(|| id_of(title));
        let session = &run.session;
        let depth = session.scopes.depth();
        let path = session.enter(&id, stated)?;
        let now = session.world.clock.elapsed();
        if let Some(timeout) = options.timeout {
            session.scopes.limit(now.saturating_add(timeout));
        }
        let step = Self { run, path, id, title: title.to_owned(), options, started: now, open: true };
        session.record(Entry::StepStarted(StepStarted { step: step.path.clone(), title: title.to_owned(), depth }))?;
        Ok(step)
    }

    fn approve(&self) -> Result<(), Fault> {
        let Some(text) = &self.options.approve else { return Ok(()) };
        self.run.session.approve(&Question {
            id: self.id.clone(),
            step: self.path.clone(),
            text: if text.is_empty() { self.title.clone() } else { text.clone() },
            evidence: Vec::new(),
            style: Style::Approval { retype: None },
        })
    }

    /// Runs the block, again where it failed in a way that may pass and the step has retries left.
    fn attempts(&self, source: &str, mut block: impl FnMut() -> Result<Dynamic, Error>) -> Result<Dynamic, Error> {
        let mut attempt = 1;
        loop {
            let error = match block() {
                Err(error) if attempt <= self.options.retries && !error.is_pseudo_error() => error,
                outcome => return outcome,
            };
            let fault = fault_of(&error, source, self.run);
            if !fault.retryable || fault.code.reach() == Reach::Run || self.try_again(attempt, &fault).is_err() {
                return Err(error);
            }
            attempt += 1;
        }
    }

    fn try_again(&self, attempt: u32, fault: &Fault) -> Result<(), Fault> {
        let session = &self.run.session;
        session.record(Entry::Attempt(Attempt {
            step: self.path.clone(),
            words: self.title.clone(),
            attempt,
            reason: fault.message.clone(),
        }))?;
        let pause = PAUSE.saturating_mul(1 << (attempt - 1).min(16)).min(LONGEST_PAUSE);
        session.pause(pause)?;
        session.scopes.again(&self.path);
        Ok(())
    }

    /// Ends the step. `return` and `break` arrive as errors and are none; failed checks speak up here.
    fn settle(mut self, outcome: Result<Dynamic, Error>, source: &str, position: Position) -> Result<Dynamic, Error> {
        let run = self.run;
        let fail = |fault: Fault| raise(run, fault, source, position);
        let ended_well = outcome.as_ref().map_or_else(|error| error.is_pseudo_error(), |_| true);
        if !ended_well {
            let outcome = outcome.map_err(|mut error| {
                annotate(&mut error, &self.path, run, source);
                error
            });
            self.finish(Ended::Failed).map_err(fail)?;
            return outcome;
        }
        if let Err(mut fault) = run.session.settle_checks(&self.path) {
            fault.step.get_or_insert_with(|| self.path.clone());
            self.finish(Ended::Failed).map_err(fail)?;
            return Err(fail(fault));
        }
        self.finish(Ended::Done).map_err(fail)?;
        outcome
    }

    fn finish(&mut self, ended: Ended) -> Result<(), Fault> {
        self.open = false;
        let session = &self.run.session;
        session.scopes.leave();
        let took = session.world.clock.elapsed().saturating_sub(self.started);
        let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        session.record(Entry::StepFinished(StepFinished { step: self.path.clone(), ended, ms }))
    }
}

impl Drop for Step<'_> {
    fn drop(&mut self) {
        if self.open {
            // Only where recording its start failed: the thread must not stay in it.
            self.run.session.scopes.leave();
        }
    }
}

impl Options {
    fn of(given: &Dynamic) -> Result<Self, Fault> {
        let wrong = |message: String| Fault::new(Code::WrongArgument, message);
        let value = to_value(given).map_err(|what| wrong(format!("the options of a step hold {what}")))?;
        let Value::Object(map) = value else {
            return Err(wrong(format!("the options of a step are a map, not {}", in_words(&value))));
        };
        let mut options = Self::default();
        for (key, value) in &map {
            options.set(key, value)?;
        }
        Ok(options)
    }

    fn set(&mut self, key: &str, value: &Value) -> Result<(), Fault> {
        let wrong = |expected: &str| {
            Fault::new(Code::WrongArgument, format!("`{key}` of a step: expected {expected}, got {}", in_words(value)))
        };
        match (key, value) {
            (_, Value::Null) if OPTIONS.contains(&key) => {}
            ("id", Value::String(id)) if is_id(id) => self.id = Some(id.clone()),
            ("id", _) => return Err(wrong("lower case letters, digits and dashes")),
            ("when", Value::Bool(when)) => self.when = Some(*when),
            ("when", _) => return Err(wrong("a bool")),
            ("approve", Value::Bool(approve)) => self.approve = approve.then(String::new),
            ("approve", Value::String(text)) => self.approve = Some(text.clone()),
            ("approve", _) => return Err(wrong("a bool, or what is to be approved as a string")),
            ("timeout", Value::String(text)) => {
                self.timeout = Some(parse_duration(text).map_err(|reason| wrong("a duration").hint(reason))?);
            }
            ("timeout", _) => return Err(wrong("a duration such as \"5m\"")),
            ("retries", Value::Number(number)) => {
                let retries = number.as_u64().and_then(|n| u32::try_from(n).ok());
                self.retries = retries.ok_or_else(|| wrong("a whole number from 0"))?;
            }
            ("retries", _) => return Err(wrong("a whole number from 0")),
            (unknown, _) => {
                let fault = Fault::new(Code::UnknownOption, format!("a step has no option `{unknown}`"));
                return Err(match nearest(unknown, OPTIONS) {
                    Some(near) => fault.hint(format!("did you mean `{near}`?")),
                    None => fault.hint(format!("it has {}", OPTIONS.join(", "))),
                });
            }
        }
        Ok(())
    }
}

fn is_id(text: &str) -> bool {
    !text.is_empty()
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.'))
}
