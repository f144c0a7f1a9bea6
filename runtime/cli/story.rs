//! What happened in a run, told record by record: the steps in order, and in each what was called, checked, asked and said.
//!
//! Made from the journal's records alone, live or read back. Does not know how any of it is shown.

use std::collections::HashMap;

use jiff::Timestamp;
use runbook_core::claim::BEFORE_WRITES;
use runbook_core::effect::Effect;
use runbook_core::fault::{Code, Fault};
use runbook_core::record::{
    Answered, Attached, Attempt, Check, Cluster, Ended, Entry, Finished, Log, Note, Plan, Record, Run, Settled,
    Settlement, StepStarted, Undo,
};

/// A run so far.
#[derive(Debug)]
pub(crate) struct Story {
    /// How it was started.
    pub(crate) run: Option<Run>,
    /// Where it acts.
    pub(crate) cluster: Option<Cluster>,
    /// What was shown before the question.
    pub(crate) plan: Option<Plan>,
    /// How it ended.
    pub(crate) finished: Option<Finished>,
    /// When it began, and the time of the last record.
    pub(crate) span: Option<(Timestamp, Timestamp)>,
    /// What happened outside of steps, then the steps in the order in which they began.
    pub(crate) chapters: Vec<Chapter>,
    by_path: HashMap<String, usize>,
    /// How many of the planned steps of depth 0 have begun or been passed by.
    passed: usize,
}

/// A step, or what happens outside of steps.
#[derive(Debug, Default)]
pub(crate) struct Chapter {
    /// The step path; empty outside of steps.
    pub(crate) path: String,
    /// Its title.
    pub(crate) title: String,
    /// How deep it nests, from 0.
    pub(crate) depth: usize,
    /// The place of the chapter around it; 0 outside of steps.
    pub(crate) outer: usize,
    /// The how-manieth step of depth 0 it is.
    pub(crate) number: Option<usize>,
    /// When it began.
    pub(crate) began: Timestamp,
    /// How it ended, and after how many milliseconds.
    pub(crate) ended: Option<(Ended, u64)>,
    /// What happened in it, in order.
    pub(crate) happenings: Vec<(Timestamp, Happening)>,
}

/// Something that happened in a step.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Happening {
    /// A write is under way: the ordinal of its call, and its words.
    Sent(u64, String),
    /// A call ended.
    Called(Called),
    /// A step inside this one began: its place among the chapters.
    Inner(usize),
    /// A try failed and was made again.
    Attempt(Attempt),
    /// A check was made.
    Check(Check),
    /// A question was answered.
    Answered(Answered),
    /// An inverse was registered.
    Undo(Undo),
    /// A line for people.
    Log(Log),
    /// Markdown for the report.
    Note(Note),
    /// A named value for the report.
    Attached(Attached),
    /// What was going to change was shown.
    Plan(Plan),
}

/// A call that ended. Answers are left in the journal.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Called {
    /// The path of its call: the step's, or that of a branch in it.
    pub(crate) step: String,
    pub(crate) ordinal: u64,
    pub(crate) primitive: String,
    pub(crate) effect: Effect,
    pub(crate) words: String,
    pub(crate) command: Option<String>,
    /// Whether it changed something; false where it says that it did not.
    pub(crate) changed: bool,
    /// Whether the run claimed something for itself by it: not among the writes that anyone asked for.
    pub(crate) claims: bool,
    pub(crate) fault: Option<Box<Fault>>,
    pub(crate) ms: f64,
}

impl Called {
    /// In words, and for a write that found everything as wanted, that it did.
    pub(crate) fn in_words(&self) -> String {
        let idle = self.effect.writes() && !self.changed && self.fault.is_none();
        if idle { format!("{} (nothing to change)", self.words) } else { self.words.clone() }
    }
}

impl Default for Story {
    fn default() -> Self {
        Self {
            run: None,
            cluster: None,
            plan: None,
            finished: None,
            span: None,
            chapters: vec![Chapter::default()],
            by_path: HashMap::new(),
            passed: 0,
        }
    }
}

