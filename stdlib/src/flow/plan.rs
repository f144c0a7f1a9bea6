//! `plan`

use runbook_core::arg::Args;
use runbook_core::param::nearest;
use runbook_core::primitive::{Answer, no_command};
use runbook_core::record::Plan;
use runbook_core::{Call, Code, Effect, Example, Fault, Outcome, Param, Primitive, Value};
use serde_json::Map;

const PLAN_MAP: Param<Map<String, Value>> = Param::required(
    "plan",
    "What will change (`changes`: a list of maps of `what`, `change`, `extent` and `undo`), what that will disturb (`disturbs`: a list of texts) and how long it may take (`duration`: a text).",
);

pub(super) const PLAN: Primitive = Primitive {
    name: "plan",
    summary: "Show what will change and ask the one question: may this run change the cluster? Later plans are not asked about.",
    params: &[&PLAN_MAP],
    effect: Effect::Pure,
    answer: Answer::Recorded,
    announce: |_| "show the plan".to_owned(),
    command: no_command,
    run,
    examples: &[Example {
        cluster: "",
        script: r#"plan(#{ changes: [#{ what: "istiod", change: "1.29.6 → 1.30.3" }], disturbs: ["3 gateways roll"], duration: "5 to 8 min" })"#,
        expect: "null",
    }],
};

const KEYS: [&str; 3] = ["changes", "disturbs", "duration"];
const CHANGE_KEYS: [&str; 4] = ["what", "change", "extent", "undo"];

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    let map = args.get(&PLAN_MAP);
    known(&map, &KEYS, "a plan")?;
    for change in map.get("changes").and_then(Value::as_array).into_iter().flatten() {
        if let Value::Object(change) = change {
            known(change, &CHANGE_KEYS, "a change of a plan")?;
        }
    }
    let plan: Plan = serde_json::from_value(without_nothing(map)).map_err(|error| {
        Fault::new(Code::WrongArgument, format!("the plan cannot be read: {error}")).hint(
            "`changes` is a list of maps of texts with `what` in each, `disturbs` a list of texts, `duration` a text",
        )
    })?;
    call.session.settle_checks("")?;
    call.session.consent(plan)?;
    Ok(Value::Null)
}

/// An entry of `()` is as good as none.
fn without_nothing(map: Map<String, Value>) -> Value {
    map.into_iter().filter(|(_, value)| !value.is_null()).collect::<Map<_, _>>().into()
}

fn known(map: &Map<String, Value>, keys: &[&str], of: &str) -> Result<(), Fault> {
    let Some(unknown) = map.keys().find(|key| !keys.contains(&key.as_str())) else { return Ok(()) };
    let fault = Fault::new(Code::UnknownOption, format!("{of} has no `{unknown}`"));
    Err(match nearest(unknown, keys.iter().copied()) {
        Some(near) => fault.hint(format!("did you mean `{near}`?")),
        None => fault.hint(format!("it has {}", keys.join(", "))),
    })
}
