//! `check`

use runbook_core::arg::Function;
use runbook_core::fault::Reach;
use runbook_core::param::{in_words, nearest};
use runbook_core::primitive::{Answer, no_command};
use runbook_core::record::{Check, Verdict};
use runbook_core::scope::id_of;
use runbook_core::{Call, Code, Effect, Example, Fault, Outcome, Param, Primitive, Value, arg::Args};
use serde_json::{Map, json};

use super::option::ID;

const TITLE: Param<String> = Param::required("title", "What it looks at.");
const BODY: Param<Function> = Param::required(
    "body",
    "Looks, and answers `\"pass\"`, `\"warn\"` or `\"fail\"`, or a map of `verdict`, `message` and `fix`. It can only read.",
);
const ALLOW_OVERRIDE: Param<Option<bool>> = Param::option(
    "allow_override",
    "Whether `--override ID --reason TEXT` lets a failure through; it does not if absent.",
);

pub(super) const CHECK: Primitive = Primitive {
    name: "check",
    summary: "Look at something before anything is changed; failures are told together, at the end of the step or before the next write.",
    params: &[&TITLE, &BODY, &ID, &ALLOW_OVERRIDE],
    effect: Effect::Pure,
    answer: Answer::Recorded,
    announce: |args| format!("check {}", args.get(&TITLE)),
    command: no_command,
    run,
    examples: &[
        Example { cluster: "", script: r#"check("skew", || "pass").verdict"#, expect: r#""pass""# },
        Example {
            cluster: "",
            script: r#"check("images", || #{ verdict: "warn", message: "registry changes" })"#,
            expect: r#"{"message":"registry changes","verdict":"warn"}"#,
        },
    ],
};

/// What a check found, before anybody lets it through.
#[derive(Debug, PartialEq)]
struct Finding {
    verdict: Verdict,
    message: String,
    fix: Option<String>,
}

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    let title = args.get(&TITLE);
    let id = args.get(&ID).unwrap_or_else(|| id_of(&title));
    let found = call.session.reading(|| call.invoke(&args.get(&BODY), vec![]));
    let finding = match found {
        Ok(value) => Finding::of(&value, &title)?,
        Err(fault) => Finding::of_fault(fault)?,
    };
    let reason = if finding.verdict == Verdict::Fail { call.world.operator.overrides(&id) } else { None };
    let allowed = args.get(&ALLOW_OVERRIDE).unwrap_or(false);
    let message = match &reason {
        Some(_) if !allowed => joined(&finding.message, "this check cannot be overridden"),
        _ => finding.message,
    };
    let check = Check {
        step: call.step.clone(),
        id,
        title,
        verdict: finding.verdict,
        message,
        fix: finding.fix,
        overridable: allowed,
        overridden: reason.filter(|_| allowed),
    };
    let answer = answer(&check);
    call.session.register_check(check)?;
    Ok(answer)
}

fn answer(check: &Check) -> Value {
    let mut answer = Map::new();
    answer.insert("verdict".to_owned(), json!(check.verdict));
    answer.insert("message".to_owned(), json!(check.message));
    answer.insert("fix".to_owned(), json!(check.fix));
    answer.insert("overridden".to_owned(), json!(check.overridden));
    answer.retain(|_, value| !value.is_null());
    answer.into()
}

fn joined(message: &str, more: &str) -> String {
    if message.is_empty() { more.to_owned() } else { format!("{message}; {more}") }
}

impl Finding {
    fn of(value: &Value, title: &str) -> Result<Self, Fault> {
        let wrong = || {
            let expected = "`\"pass\"`, `\"warn\"`, `\"fail\"`, or a map of `verdict`, `message` and `fix`";
            Fault::new(
                Code::WrongArgument,
                format!("check `{title}` answers with {}, expected {expected}", in_words(value)),
            )
        };
        let Value::Object(map) = value else {
            let word = value.as_str().ok_or_else(wrong)?;
            return Ok(Self { verdict: verdict(word).ok_or_else(wrong)?, message: String::new(), fix: None });
        };
        if let Some(unknown) = map.keys().find(|key| !["verdict", "message", "fix"].contains(&key.as_str())) {
            let fault = Fault::new(Code::UnknownOption, format!("check `{title}` answers with an unknown `{unknown}`"));
            return Err(match nearest(unknown, ["verdict", "message", "fix"]) {
                Some(near) => fault.hint(format!("did you mean `{near}`?")),
                None => fault.hint("it may have `verdict`, `message` and `fix`"),
            });
        }
        let text = |key: &str| match map.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(wrong()),
        };
        let verdict = text("verdict")?.and_then(|word| verdict(&word)).ok_or_else(wrong)?;
        Ok(Self { verdict, message: text("message")?.unwrap_or_default(), fix: text("fix")? })
    }

    /// A check that cannot be made has failed; what people decide is no finding.
    fn of_fault(fault: Fault) -> Result<Self, Fault> {
        if fault.code.reach() == Reach::Run {
            return Err(fault);
        }
        let message =
            if fault.code == Code::Incomplete { format!("unknown: {}", fault.message) } else { fault.message };
        Ok(Self { verdict: Verdict::Fail, message, fix: fault.hint })
    }
}

fn verdict(word: &str) -> Option<Verdict> {
    match word {
        "pass" => Some(Verdict::Pass),
        "warn" => Some(Verdict::Warn),
        "fail" => Some(Verdict::Fail),
        _ => None,
    }
}
