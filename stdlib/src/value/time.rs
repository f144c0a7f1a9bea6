//! `time::now`

use runbook_core::primitive::{Answer, no_command};
use runbook_core::{Call, Effect, Example, Outcome, Primitive};

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
