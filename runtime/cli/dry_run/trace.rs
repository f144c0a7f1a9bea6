//! What a dry run found, statement by statement: plain data for screens and programs.
//!
//! Made of the run's story and of what was collected beside it. No secret is in it. Does not know how it is shown.

use runbook_core::Value;
use runbook_core::claim::BEFORE_WRITES;
use runbook_core::command::Command;
use runbook_core::effect::Effect;
use runbook_core::fault::Fault;
use runbook_core::record::{Check, Cluster, Ended, Level, Plan, Settlement};
use runbook_sim::overlay::Subject;
use serde::Serialize;

use super::collector::{Collected, Made};
use super::disguise::Disguise;
use super::disruption::{self, Disruption};
use super::grade::{Grade, Ground};
use super::right::Rights;
use super::total::Total;
use super::view::{Seen, View};
use crate::story::{Called, Chapter, Happening, Story};

/// What a dry run found.
#[derive(Debug, Serialize)]
pub(crate) struct Trace {
    pub(crate) ground: Ground,
    pub(crate) cluster: Option<Cluster>,
    /// What happens outside of steps, then the steps of depth 0.
    pub(crate) steps: Vec<Step>,
    /// Steps that the run did not come to: what they would do is not known.
    pub(crate) unknown: Vec<String>,
    pub(crate) total: Total,
    pub(crate) disturbs: Vec<Disruption>,
    pub(crate) rights: Rights,
    /// What else is to be known, such as what could not be found out.
    pub(crate) notes: Vec<String>,
    /// The requests that write, in order, as the API server's audit log would have them: `patch apps/deployments shop/web`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) writes: Vec<String>,
}

/// A step and what happens in it.
#[derive(Debug, Serialize)]
pub(crate) struct Step {
    pub(crate) path: String,
    pub(crate) title: String,
    pub(crate) number: Option<usize>,
    pub(crate) depth: usize,
    /// `done`, `failed`, `skipped`; absent outside of steps.
    pub(crate) ended: Option<Ended>,
    pub(crate) statements: Vec<Statement>,
}

/// Something that happens in a step.
#[derive(Debug, Serialize)]
#[serde(tag = "t", rename_all = "snake_case")]
pub(crate) enum Statement {
    Call(Box<Call>),
    Check(Check),
    Question(Question),
    Said { level: Level, message: String },
    Plan(Plan),
    Step(Box<Step>),
}

/// A question that will be asked.
#[derive(Debug, Serialize)]
pub(crate) struct Question {
    pub(crate) id: String,
    #[serde(rename = "question")]
    pub(crate) text: String,
    pub(crate) answer: String,
    pub(crate) by: String,
    /// `assumed` where nobody has answered: what follows rests on it.
    pub(crate) grade: Grade,
}

/// A call, as it would be made.
#[derive(Debug, Serialize)]
pub(crate) struct Call {
    pub(crate) step: String,
    pub(crate) ordinal: u64,
    pub(crate) primitive: String,
    /// `read`, `write` or `wait`.
    pub(crate) effect: &'static str,
    pub(crate) words: String,
    pub(crate) arguments: Value,
    /// Where in the script it stands: `std/istio/release.rhai:88`.
    pub(crate) at: Option<String>,
    /// The command a person would have typed.
    pub(crate) command: Option<String>,
    /// The files that the command names and that lie nowhere yet.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) files: Vec<File>,
    pub(crate) grade: Grade,
    pub(crate) outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fault: Option<Fault>,
    /// Why a wait is not over at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) waits_for: Option<String>,
    /// How long it took, by the clock of the run.
    pub(crate) ms: u64,
    /// The objects that it changes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) changes: Vec<View>,
    /// Fields that only the server writes, on objects that do not differ otherwise.
    pub(crate) hidden: usize,
    /// Records of helm.
    pub(crate) records: usize,
    /// Requests of it that write, and those which the live API server's own dry run accepts and makes the same of.
    pub(crate) requests: usize,
    pub(crate) accepted: usize,
}