impl Story {
    /// The story that records tell.
    pub(crate) fn of(records: &[Record]) -> Self {
        let mut story = Self::default();
        for record in records {
            story.tell(record);
        }
        story
    }

    /// Adds a record.
    pub(crate) fn tell(&mut self, record: &Record) {
        let at = record.at;
        self.span = Some((self.span.map_or(at, |(began, _)| began), at));
        match &record.entry {
            Entry::Run(run) => self.run = Some((**run).clone()),
            Entry::Cluster(cluster) => self.cluster = Some(cluster.clone()),
            Entry::Finished(finished) => self.finished = Some(finished.clone()),
            Entry::StepStarted(step) => self.begin(at, step),
            Entry::StepFinished(step) => {
                let index = self.index(&step.step);
                if self.chapters[index].path == step.step {
                    self.chapters[index].ended = Some((step.ended, step.ms));
                }
            }
            Entry::Intent(intent) => {
                self.happen(at, &intent.call.step, Happening::Sent(intent.call.ordinal, intent.words.clone()));
            }
            Entry::Settled(settled) => self.settle(at, settled),
            Entry::Attempt(attempt) => self.happen(at, &attempt.step, Happening::Attempt(attempt.clone())),
            Entry::Check(check) => self.happen(at, &check.step, Happening::Check(check.clone())),
            Entry::Answered(answered) => self.happen(at, &answered.step, Happening::Answered(answered.clone())),
            Entry::Undo(undo) => self.happen(at, &undo.step, Happening::Undo(undo.clone())),
            Entry::Log(log) => self.happen(at, &log.step, Happening::Log(log.clone())),
            Entry::Note(note) => self.happen(at, &note.step, Happening::Note(note.clone())),
            Entry::Attached(attached) => self.happen(at, &attached.step, Happening::Attached(attached.clone())),
            Entry::Plan(plan) => {
                self.plan = Some(plan.clone());
                // The record does not say where it was shown; the step that began last and goes on is where.
                let here = self.chapters.iter_mut().rev().find(|chapter| chapter.ended.is_none());
                here.expect("what is outside of steps never ends").happenings.push((at, Happening::Plan(plan.clone())));
            }
        }
    }

    /// The place of the step that a path lies in: a branch of `parallel` belongs to the step around it.
    pub(crate) fn index(&self, path: &str) -> usize {
        let mut path = path;
        loop {
            if let Some(index) = self.by_path.get(path) {
                return *index;
            }
            match path.rsplit_once('/') {
                Some((outer, _)) => path = outer,
                None => return 0,
            }
        }
    }

    /// The titles of the steps of depth 0 that are still to come, as far as they can be seen without running.
    pub(crate) fn coming(&self) -> Vec<&str> {
        self.planned().skip(self.passed).map(|step| step.title.as_str()).collect()
    }

    /// How many steps of depth 0 have begun.
    pub(crate) fn numbered(&self) -> usize {
        self.chapters.iter().filter(|chapter| chapter.number.is_some()).count()
    }

    /// Every call that ended, in order.
    pub(crate) fn calls(&self) -> impl Iterator<Item = (&Chapter, &Called)> {
        self.chapters.iter().flat_map(|chapter| {
            chapter.happenings.iter().filter_map(move |(_, happening)| match happening {
                Happening::Called(called) => Some((chapter, called)),
                _ => None,
            })
        })
    }

    /// Writes whose outcome is not known: cut off, or without an answer that says what came of it.
    pub(crate) fn unsettled(&self) -> impl Iterator<Item = (&Chapter, &str)> {
        self.chapters.iter().flat_map(|chapter| {
            chapter.happenings.iter().filter_map(move |(_, happening)| match happening {
                Happening::Sent(_, words) => Some((chapter, words.as_str())),
                Happening::Called(called) if called.fault.as_ref().is_some_and(|fault| unclear(fault)) => {
                    called.effect.writes().then_some((chapter, called.words.as_str()))
                }
                _ => None,
            })
        })
    }

