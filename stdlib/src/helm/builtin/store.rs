//! Where releases are kept: Secrets in the release's namespace, one for each revision.
//!
//! Does not know what a revision means.

use jiff::Timestamp;
use runbook_core::World;

use super::record::Record;
use super::trouble::Trouble;
use super::wire::{Answer, Spot, Wire};

/// The releases of a namespace.
pub(super) struct Store<'a> {
    pub(super) world: &'a World,
    pub(super) wire: &'a Wire,
}

impl Store<'_> {
    /// The present, as helm writes it.
    pub(super) fn now(&self) -> String {
        self.world.clock.now().to_string()
    }

    fn time(&self) -> Timestamp {
        self.world.clock.now()
    }

    /// All revisions of a release, oldest first; none where there is no such release.
    pub(super) async fn history(&self, name: &str) -> Result<Vec<Record>, Trouble> {
        let mut records = self.query(&format!("name={name},owner=helm"), &self.wire.namespace).await?;
        records.sort_by_key(|record| record.version);
        Ok(records)
    }

    /// All releases that any namespace keeps, or one; in the order of names, revisions in theirs.
    pub(super) async fn everything(&self, namespace: &str) -> Result<Vec<Record>, Trouble> {
        let mut records = self.query("owner=helm", namespace).await?;
        records.sort_by(|a, b| (&a.namespace, &a.name, a.version).cmp(&(&b.namespace, &b.name, b.version)));
        Ok(records)
    }

    async fn query(&self, labels: &str, namespace: &str) -> Result<Vec<Record>, Trouble> {
        let secrets = self.wire.list(&Spot::builtin("secrets", namespace, ""), labels).await?;
        Ok(secrets.iter().filter_map(Record::of_secret).collect())
    }

    /// Keeps a new revision; before that, forgets the oldest where there would be more than `most`.
    pub(super) async fn create(&self, record: &Record, most: Option<u64>) -> Result<(), Trouble> {
        if let Some(most) = most.filter(|most| *most > 0) {
            self.make_room(&record.name, usize::try_from(most - 1).unwrap_or(usize::MAX)).await?;
        }
        let spot = Spot::builtin("secrets", &self.wire.namespace, &record.key());
        match self.wire.create(&spot, &record.to_secret(("createdAt", self.time()))).await? {
            Answer::Done(_) => Ok(()),
            Answer::Refused(refusal) if refusal.reason == "AlreadyExists" => {
                Err(Trouble::words("another operation (install/upgrade/rollback) is in progress"))
            }
            Answer::Refused(refusal) => Err(Trouble::words(format!("create: failed to create: {}", refusal.message))),
        }
    }

    /// Writes a revision anew.
    pub(super) async fn update(&self, record: &Record) -> Result<(), Trouble> {
        let spot = Spot::builtin("secrets", &self.wire.namespace, &record.key());
        match self.wire.replace(&spot, &record.to_secret(("modifiedAt", self.time()))).await? {
            Answer::Done(_) => Ok(()),
            Answer::Refused(refusal) => Err(Trouble::words(format!("update: failed to update: {}", refusal.message))),
        }
    }

    /// Forgets a revision.
    pub(super) async fn delete(&self, record: &Record) -> Result<(), Trouble> {
        self.wire.delete(&Spot::builtin("secrets", &self.wire.namespace, &record.key())).await
    }

    /// The oldest go first; the last one that is deployed stays whatever its age.
    async fn make_room(&self, name: &str, most: usize) -> Result<(), Trouble> {
        let records = self.history(name).await?;
        let deployed = records.iter().rev().find(|record| record.info.status == "deployed");
        let deployed = deployed.map(|record| record.version);
        let spare = records.len().saturating_sub(most);
        for record in records.iter().filter(|record| Some(record.version) != deployed).take(spare) {
            self.delete(record).await?;
        }
        Ok(())
    }
}
