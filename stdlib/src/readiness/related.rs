//! What a rule may look up beside the object itself, and what has been found so far.
//!
//! Plain data: does not know how anything is fetched.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use serde_json::Value;

use super::endpoints::Slice;
use super::node::NodeState;
use super::object::{controller, count, name, namespace, shortened, text, time, uid};
use super::pod::{Life, PodState};

/// Where a rule may look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// Pods: all of them are kept.
    Pods,
    /// Pods: only those that are not ready are kept.
    TroubledPods,
    /// The ReplicaSets of Deployments, metadata only.
    ReplicaSets,
    /// The revisions of DaemonSets, metadata and number.
    ControllerRevisions,
    /// Nodes.
    Nodes,
    /// Warnings.
    Events,
    /// Services, metadata only.
    Services,
    /// Where the endpoints of services are.
    EndpointSlices,
}

/// One thing to look up: a list and then a watch.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Query {
    /// Where.
    pub source: Source,
    /// In which namespace; everywhere where absent.
    pub namespace: Option<String>,
    /// Only those with these labels.
    pub labels: Option<String>,
    /// Only the one of this name.
    pub name: Option<String>,
}

impl Source {
    /// All of a namespace.
    pub fn of(self, namespace: &str) -> Query {
        Query { source: self, namespace: Some(namespace.to_owned()), labels: None, name: None }
    }

    /// All there are.
    pub fn everywhere(self) -> Query {
        Query { source: self, namespace: None, labels: None, name: None }
    }

    /// Whether a rule cannot do without; where the others may not be listed, a wait says less but goes on.
    pub fn required(self) -> bool {
        matches!(self, Self::Pods | Self::ControllerRevisions | Self::Nodes | Self::Services | Self::EndpointSlices)
    }
}

impl Query {
    /// Only those with these labels.
    #[must_use]
    pub fn with(mut self, labels: Option<String>) -> Self {
        self.labels = labels;
        self
    }

    /// Only the one of this name.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }
}

/// A ReplicaSet, or the `ControllerRevision` of another workload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// Its uid.
    pub uid: String,
    /// uid of the workload it belongs to.
    pub owner: String,
    /// The higher, the newer.
    pub number: i64,
    /// What its pods are labelled with.
    pub hash: String,
}

/// A warning about an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// uid of the object it is about.
    pub about: String,
    /// In one word.
    pub reason: String,
    /// In the controller's words.
    pub message: String,
    /// When it was last seen.
    pub at: Option<Timestamp>,
    /// How we came to know of it.
    pub origin: Origin,
}

/// How something came to be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// It was there already.
    Listed,
    /// It happened while we watched.
    Watched,
}

impl Note {
    /// What is kept of an event.
    pub fn of(event: &Value, origin: Origin) -> Self {
        let seen = ["/series/lastObservedTime", "/lastTimestamp", "/eventTime", "/metadata/creationTimestamp"];
        Self {
            about: text(event, "/involvedObject/uid").to_owned(),
            reason: text(event, "/reason").to_owned(),
            message: shortened(text(event, "/message"), 300),
            at: seen.iter().find_map(|pointer| time(event, pointer)),
            origin,
        }
    }

    /// In a line.
    pub fn words(&self) -> String {
        format!("{}: {}", self.reason, self.message)
    }
}

/// One thing that was found, in the form in which it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// A pod.
    Pod(PodState),
    /// A ReplicaSet, or the `ControllerRevision` of another workload.
    Revision(Revision),
    /// A node.
    Node(NodeState),
    /// A warning.
    Note(Note),
    /// A service, by namespace and name.
    Service(String, String),
    /// Endpoints.
    Slice(Slice),
}

impl Finding {
    /// What is kept of an object that a source gave; `None` where nothing needs to be.
    pub fn of(source: Source, object: &Value, origin: Origin) -> Option<Self> {
        match source {
            Source::Pods => Some(Self::Pod(PodState::of(object))),
            Source::TroubledPods => {
                let pod = PodState::of(object);
                matches!(pod.life, Life::Troubled(_)).then_some(Self::Pod(pod))
            }
            Source::ReplicaSets => {
                let annotation = object.pointer("/metadata/annotations/deployment.kubernetes.io~1revision");
                let number = annotation.and_then(Value::as_str).and_then(|text| text.parse().ok()).unwrap_or(0);
                Some(Self::Revision(revision(object, number, "pod-template-hash")?))
            }
            Source::ControllerRevisions => {
                Some(Self::Revision(revision(object, count(object, "/revision"), "controller-revision-hash")?))
            }
            Source::Nodes => Some(Self::Node(NodeState::of(object))),
            Source::Events => {
                let note = Note::of(object, origin);
                (!note.about.is_empty()).then_some(Self::Note(note))
            }
            Source::Services => Some(Self::Service(namespace(object).to_owned(), name(object).to_owned())),
            Source::EndpointSlices => Some(Self::Slice(Slice::of(object))),
        }
    }
}