    /// Every write that ended, in order; what the run claimed for itself is none.
    pub(crate) fn written(&self) -> impl Iterator<Item = &Called> {
        self.calls().map(|(_, called)| called).filter(|called| called.effect.writes() && !called.claims)
    }

    /// How many writes were sent.
    pub(crate) fn writes(&self) -> usize {
        self.written().count()
            + self.chapters.iter().flat_map(|c| &c.happenings).filter(|(_, h)| matches!(h, Happening::Sent(..))).count()
    }

    fn planned(&self) -> impl Iterator<Item = &runbook_core::record::Planned> {
        self.run.iter().flat_map(|run| &run.steps).filter(|step| step.depth == 0)
    }

    fn begin(&mut self, at: Timestamp, step: &StepStarted) {
        let index = self.chapters.len();
        let outer = self.index(&step.step);
        let mut chapter = Chapter {
            path: step.step.clone(),
            title: step.title.clone(),
            depth: step.depth,
            outer,
            began: at,
            ..Chapter::default()
        };
        if step.depth == 0 {
            chapter.number = Some(self.numbered() + 1);
            // Planned steps that were passed by belong to a branch that was not taken. Branches may share an id.
            let ahead = || self.planned().skip(self.passed);
            let titled = ahead().position(|planned| fits(&planned.title, &step.title));
            let place = titled.or_else(|| ahead().position(|planned| planned.id == step.step));
            self.passed += place.map_or(0, |place| place + 1);
        }
        self.by_path.insert(step.step.clone(), index);
        self.chapters.push(chapter);
        self.chapters[outer].happenings.push((at, Happening::Inner(index)));
    }

    fn happen(&mut self, at: Timestamp, path: &str, happening: Happening) {
        let index = self.index(path);
        self.chapters[index].happenings.push((at, happening));
    }

    fn settle(&mut self, at: Timestamp, settled: &Settled) {
        let (fault, changed) = match &settled.outcome {
            Settlement::Fault(fault) => (Some(Box::new(fault.clone())), false),
            Settlement::Value(value) => (None, value.get("changed") != Some(&serde_json::Value::Bool(false))),
            Settlement::Stored(_) | Settlement::Withheld(_) => (None, true),
        };
        let called = Called {
            step: settled.call.step.clone(),
            ordinal: settled.call.ordinal,
            primitive: settled.call.primitive.clone(),
            effect: settled.call.effect,
            words: settled.words.clone(),
            command: settled.command.clone(),
            changed: changed && settled.call.effect.writes(),
            claims: settled.call.step == BEFORE_WRITES,
            fault,
            ms: settled.ms,
        };
        let index = self.index(&settled.call.step);
        let happenings = &mut self.chapters[index].happenings;
        // Branches of one step count their calls apart, so the words decide too.
        let sent = Happening::Sent(called.ordinal, called.words.clone());
        match happenings.iter().rposition(|(_, happening)| *happening == sent) {
            Some(place) if called.effect.writes() => happenings[place].1 = Happening::Called(called),
            _ => happenings.push((at, Happening::Called(called))),
        }
    }
}

/// The parts of a planned title that are known: what is computed stands there as `<name>` or `...`.
fn known_parts(planned: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = planned;
    loop {
        let named = rest.find('<').and_then(|start| Some((start, start + rest[start..].find('>')? + 1)));
        let dots = rest.find("...").map(|start| (start, start + 3));
        let Some((start, end)) = named.into_iter().chain(dots).min() else { break };
        parts.push(&rest[..start]);
        rest = &rest[end..];
    }
    parts.push(rest);
    parts
}

