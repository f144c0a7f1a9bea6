//! Server-side apply of many objects: in an order that works, each only where it changes something, conflicts as the script
//! wants them.
//!
//! Does not know scripts, nor what is pruned.

use std::sync::Arc;
use std::time::Duration;

use runbook_core::world::{Clock, Cluster};
use runbook_core::{Code, Fault, Value};
use serde_json::json;

use super::api::{Api, Scope};
use super::kind::{self, Resource};
use super::manifest::{self, There};
use super::outcome::{Trace, settle};
use super::ownership;
use super::query::{Patch, Writing};
use crate::difference::{self, Difference};
use crate::readiness::object::{self, holds, text};

/// How long a new definition may take until its kind is served.
const ESTABLISHED: Duration = Duration::from_secs(30);

/// How often fields of others are taken out before an apply is given up.
const ROUNDS: usize = 5;

/// What to do about fields that others own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OnConflict {
    Fail,
    Force,
    Keep,
}

impl OnConflict {
    /// Reads the word of a script.
    pub(super) fn parse(word: Option<&str>) -> Result<Self, Fault> {
        match word {
            None | Some("fail") => Ok(Self::Fail),
            Some("force") => Ok(Self::Force),
            Some("keep") => Ok(Self::Keep),
            Some(other) => Err(Fault::new(
                Code::WrongArgument,
                format!("`on_conflict` is `fail`, `force` or `keep`, not `{}`", other.escape_debug()),
            )),
        }
    }
}

/// What became of one object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Created,
    Configured,
    Unchanged,
}

impl Outcome {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Configured => "configured",
            Self::Unchanged => "unchanged",
        }
    }

    pub(super) fn changes(self) -> bool {
        self != Self::Unchanged
    }
}

/// One object after it was applied.
#[derive(Debug, Clone)]
pub(super) struct Applied {
    pub(super) resource: Arc<Resource>,
    pub(super) name: String,
    pub(super) namespace: Option<String>,
    pub(super) title: String,
    pub(super) outcome: Outcome,
    pub(super) changes: Vec<Difference>,
    /// Fields left to others.
    pub(super) kept: Vec<Value>,
}

impl Applied {
    /// As scripts get it.
    pub(super) fn to_value(&self) -> Value {
        json!({
            "kind": self.resource.kind,
            "name": self.name,
            "namespace": self.namespace,
            "outcome": self.outcome.word(),
            "changes": self.changes.iter().map(Difference::to_value).collect::<Vec<_>>(),
            "kept": self.kept,
        })
    }
}

/// How to apply.
pub(super) struct Applying {
    pub(super) cluster: Arc<Cluster>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) namespace: Option<String>,
    pub(super) manager: String,
    pub(super) on_conflict: OnConflict,
}

impl Applying {
    /// Applies manifests: namespaces first, then definitions (CRDs), then all others as they come.
    ///
    /// A fault says what was done before it.
    pub(super) async fn all(&self, mut manifests: Vec<Value>) -> Result<Vec<Applied>, Fault> {
        manifests.sort_by_key(|manifest| match text(manifest, "/kind") {
            "Namespace" => 0,
            "CustomResourceDefinition" => 1,
            _ => 2,
        });
        let total = manifests.len();
        let mut applied: Vec<Applied> = Vec::new();
        for manifest in manifests {
            match self.one(manifest).await {
                Ok(one) => applied.push(one),
                Err(fault) if total == 1 => return Err(fault),
                Err(fault) => return Err(half_way(fault, &applied, total)),
            }
        }
        Ok(applied)
    }

