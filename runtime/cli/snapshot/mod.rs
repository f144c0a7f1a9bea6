//! A snapshot: what a rehearsal needs from a live cluster, in a file that is a scenario.
//!
//! It reads and never writes to the cluster. Lists are complete or named as unreadable; values of Secrets do not leave.
//! Does not know the command line, nor what is rehearsed.

mod disguise;
mod document;
mod extent;
mod kept;
mod release;
mod token;

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::Arc;

use jiff::Timestamp;
use runbook_core::fault::{Code, Fault};
use runbook_core::world::Cluster;
use runbook_stdlib::kubectl::api::{Api, Scope};
use runbook_stdlib::kubectl::kind::{self, Resource};
use runbook_stdlib::kubectl::query::{Listing, ManagedFields};
use serde_json::Value;

use disguise::Disguise;
use document::Document;
use extent::Extent;

/// What a snapshot holds, for the person who made it.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) objects: usize,
    pub(crate) kinds: usize,
    pub(crate) releases: usize,
    /// Values that were replaced.
    pub(crate) secrets: usize,
    /// Lists that the cluster did not permit.
    pub(crate) unreadable: Vec<Unreadable>,
    /// Release records that cannot be read, and so were replaced as a whole.
    pub(crate) opaque: Vec<String>,
}

/// A list that the cluster did not permit: in a rehearsal it is not permitted either, never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unreadable {
    /// API group; empty for the core.
    pub(crate) group: String,
    /// Plural name of the kind.
    pub(crate) resource: String,
    /// Where.
    pub(crate) place: Place,
}

/// Where a list was not permitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// Anywhere.
    Anywhere,
    /// In all namespaces at once; each was tried then.
    AllAtOnce,
    /// In this one.
    Namespace(String),
}

/// A snapshot that is being made.
pub(crate) struct Snapshot<'a> {
    cluster: Arc<Cluster>,
    extent: Extent,
    disguise: Disguise,
    tally: Tally,
    releases: BTreeSet<(String, String)>,
    document: Document<'a>,
}

impl<'a> Snapshot<'a> {
    /// Of these namespaces, or of all where there are none.
    pub(crate) fn new(cluster: Arc<Cluster>, namespaces: Vec<String>, file: &'a mut (dyn Write + Send)) -> Self {
        Self {
            cluster,
            extent: Extent::new(namespaces),
            disguise: Disguise::default(),
            tally: Tally::default(),
            releases: BTreeSet::new(),
            document: Document::new(file),
        }
    }

    /// Reads the cluster, writes the file, and says what is in it.
    ///
    /// Faults where the cluster does not answer, a list cannot be completed, or the file cannot be written.
    pub(crate) async fn take(mut self, at: Timestamp) -> Result<Tally, Fault> {
        let version = self.version().await?;
        let kinds = extent::kinds(&kind::all(&self.cluster).await?);
        self.document.begin(&self.cluster, &self.extent, &version, at)?;
        self.extent.found(self.namespaces().await?);
        // All Secrets first: their values may stand in any other object.
        let secrets = self.list(&kind::builtin("secrets")).await?;
        for secret in &secrets {
            self.disguise.learn(secret);
        }
        let mut secrets = Some(secrets);
        for kind in kinds {
            let objects = if kind.group.is_empty() && kind.plural == "secrets" {
                secrets.take().unwrap_or_default()
            } else {
                self.list(&kind).await?
            };
            self.keep(objects)?;
        }
        self.document.end(&self.tally.unreadable)?;
        self.tally.secrets = self.disguise.count();
        self.tally.releases = self.releases.len();
        Ok(self.tally)
    }

    fn keep(&mut self, objects: Vec<Value>) -> Result<(), Fault> {
        let before = self.tally.objects;
        let kept: Vec<_> = objects.into_iter().filter(|object| self.extent.keeps(object)).collect();
        for mut object in kept.into_iter().filter_map(kept::of) {
            if let Some(release) = release::of(&object) {
                self.releases.insert(release);
            }
            if let Some(opaque) = self.disguise.apply(&mut object) {
                self.tally.opaque.push(opaque);
            }
            self.document.object(&object)?;
            self.tally.objects += 1;
        }
        self.tally.kinds += usize::from(self.tally.objects > before);
        Ok(())
    }

    async fn version(&self) -> Result<String, Fault> {
        let request = http::Request::get("/version").body(Vec::new()).expect("a constant request is well formed");
        let answer = self.cluster.client.request::<Value>(request).await.map_err(|error| {
            Fault::new(Code::Network, format!("the cluster does not say its version: {error}"))
                .about(format!("context {}", self.cluster.context))
        })?;
        Ok(answer["gitVersion"].as_str().unwrap_or_default().to_owned())
    }

    /// The names of all namespaces; none where they may not be listed.
    async fn namespaces(&self) -> Result<Vec<String>, Fault> {
        let api = Api::of(&self.cluster, kind::builtin("namespaces"), &Scope::All)?;
        match api.list(&Listing::default().metadata_only()).await {
            Ok(list) => Ok(list.items.iter().filter_map(|item| Some(extent::name(item)?.to_owned())).collect()),
            Err(fault) if fault.code == Code::Forbidden => Ok(Vec::new()),
            Err(fault) => Err(fault),
        }
    }

    /// All objects of a kind that may be read. Where not all namespaces may be read at once, each is tried.
    async fn list(&mut self, kind: &Arc<Resource>) -> Result<Vec<Value>, Fault> {
        if kind.namespaced && self.extent.is_narrow() {
            return self.list_in_each(kind).await;
        }
        match self.list_in(kind, &Scope::All).await? {
            Some(objects) => Ok(objects),
            None if kind.namespaced && !self.extent.namespaces().is_empty() => {
                self.unreadable(kind, Place::AllAtOnce);
                self.list_in_each(kind).await
            }
            None => {
                self.unreadable(kind, Place::Anywhere);
                Ok(Vec::new())
            }
        }
    }

    async fn list_in_each(&mut self, kind: &Arc<Resource>) -> Result<Vec<Value>, Fault> {
        let mut all = Vec::new();
        for namespace in self.extent.namespaces().to_vec() {
            match self.list_in(kind, &Scope::Namespace(Some(namespace.clone()))).await? {
                Some(objects) => all.extend(objects),
                None => self.unreadable(kind, Place::Namespace(namespace)),
            }
        }
        Ok(all)
    }

    /// `None` where that is not permitted.
    async fn list_in(&self, kind: &Arc<Resource>, scope: &Scope) -> Result<Option<Vec<Value>>, Fault> {
        // Who owns a field decides what an apply may do with it.
        let whole = Listing { managed_fields: ManagedFields::Kept, ..Listing::default() };
        match Api::of(&self.cluster, kind.clone(), scope)?.list(&whole).await {
            Ok(list) => Ok(Some(list.items)),
            Err(fault) if fault.code == Code::Forbidden => Ok(None),
            // Served, says the discovery, but not by anybody: a definition that is on its way out.
            Err(fault) if fault.code == Code::NotFound => Ok(Some(Vec::new())),
            Err(fault) => Err(fault),
        }
    }

    fn unreadable(&mut self, kind: &Resource, place: Place) {
        self.tally.unreadable.push(Unreadable { group: kind.group.clone(), resource: kind.plural.clone(), place });
    }
}

#[cfg(test)]
mod tests;
