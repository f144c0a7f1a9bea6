//! Evicting pods: which leave and which stay, asking again where a disruption budget says no, and waiting until they are gone.
//!
//! Does not know whether the node may be emptied: whoever asks has checked.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use runbook_core::record::Waiting;
use runbook_core::world::{Cluster, Interrupt};
use runbook_core::{Call, Code, Fault, Value};
use serde_json::json;

use super::api::{Api, Scope};
use super::kind;
use super::outcome::{Trace, settle};
use super::query::{Event, Listing};
use super::refusal;
use crate::readiness::object::{flag, items, name, namespace, text, uid};

/// How long to wait before a budget is asked again.
const AGAIN: Duration = Duration::from_secs(5);

/// Evictions asked for at once.
const WIDTH: usize = 8;

/// Which pods of a node leave.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) leaving: Vec<Leaving>,
    /// Pods that stay, with the reason.
    pub(super) staying: Vec<(String, &'static str)>,
    /// Of those that leave: pods that nothing makes again.
    pub(super) alone: Vec<String>,
    /// Of those that leave: pods that lose what they keep on the node.
    pub(super) losing: Vec<String>,
}

/// A pod that is to leave.
#[derive(Debug, Clone)]
pub(super) struct Leaving {
    namespace: String,
    name: String,
    uid: String,
}

impl Leaving {
    fn title(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }
}

impl Plan {
    pub(super) fn of(pods: &[Value]) -> Self {
        let mut plan = Self::default();
        for pod in pods {
            let leaving =
                Leaving { namespace: namespace(pod).to_owned(), name: name(pod).to_owned(), uid: uid(pod).to_owned() };
            let title = leaving.title();
            let controller = items(pod, "/metadata/ownerReferences").iter().find(|owner| flag(owner, "/controller"));
            let over = matches!(text(pod, "/status/phase"), "Succeeded" | "Failed");
            if pod.pointer("/metadata/annotations/kubernetes.io~1config.mirror").is_some() {
                plan.staying.push((title, "it is a static pod of the node"));
                continue;
            }
            if !over && controller.is_some_and(|owner| text(owner, "/kind") == "DaemonSet") {
                plan.staying.push((title, "it belongs to a DaemonSet"));
                continue;
            }
            if !over && controller.is_none() {
                plan.alone.push(title.clone());
            }
            if !over && items(pod, "/spec/volumes").iter().any(|volume| volume.get("emptyDir").is_some()) {
                plan.losing.push(title);
            }
            plan.leaving.push(leaving);
        }
        plan
    }
}

/// One node being emptied.
pub(super) struct Draining<'a> {
    pub(super) call: &'a Call<'a>,
    pub(super) cluster: &'a Arc<Cluster>,
    /// The node, for people.
    pub(super) title: &'a str,
    /// Which pods are on it.
    pub(super) listing: Listing,
    pub(super) grace_period: Option<i64>,
    pub(super) patience: Duration,
}

/// Why each pod is still there; a pod without a reason has been evicted and is ending.
type Blocked = BTreeMap<String, String>;

