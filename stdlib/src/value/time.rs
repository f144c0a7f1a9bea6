//! `time::now`, `time::reached`

use std::time::Duration;

use runbook_core::primitive::{Answer, no_command};
use runbook_core::{Args, Call, Code, Effect, Example, Fault, Outcome, Param, Primitive};

const MOMENT: Param<String> = Param::required("moment", "A time as `time::now` and Kubernetes write it.");
const AFTER: Param<Duration> = Param::required("after", "How long after it.");

/// `time::now`
pub(super) const NOW: Primitive = Primitive {
    name: "time::now",
    summary: "The present time in UTC, as in `2026-08-20T12:00:00Z`; it is part of the record.",
    params: &[],
    effect: Effect::Read,
    answer: Answer::Recorded,
    announce: |_| "the time".to_owned(),
    command: no_command,
    run: |call, _| now(call),
    examples: &[Example { cluster: "", script: r#"time::now().ends_with("Z")"#, expect: "true" }],
};

fn now(call: &Call<'_>) -> Outcome {
    let now = call.world.clock.now();
    // Whole seconds: what is recorded is read by people.
    Ok(jiff::Timestamp::from_second(now.as_second()).unwrap_or(now).to_string().into())
}

/// `time::reached`
pub(super) const REACHED: Primitive = Primitive {
    name: "time::reached",
    summary: "Whether a moment lies as long ago as that; it is part of the record.",
    params: &[&MOMENT, &AFTER],
    announce: |args| format!("whether {} is {}s ago", args.get(&MOMENT), args.get(&AFTER).as_secs()),
    run: |call, args| reached(call, args),
    examples: &[
        Example { cluster: "", script: r#"time::reached("2020-01-01T00:00:00Z", "24h")"#, expect: "true" },
        Example { cluster: "", script: r#"time::reached("9999-01-01T00:00:00Z", "24h")"#, expect: "false" },
    ],
    ..NOW
};

fn reached(call: &Call<'_>, args: &Args) -> Outcome {
    let text = args.get(&MOMENT);
    let moment: jiff::Timestamp =
        text.parse().map_err(|_| Fault::new(Code::WrongArgument, format!("`{text}` is no moment")))?;
    // A moment at the end of time is never reached.
    Ok(moment.checked_add(args.get(&AFTER)).is_ok_and(|due| due <= call.world.clock.now()).into())
}
