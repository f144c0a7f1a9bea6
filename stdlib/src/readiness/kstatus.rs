//! Kinds without a rule of their own: the conventions that most controllers keep.
//!
//! `Ready`, `Reconciling` and `Stalled` as kstatus has them, then the one other condition that says it all.
//! Does not know any kind.

use serde_json::Value;

use super::object::{condition, items, number, text, words_of};
use super::verdict::{Doom, Standing, Verdict};

/// Conditions that mean "as it should be", the most telling first.
const POSITIVE: [&str; 10] = [
    "Ready",
    "Available",
    "Programmed",
    "Established",
    "Complete",
    "Succeeded",
    "Healthy",
    "Synced",
    "Reconciled",
    "Accepted",
];

/// The verdict on an object of any kind; `Unknown` where its status says nothing that is generally understood.
pub fn verdict(object: &Value) -> Verdict {
    if object.pointer("/metadata/deletionTimestamp").is_some() {
        return Verdict::because("it is being deleted");
    }
    let generation = number(object, "/metadata/generation");
    if let (Some(generation), Some(observed)) = (generation, number(object, "/status/observedGeneration"))
        && observed < generation
    {
        return Verdict::because(format!("generation {generation} is not acted on yet, its status is of {observed}"));
    }
    if let Some(stalled) = condition(object, "Stalled").filter(|it| text(it, "/status") == "True") {
        let words = words_of(stalled);
        let standing = Standing { progress: String::new(), reasons: vec![words.clone()] };
        return Verdict::Doomed(standing, Doom::new(format!("its controller has given up: {words}")));
    }
    if let Some(busy) = condition(object, "Reconciling").filter(|it| text(it, "/status") == "True") {
        return Verdict::because(words_of(busy));
    }
    match POSITIVE.into_iter().find(|kind| condition(object, kind).is_some()) {
        Some(kind) => lacks(object, kind, "True").map_or(Verdict::Ready, Verdict::because),
        // kstatus: where these are kept at all, being neither busy nor stuck means ready.
        None if condition(object, "Reconciling").is_some() || condition(object, "Stalled").is_some() => Verdict::Ready,
        None => Verdict::Unknown,
    }
}

/// What is missing for a condition to have a status that is also of the present generation; `None` where nothing is.
pub fn lacks(object: &Value, kind: &str, status: &str) -> Option<String> {
    let Some(found) = condition(object, kind) else {
        let told: Vec<&str> =
            items(object, "/status/conditions").iter().map(|condition| text(condition, "/type")).collect();
        return Some(match told.len() {
            0 => format!("condition {kind} is not told yet"),
            _ => format!("condition {kind} is not told yet, only {}", told.join(", ")),
        });
    };
    let generation = number(object, "/metadata/generation");
    let observed = number(found, "/observedGeneration").or_else(|| number(object, "/status/observedGeneration"));
    match (generation, observed) {
        (Some(generation), Some(observed)) if observed < generation => {
            Some(format!("condition {kind} is of generation {observed}, not yet of {generation}"))
        }
        _ if text(found, "/status") == status => None,
        _ => Some(format!("{kind} is {}: {}", text(found, "/status"), words_of(found))),
    }
}
