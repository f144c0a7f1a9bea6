//! For a person on a terminal: finished steps stay, the one that goes on is redrawn with only what is not ready, and why.
//!
//! Does not know how a step looks; the tree does.

use std::sync::{Mutex, MutexGuard};

use runbook_core::record::{Entry, Event, Observer, Record, Settlement, Waiting};

use super::live::Live;
use super::tree::{self, Moment, Printed, Stay};
use super::{Desk, Reporter};
use crate::screen::{check, opening, plan};
use crate::story::{Happening, Story};
use crate::text::{Line, Sign, Theme};
use crate::writer::Channel;

/// Nothing new is drawn more often than a clock's second.
const SECOND: u64 = 1_000;

/// Tells a person on a terminal.
pub(crate) struct Human {
    desk: Desk,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    story: Story,
    live: Live,
    printed: Printed,
    /// Whether something happened since it was drawn.
    news: bool,
    drawn: u64,
    /// Whether an empty line already separates the opening from the steps.
    apart: bool,
    closed: bool,
}

impl Human {
    /// A reporter that has told nothing yet.
    pub(crate) fn new(desk: Desk) -> Self {
        Self { desk, state: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no thread panics while it holds this lock")
    }

    fn theme(&self) -> Theme {
        self.desk.writer.theme(Channel::Out)
    }

    fn print(&self, lines: &[Line]) {
        self.desk.writer.print(Channel::Out, lines);
    }

    fn recorded(&self, state: &mut State, record: &Record) {
        let theme = self.theme();
        match &record.entry {
            Entry::Run(run) => self.print(&opening::opening(run, self.desk.helm.as_deref())),
            Entry::Cluster(cluster) => self.print(&[opening::cluster(cluster)]),
            Entry::Plan(shown) => {
                self.settle(state);
                self.print(&plan::plan(shown, &self.desk.promise, theme));
                self.print(&[Line::new()]);
                state.apart = true;
            }
            Entry::StepFinished(step) => {
                let index = state.story.index(&step.step);
                if state.story.chapters[index].outer == 0 && index != 0 {
                    self.part(state);
                    self.last(state, index);
                }
            }
            Entry::Check(check) if check.step.is_empty() => {
                let lines = check::check(check, check::column(std::iter::once(check)), 2, theme);
                self.outside(state, &lines);
            }
            Entry::Log(log) if log.step.is_empty() => {
                self.outside(state, &tree::said(&Happening::Log(log.clone()), 2, theme));
            }
            Entry::Settled(settled) if settled.call.step.is_empty() && settled.call.effect.writes() => {
                let sign = if matches!(settled.outcome, Settlement::Fault(_)) { Sign::Failed } else { Sign::Done };
                let line = Line::new().indent(2).spans([theme.sign(sign)]).plain(" ").plain(&settled.words);
                self.outside(state, &[line.hang(theme.sign_width() + 1)]);
            }
            _ => {}
        }
    }

    /// Shows what happens outside of steps at once: no step's end will.
    fn outside(&self, state: &mut State, lines: &[Line]) {
        if !lines.is_empty() {
            self.part(state);
            self.print(lines);
        }
    }

    /// Prints a step for good.
    fn last(&self, state: &mut State, index: usize) {
        let State { story, live, printed, .. } = state;
        let moment = Moment { live, now: self.desk.now(), theme: self.theme() };
        self.print(&tree::chapter(story, index, printed, Stay::Lasting, &moment));
        printed.mark(story, index);
    }

    /// Prints the steps that go on, as far as they have come.
    fn settle(&self, state: &mut State) {
        for index in state.going() {
            self.part(state);
            self.last(state, index);
        }
        self.desk.writer.live(Vec::new());
        state.news = true;
    }

    fn part(&self, state: &mut State) {
        if !std::mem::replace(&mut state.apart, true) {
            self.print(&[Line::new()]);
        }
    }

    fn draw(&self, state: &mut State) {
        state.news = false;
        state.drawn = self.desk.now();
        let moment = Moment { live: &state.live, now: state.drawn, theme: self.theme() };
        let mut lines = Vec::new();
        if !state.apart {
            lines.push(Line::new());
        }
        for index in state.going() {
            lines.extend(tree::chapter(&state.story, index, &state.printed, Stay::Passing, &moment));
        }
        lines.extend(moment.ongoing(&state.story, 0, 2));
        lines.extend(tree::coming(&state.story, moment.theme));
        self.desk.writer.live(lines);
    }
}

impl State {
    /// The outermost steps that go on.
    fn going(&self) -> Vec<usize> {
        let inner = self.story.chapters[0].happenings.iter().filter_map(|(_, happening)| match happening {
            Happening::Inner(index) => Some(*index),
            _ => None,
        });
        inner.filter(|index| !self.printed.has_end(*index)).collect()
    }
}

impl Observer for Human {
    fn observe(&self, event: &Event<'_>) {
        let mut state = self.lock();
        let now = self.desk.now();
        state.news = true;
        match event {
            Event::Waiting { step, waiting } => {
                let waiting = masked(waiting, &self.desk);
                state.live.observe(&Event::Waiting { step, waiting: &waiting }, now);
            }
            other => state.live.observe(other, now),
        }
        if let Event::Recorded(record) = event {
            state.story.tell(record);
            self.recorded(&mut state, record);
        }
    }
}

/// A wait's words without secrets: they are laid out before the writer sees them.
pub(super) fn masked(waiting: &Waiting, desk: &Desk) -> Waiting {
    let vault = desk.writer.vault();
    Waiting {
        what: vault.mask(&waiting.what),
        progress: vault.mask(&waiting.progress),
        reasons: waiting.reasons.iter().map(|reason| vault.mask(reason)).collect(),
        left_ms: waiting.left_ms,
    }
}

impl Reporter for Human {
    fn asking(&self) {
        self.settle(&mut self.lock());
    }

    fn tick(&self) {
        let mut state = self.lock();
        let due = state.news || self.desk.now().saturating_sub(state.drawn) >= SECOND;
        if due && !state.closed {
            self.draw(&mut state);
        }
    }

    fn close(&self) {
        let mut state = self.lock();
        self.settle(&mut state);
        state.closed = true;
    }
}
