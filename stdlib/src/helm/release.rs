//! A release as helm remembers it: its revisions, and what a write has left behind.
//!
//! Does not know charts, values or objects.

use std::time::Duration;

use jiff::Timestamp;
use runbook_core::{Code, Fault, Value, World};
use semver::Version;
use serde::Deserialize;
use serde_json::json;

use super::option::Target;
use super::tool::{Line, Tool};

/// More revisions than any release keeps.
const ALL: u32 = 10_000;

/// One revision of a release.
#[expect(clippy::struct_field_names, reason = "helm's own word for the number")]
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Revision {
    /// Its number, from 1.
    pub(super) revision: u64,
    /// When it began.
    pub(super) updated: Timestamp,
    /// `deployed`, `superseded`, `failed`, `pending-upgrade`, ...
    pub(super) status: String,
    /// Name and version of the chart: `istiod-1.30.3`.
    pub(super) chart: String,
    /// Version of what the chart installs.
    #[serde(default)]
    pub(super) app_version: String,
    /// In helm's words, or the person's.
    #[serde(default)]
    pub(super) description: String,
}

impl Revision {
    /// Whether a helm is at work on it, or was cut off.
    pub(super) fn is_pending(&self) -> bool {
        self.status.starts_with("pending-") || self.status == "uninstalling"
    }

    /// How long ago it began.
    pub(super) fn age(&self, world: &World) -> Duration {
        Duration::try_from(world.clock.now().duration_since(self.updated)).unwrap_or_default()
    }

    /// What scripts see of it.
    pub(super) fn to_value(&self) -> Value {
        let (name, version) = name_and_version(&self.chart);
        json!({
            "revision": self.revision,
            "updated": self.updated.to_string(),
            "status": self.status,
            "chart": name,
            "version": version,
            "app_version": self.app_version,
            "description": self.description,
        })
    }
}

/// Splits `istiod-1.31.0-rc.0`: the version is the longest end that is one.
pub(super) fn name_and_version(chart: &str) -> (&str, &str) {
    let cut = chart
        .match_indices('-')
        .map(|(at, _)| at)
        .find(|at| Version::parse(chart[at + 1..].trim_start_matches('v')).is_ok());
    cut.map_or((chart, ""), |at| (&chart[..at], &chart[at + 1..]))
}

/// All revisions that are kept of a release, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct History(Vec<Revision>);

impl History {
    /// Asks helm; `None` where there is no such release.
    pub(super) async fn read(tool: &Tool<'_>, target: &Target, release: &str) -> Result<Option<Self>, Fault> {
        Self::ask(tool, target, Line::reading("history").release(release)).await
    }

    /// The same for a release that has to be there. Faults: `RB045`.
    pub(super) async fn must(tool: &Tool<'_>, target: &Target, release: &str) -> Result<Self, Fault> {
        Self::read(tool, target, release).await?.ok_or_else(|| absent(release))
    }

    /// The same right after a write, so that Ctrl-C does not hide what came of it.
    pub(super) async fn after(tool: &Tool<'_>, target: &Target, release: &str) -> Result<Option<Self>, Fault> {
        Self::ask(tool, target, Line::reading("history").even_if_interrupted().release(release)).await
    }

