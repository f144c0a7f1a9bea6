//! The vocabulary of what happens in a run: the lines of the journal, which reporters see as they are written.
//!
//! Does not know where a record goes: to a file, to a terminal, to both.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::arg::Args;
use crate::command::Command;
use crate::effect::Effect;
use crate::fault::{Fault, Place};

/// The version of the journal's format. Readers refuse a greater one.
pub const VERSION: u32 = 1;

/// One thing that happened, with its time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// When, in UTC.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub entry: Entry,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "t", rename_all = "snake_case")]
pub enum Entry {
    /// The first line: what was started, with what.
    Run(Box<Run>),
    /// The cluster that the run acts on, once it has answered.
    Cluster(Cluster),
    /// A step begins.
    StepStarted(StepStarted),
    /// A step ends.
    StepFinished(StepFinished),
    /// A write is about to be sent. On disk before it is.
    Intent(Intent),
    /// A call ended.
    Settled(Box<Settled>),
    /// A call failed in a way that may pass, and is tried again.
    Attempt(Attempt),
    /// A check was made.
    Check(Check),
    /// A person answered, now or beforehand.
    Answered(Answered),
    /// An inverse was registered.
    Undo(Undo),
    /// A line for people.
    Log(Log),
    /// Markdown for the report.
    Note(Note),
    /// A named value for the report.
    Attached(Attached),
    /// What will change and what it will disturb, as shown before the question.
    Plan(Plan),
    /// The last line.
    Finished(Finished),
}

/// What was started, with what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// [`VERSION`] of the writer.
    pub version: u32,
    /// The run's id.
    pub run: String,
    /// Name of the runbook, without folder and extension.
    pub runbook: String,
    /// First sentence of its header.
    pub title: String,
    /// Where the script came from: a path, or `bundled`.
    pub source: String,
    /// SHA-256 of the script's text.
    pub digest: String,
    /// Parameters in effect; secrets appear as `"<secret>"`.
    pub parameters: Map<String, Value>,
    /// Version of the program.
    pub program: String,
    /// Titles and ids of the steps that can be seen without running, in order.
    pub steps: Vec<Planned>,
    /// Answers given beforehand, in words.
    pub beforehand: Vec<String>,
    /// Who started it, as the system knows them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Set where the cluster is a simulation: which scenario it began with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rehearsal: Option<String>,
    /// Set where what the run writes stays in memory, over a live cluster.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
    /// The plan that it is held to, in words: which file, made when and by whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
}

/// A step as seen without running.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Planned {
    /// Its id.
    pub id: String,
    /// Its title; may hold placeholders where it is computed.
    pub title: String,
    /// How deep it nests, from 0.
    pub depth: usize,
}

/// Which cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cluster {
    /// Name of the kubeconfig context.
    pub context: String,
    /// URL of the API server.
    pub server: String,
    /// uid of namespace `kube-system`; absent where it may not be read.
    pub id: Option<String>,
}

/// A step begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepStarted {
    /// Its path: ids from the outermost step, joined by `/`.
    pub step: String,
    /// Its title.
    pub title: String,
    /// How deep it nests, from 0.
    pub depth: usize,
}

/// A step ends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepFinished {
    /// Its path.
    pub step: String,
    /// How it ended.
    pub ended: Ended,
    /// How long it took, in milliseconds.
    pub ms: u64,
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// To its end, or by `return` or `break`.
    Done,
    /// By a fault.
    Failed,
    /// `when` was false.
    Skipped,
}

/// A write is about to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// Step path, ordinal and what is called: the identity of the call.
    #[serde(flatten)]
    pub call: CallId,
    /// In words.
    pub words: String,
}

/// The identity of a call: never a line number, so that a moved line is the same call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallId {
    /// The step path; empty outside of steps.
    pub step: String,
    /// The how-manieth recorded call in that step, from 1.
    pub ordinal: u64,
    /// The primitive.
    pub primitive: String,
    /// Its effect.
    pub effect: Effect,
    /// Digest of the arguments, keyed by the run.
    pub digest: String,
}

/// A call ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settled {
    /// Which.
    #[serde(flatten)]
    pub call: CallId,
    /// In words.
    pub words: String,
    /// The command a person would have typed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: Settlement,
    /// How long it took, in milliseconds.
    pub ms: f64,
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Settlement {
    /// The answer itself.
    Value(Value),
    /// The answer is large: its digest names a compressed file beside the journal.
    Stored(String),
    /// The answer may hold secrets: a keyed digest of it.
    Withheld(String),
    /// It failed.
    Fault(Fault),
}

