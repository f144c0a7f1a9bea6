//! The checks that were made and not yet answered for, and the one fault that lists those that failed.
//!
//! Does not know when they have to be answered for: the session does.

use std::sync::Mutex;

use serde_json::Value;

use crate::fault::{Code, Fault};
use crate::record::{Check, Verdict};

/// Checks made and not yet answered for.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    open: Mutex<Vec<Check>>,
}

impl Tally {
    /// Notes a check.
    pub(crate) fn add(&self, check: Check) {
        self.open.lock().expect("no thread panics while it holds this lock").push(check);
    }

    /// Answers for the checks in a step and below it, or for all of them where the path is empty.
    ///
    /// `changed` is how many writes have changed something so far. Faults: `RB070` where at least one failed.
    pub(crate) fn settle(&self, path: &str, changed: u64) -> Result<(), Fault> {
        let mut open = self.open.lock().expect("no thread panics while it holds this lock");
        let below = format!("{path}/");
        let concerned = |check: &mut Check| path.is_empty() || check.step == path || check.step.starts_with(&below);
        let mut settled: Vec<Check> = open.extract_if(.., concerned).collect();
        drop(open);
        if !settled.iter().any(failed) {
            return Ok(());
        }
        // A stable sort: within one verdict the order in which they were made.
        settled.sort_by_key(|check| (!failed(check), std::cmp::Reverse(check.verdict)));
        Err(refusal(&settled, changed))
    }
}

fn failed(check: &Check) -> bool {
    check.verdict == Verdict::Fail && check.overridden.is_none()
}

fn refusal(checks: &[Check], changed: u64) -> Fault {
    let failures = checks.iter().filter(|check| failed(check)).count();
    let so_far = match changed {
        0 => "nothing was changed".to_owned(),
        1 => "1 change was made before".to_owned(),
        n => format!("{n} changes were made before"),
    };
    let noun = if checks.len() == 1 { "check" } else { "checks" };
    let mut fault = Fault::new(Code::ChecksFailed, format!("{failures} of {} {noun} failed; {so_far}", checks.len()));
    for check in checks.iter().filter(|check| check.verdict != Verdict::Pass) {
        fault = fault.seen(line(check));
    }
    let first = checks.iter().find(|check| failed(check));
    if let Some(fix) = first.and_then(|check| check.fix.clone()) {
        fault = fault.hint(fix);
    }
    fault.with(
        "checks",
        checks.iter().map(|check| serde_json::to_value(check).expect("a check is plain data")).collect::<Vec<Value>>(),
    )
}

fn line(check: &Check) -> String {
    let verdict = match (check.verdict, &check.overridden) {
        (Verdict::Fail, Some(_)) => "overridden",
        (Verdict::Fail, None) => "failed",
        (Verdict::Warn, _) => "warning",
        (Verdict::Pass, _) => "passed",
    };
    let message = if check.message.is_empty() { String::new() } else { format!(": {}", check.message) };
    let fix = check.fix.as_ref().map(|fix| format!("; {fix}")).unwrap_or_default();
    format!("{verdict}: {}{message}{fix}", check.title)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(step: &str, title: &str, verdict: Verdict) -> Check {
        Check {
            step: step.to_owned(),
            id: title.to_owned(),
            title: title.to_owned(),
            verdict,
            message: String::new(),
            fix: None,
            overridable: false,
            overridden: None,
        }
    }

    #[test]
    fn a_step_answers_for_its_own_checks_and_those_below_it() {
        let tally = Tally::default();
        tally.add(check("preflight", "skew", Verdict::Fail));
        tally.add(check("preflight/each[1]", "images", Verdict::Pass));
        tally.add(check("preflight-2", "other", Verdict::Fail));
        let fault = tally.settle("preflight", 0).unwrap_err();
        assert_eq!(fault.message, "1 of 2 checks failed; nothing was changed");
        assert_eq!(tally.settle("preflight", 0), Ok(()), "a failure is told once");
        assert_eq!(tally.settle("", 2).unwrap_err().message, "1 of 1 check failed; 2 changes were made before");
    }

    #[test]
    fn the_worst_comes_first() {
        let tally = Tally::default();
        tally.add(check("p", "first", Verdict::Warn));
        tally.add(check("p", "second", Verdict::Fail));
        tally.add(Check { overridden: Some("known".to_owned()), ..check("p", "third", Verdict::Fail) });
        let fault = tally.settle("p", 0).unwrap_err();
        assert_eq!(fault.evidence, ["failed: second", "overridden: third", "warning: first"]);
    }

    #[test]
    fn an_overridden_failure_alone_stops_nothing() {
        let tally = Tally::default();
        tally.add(Check { overridden: Some("known".to_owned()), ..check("p", "skew", Verdict::Fail) });
        assert_eq!(tally.settle("p", 0), Ok(()));
    }
}
