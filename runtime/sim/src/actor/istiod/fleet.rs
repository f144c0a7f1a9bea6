//! Every istiod of a cluster: finds them by their Deployments and lets each act as long as it has a ready replica.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use kube::Client;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::{
    gateway,
    injection::Injection,
    instance::{Identity, Istiod},
    leadership, load_balancer, review, root_certificate,
    view::{SERVICES, View},
    webhook::{self, Progress},
};
use crate::actor::{
    Pace,
    api::{Api, Fault},
    cni,
    json::{name, namespace},
};

/// How long events are gathered before a round acts on them. It bounds how often two istiods can undo each other.
const GATHER: Duration = Duration::from_millis(40);
/// How long until what could not be finished is tried again.
const RETRY: Duration = Duration::from_secs(1);
/// How often leases are renewed.
const RENEWAL: Duration = Duration::from_secs(10);

/// All stand-ins for istiod of one cluster.
pub struct Fleet {
    api: Api,
    ca_pem: String,
    /// Is the root certificate that the cluster has already the one that counts?
    adopts: bool,
    pace: Arc<dyn Pace>,
    view: View,
    running: RwLock<BTreeMap<(String, String), Arc<Istiod>>>,
}

impl Fleet {
    /// A fleet that acts through `client`, puts `ca_pem` into webhooks and namespaces as its root certificate, and waits by
    /// `pace`. Nothing happens until [`Fleet::run`].
    pub fn new(client: Client, ca_pem: String, pace: Arc<dyn Pace>) -> Self {
        Self { api: Api::new(client), ca_pem, adopts: false, pace, view: View::new(), running: RwLock::default() }
    }

    /// The same fleet, which leaves the root certificate that a cluster has already as it is, and gives its own where there is none.
    #[must_use]
    pub fn adopting(mut self) -> Self {
        self.adopts = true;
        self
    }

    fn ca_pem(&self) -> String {
        let known = if self.adopts { root_certificate::known(&self.view) } else { None };
        known.unwrap_or_else(|| self.ca_pem.clone())
    }

