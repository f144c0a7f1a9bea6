//! Everything that can go wrong: permanent codes, words, a place in the script, a hint.
//!
//! Does not know how a fault is drawn on a screen, nor which exit code it becomes: that is the binary's.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What kind of trouble a fault is, in the words scripts compare with (`e.kind`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Time ran out.
    Timeout,
    /// Something is not ready.
    NotReady,
    /// Something can no longer become ready.
    Doomed,
    /// Someone else owns or changed it.
    Conflict,
    /// It is not there.
    NotFound,
    /// The server says we may not.
    Forbidden,
    /// What was asked makes no sense.
    Invalid,
    /// A helm operation was left unfinished.
    PendingRelease,
    /// A helm hook failed.
    HookFailed,
    /// A person, a check or a rule said no.
    Refused,
    /// What had to hold before does not.
    Precondition,
    /// A program failed.
    ExecFailed,
    /// The cluster cannot be reached.
    Network,
    /// A fact could not be established completely.
    Unknown,
    /// The script no longer does what the journal recorded.
    Diverged,
    /// A defect of the program, or of its surroundings.
    Internal,
}

macro_rules! codes {
    ($($name:ident $id:literal $kind:ident $reach:ident $summary:literal;)*) => {
        /// The registry of fault codes. A code is permanent: its number never gets another meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Code {
            $(#[doc = $summary] #[serde(rename = $id)] $name,)*
        }

        impl Code {
            /// All codes, in order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The permanent name, such as `RB031`.
            pub fn id(self) -> &'static str {
                match self { $(Self::$name => $id,)* }
            }

            /// The kind of trouble.
            pub fn kind(self) -> Kind {
                match self { $(Self::$name => Kind::$kind,)* }
            }

            /// One line on the situation.
            pub fn summary(self) -> &'static str {
                match self { $(Self::$name => $summary,)* }
            }

            /// Whether a script's `catch` may see it.
            pub fn reach(self) -> Reach {
                match self { $(Self::$name => Reach::$reach,)* }
            }
        }
    };
}

/// How far up a fault travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// A script may catch it.
    Script,
    /// It ends the run: refusals by people, journal failures, divergence, interruption.
    Run,
}

