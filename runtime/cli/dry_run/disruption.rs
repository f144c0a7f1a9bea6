//! What a run disturbs: pods that go, webhooks that nobody answers, namespaces whose pods will be changed by another.
//!
//! Told from what happened to the cluster's objects alone; what a runbook says itself stands in its plan. Does not know
//! what runs in the pods.

use std::collections::BTreeMap;

use runbook_core::Value;
use runbook_stdlib::difference;
use serde::Serialize;
use serde_json::Map;

use super::change::{Object, title};
use super::collector::{Collected, Made};
use super::disguise::Disguise;
use super::grade::Grade;

/// Something that is disturbed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Disruption {
    /// The step that does it.
    pub(crate) step: String,
    /// In words: what, and how much.
    pub(crate) what: String,
    /// In words: why.
    pub(crate) why: String,
    pub(crate) grade: Grade,
    /// The pods that go, where it is about pods.
    #[serde(skip)]
    pub(super) pods: Option<Pods>,
}

/// Pods that are alike.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Pods {
    pub(super) namespace: String,
    pub(super) labels: Map<String, Value>,
}

/// How the reason begins why pods make room for others.
const TEMPLATE: &str = "its template changes";

/// Whose pods go by one call.
#[derive(Debug, Default)]
struct Going {
    pods: usize,
    nodes: std::collections::BTreeSet<String>,
    labels: Map<String, Value>,
    /// A pod of them that the call itself took away.
    by_itself: bool,
}

/// The workload that pods belong to: namespace, kind and name.
type Workload = (String, String, String);

/// What pods the calls take away, call by call.
pub(super) fn of(collected: &Collected, disguise: &mut Disguise<'_>) -> Vec<Disruption> {
    let mut found = Vec::new();
    for (index, made) in collected.calls.iter().enumerate() {
        for (workload, going) in going(made) {
            let why = why(&collected.calls[..=index], &workload, &going, disguise);
            found.push(Disruption {
                step: made.call.step.clone(),
                what: what(&workload, &going, why.starts_with(TEMPLATE)),
                why,
                grade: Grade::Simulated,
                pods: Some(Pods { namespace: workload.0, labels: going.labels }),
            });
        }
    }
    found
}

fn going(made: &Made) -> BTreeMap<Workload, Going> {
    let mut found: BTreeMap<Workload, Going> = BTreeMap::new();
    let own = made.changes.iter().map(|object| (object, true));
    for (object, by_itself) in own.chain(made.followed.iter().map(|object| (object, false))) {
        let Some(pod) = goes(object) else { continue };
        let going = found.entry(workload(&pod, object)).or_default();
        going.pods += 1;
        going.by_itself |= by_itself;
        going.labels = pod["metadata"]["labels"].as_object().cloned().unwrap_or_default();
        going.nodes.extend(pod["spec"]["nodeName"].as_str().map(str::to_owned));
    }
    found
}

/// A pod that was there and goes.
fn goes(object: &Object) -> Option<Value> {
    if object.subject.kind != "Pod" || !object.subject.group.is_empty() {
        return None;
    }
    let before = object.before()?;
    let was_going = before["metadata"]["deletionTimestamp"].is_string();
    let ended = ["Succeeded", "Failed"].iter().any(|phase| before["status"]["phase"] == *phase);
    let is_going =
        object.was_gone || object.after().is_none_or(|after| after["metadata"]["deletionTimestamp"].is_string());
    (is_going && !was_going && !ended).then_some(before)
}

fn workload(pod: &Value, object: &Object) -> Workload {
    let owners = pod["metadata"]["ownerReferences"].as_array().into_iter().flatten();
    let Some(owner) = owners.into_iter().find(|owner| owner["controller"] == true) else {
        return (object.subject.namespace.clone(), "pod".to_owned(), object.subject.name.clone());
    };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (kind, name) = (text(&owner["kind"]), text(&owner["name"]));
    // A ReplicaSet is called after its Deployment and the hash that its pods have as a label.
    let hash = pod["metadata"]["labels"]["pod-template-hash"].as_str();
    let deployment = hash.and_then(|hash| name.strip_suffix(&format!("-{hash}")));
    match deployment {
        Some(deployment) if kind == "ReplicaSet" => {
            (object.subject.namespace.clone(), "deployment".to_owned(), deployment.to_owned())
        }
        _ => (object.subject.namespace.clone(), kind.to_lowercase(), name),
    }
}

fn what((namespace, kind, name): &Workload, going: &Going, others_come: bool) -> String {
    if kind == "pod" {
        return format!("pod {namespace}/{name} ends");
    }
    let pods = crate::screen::counted(going.pods, "pod");
    let verb = match (others_come, going.pods) {
        (true, 1) => "is replaced",
        (true, _) => "are replaced",
        (false, 1) => "ends",
        (false, _) => "end",
    };
    let nodes = match going.nodes.len() {
        0 | 1 => String::new(),
        nodes => format!(" on {nodes} nodes"),
    };
    format!("{kind} {namespace}/{name}: {pods}{nodes} {verb}")
}

/// Why the pods of a workload go: the last call that touched it says so.
fn why(calls: &[Made], workload: &Workload, going: &Going, disguise: &mut Disguise<'_>) -> String {
    let (namespace, kind, name) = workload;
    if going.by_itself {
        return "deleted by this step".to_owned();
    }
    let is_it = |object: &&Object| {
        object.subject.namespace == *namespace
            && object.subject.name == *name
            && object.subject.kind.to_lowercase() == *kind
    };
    for made in calls.iter().rev() {
        let own = made.changes.iter().find(is_it);
        let Some(object) = own.or_else(|| made.followed.iter().find(is_it)) else { continue };
        let Some(because) = because(object, disguise) else { continue };
        return if own.is_some() { because } else { format!("{because} by who looks after it in the cluster") };
    }
    "no call of this run touched the workload itself".to_owned()
}

fn because(object: &Object, disguise: &mut Disguise<'_>) -> Option<String> {
    let Some(after) = object.after() else { return Some(format!("{} is deleted", title(&object.subject))) };
    let before = object.before()?;
    let (before, after) = (disguise.object(before), disguise.object(after));
    let replicas = |object: &Value| object["spec"]["replicas"].as_i64();
    let changed = difference::compared(&before["spec"]["template"], &after["spec"]["template"]).fields;
    if changed.is_empty() {
        return (replicas(&before) > replicas(&after)).then(|| {
            format!("scaled from {} to {}", replicas(&before).unwrap_or_default(), replicas(&after).unwrap_or_default())
        });
    }
    let mut words: Vec<String> = changed.iter().map(|field| last_name(&field.path)).collect();
    words.sort();
    words.dedup();
    // Labels change with every version; they say why only where nothing else does.
    if words.len() > 1 {
        words.retain(|word| word != "labels");
    }
    let more = words.len().saturating_sub(4);
    words.truncate(4);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Some(format!("{TEMPLATE}: {}{more}", words.join(", ")))
}

/// The last name of a path that says something to people: `image`, `env`, `annotations`.
fn last_name(path: &str) -> String {
    let plain = path.split('[').next().unwrap_or(path);
    let named = if plain.contains("containers") || plain.contains("volumes") {
        path.rsplit_once(']')
            .map_or(path, |(_, rest)| if rest.is_empty() { plain } else { rest.trim_start_matches('.') })
    } else {
        plain
    };
    let inner = path.split("].").nth(1).unwrap_or(named);
    let word = if inner.is_empty() { named } else { inner };
    word.split(['.', '[']).find(|part| !["metadata", "spec", ""].contains(part)).unwrap_or(word).to_owned()
}
