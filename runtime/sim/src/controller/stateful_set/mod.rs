//! StatefulSets: pods with names that stay, one after the other.
//!
//! Not known here: volumes. Claims are made from the templates, and whoever binds them binds them.

mod identity;
mod status;

use futures::future::BoxFuture;
use serde_json::Value;

use self::status::Counts;
use super::{
    Controller, Gravity, Hand, Key, Next, Watch,
    member::{self, Availability, Member, PODS},
    reading::{count, is_leaving, number, replicas},
    revision::{self, Marks},
};
use crate::{
    actor::json::{name, text},
    resource::Resource,
    server::Deletion,
    status::Status,
};

const STATEFUL_SETS: Resource = Resource::of("apps", "v1", "statefulsets");
const KIND: (&str, &str) = ("apps/v1", "StatefulSet");
const REVISION: &str = "controller-revision-hash";
const MARKS: Marks = Marks { kind: KIND, label: "controller.kubernetes.io/hash" };

pub(super) const STATEFUL_SET: Controller = Controller {
    name: "statefulset-controller",
    watches: &[Watch::itself(STATEFUL_SETS), Watch::owner(PODS, "StatefulSet")],
    reconcile: |hand, key| boxed(hand, key),
};

fn boxed<'a>(hand: &'a Hand, key: &'a Key) -> BoxFuture<'a, Result<Next, Status>> {
    Box::pin(reconcile(hand, key))
}

async fn reconcile(hand: &Hand, key: &Key) -> Result<Next, Status> {
    let Some(set) = hand.get(STATEFUL_SETS, &key.namespace, &key.name) else { return Ok(Next::Done) };
    let uid = text(&set, "/metadata/uid").to_owned();
    if is_leaving(&set) {
        return Ok(Next::Done);
    }
    let mut known = revision::of_owner(hand, &uid);
    let update = revision::present(hand, &set, MARKS, &mut known).await?;
    let current = known.iter().find(|it| name(it) == text(&set, "/status/currentRevision")).unwrap_or(&update).clone();
    member::claim(hand, &set, KIND, &set["spec"]["selector"]).await;
    let work = Work { hand, set: &set, current: &current, update: &update };
    let done = work.advance().await;
    let pods = work.pods();
    let used: Vec<&str> = pods.iter().filter_map(|pod| pod.label(REVISION)).collect();
    let is_used = |it: &Value| name(it) == name(&update) || name(it) == name(&current) || used.contains(&name(it));
    revision::clean(hand, &set, &known, is_used).await?;
    let counts = Counts::of(&work, &pods);
    let next = status::write(hand, &set, counts).await?;
    done.map(|()| next)
}

/// One look at one set.
struct Work<'a> {
    hand: &'a Hand,
    set: &'a Value,
    current: &'a Value,
    update: &'a Value,
}