fn revision(object: &Value, number: i64, label: &str) -> Option<Revision> {
    let hash = object.pointer("/metadata/labels")?.get(label)?.as_str()?;
    Some(Revision { uid: uid(object).to_owned(), owner: controller(object)?.to_owned(), number, hash: hash.to_owned() })
}

/// All that was found beside the objects themselves, by uid of what was found.
#[derive(Debug, Default)]
pub struct Related {
    found: HashMap<String, Finding>,
    /// uid of an owner, or of the object a note is about: uids of what belongs to it.
    belongs: HashMap<String, BTreeSet<String>>,
    nodes: BTreeMap<String, String>,
}

impl Related {
    /// Takes in what was found under a uid, in place of what stood there. Says whether anything is different.
    pub fn put(&mut self, uid: &str, finding: Finding) -> bool {
        if self.found.get(uid) == Some(&finding) {
            return false;
        }
        self.remove(uid);
        if let Some(owner) = owner_of(&finding) {
            self.belongs.entry(owner.into_owned()).or_default().insert(uid.to_owned());
        }
        if let Finding::Node(node) = &finding {
            self.nodes.insert(node.name.clone(), uid.to_owned());
        }
        self.found.insert(uid.to_owned(), finding);
        true
    }

    /// Forgets what was found under a uid. Says whether there was anything.
    pub fn remove(&mut self, uid: &str) -> bool {
        let Some(finding) = self.found.remove(uid) else { return false };
        if let Some(owner) = owner_of(&finding)
            && let Some(of_owner) = self.belongs.get_mut(owner.as_ref())
        {
            of_owner.remove(uid);
            if of_owner.is_empty() {
                self.belongs.remove(owner.as_ref());
            }
        }
        if let Finding::Node(node) = &finding {
            self.nodes.remove(&node.name);
        }
        true
    }

    fn of_owner(&self, owner: &str) -> impl Iterator<Item = &Finding> + use<'_> {
        self.belongs.get(owner).into_iter().flatten().filter_map(|uid| self.found.get(uid))
    }

    /// The pods that a controller made.
    pub fn pods(&self, owner: &str) -> impl Iterator<Item = &PodState> + use<'_> {
        self.of_owner(owner).filter_map(|finding| match finding {
            Finding::Pod(pod) => Some(pod),
            _ => None,
        })
    }

    /// The newest revision of a workload.
    pub fn newest(&self, owner: &str) -> Option<&Revision> {
        let revisions = self.of_owner(owner).filter_map(|finding| match finding {
            Finding::Revision(revision) => Some(revision),
            _ => None,
        });
        revisions.max_by_key(|revision| revision.number)
    }

    /// The latest warning about an object.
    pub fn note(&self, about: &str) -> Option<&Note> {
        self.notes(about).max_by_key(|note| note.at)
    }

    /// The warnings about an object.
    pub fn notes(&self, about: &str) -> impl Iterator<Item = &Note> + use<'_> {
        self.of_owner(about).filter_map(|finding| match finding {
            Finding::Note(note) => Some(note),
            _ => None,
        })
    }

    /// The nodes, by name.
    pub fn nodes(&self) -> impl Iterator<Item = &NodeState> {
        self.nodes.values().filter_map(|uid| match self.found.get(uid) {
            Some(Finding::Node(node)) => Some(node),
            _ => None,
        })
    }

    /// Whether a service was found.
    pub fn service(&self, namespace: &str, name: &str) -> bool {
        let key = service_key(namespace, name);
        self.of_owner(&key).any(|finding| matches!(finding, Finding::Service(..)))
    }

    /// The endpoint slices of a service.
    pub fn slices(&self, namespace: &str, service: &str) -> impl Iterator<Item = &Slice> + use<'_> {
        self.of_owner(&service_key(namespace, service)).filter_map(|finding| match finding {
            Finding::Slice(slice) => Some(slice),
            _ => None,
        })
    }
}

fn service_key(namespace: &str, name: &str) -> String {
    format!("{namespace}/{name}")
}

fn owner_of(finding: &Finding) -> Option<Cow<'_, str>> {
    match finding {
        Finding::Pod(pod) => pod.owner.as_deref().map(Cow::Borrowed),
        Finding::Revision(revision) => Some(Cow::Borrowed(&revision.owner)),
        Finding::Note(note) => Some(Cow::Borrowed(&note.about)),
        Finding::Service(namespace, name) => Some(Cow::Owned(service_key(namespace, name))),
        Finding::Slice(slice) => Some(Cow::Owned(service_key(&slice.namespace, &slice.service))),
        Finding::Node(_) => None,
    }
}