    async fn one(&self, manifest: Value) -> Result<Applied, Fault> {
        let resource = kind::of_manifest(&self.cluster, &manifest).await?;
        let name = manifest::name_of(&manifest)?;
        let scope = Scope::Namespace(manifest::namespace_of(&manifest, self.namespace.as_ref())?);
        let api = Api::of(&self.cluster, resource, &scope)?;
        let before = api.find(&name).await?;
        let there = if before.is_some() { There::Yes } else { There::No };
        let mut manifest = manifest::cleaned(manifest, there);
        let unchanged = |live: &Value, manifest: &Value| ownership::is_applied(manifest, live, &self.manager);
        let mut kept = Vec::new();
        let after = loop {
            if before.as_ref().is_some_and(|before| unchanged(before, &manifest)) {
                break None;
            }
            match self.send(&api, &name, &manifest).await {
                Err(fault) if self.on_conflict == OnConflict::Keep && kept.len() < ROUNDS => {
                    kept.extend(leave(&mut manifest, fault)?);
                }
                other => break Some(other?),
            }
        };
        let before = before.unwrap_or_default();
        let outcome = match &after {
            Some(_) if before.is_null() => Outcome::Created,
            Some(after) if text(after, VERSION) != text(&before, VERSION) => Outcome::Configured,
            _ => Outcome::Unchanged,
        };
        if outcome == Outcome::Created && api.resource().plural == "customresourcedefinitions" {
            self.established(&api, &name).await?;
        }
        let changes = match &after {
            Some(after) if outcome == Outcome::Configured => difference::between(&before, after),
            _ => Vec::new(),
        };
        let title = api.title(&name);
        let namespace = api.namespace().map(str::to_owned);
        Ok(Applied { resource: api.resource().clone(), name, namespace, title, outcome, changes, kept })
    }

    async fn send(&self, api: &Api, name: &str, manifest: &Value) -> Result<Value, Fault> {
        let writing = Writing::by(&self.manager);
        let writing = if self.on_conflict == OnConflict::Force { writing.taking() } else { writing };
        let patch = Patch::Apply(manifest.clone());
        settle(
            api,
            name,
            async || api.patch(name, &patch, &writing).await,
            |live| match live {
                Some(live) if ownership::is_applied(manifest, &live, &self.manager) => Trace::Done(live),
                // Applying twice is applying once.
                _ => Trace::NotDone,
            },
        )
        .await
    }

    /// The kind of a new definition is served a moment after it was accepted.
    async fn established(&self, definitions: &Api, name: &str) -> Result<(), Fault> {
        let started = self.clock.elapsed();
        loop {
            let definition = definitions.get(name).await?;
            if holds(&definition, "Established") {
                return Ok(());
            }
            if let Some(refused) =
                object::condition(&definition, "NamesAccepted").filter(|c| text(c, "/status") == "False")
            {
                return Err(Fault::new(
                    Code::Conflict,
                    format!(
                        "{} was applied, but its names are taken: {}",
                        definitions.title(name),
                        object::words_of(refused)
                    ),
                )
                .about(definitions.title(name)));
            }
            if self.clock.elapsed().saturating_sub(started) > ESTABLISHED {
                return Err(Fault::new(
                    Code::Timeout,
                    format!(
                        "{} was applied, but is not served after {} s",
                        definitions.title(name),
                        ESTABLISHED.as_secs()
                    ),
                )
                .about(definitions.title(name)));
            }
            self.clock.sleep(Duration::from_millis(50)).await;
        }
    }
}

const VERSION: &str = "/metadata/resourceVersion";

/// Takes out of a manifest what a conflict names; answers what was left to whom. The fault again where it is another one.
fn leave(manifest: &mut Value, fault: Fault) -> Result<Vec<Value>, Fault> {
    let conflicts = fault.detail.get("conflicts").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut any = false;
    for conflict in &conflicts {
        for field in object::items(conflict, "/fields").iter().filter_map(Value::as_str) {
            any |= ownership::take_out(manifest, field);
        }
    }
    if any { Ok(conflicts) } else { Err(fault) }
}

fn half_way(fault: Fault, applied: &[Applied], total: usize) -> Fault {
    let message = format!("{} (object {} of {total}; those before it are applied)", fault.message, applied.len() + 1);
    let done: Vec<String> = applied.iter().map(|one| format!("{} {}", one.title, one.outcome.word())).collect();
    done.iter().fold(Fault { message, ..fault }, |fault, line| fault.seen(line.as_str())).with("applied", done)
}
