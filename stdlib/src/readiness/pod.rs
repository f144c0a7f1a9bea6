//! Pods: what is kept of one, when one is ready, and what the pods of a workload say together.
//!
//! Does not know how pods are found.

use serde_json::Value;

use super::object::{controller, name, namespace, text, uid};
use super::related::{Related, Source};
use super::trouble::Trouble;
use super::verdict::{Doom, Patience, Standing, Verdict, Witness};

/// All that is kept of a pod: a wait may see very many of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodState {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
    /// The node it is bound to; for one that is not, the node it is made for, if any.
    pub node: Option<String>,
    /// uid of its controller.
    pub owner: Option<String>,
    /// The revision of a DaemonSet or StatefulSet it was made from.
    pub revision: Option<String>,
    /// Where it is in its life.
    pub life: Life,
}

/// Where a pod is in its life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Life {
    /// It serves.
    Ready,
    /// It ended well.
    Finished,
    /// It is being deleted.
    Leaving,
    /// It is not ready, for this reason.
    Troubled(Box<Trouble>),
}

impl PodState {
    /// What is kept of a pod.
    pub fn of(pod: &Value) -> Self {
        let life = match Trouble::of(pod) {
            _ if pod.pointer("/metadata/deletionTimestamp").is_some() => Life::Leaving,
            Some(trouble) => Life::Troubled(Box::new(trouble)),
            None if text(pod, "/status/phase") == "Succeeded" => Life::Finished,
            None => Life::Ready,
        };
        let node = Some(text(pod, "/spec/nodeName")).filter(|node| !node.is_empty()).or_else(|| meant_for(pod));
        let revision = pod.pointer("/metadata/labels/controller-revision-hash").and_then(Value::as_str);
        Self {
            namespace: namespace(pod).to_owned(),
            name: name(pod).to_owned(),
            uid: uid(pod).to_owned(),
            node: node.map(str::to_owned),
            owner: controller(pod).map(str::to_owned),
            revision: revision.map(str::to_owned),
            life,
        }
    }

    /// Why it is not ready, where it is not.
    pub fn trouble(&self) -> Option<&Trouble> {
        match &self.life {
            Life::Troubled(trouble) => Some(trouble),
            _ => None,
        }
    }

    /// Its line: name, node and the most specific reason, which an event may know better than the status.
    pub fn line(&self, related: Option<&Related>) -> String {
        let place = self.node.as_deref().unwrap_or("-");
        let reason = match &self.life {
            Life::Ready => "ready".to_owned(),
            Life::Finished => "finished".to_owned(),
            Life::Leaving => "is being deleted".to_owned(),
            Life::Troubled(trouble) => match related.and_then(|related| related.note(&self.uid)) {
                Some(note) if trouble.vague() => note.words(),
                _ => trouble.words.clone().into_owned(),
            },
        };
        format!("{}   {place}   {reason}", self.name)
    }

    /// Why it cannot become ready, where it cannot.
    pub fn doom(&self, patience: &Patience) -> Option<Doom> {
        let trouble = self.trouble()?;
        let reason = trouble.doom(patience)?;
        let place = self.node.as_ref().map(|node| format!(", {node}")).unwrap_or_default();
        let said = trouble.message.as_deref().unwrap_or(&trouble.words);
        Some(Doom {
            reason: reason.to_owned(),
            evidence: vec![format!("pod {}{place}: {said}", self.name)],
            witness: Some(self.witness()),
            hint: None,
        })
    }

    /// Where more is to be found about it.
    pub fn witness(&self) -> Witness {
        Witness {
            namespace: self.namespace.clone(),
            pod: self.name.clone(),
            uid: self.uid.clone(),
            container: self.trouble().and_then(|trouble| trouble.container.clone()),
        }
    }
}

/// The pods of DaemonSets are made for one node before they are bound to it.
fn meant_for(pod: &Value) -> Option<&str> {
    let terms = "/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms";
    let field = pod.pointer(terms)?.get(0)?.pointer("/matchFields/0")?;
    (text(field, "/key") == "metadata.name").then(|| text(field, "/values/0"))
}

/// The verdict on one pod.
pub fn verdict(pod: &PodState, related: Option<&Related>, patience: &Patience) -> Verdict {
    let standing = || Standing { progress: String::new(), reasons: vec![pod.line(related)] };
    match &pod.life {
        Life::Ready | Life::Finished => Verdict::Ready,
        Life::Leaving => Verdict::NotReady(standing()),
        Life::Troubled(_) => match pod.doom(patience) {
            Some(doom) => Verdict::Doomed(standing(), doom),
            None => Verdict::NotReady(standing()),
        },
    }
}

/// Adds to a workload's standing what its pods say; a pod that is doomed dooms it.
pub fn gathered<'a>(
    mut standing: Standing,
    pods: impl Iterator<Item = &'a PodState>,
    related: &Related,
    patience: &Patience,
) -> Verdict {
    let mut doom: Option<Doom> = None;
    let mut troubled: Vec<&PodState> = pods.filter(|pod| pod.trouble().is_some()).collect();
    troubled.sort_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
    for pod in troubled {
        standing.reasons.push(pod.line(Some(related)));
        match (&mut doom, pod.doom(patience)) {
            (Some(first), Some(another)) => first.evidence.extend(another.evidence),
            (none @ None, found) => *none = found,
            _ => {}
        }
    }
    match doom {
        Some(doom) => Verdict::Doomed(standing, doom),
        None => Verdict::NotReady(standing),
    }
}

/// Whether events of a namespace may say more about these pods than their status does.
pub fn vague<'a>(mut pods: impl Iterator<Item = &'a PodState>) -> bool {
    pods.any(|pod| pod.trouble().is_some_and(Trouble::vague))
}

/// Where the events about pods are, for rules that found some vague.
pub fn events_in(namespace: &str) -> super::related::Query {
    Source::Events.of(namespace)
}