/// What came of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    Done,
    /// A write that found everything as wanted.
    Unchanged,
    Failed,
    /// It cannot be known here what it would do, so it was not made.
    NotRun,
    /// A wait for something of which it cannot be known here what becomes of it.
    NotKnown,
}

impl Outcome {
    /// Whether nothing is known of what would come of it.
    pub(crate) fn is_unknown(self) -> bool {
        matches!(self, Self::NotRun | Self::NotKnown)
    }
}

/// A file that a command names.
#[derive(Debug, Serialize)]
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) content: Value,
}

/// A note of what could not be found out.
pub(super) fn unknown(what: &str, because: &str) -> String {
    format!("unknown: {what}, because {because}")
}

/// What a trace is made from.
pub(crate) struct Sources<'a> {
    pub(crate) story: &'a Story,
    pub(super) collected: &'a Collected,
    pub(crate) ground: Ground,
    pub(super) disguise: Disguise<'a>,
    /// Objects that were written and of which it cannot be known what becomes of them.
    pub(super) undecided: &'a [Subject],
    /// Says where a command acts that does not say so itself.
    pub(crate) placed: &'a dyn Fn(Command) -> Command,
}

impl Trace {
    /// The trace of a run; rights are looked up later.
    pub(super) fn of(mut sources: Sources<'_>) -> Self {
        let steps = sources.outermost();
        let total = Total::of(&steps);
        let disturbs = disruption::of(sources.collected, &mut sources.disguise);
        Self {
            ground: sources.ground,
            cluster: sources.story.cluster.clone(),
            steps,
            unknown: sources.unknown(),
            total,
            disturbs,
            rights: Rights::of(sources.collected),
            notes: Vec::new(),
            writes: Vec::new(),
        }
    }

    /// Whether anything would change.
    pub(crate) fn changes(&self) -> bool {
        self.total.changes()
    }
}