    /// Acts until `stop` is cancelled. What was written stays, leases included, as with the real one.
    pub async fn run(&self, stop: CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.view.follow(&self.api, &*self.pace) => {}
            () = cni::run(&self.api, &self.pace) => {}
            () = self.act() => {}
        }
    }

    /// Completes once everything has been read that it acts on, by a fleet that runs: from then on it answers for every istiod that
    /// was there at first.
    pub async fn ready(&self) {
        self.view.completed().await;
        if self.running.read().unwrap_or_else(PoisonError::into_inner).is_empty() {
            self.refresh();
        }
    }

    /// Answers an admission review that the API server sends to a Service, named as in the webhook's `clientConfig`, at a
    /// path. None where no istiod answers: its Service selects none that runs, or the path is not one of istiod's.
    pub async fn admit(&self, namespace: &str, service: &str, path: &str, review: Value) -> Option<Value> {
        let service = match self.view.services.get(namespace, service) {
            Some(known) => known,
            // It may be newer than the copy.
            None => Arc::new(self.api.get(SERVICES, namespace, service).await.ok()??),
        };
        let running = self.running.read().unwrap_or_else(PoisonError::into_inner).clone();
        let istiod = running.values().find(|istiod| istiod.identity.serves(&service))?;
        match path.split(['/', '?']).nth(1)? {
            "inject" => Some(self.inject(istiod, path, &review)),
            "validate" => Some(review::validated(&review)),
            _ => None,
        }
    }

    fn inject(&self, istiod: &Istiod, path: &str, review: &Value) -> Value {
        let Some((settings, _)) = istiod.settings(&self.view) else {
            return review::refused(review, "the injector ConfigMap of this revision is missing or does not parse");
        };
        let injection = Injection {
            settings: &settings,
            revision: &istiod.identity.revision,
            sidecar: istiod.identity.sidecar(&self.view),
            path: path.split('?').next().unwrap_or_default(),
        };
        review::injected(&injection, review)
    }

    async fn act(&self) {
        let mut renewed = None;
        loop {
            if self.view.is_complete() {
                let due = renewed.is_none_or(|at| self.pace.now().duration_since(at).unsigned_abs() >= RENEWAL);
                if due {
                    renewed = Some(self.pace.now());
                }
                let progress = self.round(due).await;
                let span = if progress == Progress::Again { RETRY } else { RENEWAL };
                tokio::select! {
                    () = self.view.changed.notified() => {}
                    () = self.pace.pause(span) => {}
                }
            } else {
                self.view.changed.notified().await;
            }
            self.pace.pause(GATHER).await;
        }
    }

    /// One round over everything: first who runs, then what each of them has to do.
    async fn round(&self, renew: bool) -> Progress {
        let _at_work = self.pace.at_work();
        self.refresh();
        let running: Vec<_> = self.running.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        let mut progress = Progress::Settled;
        for istiod in running {
            match self.turn(&istiod, renew).await {
                Ok(Progress::Settled) => {}
                Ok(Progress::Again) => progress = Progress::Again,
                Err(fault) => {
                    tracing::debug!(istiod = %istiod.identity.name, %fault, "a turn of an istiod ended early");
                    progress = Progress::Again;
                }
            }
        }
        if let Err(fault) = load_balancer::reconcile(&self.api, &self.view).await {
            tracing::debug!(%fault, "an address could not be given");
            progress = Progress::Again;
        }
        progress
    }

    async fn turn(&self, istiod: &Istiod, renew: bool) -> Result<Progress, Fault> {
        let (api, view) = (&self.api.acting(&istiod.identity.namespace, &istiod.identity.name), &self.view);
        let ca_pem = self.ca_pem();
        self.start(istiod, api, &ca_pem).await?;
        if renew || istiod.memory.lock().await.leads.is_empty() {
            leadership::campaign(istiod, api, view, self.pace.now()).await?;
        }
        let progress = webhook::reconcile(istiod, api, view, &ca_pem, self.pace.now()).await?;
        root_certificate::reconcile(istiod, api, view, &ca_pem).await?;
        gateway::reconcile(istiod, api, view, self.pace.now()).await?;
        Ok(progress)
    }

    /// What an istiod does first of all, once.
    async fn start(&self, istiod: &Istiod, api: &Api, ca_pem: &str) -> Result<(), Fault> {
        let mut memory = istiod.memory.lock().await;
        if memory.kube_version == 0 {
            let version = api.read("/version").await?;
            let minor = version["minor"].as_str().unwrap_or_default().trim_end_matches('+').parse::<u32>();
            memory.kube_version = 100 + minor.unwrap_or(0);
        }
        if !memory.has_authority {
            root_certificate::authority(istiod, api, ca_pem).await?;
            memory.has_authority = true;
        }
        Ok(())
    }

    /// Takes in which istiods run now. One whose replicas are being replaced stays what it was until a new one is ready.
    fn refresh(&self) {
        let mut running = self.running.write().unwrap_or_else(PoisonError::into_inner);
        let deployments = self.view.control_planes.all();
        running.retain(|(in_namespace, named), _| {
            deployments.iter().any(|one| namespace(one) == in_namespace && name(one) == named && is_ready(one))
        });
        for deployment in deployments.iter().filter(|one| is_ready(one)) {
            let key = (namespace(deployment).to_owned(), name(deployment).to_owned());
            let Some(identity) = Identity::of(deployment) else { continue };
            let known = running.get(&key).is_some_and(|known| known.identity == identity || is_rolling(deployment));
            if !known {
                running.insert(key, Arc::new(Istiod::new(identity)));
            }
        }
    }
}

fn is_ready(deployment: &Value) -> bool {
    deployment["status"]["readyReplicas"].as_u64().unwrap_or(0) > 0
}

fn is_rolling(deployment: &Value) -> bool {
    let count = |field: &str| deployment["status"][field].as_u64().unwrap_or(0);
    let seen = deployment["status"]["observedGeneration"].as_u64() >= deployment["metadata"]["generation"].as_u64();
    !seen || count("updatedReplicas") == 0 || count("unavailableReplicas") > 0
}
