//! `wait::that`

use runbook_core::primitive::{Answer, Example};
use runbook_core::record::Waiting;
use runbook_core::{Args, Call, Code, Effect, Fault, Function, Outcome, Param, Primitive, Value};
use serde_json::json;

use super::option::{self, INTERVAL, TIMEOUT};
use super::words::in_words;

const WHAT: Param<String> = Param::required("what", "What is waited for, as it is to be shown.");
const TEST: Param<Function> =
    Param::required("test", "Answers true once it is so, or `#{ done, ok, message }`: done without ok stops early.");

/// Asked at once and then at intervals; only reads are allowed in it. What it cannot read at the moment is not so yet.
pub(super) const THAT: Primitive = Primitive {
    name: "wait::that",
    summary: "Wait until a function of the script says that something is so.",
    params: &[&WHAT, &TEST, &TIMEOUT, &INTERVAL],
    effect: Effect::Wait,
    answer: Answer::Recorded,
    announce,
    command: runbook_core::primitive::no_command,
    run,
    examples: &[Example {
        cluster: "",
        script: r#"wait::that("the sum is right", || 1 + 1 == 2)"#,
        expect: r#"{ "asked": 1 }"#,
    }],
};

fn announce(args: &Args) -> String {
    format!("wait until {}", args.get(&WHAT))
}

/// What the function said.
enum Said {
    Yes(String),
    NotYet(String),
    Never(String),
}

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    let (what, test) = (args.get(&WHAT), args.get(&TEST));
    let (timeout, interval) = (option::timeout(call, args), option::interval(args));
    let clock = &call.world.clock;
    let started = clock.elapsed();
    for asked in 1_u64.. {
        let said = call.session.asking(|| call.invoke(&test, Vec::new()));
        let lasted = clock.elapsed().saturating_sub(started);
        let message = match read(said)? {
            Said::Yes(message) => {
                let elapsed = u64::try_from(lasted.as_millis()).unwrap_or(u64::MAX);
                return Ok(json!({ "message": message, "asked": asked, "elapsed_ms": elapsed }));
            }
            Said::Never(message) => return Err(Fault::new(Code::Doomed, with(&format!("{what}: no"), &message))),
            Said::NotYet(message) => message,
        };
        if lasted >= timeout {
            let gave_up = format!("{what}: not so after {}", in_words(timeout));
            let fault = Fault::new(Code::Timeout, with(&gave_up, &message)).with("asked", asked);
            return Err(fault.hint("find out what holds it, or give it longer with `timeout`").retryable());
        }
        let left = timeout.saturating_sub(lasted);
        let left_ms = u64::try_from(left.as_millis()).ok();
        let reasons = Some(message).filter(|message| !message.is_empty()).into_iter().collect();
        call.waiting(Waiting { what: what.clone(), reasons, left_ms, ..Waiting::default() });
        call.session.pause(interval.min(left))?;
    }
    unreachable!("a wait ends by its timeout long before the numbers do")
}

fn with(what: &str, message: &str) -> String {
    if message.is_empty() { what.to_owned() } else { format!("{what}: {message}") }
}

fn read(said: Outcome) -> Result<Said, Fault> {
    let value = match said {
        Err(fault) if fault.retryable => return Ok(Said::NotYet(fault.message)),
        other => other?,
    };
    let flag = |key: &str| value.get(key).and_then(Value::as_bool);
    let message = value.get("message").and_then(Value::as_str).unwrap_or_default().to_owned();
    match (&value, flag("done"), flag("ok")) {
        (Value::Bool(true), ..) => Ok(Said::Yes(String::new())),
        (Value::Bool(false), ..) => Ok(Said::NotYet(String::new())),
        (Value::Object(_), Some(true), None | Some(true)) => Ok(Said::Yes(message)),
        (Value::Object(_), Some(true), Some(false)) => Ok(Said::Never(message)),
        (Value::Object(_), Some(false), _) => Ok(Said::NotYet(message)),
        (other, ..) => {
            let got = runbook_core::param::in_words(other);
            let message =
                format!("the test of `wait::that` must answer with a bool or `#{{ done, ok, message }}`, not {got}");
            Err(Fault::new(Code::WrongArgument, message))
        }
    }
}
