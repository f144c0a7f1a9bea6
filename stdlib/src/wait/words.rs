//! How a wait speaks: why it is not over, and how it ended.
//!
//! Does not decide anything.

use std::time::Duration;

use jiff::SignedDuration;
use runbook_core::record::Waiting;
use runbook_core::{Code, Fault};

use super::goal::{Goal, Names};
use super::track::{Doomed, Surroundings, Track, bounded};
use crate::readiness::{Patience, Standing};

/// Lines under a wait, and in the evidence of a fault.
const LINES: usize = 8;
const EVIDENCE: usize = 12;
/// Names in the detail of a fault.
const NAMES: usize = 50;

/// A duration as one writes it: `10m`, `1m 30s`, `350ms`.
pub(super) fn in_words(duration: Duration) -> String {
    let rounded = if duration < Duration::from_secs(1) {
        Duration::from_millis(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
    } else {
        Duration::from_secs(duration.as_secs())
    };
    SignedDuration::try_from(rounded).map_or_else(|_| "for ever".to_owned(), |duration| format!("{duration:#}"))
}

/// Why a wait is not over.
pub(super) fn waiting(
    open: &[&Track],
    around: &Surroundings<'_>,
    patience: &Patience,
    left: Option<Duration>,
) -> Waiting {
    let titles: Vec<String> = open.iter().take(3).map(|track| track.goal.title()).collect();
    let more = open.len().saturating_sub(titles.len());
    let what = if more == 0 { titles.join(", ") } else { format!("{} and {more} more", titles.join(", ")) };
    let Standing { progress, reasons } = match open {
        [one] => one.standing(around, patience, LINES),
        several => together(several, around, patience, LINES),
    };
    let left_ms = left.map(|left| u64::try_from(left.as_millis()).unwrap_or(u64::MAX));
    Waiting { what, progress, reasons, left_ms }
}

/// The standings of several goals as one: a line each.
fn together(open: &[&Track], around: &Surroundings<'_>, patience: &Patience, most: usize) -> Standing {
    let reasons: Vec<String> = open
        .iter()
        .map(|track| {
            let standing = track.standing(around, patience, 1);
            format!("{}   {}", track.goal.title(), sentence(&standing))
        })
        .collect();
    Standing { progress: format!("{} still open", open.len()), reasons: bounded(&reasons, most) }
}

/// Progress and the first reason.
fn sentence(standing: &Standing) -> String {
    let progress = Some(standing.progress.as_str()).filter(|progress| !progress.is_empty());
    let parts: Vec<&str> = progress.into_iter().chain(standing.reasons.first().map(String::as_str)).collect();
    // Columns are for lines of their own.
    parts.join(", ").replace("   ", " ")
}

/// How a wait ends that did not come to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// Its own time is over, or that of the step.
    Timeout,
    /// Nothing at all has happened for so long.
    Standstill,
}

/// The fault of a wait whose patience is at an end.
pub(super) fn over(
    ending: Ending,
    after: Duration,
    open: &[&Track],
    around: &Surroundings<'_>,
    patience: &Patience,
) -> Fault {
    let first = open.first().expect("a wait that is over has something open");
    let unmet = format!("{} {}", first.goal.title(), unmet(&first.goal));
    let standing = match open {
        [one] => one.standing(around, patience, EVIDENCE),
        several => together(several, around, patience, EVIDENCE),
    };
    let others = if open.len() > 1 { format!(", and {} more are open", open.len() - 1) } else { String::new() };
    let said = sentence(&first.standing(around, patience, 1));
    let why = if said.is_empty() { String::new() } else { format!(": {said}") };
    let message = match ending {
        Ending::Timeout => format!("{unmet} after {}{why}{others}", in_words(after)),
        Ending::Standstill => format!("{unmet}, and nothing has changed for {}{why}{others}", in_words(after)),
    };
    let code = if ending == Ending::Timeout { Code::Timeout } else { Code::NotReady };
    let (names, all) = first.open_names(NAMES);
    let fault = standing.reasons.into_iter().fold(Fault::new(code, message), Fault::seen);
    fault
        .about(first.goal.title())
        .hint(match ending {
            Ending::Timeout => "find out what holds it, or give it longer with `timeout`",
            Ending::Standstill => "find out what should have acted; `no_activity` says how long a standstill may last",
        })
        .with("progress", standing.progress)
        .with("open", names)
        .with("open_count", all)
        .retryable()
}

fn unmet(goal: &Goal) -> String {
    let unmet = goal.aim.unmet();
    match goal.names {
        Names::One(_) => unmet,
        // Of several, some may well be so.
        _ => ["is ", "does ", "has "].iter().zip(["are ", "do ", "have "]).fold(unmet, |words, (one, many)| {
            words.strip_prefix(one).map(|rest| format!("{many}{rest}")).unwrap_or(words)
        }),
    }
}

/// The fault of a wait for what can no longer come.
pub(super) fn doomed(goal: &Goal, found: Doomed) -> Fault {
    let Doomed { title, standing, doom } = found;
    let message = format!("{title} {}: {}", goal.aim.unmet(), doom.reason);
    let fault =
        bounded(&doom.evidence, EVIDENCE).into_iter().fold(Fault::new(Code::Doomed, message), Fault::seen).about(title);
    fault
        .hint(
            doom.hint.unwrap_or("stopped early: this does not heal by waiting; `fail_fast: false` waits all the same"),
        )
        .with("progress", standing.progress)
        .with("reasons", bounded(&standing.reasons, LINES))
}

/// The fault for a kind of which nobody can say when it is ready.
pub(super) fn no_rule(goal: &Goal) -> Fault {
    let title = goal.title();
    Fault::new(
        Code::NoRule,
        format!("no rule says when {title} is ready: its status has no condition that is generally understood"),
    )
    .about(title)
    .hint("wait for what you mean: `wait::condition`, `wait::field`, `wait::exists`, or `wait::that(\"...\", || ...)`")
}
