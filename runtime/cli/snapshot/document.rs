//! The file of a snapshot: YAML that a scenario is read from, written object by object as they come.
//!
//! Does not know where the objects come from, nor what was replaced in them.

use std::io::Write;

use jiff::Timestamp;
use runbook_core::fault::{Code, Fault};
use runbook_core::world::Cluster;
use serde::Serialize;
use serde_json::{Value, json};

use super::extent::Extent;
use super::{Place, Unreadable};
use crate::screen;

/// A file that is being written.
pub(super) struct Document<'a> {
    file: &'a mut (dyn Write + Send),
    empty: bool,
}

impl<'a> Document<'a> {
    /// Nothing is written yet.
    pub(super) fn new(file: &'a mut (dyn Write + Send)) -> Self {
        Self { file, empty: true }
    }

    /// What stands before the objects.
    pub(super) fn begin(
        &mut self,
        cluster: &Cluster,
        extent: &Extent,
        version: &str,
        at: Timestamp,
    ) -> Result<(), Fault> {
        let part = if extent.is_narrow() {
            format!(", of namespaces {} alone", extent.namespaces().join(", "))
        } else {
            String::new()
        };
        let taken = screen::moment(at);
        let about =
            format!("Snapshot of {} ({}, Kubernetes {version}){part}, taken {taken}.", cluster.context, cluster.server);
        let head = json!({ "about": about, "at": at });
        self.write(
            "# Values of Secrets are replaced by numbered tokens. Look through the rest before you hand it to anybody.\n\
             # A rehearsal begins with these objects as they were, pods and statuses included.\n",
        )?;
        let head = yaml(&head)?;
        self.write(&head)
    }

    /// One object more.
    pub(super) fn object(&mut self, object: &Value) -> Result<(), Fault> {
        if std::mem::take(&mut self.empty) {
            self.write("state:\n")?;
        }
        let item = yaml(&[object])?;
        self.write(&item)
    }

    /// What stands behind the objects.
    pub(super) fn end(&mut self, unreadable: &[Unreadable]) -> Result<(), Fault> {
        if !unreadable.is_empty() {
            let rows: Vec<_> = unreadable.iter().flat_map(rows).collect();
            let text = yaml(&json!({ "trouble": rows }))?;
            self.write(&text)?;
        }
        self.file.flush().map_err(|error| failed(&error))
    }

    fn write(&mut self, text: &str) -> Result<(), Fault> {
        self.file.write_all(text.as_bytes()).map_err(|error| failed(&error))
    }
}

/// What was not permitted is not permitted in a rehearsal either, reading single objects included: nobody knows which there are.
fn rows(unreadable: &Unreadable) -> Vec<Value> {
    let verbs: &[&str] =
        if unreadable.place == Place::AllAtOnce { &["list", "watch"] } else { &["get", "list", "watch"] };
    let row = |verb: &&str| {
        let mut row = json!({ "verb": verb, "resource": unreadable.resource });
        match &unreadable.place {
            Place::Anywhere => {}
            Place::AllAtOnce => row["namespace"] = "".into(),
            Place::Namespace(name) => row["namespace"] = name.clone().into(),
        }
        // To all of them.
        row["times"] = 0.into();
        row["answer"] = 403.into();
        row
    };
    verbs.iter().map(row).collect()
}

fn yaml(value: &(impl Serialize + ?Sized)) -> Result<String, Fault> {
    serde_yaml::to_string(value)
        .map_err(|error| Fault::new(Code::Internal, format!("an object cannot be written as YAML: {error}")))
}

fn failed(error: &std::io::Error) -> Fault {
    Fault::new(Code::FileAccess, format!("the snapshot cannot be written: {error}"))
}
