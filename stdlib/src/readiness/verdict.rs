//! What a rule says of an object, and how patient the one who asks is.
//!
//! Does not know any kind, nor how a verdict is shown.

use std::time::Duration;

use jiff::Timestamp;

/// What a rule says of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is as it should be.
    Ready,
    /// It is not, and may yet become so.
    NotReady(Standing),
    /// It is not and will not become so without someone acting.
    Doomed(Standing, Doom),
    /// What was given does not decide it.
    Unknown,
}

/// How far something is, and why not further.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// In a few words, such as `1 of 2 replicas updated`; empty where nothing counts.
    pub progress: String,
    /// Only what is not there yet, each with its most specific reason.
    pub reasons: Vec<String>,
}

/// Why something cannot become ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doom {
    /// As the second half of a sentence: `image example/web:2 cannot be pulled (403 Forbidden)`.
    pub reason: String,
    /// What it was seen on, with the server's own words.
    pub evidence: Vec<String>,
    /// The pod whose logs and events tell more.
    pub witness: Option<Witness>,
    /// What a person can do.
    pub hint: Option<&'static str>,
}

/// A pod, and the container in it, that tells more about a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub pod: String,
    /// Its uid.
    pub uid: String,
    /// The container whose last log lines matter, where one ran.
    pub container: Option<String>,
}

/// How patient the one who asks is.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// How often a container may have been restarted before crash-looping is final.
    pub allow_restarts: i64,
    /// How long a pod may stay unschedulable while it is watched.
    pub unschedulable: Duration,
    /// When the asking began.
    pub since: Timestamp,
    /// The present time.
    pub now: Timestamp,
}

impl Patience {
    /// How long it has been asked for.
    pub fn waited(&self) -> Duration {
        self.lasted(self.since)
    }

    /// How long something has lasted while it was watched.
    pub fn lasted(&self, from: Timestamp) -> Duration {
        Duration::try_from(self.now.duration_since(from.max(self.since))).unwrap_or_default()
    }
}

impl Verdict {
    /// Not ready, with progress and reasons in words.
    pub fn not_ready(progress: impl Into<String>, reasons: Vec<String>) -> Self {
        Self::NotReady(Standing { progress: progress.into(), reasons })
    }

    /// Not ready for one reason that says it all.
    pub fn because(reason: impl Into<String>) -> Self {
        Self::not_ready("", vec![reason.into()])
    }
}

impl Doom {
    /// A doom with a reason alone.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), evidence: Vec::new(), witness: None, hint: None }
    }

    /// Adds something that was seen.
    #[must_use]
    pub fn seen(mut self, evidence: impl Into<String>) -> Self {
        self.evidence.push(evidence.into());
        self
    }
}
