//! How this cluster's machines behave: how long things take, and what fails.
//!
//! Not known here: who says so. A scenario fills it in.

use std::{collections::BTreeMap, time::Duration};

/// How long things take and what fails. Durations are of simulated time.
#[derive(Clone, Debug)]
pub struct Habits {
    /// From a pod's being bound to a node until its images are there.
    pub image_pull: Duration,
    /// From the images being there until the containers run.
    pub start: Duration,
    /// From the containers running until they are ready.
    pub ready: Duration,
    /// From the deletion of a pod until its containers have ended, at most its grace period.
    pub stop: Duration,
    /// How long a container of a Job runs.
    pub work: Duration,
    /// Pods that fail, first match first.
    pub failures: Vec<Failing>,
    /// Whether the cluster is still being prepared, and nobody sees how the pods of large workloads come.
    pub begins: bool,
    /// The addresses that Services of type `LoadBalancer` are given in turn; none are given where this is empty.
    pub load_balancers: Vec<String>,
}

/// Pods that fail, and how.
#[derive(Clone, Debug, Default)]
pub struct Failing {
    /// Only pods one of whose images contains this text.
    pub image: Option<String>,
    /// Only pods on this node.
    pub node: Option<String>,
    /// Only pods in this namespace.
    pub namespace: Option<String>,
    /// Only pods that carry all of these labels.
    pub labels: BTreeMap<String, String>,
    /// How they fail.
    pub failure: Failure,
}

/// How a pod fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Failure {
    /// `ErrImagePull`, then `ImagePullBackOff`; the pod stays `Pending`.
    #[default]
    ImagePull,
    /// The first container ends with exit code 1 again and again: `CrashLoopBackOff`.
    CrashLoop,
    /// The containers run and are never ready.
    NeverReady,
}

impl Default for Habits {
    fn default() -> Self {
        Self {
            image_pull: Duration::from_millis(500),
            start: Duration::from_millis(300),
            ready: Duration::from_millis(200),
            stop: Duration::from_millis(500),
            work: Duration::from_secs(1),
            failures: Vec::new(),
            begins: false,
            load_balancers: Vec::new(),
        }
    }
}