    async fn ask(tool: &Tool<'_>, target: &Target, line: Line) -> Result<Option<Self>, Fault> {
        let line = line.flag("--max", Some(ALL)).flag("--output", Some("json"));
        match tool.run_at(target, line).await {
            Ok(text) => Self::parse(&text).map(Some),
            Err(fault) if fault.code == Code::ReleaseNotFound => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    fn parse(text: &str) -> Result<Self, Fault> {
        let mut revisions: Vec<Revision> = serde_json::from_str(text).map_err(|error| unreadable("history", &error))?;
        revisions.sort_by_key(|revision| revision.revision);
        if revisions.is_empty() {
            return Err(Fault::new(Code::HelmFailed, "helm knows the release, but none of its revisions"));
        }
        Ok(Self(revisions))
    }

    /// All of them, oldest first.
    pub(super) fn revisions(&self) -> &[Revision] {
        &self.0
    }

    /// The last one: it says whether the release is in use, failed or held.
    pub(super) fn last(&self) -> &Revision {
        self.0.last().expect("a history is never empty")
    }

    /// The one whose objects are in the cluster, as far as helm knows.
    pub(super) fn deployed(&self) -> Option<&Revision> {
        self.0.iter().rev().find(|revision| revision.status == "deployed")
    }

    /// The last one that came to a good end, before anything that is pending or failed.
    pub(super) fn finished(&self) -> Option<&Revision> {
        let good =
            |revision: &&Revision| revision.status == "superseded" && !revision.description.contains("\" failed: ");
        self.deployed().or_else(|| self.0.iter().rev().find(good))
    }

    /// Whether the release was uninstalled and only its history is left.
    pub(super) fn is_uninstalled(&self) -> bool {
        self.last().status == "uninstalled"
    }

    /// Faults with `RB042` where a helm is at work on it or was cut off.
    pub(super) fn refuse_pending(&self, world: &World, release: &str) -> Result<(), Fault> {
        if self.last().is_pending() { Err(pending(self.last(), world, release)) } else { Ok(()) }
    }
}

/// The fault of a release that is held.
pub(super) fn pending(last: &Revision, world: &World, release: &str) -> Fault {
    let age = in_words(last.age(world));
    Fault::new(
        Code::PendingRelease,
        format!("release `{release}` is held: revision {} is `{}` for {age}", last.revision, last.status),
    )
    .about(format!("release {release}"))
    .seen(format!("helm: {}", last.description))
    .hint("wait until it has ended; where nothing is running any more, `helm::recover` clears it")
    .with("revision", last.revision)
    .with("status", last.status.as_str())
    .with("age", age)
}

/// The fault of a release that is not there.
pub(super) fn absent(release: &str) -> Fault {
    Fault::new(Code::ReleaseNotFound, format!("there is no release `{release}`"))
        .about(format!("release {release}"))
        .hint("`helm::list` shows what is there")
}

/// The fault of an answer of helm that cannot be understood.
pub(super) fn unreadable(what: &str, error: &dyn std::fmt::Display) -> Fault {
    Fault::new(Code::HelmFailed, format!("helm's answer to `{what}` cannot be understood: {error}"))
}

/// A duration for people: `45s`, `12m`, `3h`, `2d`.
pub(super) fn in_words(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..120 => format!("{seconds}s"),
        120..7_200 => format!("{}m", seconds / 60),
        7_200..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// Adds to the fault of a write what it left behind, so that nobody has to guess whether it took effect.
pub(super) async fn left_behind(tool: &Tool<'_>, target: &Target, release: &str, fault: Fault) -> Fault {
    let fault = Fault { object: fault.object.or_else(|| Some(format!("release {release}"))), ..fault };
    match History::after(tool, target, release).await {
        Ok(Some(history)) => {
            let last = history.last();
            fault
                .seen(format!("left behind: revision {} of release `{release}` is `{}`", last.revision, last.status))
                .with("revision", last.revision)
                .with("status", last.status.as_str())
        }
        Ok(None) => fault.seen(format!("left behind: no release `{release}`")).with("status", "absent"),
        Err(unknown) => fault
            .seen(format!("left behind: unknown, because helm could not be asked: {}", unknown.message))
            .hint(format!("look at `helm history {release}` before anything is tried again"))
            .with("status", "unknown"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(statuses: &[(&str, &str)]) -> History {
        let revisions = statuses.iter().zip(1..).map(|((status, description), revision)| {
            json!({ "revision": revision, "updated": "2026-11-22T23:23:20.761672445Z", "status": status,
                "chart": "istiod-1.28.5", "app_version": "1.28.5", "description": description })
        });
        History::parse(&Value::Array(revisions.collect()).to_string()).unwrap()
    }

    #[test]
    fn a_pending_revision_in_the_middle_holds_nothing() {
        let history =
            history(&[("superseded", "Install complete"), ("pending-upgrade", ""), ("deployed", "Rollback to 1")]);
        assert!(!history.last().is_pending());
        assert_eq!(history.deployed().unwrap().revision, 3);
    }

    #[test]
    fn the_last_finished_revision_is_never_a_failed_one() {
        let cut_off =
            history(&[("superseded", "Install complete"), ("deployed", "Upgrade complete"), ("pending-upgrade", "")]);
        assert_eq!(cut_off.finished().unwrap().revision, 2);
        // helm 4 calls a failed revision superseded once a rollback has begun.
        let failed = history(&[
            ("superseded", "Install complete"),
            ("superseded", "Upgrade \"d\" failed: context deadline exceeded"),
            ("pending-rollback", ""),
        ]);
        assert_eq!(failed.finished().unwrap().revision, 1);
        assert!(history(&[("pending-install", "")]).finished().is_none());
    }

    #[test]
    fn a_chart_is_split_where_its_version_begins() {
        for (chart, name, version) in [
            ("istiod-1.30.3", "istiod", "1.30.3"),
            ("istio-cni-1.31.0-rc.0", "istio-cni", "1.31.0-rc.0"),
            ("k8s-2-tool-v1.0.0", "k8s-2-tool", "v1.0.0"),
            ("odd", "odd", ""),
        ] {
            assert_eq!(name_and_version(chart), (name, version));
        }
    }

    #[test]
    fn an_answer_that_is_not_json_is_a_fault() {
        assert_eq!(History::parse("WARNING: x\n[]").unwrap_err().code, Code::HelmFailed);
        assert_eq!(History::parse("[]").unwrap_err().code, Code::HelmFailed);
    }
}
