//! Claims of persistent volumes: bound.
//!
//! Does not know storage classes.

use serde_json::Value;

use super::object::{condition, name, namespace, text, uid, words_of};
use super::related::{Query, Related};
use super::verdict::{Doom, Patience, Standing, Verdict};
use super::{EVENTS_AFTER, pod};

/// What the verdict looks up once a claim is found not bound.
pub fn wants(claim: &Value, patience: &Patience) -> Vec<Query> {
    if patience.waited() > EVENTS_AFTER { vec![pod::events_in(namespace(claim))] } else { Vec::new() }
}

/// The verdict on a claim of a persistent volume.
pub fn verdict(claim: &Value, related: Option<&Related>) -> Verdict {
    let phase = text(claim, "/status/phase");
    let note = related.and_then(|related| related.note(uid(claim)));
    let said = note.map(super::related::Note::words).or_else(|| condition(claim, "Resizing").map(words_of));
    match phase {
        "Bound" => Verdict::Ready,
        "Lost" => {
            let standing = Standing { progress: "Lost".to_owned(), reasons: Vec::new() };
            Verdict::Doomed(standing, Doom::new(format!("the volume of {} is lost", name(claim))))
        }
        "" => Verdict::because("not looked at by the volume controller yet"),
        phase => Verdict::not_ready(phase, said.into_iter().collect()),
    }
}
