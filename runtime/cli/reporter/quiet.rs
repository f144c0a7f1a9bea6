//! For a run that is told when it is over: the opening, and while it goes on which step it is in.
//!
//! Does not know what is told afterwards.

use runbook_core::record::{Entry, Event, Observer};

use super::{Desk, Reporter};
use crate::screen::opening;
use crate::text::{Line, Sign};
use crate::writer::Channel;

/// How much is said before the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loudness {
    /// What is run, and where.
    Opening,
    /// Nothing.
    Silent,
}

/// Tells little.
pub(crate) struct Quiet {
    desk: Desk,
    loudness: Loudness,
}

impl Quiet {
    /// A reporter that has told nothing yet.
    pub(crate) fn new(desk: Desk, loudness: Loudness) -> Self {
        Self { desk, loudness }
    }
}

impl Observer for Quiet {
    fn observe(&self, event: &Event<'_>) {
        let Event::Recorded(record) = event else { return };
        let writer = &self.desk.writer;
        match &record.entry {
            _ if self.loudness == Loudness::Silent => {}
            Entry::Run(run) => writer.print(Channel::Out, &opening::opening(run, self.desk.helm.as_deref())),
            Entry::Cluster(cluster) => writer.line(Channel::Out, &opening::cluster(cluster)),
            Entry::StepStarted(step) => {
                let sign = writer.theme(Channel::Out).sign(Sign::Running);
                writer.live(vec![Line::new().indent(2).spans([sign]).faint(format!(" {}", step.title)).cut()]);
            }
            _ => {}
        }
    }
}

impl Reporter for Quiet {
    fn asking(&self) {
        self.desk.writer.live(Vec::new());
    }

    fn tick(&self) {}

    fn close(&self) {
        self.desk.writer.live(Vec::new());
    }
}