/// A failed try that is not the last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// The step path.
    pub step: String,
    /// What is tried, in words.
    pub words: String,
    /// The how-manieth try failed, from 1.
    pub attempt: u32,
    /// Why.
    pub reason: String,
}

/// A check was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// The step path.
    pub step: String,
    /// What `--override` calls it.
    pub id: String,
    /// What it looks at.
    pub title: String,
    /// What it found.
    pub verdict: Verdict,
    /// In words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
    /// Whether `--override` would let a failure through.
    #[serde(default)]
    pub overridable: bool,
    /// The reason given with `--override`, where a failure was let through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overridden: Option<String>,
}

/// What a check found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Good.
    Pass,
    /// To be known.
    Warn,
    /// The run must not go on.
    Fail,
}

/// A person answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// The step path.
    pub step: String,
    /// Id of the question.
    pub id: String,
    /// What was asked.
    pub question: String,
    /// What was answered.
    pub answer: String,
    /// How: `terminal`, `--yes`, `--approve remove-old`, `--approve all`.
    pub by: String,
}

/// An inverse was registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undo {
    /// The step path.
    pub step: String,
    /// The how-manieth in the run, from 1; they run in reverse.
    pub number: u64,
    /// In words, where the script gave any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<String>,
}

/// A line for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Log {
    /// The step path.
    pub step: String,
    /// How loud.
    pub level: Level,
    /// The line.
    pub message: String,
}

/// How loud a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// For the record.
    Info,
    /// To be known.
    Warn,
    /// Something is wrong.
    Error,
}

/// Markdown for the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The step path.
    pub step: String,
    /// The text.
    pub markdown: String,
}

/// A named value for the report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attached {
    /// The step path.
    pub step: String,
    /// Its name.
    pub name: String,
    /// The value.
    pub value: Value,
}

/// What the question shows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// What will change: a line each.
    #[serde(default)]
    pub changes: Vec<PlannedChange>,
    /// What that will disturb: a line each.
    #[serde(default)]
    pub disturbs: Vec<String>,
    /// How long it may take, in words.
    #[serde(default)]
    pub duration: Option<String>,
}

/// One line of what will change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedChange {
    /// What: a release, a tag, a namespace.
    pub what: String,
    /// From what to what.
    #[serde(default)]
    pub change: String,
    /// How much that is.
    #[serde(default)]
    pub extent: String,
    /// How it is undone, or that it cannot be.
    #[serde(default)]
    pub undo: String,
}

/// The last line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finished {
    /// How the run ended.
    pub verdict: End,
    /// The fault that ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// How many writes changed something.
    pub changed: u64,
    /// How many writes were sent.
    pub writes: u64,
    /// What the script answered, in words, where it ends with a string.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// How long the run took, in milliseconds.
    pub ms: u64,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// To its end.
    Done,
    /// By a fault.
    Failed,
    /// A check or rule refused before or during it.
    Refused,
    /// A person's answer is missing.
    Waiting,
    /// A person said no, or pressed Ctrl-C.
    Stopped,
}

/// Why a wait is not over. Shown, never recorded.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// What is waited for.
    pub what: String,
    /// How far it is: `1 of 2 replicas updated`.
    pub progress: String,
    /// Only what is not there yet, each with its most specific reason.
    pub reasons: Vec<String>,
    /// How much time is left, in milliseconds.
    pub left_ms: Option<u64>,
}

/// A call that begins, with all that was said in it. Its arguments are not masked.
#[derive(Debug)]
pub struct Calling<'a> {
    /// Which.
    pub call: &'a CallId,
    /// In words.
    pub words: &'a str,
    /// What was handed over.
    pub arguments: &'a Args,
    /// The command a person would have typed.
    pub command: Option<Command>,
    /// Where in the script it stands.
    pub place: Option<Place>,
}

/// What reporters are shown.
#[derive(Debug)]
pub enum Event<'a> {
    /// Something that is also in the journal.
    Recorded(&'a Record),
    /// A call begins; only writes are in the journal at this point.
    Calling(&'a Calling<'a>),
    /// A wait says why it is not over.
    Waiting {
        /// The step path.
        step: &'a str,
        /// Why.
        waiting: &'a Waiting,
    },
}

/// Someone who is told what happens: a terminal, a stream of JSON.
pub trait Observer: Send + Sync {
    /// Is told. Must not block for long and cannot fail the run.
    fn observe(&self, event: &Event<'_>);
}