impl Work<'_> {
    fn pods(&self) -> Vec<Member> {
        member::controlled(self.hand, text(self.set, "/metadata/uid"))
    }

    fn is_ordered(&self) -> bool {
        text(self.set, "/spec/podManagementPolicy") != "Parallel"
    }

    fn first(&self) -> i64 {
        count(self.set, "/spec/ordinals/start")
    }

    fn availability(&self, pod: &Member) -> Availability {
        match pod.phase() {
            "Running" => pod.availability(count(self.set, "/spec/minReadySeconds"), self.hand.now()),
            _ => Availability::No,
        }
    }

    fn is_well(&self, pod: &Member) -> bool {
        !pod.is_leaving() && self.availability(pod) == Availability::Yes
    }

    /// The revision of which a pod of this ordinal is to be made.
    fn revision_of(&self, ordinal: i64) -> &Value {
        let strategy = &self.set["spec"]["updateStrategy"];
        let kept = match number(strategy, "/rollingUpdate/partition") {
            Some(partition) => partition,
            None => count(self.set, "/status/currentReplicas"),
        };
        let is_kept = strategy["type"] == "RollingUpdate" && ordinal < self.first() + kept;
        if is_kept { self.current } else { self.update }
    }

    /// One step: the first pod in order that is not as it should be.
    async fn advance(&self) -> Result<(), Status> {
        let pods = self.pods();
        let (first, wanted) = (self.first(), replicas(self.set));
        let find = |ordinal: i64| pods.iter().find(|pod| identity::ordinal(self.set, pod.name()) == Some(ordinal));
        for ordinal in first..first + wanted {
            let Some(pod) = find(ordinal) else {
                self.create(ordinal).await?;
                if self.is_ordered() {
                    return Ok(());
                }
                continue;
            };
            if pod.has_ended() && !pod.is_leaving() {
                let (gravity, reason) = if pod.phase() == "Failed" {
                    (Gravity::Warning, "RecreatingFailedPod")
                } else {
                    (Gravity::Normal, "RecreatingTerminatedPod")
                };
                let message = format!(
                    "StatefulSet {}/{} is recreating {} Pod {}",
                    pod.namespace(),
                    name(self.set),
                    pod.phase().to_lowercase(),
                    pod.name()
                );
                self.hand.event(self.set, gravity, reason, &message).await;
                self.delete(pod).await?;
                return Ok(());
            }
            if self.is_ordered() && !self.is_well(pod) {
                return Ok(());
            }
        }
        let mut condemned: Vec<&Member> = pods
            .iter()
            .filter(|pod| identity::ordinal(self.set, pod.name()).is_some_and(|at| at < first || at >= first + wanted))
            .collect();
        condemned.sort_by_key(|pod| std::cmp::Reverse(identity::ordinal(self.set, pod.name())));
        let first_unwell = pods.iter().find(|pod| !self.is_well(pod)).map(|pod| pod.name().to_owned());
        for pod in condemned {
            let blocks = first_unwell.as_deref().is_some_and(|unwell| unwell != pod.name()) && !self.is_well(pod);
            if self.is_ordered() && (pod.is_leaving() || blocks) {
                return Ok(());
            }
            if !pod.is_leaving() {
                self.delete(pod).await?;
            }
            if self.is_ordered() {
                return Ok(());
            }
        }
        if text(self.set, "/spec/updateStrategy/type") == "OnDelete" {
            return Ok(());
        }
        self.replace(&pods).await
    }

    /// Lets the last pod go that is not of the update revision, unless a later one is not well yet.
    async fn replace(&self, pods: &[Member]) -> Result<(), Status> {
        let (first, wanted) = (self.first(), replicas(self.set));
        let kept = count(self.set, "/spec/updateStrategy/rollingUpdate/partition");
        for ordinal in (first + kept..first + wanted).rev() {
            let found = pods.iter().find(|pod| identity::ordinal(self.set, pod.name()) == Some(ordinal));
            let Some(pod) = found else { return Ok(()) };
            if pod.label(REVISION) != Some(name(self.update)) && !pod.is_leaving() {
                return self.delete(pod).await;
            }
            if !self.is_well(pod) {
                return Ok(());
            }
        }
        Ok(())
    }

    async fn create(&self, ordinal: i64) -> Result<(), Status> {
        for claim in identity::claims(self.set, ordinal) {
            match self.hand.create(identity::CLAIMS, claim).await {
                Err(status) if status.reason != "AlreadyExists" => return Err(self.failed(ordinal, status).await),
                _ => {}
            }
        }
        let pod = identity::pod(self.set, self.revision_of(ordinal), ordinal);
        match self.hand.create(PODS, pod).await {
            Ok(made) => {
                let message = format!("Create Pod {} in StatefulSet {} successful", name(&made), name(self.set));
                self.hand.event(self.set, Gravity::Normal, "SuccessfulCreate", &message).await;
                Ok(())
            }
            Err(status) => Err(self.failed(ordinal, status).await),
        }
    }

    async fn failed(&self, ordinal: i64, status: Status) -> Status {
        let (set, said) = (name(self.set), &status.message);
        let message = format!("Create Pod {set}-{ordinal} in StatefulSet {set} failed error: {said}");
        self.hand.event(self.set, Gravity::Warning, "FailedCreate", &message).await;
        status
    }

    async fn delete(&self, pod: &Member) -> Result<(), Status> {
        match self.hand.delete(PODS, (pod.namespace(), pod.name()), Deletion::default()).await {
            Err(status) if !status.is_not_found() => Err(status),
            _ => {
                let message = format!("Delete Pod {} in StatefulSet {} successful", pod.name(), name(self.set));
                self.hand.event(self.set, Gravity::Normal, "SuccessfulDelete", &message).await;
                Ok(())
            }
        }
    }
}