/// Whether a title may have come of a planned one.
fn fits(planned: &str, title: &str) -> bool {
    let parts = known_parts(planned);
    let (first, last) = (parts[0], parts[parts.len() - 1]);
    if parts.len() == 1 {
        return title == planned;
    }
    let Some(mut rest) = title.strip_prefix(first) else { return false };
    for part in &parts[1..parts.len() - 1] {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// Whether a write that failed so may have happened all the same.
fn unclear(fault: &Fault) -> bool {
    matches!(fault.code, Code::Network | Code::Timeout | Code::Interrupted)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// Records in the journal's own form, a second apart.
    pub(crate) fn records(entries: &[Value]) -> Vec<Record> {
        entries
            .iter()
            .enumerate()
            .map(|(second, entry)| {
                let mut record = entry.clone();
                record["at"] = json!(format!("2026-01-02T10:00:{second:02}Z"));
                serde_json::from_value(record).unwrap()
            })
            .collect()
    }

    /// A run of two planned steps and one in a branch that is not taken.
    pub(crate) fn run() -> Value {
        json!({ "t": "run", "version": 1, "run": "01JD9K7Q", "runbook": "move", "title": "Move the shop.", "source": "bundled",
            "digest": "d", "parameters": { "target": "1.30.3", "remove-old": false }, "program": "0.1.0", "beforehand": ["--yes"],
            "steps": [{ "id": "look", "title": "Look", "depth": 0 }, { "id": "not-taken", "title": "Not taken", "depth": 0 },
                { "id": "move", "title": "Move", "depth": 0 }, { "id": "prove", "title": "Prove", "depth": 0 }] })
    }

    /// The outcome of a write in a step.
    pub(crate) fn settled(step: &str, ordinal: u64, words: &str, outcome: &Value) -> Value {
        let mut settled = json!({ "t": "settled", "step": step, "ordinal": ordinal, "primitive": "kubectl::scale",
            "effect": { "write": "safe" }, "digest": "d", "words": words, "command": format!("kubectl {words}"), "ms": 12.5 });
        settled.as_object_mut().unwrap().extend(outcome.as_object().unwrap().clone());
        settled
    }

    /// That a write is about to be sent.
    pub(crate) fn intent(step: &str, ordinal: u64, words: &str) -> Value {
        json!({ "t": "intent", "step": step, "ordinal": ordinal, "primitive": "kubectl::scale",
            "effect": { "write": "safe" }, "digest": "d", "words": words })
    }

    #[test]
    fn a_computed_title_fits_what_came_of_it() {
        assert!(fits("Move tag <tag> to ...", "Move tag prod to 1-30-3"));
        assert!(!fits("Move tag <tag> back", "Move tag prod to 1-30-3"));
        assert!(fits("Look", "Look") && !fits("Look", "Look again"));
    }

    fn started(step: &str, depth: usize) -> Value {
        json!({ "t": "step_started", "step": step, "title": step, "depth": depth })
    }

    #[test]
    fn a_step_that_begins_passes_by_what_was_planned_before_it() {
        let mut story = Story::of(&records(&[run(), started("look", 0)]));
        assert_eq!(story.coming(), ["Not taken", "Move", "Prove"]);
        story.tell(&records(&[started("move", 0)])[0]);
        assert_eq!((story.coming(), story.chapters[2].number), (vec!["Prove"], Some(2)));
    }

    #[test]
    fn a_write_without_an_outcome_is_unsettled_and_so_is_one_that_was_not_answered() {
        let lost = json!({ "fault": { "code": "RB025", "message": "gone" } });
        let refused = json!({ "fault": { "code": "RB021", "message": "no" } });
        let story = Story::of(&records(&[
            run(),
            started("move", 0),
            intent("move", 1, "first"),
            settled("move", 1, "first", &json!({ "value": { "changed": true } })),
            intent("move/[0]", 1, "second"),
            settled("move/[0]", 1, "second", &lost),
            intent("move", 2, "third"),
            settled("move", 2, "third", &refused),
            intent("move", 3, "fourth"),
        ]));
        assert_eq!(story.unsettled().map(|(_, words)| words).collect::<Vec<_>>(), ["second", "fourth"]);
        assert_eq!(story.writes(), 4);
        assert_eq!(story.calls().filter(|(_, called)| called.changed).count(), 1);
    }
}
