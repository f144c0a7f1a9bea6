//! For a log: one line per change of state, with its time, and now and then that a wait goes on.

use std::collections::BTreeMap;
use std::sync::Mutex;

use jiff::Timestamp;
use runbook_core::record::{
    Check, Ended, Entry, Event, Level, Observer, Record, Settled, Settlement, Verdict, Waiting,
};

use super::human::masked;
use super::live::Live;
use super::{Desk, Reporter};
use crate::screen::{counted, opening, plan};
use crate::story::Story;
use crate::text::{Line, Sign, Theme, duration};
use crate::writer::Channel;

/// A wait that goes on says so at least this often, in milliseconds.
const HEARTBEAT: u64 = 30_000;

/// And does not say something new more often than this.
const PACE: u64 = 2_000;

/// A wait that is over sooner is not worth a line.
const SHORT: u64 = 1_000;

/// Reasons in a line.
const REASONS: usize = 3;

/// Tells a log.
pub(crate) struct Plain {
    desk: Desk,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    story: Story,
    live: Live,
    /// Per step path: when a wait last said something, and what.
    said: BTreeMap<String, (u64, Waiting)>,
}

impl Plain {
    /// A reporter that has told nothing yet.
    pub(crate) fn new(desk: Desk) -> Self {
        Self { desk, state: Mutex::default() }
    }

    fn theme(&self) -> Theme {
        self.desk.writer.theme(Channel::Out)
    }

    fn print(&self, lines: &[Line]) {
        self.desk.writer.print(Channel::Out, lines);
    }

    fn say(&self, at: Timestamp, sign: Sign, number: Option<usize>, words: &str, took: Option<u64>) {
        let number = number.map_or_else(|| "   ".to_owned(), |number| format!("{number:>2} "));
        let took = took.map_or_else(String::new, |ms| format!("   {}", duration::in_words(ms)));
        for text in words.lines() {
            let line = Line::new().faint(time(at)).plain("  ").spans([self.theme().sign(sign)]);
            self.print(&[line.plain(format!(" {number} {text}")).faint(&took).whole()]);
        }
    }

    fn recorded(&self, state: &State, record: &Record) {
        let at = record.at;
        match &record.entry {
            Entry::Run(run) => {
                let mut lines = opening::opening(run, self.desk.helm.as_deref());
                lines.push(Line::new());
                self.print(&lines);
            }
            Entry::Cluster(cluster) => {
                let id = cluster.id.as_deref().unwrap_or("unknown");
                let words = format!("cluster {}   {}   id {id}", cluster.context, cluster.server);
                self.say(at, Sign::Done, None, &words, None);
            }
            Entry::Plan(shown) => {
                self.print(&plan::plan(shown, &self.desk.promise, self.theme()));
                self.print(&[Line::new()]);
            }
            Entry::StepStarted(step) => {
                let number = state.story.chapters[state.story.index(&step.step)].number;
                self.say(at, Sign::Running, number, &inside(step.depth, &step.title), None);
            }
            Entry::StepFinished(step) => {
                let chapter = &state.story.chapters[state.story.index(&step.step)];
                let (sign, words) = match step.ended {
                    Ended::Done => (Sign::Done, chapter.title.clone()),
                    Ended::Failed => (Sign::Failed, chapter.title.clone()),
                    Ended::Skipped => (Sign::Coming, format!("{} (skipped)", chapter.title)),
                };
                self.say(at, sign, chapter.number, &inside(chapter.depth, &words), Some(step.ms));
            }
            Entry::Settled(settled) => self.settled(at, settled),
            Entry::Attempt(attempt) => {
                let words = format!("{}: try {} failed: {}", attempt.words, attempt.attempt, attempt.reason);
                self.say(at, Sign::Warning, None, &words, None);
            }
            Entry::Check(check) => self.check(at, check),
            Entry::Answered(answered) => {
                let words = format!("{} {} ({})", answered.question, answered.answer, answered.by);
                self.say(at, Sign::Done, None, &words, None);
            }
            Entry::Log(log) => {
                let sign = match log.level {
                    Level::Info => Sign::Blank,
                    Level::Warn => Sign::Warning,
                    Level::Error => Sign::Failed,
                };
                self.say(at, sign, None, &log.message, None);
            }
            Entry::Intent(_) | Entry::Undo(_) | Entry::Note(_) | Entry::Attached(_) | Entry::Finished(_) => {}
        }
    }

