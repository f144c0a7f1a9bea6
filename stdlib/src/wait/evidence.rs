//! What else can be seen on a pod that failed: its last log lines and warnings.
//!
//! A look, not a wait: what cannot be had at once is left out, with the reason. Does not know why it is asked.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use runbook_core::Fault;
use runbook_core::world::{Clock, Cluster};

use crate::kubectl::api::{Api, Scope};
use crate::kubectl::kind::builtin;
use crate::kubectl::query::Listing;
use crate::readiness::object::{shortened, text};
use crate::readiness::related::{Note, Origin};
use crate::readiness::{Doom, Witness};

/// Log lines and warnings that are shown.
const LOG: usize = 5;
const WARNINGS: usize = 3;

/// How long looking may take: the wait is over already.
const AT_MOST: Duration = Duration::from_secs(3);

/// Adds to a doom what logs and events say of its pod.
pub(super) async fn add(doom: &mut Doom, cluster: &Arc<Cluster>, clock: &Arc<dyn Clock>) {
    let Some(witness) = doom.witness.clone() else { return };
    let log = async {
        tokio::select! {
            lines = log(cluster, &witness) => lines,
            () = clock.sleep(AT_MOST) => vec!["log    cannot be read: no answer in time".to_owned()],
        }
    };
    let warnings = async {
        tokio::select! {
            lines = warnings(cluster, &witness) => lines,
            () = clock.sleep(AT_MOST) => Vec::new(),
        }
    };
    let (log, warnings) = tokio::join!(log, warnings);
    doom.evidence.extend(log);
    doom.evidence.extend(warnings);
}

fn pods(cluster: &Arc<Cluster>, kind: &str, witness: &Witness) -> Result<Api, Fault> {
    Api::of(cluster, builtin(kind), &Scope::Namespace(Some(witness.namespace.clone())))
}

/// The last lines of the container that ended, else of the one that runs in its place.
async fn log(cluster: &Arc<Cluster>, witness: &Witness) -> Vec<String> {
    let Some(container) = &witness.container else { return Vec::new() };
    if !container.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
        return Vec::new();
    }
    let mut refusal = None;
    for previous in ["&previous=true", ""] {
        match lines(cluster, witness, &format!("container={container}&tailLines={LOG}{previous}")).await {
            Ok(lines) if lines.is_empty() => {}
            Ok(lines) => return lines.into_iter().map(|line| format!("log    {line}")).collect(),
            Err(fault) => refusal = Some(fault.message),
        }
    }
    refusal.into_iter().map(|reason| format!("log    cannot be read: {}", shortened(&reason, 200))).collect()
}

async fn lines(cluster: &Arc<Cluster>, witness: &Witness, query: &str) -> Result<Vec<String>, Fault> {
    let log = pods(cluster, "pods", witness)?.log(&witness.pod, query).await?;
    let lines: Vec<_> = log.take(LOG).collect().await;
    lines.into_iter().map(|line| line.map(|line| shortened(&line, 300))).collect()
}

async fn warnings(cluster: &Arc<Cluster>, witness: &Witness) -> Vec<String> {
    let field_selector = Some(format!("involvedObject.uid={},type=Warning", witness.uid));
    let listing = Listing { field_selector, ..Listing::default() };
    let Ok(events) = pods(cluster, "events", witness) else { return Vec::new() };
    let Ok(list) = events.list(&listing).await else { return Vec::new() };
    let mut notes: Vec<Note> = list
        .items
        .iter()
        .filter(|event| text(event, "/involvedObject/uid") == witness.uid)
        .map(|event| Note::of(event, Origin::Listed))
        .collect();
    notes.sort_by_key(|note| std::cmp::Reverse(note.at));
    let line = |note: &Note| {
        let at = note.at.map(|at| format!("{} ", at.strftime("%H:%M:%S"))).unwrap_or_default();
        format!("event  {at}{}", note.words())
    };
    notes.iter().take(WARNINGS).map(line).collect()
}
