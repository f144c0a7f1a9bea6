//! What a Job says about its pods.
//!
//! Not known here: what is done about them.

use serde_json::{Map, Value, json};

use super::{End, INDEX, JOBS};
use crate::{
    actor::json::{items, text},
    controller::{
        Gravity, Hand,
        member::Member,
        reading::{count, counted, flag, stamp},
    },
    status::Status,
};

/// Counted pods.
pub(super) struct Counts {
    pub(super) active: i64,
    pub(super) ready: i64,
    pub(super) leaving: i64,
    pub(super) succeeded: i64,
    pub(super) failed: i64,
    indices: Vec<i64>,
}

impl Counts {
    /// Pods that have ended count for ever, even when somebody has taken them away since.
    pub(super) fn of(job: &Value, pods: &[Member]) -> Self {
        let of = |test: &dyn Fn(&Member) -> bool| {
            i64::try_from(pods.iter().filter(|pod| test(pod)).count()).unwrap_or(i64::MAX)
        };
        let mut indices: Vec<i64> = pods
            .iter()
            .filter(|pod| pod.phase() == "Succeeded")
            .filter_map(|pod| pod.label(INDEX)?.parse().ok())
            .collect();
        indices.sort_unstable();
        indices.dedup();
        let ended_well = if text(job, "/spec/completionMode") == "Indexed" {
            i64::try_from(indices.len()).unwrap_or(i64::MAX)
        } else {
            of(&|pod| pod.phase() == "Succeeded")
        };
        Self {
            active: of(&Member::is_active),
            ready: of(&|pod| pod.is_active() && pod.is_ready()),
            leaving: of(&|pod| pod.is_leaving() && !pod.has_ended()),
            succeeded: ended_well.max(count(job, "/status/succeeded")),
            failed: of(&|pod| pod.phase() == "Failed").max(count(job, "/status/failed")),
            indices,
        }
    }
}

/// Writes it, where it is other than it was.
pub(super) async fn write(hand: &Hand, job: &Value, counts: &Counts, end: Option<&End>) -> Result<(), Status> {
    let now = stamp(hand.now());
    let is_suspended = flag(job, "/spec/suspend");
    let mut status = Map::new();
    let mut conditions = items(job, "/status/conditions").to_vec();
    let before = conditions.clone();
    suspend(&mut conditions, is_suspended, &now);
    let say = |kind: &str, reason: &str, message: &str| {
        json!({
            "type": kind, "status": "True", "lastProbeTime": now, "lastTransitionTime": now, "reason": reason,
            "message": message,
        })
    };
    let mut is_over = false;
    if let Some(end) = end {
        if !conditions.iter().any(|condition| condition["type"] == end.first) {
            conditions.push(say(end.first, end.reason, end.message));
        }
        // Over for good is a Job only once its last pod has gone.
        is_over = counts.active == 0 && counts.leaving == 0;
        if is_over {
            conditions.push(say(end.kind, end.reason, end.message));
        }
    }
    if !conditions.is_empty() {
        status.insert("conditions".to_owned(), conditions.clone().into());
    }
    if !is_suspended {
        let start = job["status"].get("startTime").cloned().unwrap_or_else(|| now.clone());
        status.insert("startTime".to_owned(), start);
    }
    if is_over && end.is_some_and(|end| end.kind == "Complete") {
        status.insert("completionTime".to_owned(), now.clone());
    }
    counted(&mut status, "active", counts.active);
    counted(&mut status, "succeeded", counts.succeeded);
    counted(&mut status, "failed", counts.failed);
    status.insert("terminating".to_owned(), counts.leaving.into());
    status.insert("ready".to_owned(), counts.ready.into());
    status.insert("uncountedTerminatedPods".to_owned(), json!({}));
    if !counts.indices.is_empty() {
        status.insert("completedIndexes".to_owned(), ranges(&counts.indices).into());
    }
    let status = Value::Object(status);
    if job["status"] == status {
        return Ok(());
    }
    let mut updated = job.clone();
    updated["status"] = status;
    hand.update_status(JOBS, updated).await?;
    if let Some(end) = end.filter(|_| is_over) {
        let (gravity, reason, message) = match end.kind {
            "Complete" => (Gravity::Normal, "Completed", "Job completed"),
            _ => (Gravity::Warning, end.reason, end.message),
        };
        hand.event(job, gravity, reason, message).await;
    }
    let was_suspended = before.iter().any(|it| it["type"] == "Suspended" && it["status"] == "True");
    match (was_suspended, is_suspended) {
        (false, true) => hand.event(job, Gravity::Normal, "Suspended", "Job suspended").await,
        (true, false) => hand.event(job, Gravity::Normal, "Resumed", "Job resumed").await,
        _ => {}
    }
    Ok(())
}

fn suspend(conditions: &mut Vec<Value>, is_suspended: bool, now: &Value) {
    let known = conditions.iter().position(|condition| condition["type"] == "Suspended");
    let (status, reason, message) =
        if is_suspended { ("True", "JobSuspended", "Job suspended") } else { ("False", "JobResumed", "Job resumed") };
    let said = json!({
        "type": "Suspended", "status": status, "lastProbeTime": now, "lastTransitionTime": now, "reason": reason,
        "message": message,
    });
    match known {
        None if is_suspended => conditions.push(said),
        Some(index) if conditions[index]["status"] != status => conditions[index] = said,
        _ => {}
    }
}

/// `0-2,5`
fn ranges(indices: &[i64]) -> String {
    let mut runs: Vec<(i64, i64)> = Vec::new();
    for index in indices {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == *index => *last = *index,
            _ => runs.push((*index, *index)),
        }
    }
    let word = |(first, last): &(i64, i64)| match last - first {
        0 => first.to_string(),
        1 => format!("{first},{last}"),
        _ => format!("{first}-{last}"),
    };
    runs.iter().map(word).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indices_are_told_in_runs() {
        assert_eq!(ranges(&[0, 1, 2, 5, 7, 8]), "0-2,5,7,8");
        assert_eq!(ranges(&[]), "");
    }
}
