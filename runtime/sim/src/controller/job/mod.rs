//! Jobs: pods that end, until enough of them have ended well.
//!
//! Not known here: pod failure policies, success policies and limits for each index; a Job that has one is counted by its
//! other rules alone.

mod status;

use futures::future::BoxFuture;
use serde_json::{Value, json};

use self::status::Counts;
use super::{
    Controller, Gravity, Hand, Key, Next, Watch, condition,
    member::{self, Member, PODS},
    reading::{count, flag, is_leaving, later, number, time},
};
use crate::{
    actor::json::{map_at, name, namespace, text},
    resource::Resource,
    server::{Deletion, Propagation},
    status::Status,
};

pub(super) const JOBS: Resource = Resource::of("batch", "v1", "jobs");
const KIND: (&str, &str) = ("batch/v1", "Job");
const INDEX: &str = "batch.kubernetes.io/job-completion-index";

/// From the first failure of a pod until the next is made; doubled with each further one.
const BACK_OFF: i64 = 10;
const LONGEST_BACK_OFF: i64 = 600;

pub(super) const JOB: Controller = Controller {
    name: "job-controller",
    watches: &[Watch::itself(JOBS), Watch::owner(PODS, "Job")],
    reconcile: |hand, key| boxed(hand, key),
};

fn boxed<'a>(hand: &'a Hand, key: &'a Key) -> BoxFuture<'a, Result<Next, Status>> {
    Box::pin(reconcile(hand, key))
}

/// Whether a Job is over, and how.
pub(super) fn finish(job: &Value) -> Option<&'static str> {
    ["Complete", "Failed"].into_iter().find(|kind| condition::holds(job, kind))
}

async fn reconcile(hand: &Hand, key: &Key) -> Result<Next, Status> {
    let Some(job) = hand.get(JOBS, &key.namespace, &key.name) else { return Ok(Next::Done) };
    if is_leaving(&job) || job["spec"]["selector"].is_null() {
        return Ok(Next::Done);
    }
    if finish(&job).is_some() {
        return expire(hand, &job).await;
    }
    let pods = member::controlled(hand, text(&job, "/metadata/uid"));
    let work = Work { hand, job: &job, pods: &pods };
    let end = work.end();
    let mut next = Next::Done;
    if let Some(end) = &end {
        for pod in pods.iter().filter(|pod| pod.is_active()) {
            work.delete(pod).await?;
        }
        tracing::trace!(job = name(&job), reason = end.reason, "over");
    } else if flag(&job, "/spec/suspend") {
        for pod in pods.iter().filter(|pod| pod.is_active()) {
            work.delete(pod).await?;
        }
    } else {
        next = work.manage().await?;
    }
    let counts = Counts::of(&job, &member::controlled(hand, text(&job, "/metadata/uid")));
    status::write(hand, &job, &counts, end.as_ref()).await?;
    let deadline = number(&job, "/spec/activeDeadlineSeconds").zip(time(&job, "/status/startTime"));
    if let Some((seconds, start)) = deadline.filter(|_| end.is_none()) {
        next = next.sooner(Next::At(later(start, seconds)));
    }
    Ok(next)
}

/// Deletes a Job that is over, once it has been over for as long as it says.
async fn expire(hand: &Hand, job: &Value) -> Result<Next, Status> {
    let Some(patience) = number(job, "/spec/ttlSecondsAfterFinished") else { return Ok(Next::Done) };
    let over = ["Complete", "Failed"]
        .into_iter()
        .filter_map(|kind| condition::find(job, "/status/conditions", kind))
        .find_map(|condition| time(condition, "/lastTransitionTime"));
    let due = later(over.unwrap_or_else(|| hand.now()), patience);
    if due > hand.now() {
        return Ok(Next::At(due));
    }
    let how = Deletion { propagation: Some(Propagation::Foreground), ..Deletion::default() };
    match hand.delete(JOBS, (namespace(job), name(job)), how).await {
        Err(status) if !status.is_not_found() => Err(status),
        _ => Ok(Next::Done),
    }
}

/// How a Job ends.
struct End {
    /// What is told before the Job is over for good.
    first: &'static str,
    kind: &'static str,
    reason: &'static str,
    message: &'static str,
}

struct Work<'a> {
    hand: &'a Hand,
    job: &'a Value,
    pods: &'a [Member],
}