impl Draining<'_> {
    /// Evicts the pods and waits until they are gone. Answers the names of those it evicted.
    ///
    /// Faults: `RB030` naming what blocks which pod; `RB080` on the first Ctrl-C, between two evictions.
    pub(super) async fn run(&self, leaving: &[Leaving]) -> Result<Vec<String>, Fault> {
        let clock = &self.call.world.clock;
        let deadline = clock.elapsed() + self.call.within(self.patience);
        let pods = Api::of(self.cluster, kind::builtin("pods"), &Scope::All)?;
        let mut asking: Vec<Leaving> = leaving.to_vec();
        let mut ending: Vec<Leaving> = Vec::new();
        let mut evicted = Vec::new();
        loop {
            let blocked = self.evict(&mut asking, &mut ending, &mut evicted).await?;
            let list = pods.list(&self.listing).await?;
            let there = |pod: &Leaving| list.items.iter().any(|found| uid(found) == pod.uid);
            asking.retain(there);
            ending.retain(there);
            if asking.is_empty() && ending.is_empty() {
                return Ok(evicted);
            }
            let left = deadline.saturating_sub(clock.elapsed());
            if left.is_zero() {
                return Err(self.late(&blocked, &ending, &evicted));
            }
            self.tell(&blocked, &ending, leaving.len(), left);
            let waited = self.until_something_happens(&pods, &list.version, left, !asking.is_empty()).await;
            waited.map_err(|fault| progress(fault, &evicted))?;
        }
    }

    /// Asks for the eviction of all that are not evicted yet; those that may not go now stay in `asking`.
    async fn evict(
        &self,
        asking: &mut Vec<Leaving>,
        ending: &mut Vec<Leaving>,
        evicted: &mut Vec<String>,
    ) -> Result<Blocked, Fault> {
        let mut blocked = Blocked::new();
        let wanted = std::mem::take(asking);
        let mut answers = futures::stream::iter(wanted)
            .map(|pod| async move {
                let answer = self.evict_one(&pod).await;
                (pod, answer)
            })
            .buffer_unordered(WIDTH);
        while let Some((pod, answer)) = answers.next().await {
            match answer {
                Ok(()) => {
                    evicted.push(pod.title());
                    ending.push(pod);
                }
                Err(fault) if refusal::status(&fault) == Some(429) => {
                    blocked.insert(pod.title(), budget(&fault));
                    asking.push(pod);
                }
                // Its namespace is going, and the pod with it.
                Err(fault) if refusal::status(&fault) == Some(403) && fault.message.contains("being terminated") => {
                    ending.push(pod);
                }
                Err(fault) if refusal::object_absent(&fault) => {}
                Err(fault) => return Err(progress(fault, evicted)),
            }
        }
        Ok(blocked)
    }

    async fn evict_one(&self, pod: &Leaving) -> Result<(), Fault> {
        let api = Api::of(self.cluster, kind::builtin("pods"), &Scope::Namespace(Some(pod.namespace.clone())))?;
        let mut eviction = json!({
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": { "name": pod.name, "namespace": pod.namespace },
            "deleteOptions": { "preconditions": { "uid": pod.uid } },
        });
        if let Some(seconds) = self.grace_period {
            eviction["deleteOptions"]["gracePeriodSeconds"] = seconds.into();
        }
        let sent = settle(
            &api,
            &pod.name,
            async || api.create_part(&pod.name, "eviction", &eviction).await,
            |live| match live {
                Some(live) if uid(&live) == pod.uid && text(&live, "/metadata/deletionTimestamp").is_empty() => {
                    Trace::NotDone
                }
                _ => Trace::Done(Value::Null),
            },
        );
        match sent.await {
            // Another pod of that name took its place: this one is gone.
            Err(fault) if refusal::status(&fault) == Some(409) => Ok(()),
            other => other.map(|_| ()),
        }
    }

    /// Until a pod of the node changes, a budget may be asked again, or time is over.
    async fn until_something_happens(
        &self,
        pods: &Api,
        version: &str,
        left: Duration,
        blocked: bool,
    ) -> Result<(), Fault> {
        let world = self.call.world;
        let longest = if blocked { AGAIN.min(left) } else { left.min(Duration::from_secs(30)) };
        let gone = async {
            let Ok(events) = pods.watch(&self.listing, version, longest).await else {
                return std::future::pending().await;
            };
            let mut events = std::pin::pin!(events);
            while let Some(event) = events.next().await {
                if matches!(event, Ok(Event::Deleted(_) | Event::Expired)) {
                    return;
                }
            }
            // A watch that ends early must not become a busy loop.
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = gone => Ok(()),
            () = world.clock.sleep(longest) => Ok(()),
            () = world.interrupt.soft.cancelled() => Err(Interrupt::fault()),
        }
    }

    fn tell(&self, blocked: &Blocked, ending: &[Leaving], all: usize, left: Duration) {
        let there = blocked.len() + ending.len();
        self.call.waiting(Waiting {
            what: format!("pods to leave {}", self.title),
            progress: format!("{} of {all} gone", all - there.min(all)),
            reasons: reasons(blocked, ending),
            left_ms: u64::try_from(left.as_millis()).ok(),
        });
    }

    fn late(&self, blocked: &Blocked, ending: &[Leaving], evicted: &[String]) -> Fault {
        let there = blocked.len() + ending.len();
        let pods = if there == 1 { "pod" } else { "pods" };
        let message = format!("{} still has {there} {pods} to leave after {} s", self.title, self.patience.as_secs());
        let fault = reasons(blocked, ending).into_iter().fold(Fault::new(Code::Timeout, message), Fault::seen);
        let fault = if blocked.is_empty() {
            fault.hint("pods end once their grace period is over")
        } else {
            fault.hint("a disruption budget lets pods go once others are ready elsewhere; the node stays cordoned")
        };
        progress(fault.about(self.title).with("blocked", json!(blocked)), evicted)
    }
}

fn progress(fault: Fault, evicted: &[String]) -> Fault {
    fault.with("evicted", json!(evicted))
}

fn reasons(blocked: &Blocked, ending: &[Leaving]) -> Vec<String> {
    let blocked = blocked.iter().map(|(pod, why)| format!("{pod}: {why}"));
    blocked.chain(ending.iter().map(|pod| format!("{}: ending", pod.title()))).collect()
}

/// What the budget says, in the server's words.
fn budget(fault: &Fault) -> String {
    let said = fault.evidence.iter().find(|line| line.contains("disruption budget"));
    said.unwrap_or(&fault.message).clone()
}