codes! {
    Internal            "RB001" Internal       Run    "a defect in runbook itself";
    Usage               "RB002" Invalid        Run    "the command line makes no sense";
    ScriptSyntax        "RB010" Invalid        Run    "the script cannot be read";
    ScriptError         "RB011" Invalid        Script "the script did something that makes no sense";
    Import              "RB012" Invalid        Run    "a module cannot be imported";
    Limit               "RB013" Refused        Run    "the script went over a limit";
    UnknownOption       "RB014" Invalid        Script "a call has an option that does not exist";
    WrongArgument       "RB015" Invalid        Script "a call has an argument of the wrong type or form";
    Parameter           "RB016" Invalid        Run    "a parameter is missing, unknown or of the wrong type";
    StepId              "RB017" Invalid        Run    "two steps share one id";
    WriteInRead         "RB018" Refused        Run    "a write where only reads are allowed";
    NoCluster           "RB020" Network        Run    "no cluster to talk to";
    Forbidden           "RB021" Forbidden      Script "the cluster refuses: not permitted";
    NotFound            "RB022" NotFound       Script "it does not exist";
    Conflict            "RB023" Conflict       Script "someone else owns or changed it";
    Rejected            "RB024" Invalid        Script "the cluster refuses: not valid";
    Network             "RB025" Network        Script "the cluster cannot be reached";
    Precondition        "RB026" Precondition   Script "what was expected before the change does not hold";
    Incomplete          "RB027" Unknown        Script "a fact could not be established completely";
    TooLarge            "RB028" Invalid        Script "an object or an answer is too large";
    Protected           "RB029" Refused        Script "this kind is protected against deletion";
    Timeout             "RB030" Timeout        Script "time ran out";
    NotReady            "RB031" NotReady       Script "it is not ready";
    Doomed              "RB032" Doomed         Script "it can no longer become ready";
    NoRule              "RB033" Invalid        Script "no rule says when this kind is ready";
    HelmMissing         "RB040" ExecFailed     Run    "no usable helm";
    HelmFailed          "RB041" ExecFailed     Script "helm failed";
    PendingRelease      "RB042" PendingRelease Script "a helm operation was left unfinished";
    HookFailed          "RB043" HookFailed     Script "a helm hook failed";
    ChartNotFound       "RB044" NotFound       Script "no such chart or chart version";
    ReleaseNotFound     "RB045" NotFound       Script "no such release";
    RenderFailed        "RB046" Invalid        Script "the chart cannot be rendered with these values";
    HelmFeature         "RB047" Precondition   Script "this helm cannot do that";
    ReleaseExists       "RB048" Conflict       Script "a release of that name exists already";
    JournalFailed       "RB050" Internal       Run    "the journal cannot be written or read";
    Diverged            "RB051" Diverged       Run    "the script no longer does what the journal recorded";
    NoRun               "RB052" NotFound       Run    "no such run";
    PlanUnfit           "RB053" Precondition   Run    "the plan is not for this run";
    OffPlan             "RB054" Diverged       Run    "the run no longer does what its plan says";
    NeedsApproval       "RB060" Refused        Run    "waiting for a person's answer";
    Declined            "RB061" Refused        Run    "a person said no";
    ChecksFailed        "RB070" Refused        Run    "checks failed";
    RefusedByRule       "RB071" Refused        Run    "the runbook refuses";
    Required            "RB072" Precondition   Script "what the runbook requires does not hold";
    HeldByAnother       "RB073" Conflict       Run    "another run writes in the same scope";
    Interrupted         "RB080" Refused        Run    "interrupted";
    Thrown              "RB090" Refused        Script "the script gave up";
    FileAccess          "RB091" NotFound       Script "a file cannot be read";
    CommandFailed       "RB092" ExecFailed     Script "a command failed";
}

/// A place in a script, for diagnostics.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Name of the script or module, as the person knows it.
    pub source: String,
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1; 0 where only the line is known.
    pub column: usize,
}

/// Anything that went wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("{}  {message}", code.id())]
pub struct Fault {
    /// The permanent code.
    pub code: Code,
    /// Lower case, no full stop, names in backticks: what and because.
    pub message: String,
    /// The object it is about, such as `deployment/web` or `release istiod`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// What was seen: log lines, events, answers. One fact per entry.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<String>,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Whether trying the same again may help.
    #[serde(default)]
    pub retryable: bool,
    /// The primitive that was called, such as `wait::ready`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub primitive: Option<String>,
    /// The step path in which it happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// Where in the script, innermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stack: Vec<Place>,
    /// Facts for scripts, such as the fields of a conflict.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub detail: Map<String, Value>,
}

impl Fault {
    /// A fault with a code and words.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            object: None,
            evidence: Vec::new(),
            hint: None,
            retryable: false,
            primitive: None,
            step: None,
            stack: Vec::new(),
            detail: Map::new(),
        }
    }

    /// Names the object.
    #[must_use]
    pub fn about(mut self, object: impl Into<String>) -> Self {
        self.object = Some(object.into());
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds something that was seen.
    #[must_use]
    pub fn seen(mut self, evidence: impl Into<String>) -> Self {
        self.evidence.push(evidence.into());
        self
    }

    /// Says that trying again may help.
    #[must_use]
    pub fn retryable(mut self) -> Self {
        self.retryable = true;
        self
    }

    /// Adds a fact for scripts.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.detail.insert(key.to_owned(), value.into());
        self
    }

    /// The map a script's `catch (e)` gets: everything above, with `kind` in words.
    pub fn to_value(&self) -> Value {
        let mut value = serde_json::to_value(self).expect("a fault is plain data");
        value["kind"] = serde_json::to_value(self.code.kind()).expect("a kind is a word");
        value
    }

    /// The fault that such a map came from, so that `throw e` gives the same fault again.
    pub fn from_value(value: &Value) -> Option<Self> {
        serde_json::from_value(value.clone()).ok()
    }
}