impl Work<'_> {
    fn end(&self) -> Option<End> {
        let failed = |reason, message| End { first: "FailureTarget", kind: "Failed", reason, message };
        let counts = Counts::of(self.job, self.pods);
        if counts.failed > count(self.job, "/spec/backoffLimit") {
            return Some(failed("BackoffLimitExceeded", "Job has reached the specified backoff limit"));
        }
        let deadline = number(self.job, "/spec/activeDeadlineSeconds").zip(time(self.job, "/status/startTime"));
        if deadline.is_some_and(|(seconds, start)| later(start, seconds) <= self.hand.now())
            && !flag(self.job, "/spec/suspend")
        {
            return Some(failed("DeadlineExceeded", "Job was active longer than specified deadline"));
        }
        let is_complete = match number(self.job, "/spec/completions") {
            Some(wanted) => counts.succeeded >= wanted,
            None => counts.succeeded > 0 && counts.active == 0,
        };
        is_complete.then_some(End {
            first: "SuccessCriteriaMet",
            kind: "Complete",
            reason: "CompletionsReached",
            message: "Reached expected number of succeeded pods",
        })
    }

    async fn manage(&self) -> Result<Next, Status> {
        let counts = Counts::of(self.job, self.pods);
        let parallel = count(self.job, "/spec/parallelism");
        let wanted = match number(self.job, "/spec/completions") {
            Some(completions) => (completions - counts.succeeded).clamp(0, parallel),
            None if counts.succeeded > 0 => counts.active,
            None => parallel,
        };
        let mut active: Vec<&Member> = self.pods.iter().filter(|pod| pod.is_active()).collect();
        active.sort_by(|a, b| Member::expendable((a, 0), (b, 0)));
        let surplus = usize::try_from(counts.active - wanted).unwrap_or(0);
        for pod in active.iter().take(surplus) {
            self.delete(pod).await?;
        }
        if counts.active >= wanted {
            return Ok(Next::Done);
        }
        if let Some(due) = self.back_off(counts.failed).filter(|due| *due > self.hand.now()) {
            return Ok(Next::At(due));
        }
        let mut free = self.free_indices().into_iter();
        for _ in 0..(wanted - counts.active).min(500) {
            let index = free.next();
            if self.is_indexed() && index.is_none() {
                break;
            }
            self.create(index).await?;
        }
        Ok(Next::Done)
    }

    /// When the next pod may be made after the last that failed.
    fn back_off(&self, failed: i64) -> Option<jiff::Timestamp> {
        let last = self.pods.iter().filter(|pod| pod.phase() == "Failed").filter_map(Member::ended).max()?;
        let doubled = BACK_OFF.saturating_mul(1 << (failed - 1).clamp(0, 10));
        Some(later(last, doubled.min(LONGEST_BACK_OFF)))
    }

    fn is_indexed(&self) -> bool {
        text(self.job, "/spec/completionMode") == "Indexed"
    }

    /// Indices for which there is no pod that runs or has ended well.
    fn free_indices(&self) -> Vec<i64> {
        if !self.is_indexed() {
            return Vec::new();
        }
        let taken: Vec<i64> = self
            .pods
            .iter()
            .filter(|pod| pod.is_active() || pod.phase() == "Succeeded")
            .filter_map(|pod| pod.label(INDEX)?.parse().ok())
            .collect();
        (0..count(self.job, "/spec/completions")).filter(|index| !taken.contains(index)).collect()
    }

    async fn create(&self, index: Option<i64>) -> Result<(), Status> {
        let mut pod = member::from_template(self.job, KIND, &self.job["spec"]["template"]);
        if let Some(index) = index {
            let stem = format!("{}-{index}", name(self.job));
            let metadata = map_at(&mut pod, "metadata");
            metadata.insert("generateName".to_owned(), format!("{stem}-").into());
            for kind in ["labels", "annotations"] {
                metadata.entry(kind).or_insert_with(|| json!({}))[INDEX] = index.to_string().into();
            }
            map_at(&mut pod, "spec").insert("hostname".to_owned(), stem.into());
        }
        match self.hand.create(PODS, pod).await {
            Ok(made) => {
                let message = format!("Created pod: {}", name(&made));
                self.hand.event(self.job, Gravity::Normal, "SuccessfulCreate", &message).await;
                Ok(())
            }
            Err(status) => {
                let message = format!("Error creating: {}", status.message);
                self.hand.event(self.job, Gravity::Warning, "FailedCreate", &message).await;
                Err(status)
            }
        }
    }

    async fn delete(&self, pod: &Member) -> Result<(), Status> {
        match self.hand.delete(PODS, (pod.namespace(), pod.name()), Deletion::default()).await {
            Err(status) if !status.is_not_found() => Err(status),
            _ => {
                let message = format!("Deleted pod: {}", pod.name());
                self.hand.event(self.job, Gravity::Normal, "SuccessfulDelete", &message).await;
                Ok(())
            }
        }
    }
}
