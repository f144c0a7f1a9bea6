//! Pods on their nodes: what kubelets do, from the first container to the last.
//!
//! How long each step takes is the cluster's habit. A pod fails as its annotations or the habits say, in the same words as on
//! the nodes of the cluster tests. Not known here: who wants pods, and who put them on their nodes. Events of containers that
//! start as they should are not told: nobody waits for them, and they are four to a pod.

mod failure;
mod status;

use std::time::Duration;

use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

pub(super) use self::status::{internal, moved};
use self::{failure::trouble, status::Containers};
use super::{
    Controller, Failure as Trouble, Gravity, Hand, Key, Next, Watch, condition,
    member::PODS,
    reading::{count, is_leaving, time},
};
use crate::{
    actor::json::{annotation, items, text},
    server::Deletion,
    status::Status,
};

/// How often a failing probe is told of.
const PROBE: Duration = Duration::from_secs(10);
/// From the first word that an image cannot be pulled to the second.
const PULL_AGAIN: Duration = Duration::from_secs(1);
/// How long a container runs that crashes, and how long it then waits.
const CRASH: Duration = Duration::from_secs(1);
const BACK_OFF: Duration = Duration::from_secs(2);

pub(super) const POD: Controller =
    Controller { name: "kubelet", watches: &[Watch::by(PODS, bound)], reconcile: |hand, key| boxed(hand, key) };

fn boxed<'a>(hand: &'a Hand, key: &'a Key) -> BoxFuture<'a, Result<Next, Status>> {
    Box::pin(reconcile(hand, key))
}

/// Pods that are on a node, or that are leaving before they got to one.
fn bound(hand: &Hand, event: &crate::store::Event) -> Vec<Key> {
    if event.is_deletion {
        hand.diary().forget(&event.new.uid);
        return Vec::new();
    }
    vec![Key::new(event.new.namespace(), event.new.name())]
}

/// Where a pod stands, as its status says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Bound = 1,
    Creating,
    Unpulled,
    BackingOff,
    Unready,
    Crashed,
    Ready,
    Ended,
    Leaving,
}

fn stage(pod: &Value) -> Stage {
    let waiting = |reason: &str| {
        let all = items(pod, "/status/containerStatuses").iter();
        all.into_iter().any(|container| text(container, "/state/waiting/reason") == reason)
    };
    match text(pod, "/status/phase") {
        _ if is_leaving(pod) => Stage::Leaving,
        "Succeeded" | "Failed" => Stage::Ended,
        "Running" if waiting("CrashLoopBackOff") => Stage::Crashed,
        "Running" if condition::holds(pod, "Ready") => Stage::Ready,
        "Running" => Stage::Unready,
        _ if waiting("ErrImagePull") => Stage::Unpulled,
        _ if waiting("ImagePullBackOff") => Stage::BackingOff,
        _ if text(pod, "/status/startTime").is_empty() => Stage::Bound,
        _ => Stage::Creating,
    }
}

async fn reconcile(hand: &Hand, key: &Key) -> Result<Next, Status> {
    let Some(pod) = hand.get(PODS, &key.namespace, &key.name) else { return Ok(Next::Done) };
    let stage = stage(&pod);
    let now = hand.now();
    if stage == Stage::Leaving {
        return leave(hand, key, &pod).await;
    }
    if text(&pod, "/spec/nodeName").is_empty() || stage == Stage::Ended {
        return Ok(Next::Done);
    }
    let since = hand.diary().since(text(&pod, "/metadata/uid"), stage as u8, now);
    let habits = hand.habits();
    let trouble = trouble(&pod, &habits);
    let step = Step { hand, key, pod, now, since };
    match (stage, trouble) {
        (Stage::Bound, _) => step.create().await,
        (Stage::Creating, trouble) => {
            let due = after(since, habits.image_pull + habits.start);
            match trouble {
                _ if due > now => Ok(Next::At(due)),
                Some(Trouble::ImagePull) => step.fail_pull().await,
                Some(Trouble::CrashLoop | Trouble::NeverReady) => step.run(Containers::FirstUnready).await,
                None if step.is_ready_at_once() => step.run(Containers::Ready).await,
                None => step.run(Containers::Unready).await,
            }
        }
        (Stage::Unpulled, Some(Trouble::ImagePull)) => step.back_off_pull().await,
        (Stage::BackingOff, Some(Trouble::ImagePull)) => Ok(Next::Done),
        (Stage::Crashed, Some(Trouble::CrashLoop)) => step.restart().await,
        (Stage::Unready | Stage::Ready, Some(Trouble::CrashLoop)) => step.crash().await,
        (Stage::Unready, Some(Trouble::NeverReady)) => step.probe().await,
        (Stage::Unready, _) => {
            let due = after(since, step.until_ready(habits.ready));
            if due > now { Ok(Next::At(due)) } else { step.run(Containers::Ready).await }
        }
        (Stage::Ready, _) => step.work(habits.work).await,
        // The trouble is over: it heals at once.
        _ => step.run(Containers::Ready).await,
    }
}

/// Its containers are told to end; it is gone once they have, or its grace is over.
async fn leave(hand: &Hand, key: &Key, pod: &Value) -> Result<Next, Status> {
    let grace = count(pod, "/metadata/deletionGracePeriodSeconds");
    if grace == 0 && !items(pod, "/metadata/finalizers").is_empty() {
        return Ok(Next::Done);
    }
    let uid = text(pod, "/metadata/uid");
    let runs = !text(pod, "/spec/nodeName").is_empty() && grace > 0 && stage_runs(pod);
    let since = hand.diary().since(uid, Stage::Leaving as u8, hand.now());
    let due = after(since, if runs { hand.habits().stop } else { Duration::ZERO });
    let due = time(pod, "/metadata/deletionTimestamp").map_or(due, |latest| due.min(latest.max(since)));
    if due > hand.now() {
        return Ok(Next::At(due));
    }
    let how = Deletion { grace: Some(0), uid: Some(uid.to_owned()), ..Deletion::default() };
    match hand.delete(PODS, (&key.namespace, &key.name), how).await {
        Err(status) if !status.is_not_found() => Err(status),
        _ => Ok(Next::Done),
    }
}