impl Sources<'_> {
    fn unknown(&self) -> Vec<String> {
        let done =
            self.story.chapters.iter().skip(1).all(|chapter| !matches!(chapter.ended, None | Some((Ended::Failed, _))));
        if done { Vec::new() } else { self.story.coming().into_iter().map(str::to_owned).collect() }
    }

    fn outermost(&mut self) -> Vec<Step> {
        let chapter = &self.story.chapters[0];
        let mut outside = self.step(chapter, 0);
        let inner = |statement: &Statement| matches!(statement, Statement::Step(_));
        let (steps, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut outside.statements).into_iter().partition(inner);
        outside.statements = rest;
        let steps = steps.into_iter().filter_map(|statement| match statement {
            Statement::Step(step) => Some(*step),
            _ => None,
        });
        let outside = Some(outside).filter(|outside| !outside.statements.is_empty());
        outside.into_iter().chain(steps).collect()
    }

    fn step(&mut self, chapter: &Chapter, index: usize) -> Step {
        let statements = chapter.happenings.iter().filter_map(|(_, happening)| self.statement(happening)).collect();
        Step {
            path: chapter.path.clone(),
            title: self.disguise.text(&chapter.title),
            number: chapter.number,
            depth: chapter.depth,
            ended: (index > 0).then(|| chapter.ended.map(|(ended, _)| ended)).flatten(),
            statements,
        }
    }

    fn statement(&mut self, happening: &Happening) -> Option<Statement> {
        Some(match happening {
            Happening::Called(called) => Statement::Call(Box::new(self.call(called)?)),
            Happening::Check(check) => Statement::Check(check.clone()),
            Happening::Inner(index) => Statement::Step(Box::new(self.step(&self.story.chapters[*index], *index))),
            Happening::Log(log) => Statement::Said { level: log.level, message: log.message.clone() },
            Happening::Plan(plan) => Statement::Plan(plan.clone()),
            Happening::Answered(answered) => Statement::Question(Question {
                id: answered.id.clone(),
                text: answered.question.clone(),
                answer: answered.answer.clone(),
                by: answered.by.clone(),
                // What the command line says is said; anything else stands in for a person.
                grade: if answered.by.starts_with("--") { Grade::Exact } else { Grade::Assumed },
            }),
            Happening::Sent(..)
            | Happening::Attempt(_)
            | Happening::Undo(_)
            | Happening::Note(_)
            | Happening::Attached(_) => return None,
        })
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "milliseconds for people")]
    fn call(&mut self, called: &Called) -> Option<Call> {
        // What a run claims for itself is not what anyone asked for.
        if called.step == BEFORE_WRITES {
            return None;
        }
        let made = self.collected.find(&called.step, called.ordinal)?;
        let command = made.command.clone().map(self.placed);
        let files = command.iter().flat_map(|command| command.files().to_vec());
        let files = files.map(|file| File { name: file.name, content: self.disguise.value(file.content) }).collect();
        let outcome = outcome(called, made, self.undecided);
        let mut call = Call {
            step: made.call.step.clone(),
            ordinal: made.call.ordinal,
            primitive: made.call.primitive.clone(),
            effect: made.call.effect.word(),
            words: self.disguise.text(&made.words),
            arguments: self.disguise.arguments(made.arguments.clone()),
            at: made.place.as_ref().map(|place| format!("{}:{}", place.source, place.line)),
            command: command.map(|command| self.disguise.text(&command.line())),
            files,
            grade: if outcome.is_unknown() { Grade::Unknown } else { Grade::of(made, self.ground) },
            outcome,
            fault: called.fault.as_deref().cloned(),
            waits_for: waits_for(made),
            ms: called.ms as u64,
            changes: Vec::new(),
            hidden: 0,
            records: 0,
            requests: made.judged.writes,
            accepted: made.judged.accepted,
        };
        for object in made.changes.iter() {
            match View::of(object, &mut self.disguise) {
                Seen::View(view) => call.changes.push(*view),
                Seen::Record => call.records += 1,
                Seen::Noise(fields) => call.hidden += fields,
            }
        }
        call.hidden += call.changes.iter().map(|view| view.hidden).sum::<usize>();
        Some(call)
    }
}

/// How it is said that a call reaches beyond what can be known without consequences.
const BEYOND: [&str; 3] = [
    "the simulation cannot answer this truly",
    "does not leave for the live cluster",
    "cannot be answered in a dry run",
];

fn outcome(called: &Called, made: &Made, undecided: &[Subject]) -> Outcome {
    let unchanged = matches!(&made.outcome, Some(Settlement::Value(v)) if v.get("changed") == Some(&false.into()));
    match &called.fault {
        Some(fault) if BEYOND.iter().any(|words| fault.message.contains(words)) => Outcome::NotRun,
        Some(fault) if called.effect == Effect::Wait && is_about(fault, undecided) => Outcome::NotKnown,
        Some(_) => Outcome::Failed,
        None if called.effect.writes() && unchanged => Outcome::Unchanged,
        None => Outcome::Done,
    }
}

/// Is a fault about one of these objects? It names its own as people do: `deployment/web`.
fn is_about(fault: &Fault, objects: &[Subject]) -> bool {
    let Some((kind, name)) = fault.object.as_deref().and_then(|object| object.split_once('/')) else { return false };
    objects.iter().any(|object| object.name == name && object.resource.starts_with(kind))
}

fn waits_for(made: &Made) -> Option<String> {
    let waiting = made.waiting.as_ref()?;
    let parts = std::iter::once(waiting.progress.clone()).chain(waiting.reasons.iter().take(2).cloned());
    let words: Vec<_> = parts.filter(|part| !part.is_empty()).collect();
    (!words.is_empty()).then(|| words.join("; "))
}