    /// Reads are not told: they change nothing. A failed call is told by what it makes fail.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "milliseconds for people")]
    fn settled(&self, at: Timestamp, settled: &Settled) {
        if !settled.call.effect.writes() {
            return;
        }
        let unchanged = matches!(&settled.outcome, Settlement::Value(v) if v.get("changed") == Some(&false.into()));
        let (sign, words) = match &settled.outcome {
            Settlement::Fault(fault) => (Sign::Failed, format!("{}: {}", settled.words, fault.message)),
            _ if unchanged => (Sign::Done, format!("{} (nothing to change)", settled.words)),
            _ => (Sign::Done, settled.words.clone()),
        };
        self.say(at, sign, None, &words, Some(settled.ms as u64));
    }

    fn check(&self, at: Timestamp, check: &Check) {
        let sign = match check.verdict {
            Verdict::Pass => Sign::Done,
            Verdict::Warn => Sign::Warning,
            Verdict::Fail if check.overridden.is_some() => Sign::Warning,
            Verdict::Fail => Sign::Failed,
        };
        let words =
            if check.message.is_empty() { check.title.clone() } else { format!("{}: {}", check.title, check.message) };
        self.say(at, sign, None, &words, None);
        if let (Some(fix), true) = (&check.fix, check.verdict != Verdict::Pass) {
            self.say(at, Sign::Blank, None, &format!("  {fix}"), None);
        }
        if let Some(reason) = &check.overridden {
            self.say(at, Sign::Blank, None, &format!("  let through with --override {}: {reason}", check.id), None);
        } else if check.verdict == Verdict::Fail && check.overridable {
            let words = format!("  or let it through: --override {} --reason \"...\"", check.id);
            self.say(at, Sign::Blank, None, &words, None);
        }
    }

    /// Says why waits are not over, where that has changed or has not been said for long.
    fn waits(&self, state: &mut State) {
        let now = self.desk.now();
        let State { live, said, .. } = state;
        said.retain(|path, _| live.innermost().any(|(going, call)| going == path && call.waiting.is_some()));
        for (path, call) in live.innermost() {
            let Some((waiting, heard)) = &call.waiting else { continue };
            let due = match said.get(path) {
                None => now.saturating_sub(call.since) >= SHORT,
                Some((at, words)) => {
                    let pause = now.saturating_sub(*at);
                    pause >= HEARTBEAT || (pause >= PACE && !same(words, waiting))
                }
            };
            if due {
                let words = in_words(waiting, now.saturating_sub(*heard), now.saturating_sub(call.since));
                self.say(self.desk.clock.now(), Sign::Coming, None, &words, None);
                said.insert(path.to_owned(), (now, waiting.clone()));
            }
        }
    }
}

fn same(left: &Waiting, right: &Waiting) -> bool {
    (&left.what, &left.progress, &left.reasons) == (&right.what, &right.progress, &right.reasons)
}

fn in_words(waiting: &Waiting, heard: u64, since: u64) -> String {
    let mut words = format!("waiting {} for {}", duration::whole(since), waiting.what);
    if !waiting.progress.is_empty() {
        words = format!("{words}: {}", waiting.progress);
    }
    if let Some(left) = waiting.left_ms {
        words = format!("{words}, {} left", duration::whole(left.saturating_sub(heard)));
    }
    for reason in waiting.reasons.iter().take(REASONS) {
        words = format!("{words}; {reason}");
    }
    if waiting.reasons.len() > REASONS {
        words = format!("{words}; and {}", counted(waiting.reasons.len() - REASONS, "more reason"));
    }
    words
}

fn inside(depth: usize, words: &str) -> String {
    format!("{}{words}", "  ".repeat(depth))
}

fn time(at: Timestamp) -> String {
    at.strftime("%H:%M:%S").to_string()
}

impl Observer for Plain {
    fn observe(&self, event: &Event<'_>) {
        let mut state = self.state.lock().expect("no thread panics while it holds this lock");
        let now = self.desk.now();
        match event {
            Event::Waiting { step, waiting } => {
                let waiting = masked(waiting, &self.desk);
                state.live.observe(&Event::Waiting { step, waiting: &waiting }, now);
                self.waits(&mut state);
            }
            other => state.live.observe(other, now),
        }
        if let Event::Recorded(record) = event {
            state.story.tell(record);
            self.recorded(&state, record);
        }
    }
}

impl Reporter for Plain {
    fn asking(&self) {}

    fn tick(&self) {
        self.waits(&mut self.state.lock().expect("no thread panics while it holds this lock"));
    }

    fn close(&self) {}
}