fn stage_runs(pod: &Value) -> bool {
    text(pod, "/status/phase") == "Running"
}

fn after(at: Timestamp, span: Duration) -> Timestamp {
    SignedDuration::try_from(span).ok().and_then(|span| at.checked_add(span).ok()).unwrap_or(Timestamp::MAX)
}

/// One step of one pod.
struct Step<'a> {
    hand: &'a Hand,
    key: &'a Key,
    pod: Value,
    now: Timestamp,
    since: Timestamp,
}

impl Step<'_> {
    async fn write(mut self, status: Value) -> Result<(), Status> {
        self.pod["status"] = status;
        self.hand.update_status(PODS, self.pod).await.map(|_| ())
    }

    async fn create(self) -> Result<Next, Status> {
        let node = self.hand.get(super::node::NODES, "", text(&self.pod, "/spec/nodeName"));
        // A pod on a node that is not there waits for ever.
        let Some(node) = node else { return Ok(Next::Done) };
        let status = status::creating(&self.pod, &node, self.now);
        let habits = self.hand.habits();
        let due = after(self.now, habits.image_pull + habits.start);
        self.write(status).await.map(|()| Next::At(due))
    }

    async fn run(self, containers: Containers) -> Result<Next, Status> {
        let status = status::running(&self.pod, containers, &self.hand.diary().address(), self.now);
        self.write(status).await.map(|()| Next::Done)
    }

    async fn fail_pull(self) -> Result<Next, Status> {
        let message =
            "Failed to pull image: rpc error: code = NotFound desc = failed to pull and unpack image: not found";
        self.hand.event(&self.pod, Gravity::Warning, "Failed", message).await;
        let status = status::unpulled(&self.pod, "ErrImagePull");
        self.write(status).await.map(|()| Next::Done)
    }

    async fn back_off_pull(self) -> Result<Next, Status> {
        let due = after(self.since, PULL_AGAIN);
        if due > self.now {
            return Ok(Next::At(due));
        }
        self.hand.event(&self.pod, Gravity::Warning, "BackOff", "Back-off pulling image").await;
        let status = status::unpulled(&self.pod, "ImagePullBackOff");
        self.write(status).await.map(|()| Next::Done)
    }

    async fn crash(self) -> Result<Next, Status> {
        let due = after(self.since, CRASH);
        if due > self.now {
            return Ok(Next::At(due));
        }
        if text(&self.pod, "/spec/restartPolicy") == "Never" {
            let status = status::ended(&self.pod, 1, self.now);
            return self.write(status).await.map(|()| Next::Done);
        }
        let message = "Back-off restarting failed container";
        self.hand.event(&self.pod, Gravity::Warning, "BackOff", message).await;
        let status = status::crashed(&self.pod, self.now);
        self.write(status).await.map(|()| Next::Done)
    }

    async fn restart(self) -> Result<Next, Status> {
        let due = after(self.since, BACK_OFF);
        if due > self.now {
            return Ok(Next::At(due));
        }
        let status = status::restarted(&self.pod, self.now);
        self.write(status).await.map(|()| Next::Done)
    }

    async fn probe(self) -> Result<Next, Status> {
        let ticks = self.now.duration_since(self.since).as_secs() / 10;
        if ticks > 0 && self.now == after(self.since, PROBE.saturating_mul(u32::try_from(ticks).unwrap_or(1))) {
            let message = "Readiness probe failed: HTTP probe failed with statuscode: 503";
            self.hand.event(&self.pod, Gravity::Warning, "Unhealthy", message).await;
        }
        let next = u32::try_from(ticks + 1).unwrap_or(u32::MAX);
        Ok(Next::At(after(self.since, PROBE.saturating_mul(next))))
    }

    /// The pods of Jobs, and others that are not to run for ever, end well after a while.
    async fn work(self, span: Duration) -> Result<Next, Status> {
        let owners = items(&self.pod, "/metadata/ownerReferences").iter();
        let is_work =
            text(&self.pod, "/spec/restartPolicy") != "Always" || owners.into_iter().any(|it| it["kind"] == "Job");
        if !is_work {
            return Ok(Next::Done);
        }
        let due = after(self.since, span);
        if due > self.now {
            return Ok(Next::At(due));
        }
        let status = status::ended(&self.pod, 0, self.now);
        self.write(status).await.map(|()| Next::Done)
    }

    /// Containers without a readiness probe are ready as soon as they run.
    fn is_ready_at_once(&self) -> bool {
        let is_probed = |container: &Value| container.get("readinessProbe").is_some();
        annotation(&self.pod, failure::READY_AFTER).is_none()
            && !items(&self.pod, "/spec/containers").iter().any(is_probed)
            && !items(&self.pod, "/spec/initContainers").iter().any(is_probed)
    }

    fn until_ready(&self, habit: Duration) -> Duration {
        let asked = annotation(&self.pod, failure::READY_AFTER).and_then(|text| text.parse::<SignedDuration>().ok());
        asked.and_then(|span| Duration::try_from(span).ok()).unwrap_or(habit)
    }
}
