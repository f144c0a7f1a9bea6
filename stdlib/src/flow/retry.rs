//! `retry`

use std::time::Duration;

use runbook_core::arg::{Args, Function};
use runbook_core::fault::Reach;
use runbook_core::param::{in_words, nearest, parse_duration};
use runbook_core::primitive::{Answer, no_command};
use runbook_core::record::{Attempt, Entry};
use runbook_core::{Call, Code, Effect, Example, Fault, Outcome, Param, Primitive, Value};
use serde_json::Map;

const OPTIONS: Param<Map<String, Value>> = Param::required(
    "options",
    "`attempts`: how many tries in all, 3 if absent; `backoff`: the pause after the first failure, `\"2s\"` if absent, doubled after each further one; `words`: what is tried.",
);
const BODY: Param<Function> = Param::required("body", "What is tried.");

/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_mins(2);

pub(super) const RETRY: Primitive = Primitive {
    name: "retry",
    summary: "Try something several times; each failed try is in the record.",
    params: &[&OPTIONS, &BODY],
    effect: Effect::Pure,
    answer: Answer::Recorded,
    announce: |_| "try".to_owned(),
    command: no_command,
    run,
    examples: &[Example {
        cluster: "",
        script: r#"let n = 0; retry(#{ attempts: 3, backoff: "10ms" }, || { n += 1; if n < 3 { throw "not yet"; } `after ${n}` })"#,
        expect: r#""after 3""#,
    }],
};

/// How often and after which pauses.
#[derive(Debug, PartialEq)]
struct Options {
    attempts: u32,
    backoff: Duration,
    words: String,
}

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    let options = Options::of(&args.get(&OPTIONS))?;
    let body = args.get(&BODY);
    let mut attempt = 1;
    loop {
        let fault = match call.invoke(&body, vec![]) {
            Err(fault) if attempt < options.attempts && may_pass(&fault) => fault,
            outcome => return outcome,
        };
        call.session.record(Entry::Attempt(Attempt {
            step: call.step.clone(),
            words: options.words.clone(),
            attempt,
            reason: fault.message.clone(),
        }))?;
        call.session.pause(options.pause(attempt))?;
        call.session.scopes.again(&call.step);
        attempt += 1;
    }
}

/// The script asks for every try; only what is wrong with the script itself, or is for people to decide, is not tried again.
fn may_pass(fault: &Fault) -> bool {
    let of_script = matches!(fault.code, Code::ScriptError | Code::WrongArgument | Code::UnknownOption);
    fault.code.reach() == Reach::Script && !of_script
}

impl Options {
    fn of(map: &Map<String, Value>) -> Result<Self, Fault> {
        let mut options = Self { attempts: 3, backoff: Duration::from_secs(2), words: "try".to_owned() };
        for (key, value) in map {
            let wrong = |expected: &str| {
                Fault::new(
                    Code::WrongArgument,
                    format!("`{key}` of `retry`: expected {expected}, got {}", in_words(value)),
                )
            };
            match (key.as_str(), value) {
                ("attempts", Value::Number(number)) => {
                    let attempts = number.as_u64().and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0);
                    options.attempts = attempts.ok_or_else(|| wrong("a whole number from 1"))?;
                }
                ("attempts", _) => return Err(wrong("a whole number from 1")),
                ("backoff", Value::String(text)) => {
                    options.backoff = parse_duration(text).map_err(|reason| wrong("a duration").hint(reason))?;
                }
                ("backoff", _) => return Err(wrong("a duration such as \"2s\"")),
                ("words", Value::String(words)) => options.words.clone_from(words),
                ("words", _) => return Err(wrong("a string")),
                (unknown, _) => return Err(unknown_option(unknown)),
            }
        }
        Ok(options)
    }

    fn pause(&self, attempt: u32) -> Duration {
        self.backoff.saturating_mul(1 << (attempt - 1).min(20)).min(LONGEST_PAUSE.max(self.backoff))
    }
}

fn unknown_option(unknown: &str) -> Fault {
    let known = ["attempts", "backoff", "words"];
    let fault = Fault::new(Code::UnknownOption, format!("`retry` has no option `{unknown}`"));
    match nearest(unknown, known) {
        Some(near) => fault.hint(format!("did you mean `{near}`?")),
        None => fault.hint(format!("it has {}", known.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn pauses_double_up_to_an_end() {
        let options = Options::of(json!({ "attempts": 9, "backoff": "1s" }).as_object().unwrap()).unwrap();
        assert_eq!([1, 2, 3, 30].map(|n| options.pause(n).as_secs()), [1, 2, 4, 120]);
    }

    #[test]
    fn an_unknown_option_names_its_neighbour() {
        let fault = Options::of(json!({ "atempts": 9 }).as_object().unwrap()).unwrap_err();
        assert_eq!(fault.hint.as_deref(), Some("did you mean `attempts`?"));
    }
}
