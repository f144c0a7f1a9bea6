//! Pods that may not even be made: by quota, by admission, by a webhook that does not answer.
//!
//! Does not know where the words come from: a condition of the workload, or an event about it.

use super::object::shortened;
use super::related::{Origin, Related};
use super::verdict::{Doom, Patience, Standing};

/// Whether the server's words about a pod that it would not make will be the same the next time.
///
/// A webhook that cannot be called is no refusal: it may come back.
pub(super) fn is_final(message: &str) -> bool {
    const REFUSALS: [&str; 5] = ["exceeded quota", "denied the request", "is forbidden", "is invalid", "violates"];
    let message = message.to_ascii_lowercase();
    !message.contains("failed calling webhook") && REFUSALS.iter().any(|refusal| message.contains(refusal))
}

/// The doom of a workload whose pods are refused.
pub(super) fn doom(words: &str) -> Doom {
    let mut doom = Doom::new(format!("its pods may not be created: {}", shortened(words, 200))).seen(words);
    doom.hint = Some("give it the quota, or fix what the admission rule objects to");
    doom
}

/// Adds what events say about pods that a workload could not make. For kinds that have no condition for it.
pub(super) fn gathered(
    workload: &str,
    related: &Related,
    patience: &Patience,
    standing: &mut Standing,
) -> Option<Doom> {
    let failed = related.notes(workload).filter(|note| note.reason == "FailedCreate").max_by_key(|note| note.at)?;
    let words = failed.words();
    standing.reasons.push(words.clone());
    // Events outlive what they tell of by an hour; the controller tries again every few seconds at first.
    let fresh = failed.origin == Origin::Watched || failed.at.is_some_and(|at| at >= patience.since);
    (fresh && is_final(&failed.message)).then(|| doom(&words))
}
