//! The objects that a dry run says a run would leave, held against those that the API server has after the run.
//!
//! What a run writes is compared field by field. Not known here: how a run is planned, nor which requests it makes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::LazyLock;

use regex::Regex;
use runbook_control_plane::ControlPlane;
use runbook_stdlib::difference::{self, Difference};
use serde_json::Value;

/// An object: its API group, kind, namespace and name.
pub(crate) type Key = (String, String, String, String);

/// Objects as they stand, by their keys; those that are not there are absent.
pub(crate) type Objects = BTreeMap<Key, Value>;

/// Fields in which a real cluster differs from a simulated one by its nature: where, in words of paths, and why.
const BY_NATURE: &[(&str, &str)] = &[
    // Of a call the trace says what it changes itself; others react to it.
    (
        "Deployment metadata.annotations[\"deployment.kubernetes.io/revision\"]",
        "a controller counts it up once the template is written",
    ),
    ("Deployment istio-system/istiod spec.replicas", "its autoscaler says how many there are, once it has looked"),
    ("clientConfig.caBundle", "istiod writes its own authority's certificate into its webhooks"),
    ("ValidatingWebhookConfiguration .failurePolicy", "istiod closes its validator once it serves it"),
    ("Service spec.clusterIP", "each cluster has addresses of its own to give"),
];

/// The subresources that a line of a write may name behind its resource.
const BELOW: [&str; 5] = ["status", "scale", "eviction", "binding", "finalize"];

/// What a line of a write is about: group, resource, namespace, name. None for what has no name, and for what is no object of
/// the runbook's: its Lease, and helm's records, which have a comparison of their own.
fn aim(write: &str) -> Option<(String, String, String, String)> {
    let [_, resource, object] = write.split(' ').collect::<Vec<_>>().try_into().ok()?;
    let mut words: Vec<&str> = resource.split('/').collect();
    if words.len() > 1 && words.last().is_some_and(|last| BELOW.contains(last)) {
        words.pop();
    }
    let (group, resource) = if words.len() > 1 { (words[0], words[1]) } else { ("", words[0]) };
    let (namespace, name) = match object.split_once('/') {
        // The log says of a namespace that it lies in itself.
        Some((_, name)) if resource == "namespaces" => ("", name),
        Some(place) => place,
        None => ("", object),
    };
    let is_kept = !name.is_empty() && resource != "leases" && !name.starts_with("sh.helm.release.v1.");
    is_kept.then(|| (group.to_owned(), resource.to_owned(), namespace.to_owned(), name.to_owned()))
}

/// Kinds by group and resource, as the API server says them.
struct Discovery<'a> {
    plane: &'a ControlPlane,
    versions: HashMap<String, Option<String>>,
    kinds: HashMap<(String, String), String>,
}

impl Discovery<'_> {
    /// Where the objects of a group lie; none where it is not served.
    fn root(&mut self, group: &str) -> Option<String> {
        if group.is_empty() {
            return Some("/api/v1".to_owned());
        }
        if !self.versions.contains_key(group) {
            let found = get(self.plane, &format!("/apis/{group}"));
            let version = found.and_then(|found| Some(found["preferredVersion"]["groupVersion"].as_str()?.to_owned()));
            self.versions.insert(group.to_owned(), version);
        }
        self.versions[group].as_ref().map(|version| format!("/apis/{version}"))
    }

    fn kind(&mut self, group: &str, resource: &str) -> Option<String> {
        let key = (group.to_owned(), resource.to_owned());
        if !self.kinds.contains_key(&key) {
            let served = get(self.plane, &self.root(group)?)?;
            for one in served["resources"].as_array().into_iter().flatten() {
                let (name, kind) = (one["name"].as_str().unwrap_or_default(), one["kind"].as_str().unwrap_or_default());
                self.kinds.insert((group.to_owned(), name.to_owned()), kind.to_owned());
            }
        }
        self.kinds.get(&key).cloned()
    }
}

fn get(plane: &ControlPlane, path: &str) -> Option<Value> {
    let request = http::Request::get(path).body(Vec::new()).unwrap();
    match plane.block_on(plane.client().request::<Value>(request)) {
        Ok(found) => Some(found),
        Err(kube::Error::Api(status)) if status.code == 404 => None,
        Err(error) => panic!("{path}: {error}"),
    }
}

/// Reads the objects that writes are about, as they stand now.
pub(crate) fn read(plane: &ControlPlane, writes: &[String]) -> Objects {
    let mut discovery = Discovery { plane, versions: HashMap::new(), kinds: HashMap::new() };
    let aims: BTreeSet<_> = writes.iter().filter_map(|write| aim(write)).collect();
    let mut found = Objects::new();
    for (group, resource, namespace, name) in aims {
        let Some(kind) = discovery.kind(&group, &resource) else { continue };
        let root = discovery.root(&group).unwrap();
        let inside = if namespace.is_empty() { String::new() } else { format!("/namespaces/{namespace}") };
        let object = get(plane, &format!("{root}{inside}/{resource}/{name}"));
        let object = object.filter(|object| object["metadata"].get("deletionTimestamp").is_none());
        if let Some(object) = object {
            found.insert((group, kind, namespace, name), object);
        }
    }
    found
}

/// What a dry run says that a run would leave.
pub(crate) struct Prediction {
    objects: Objects,
    /// Lists with new items: a trace says which are new, not where among the others they stand.
    grown: BTreeSet<(Key, String)>,
}

/// The objects as the calls of a trace leave them, in their order.
pub(crate) fn predicted(before: &Objects, trace: &Value) -> Prediction {
    let mut now = Prediction { objects: before.clone(), grown: BTreeSet::new() };
    for step in trace["steps"].as_array().into_iter().flatten() {
        follow(&mut now, step);
    }
    now
}

fn follow(now: &mut Prediction, step: &Value) {
    for statement in step["statements"].as_array().into_iter().flatten() {
        match statement["t"].as_str() {
            Some("step") => follow(now, statement),
            Some("call") => statement["changes"].as_array().into_iter().flatten().for_each(|view| change(now, view)),
            _ => {}
        }
    }
}

fn change(now: &mut Prediction, view: &Value) {
    let word = |field: &str| view[field].as_str().unwrap_or_default().to_owned();
    let name = word("object").split_once('/').unwrap().1.to_owned();
    let key = (word("group"), word("kind"), word("namespace"), name);
    match view["fate"].as_str() {
        Some("created") => drop(now.objects.insert(key, view["whole"].clone())),
        Some("deleted") => {
            now.objects.remove(&key);
            // What lies in a namespace goes with it.
            now.objects.retain(|(.., inside, _), _| key.1 != "Namespace" || *inside != key.3);
        }
        _ => {
            let object = now.objects.get_mut(&key).unwrap_or_else(|| panic!("{key:?} is changed, and was not there"));
            for field in view["fields"].as_array().into_iter().flatten() {
                let path = field["path"].as_str().unwrap();
                if put(object, path, &field["new"]) == Put::Added {
                    let list = path.rsplit_once('[').unwrap().0.to_owned();
                    now.grown.insert((key.clone(), list));
                }
            }
        }
    }
}

/// One step of a path: a key of a map, what tells an item of a list from the others, or its place among them.
enum Step {
    Key(String),
    Item(Vec<(String, String)>),
    Place(usize),
}

/// Takes a path apart: `spec.containers[name=web].env[0]`, `metadata.labels["istio.io/rev"]`.
fn steps(path: &str) -> Vec<Step> {
    static STEP: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r#"\["([^"]*)"\]|\[(\d+)\]|\[([^\]]*)\]|\.?([^.\[\]]+)"#).unwrap());
    STEP.captures_iter(path)
        .map(|found| match (found.get(1), found.get(2), found.get(3), found.get(4)) {
            (Some(key), ..) | (_, _, _, Some(key)) => Step::Key(key.as_str().to_owned()),
            (_, Some(place), ..) => Step::Place(place.as_str().parse().unwrap()),
            (_, _, Some(labels), _) => {
                Step::Item(labels.as_str().split(',').filter_map(|label| label.split_once('=')).map(owned).collect())
            }
            _ => panic!("{path}"),
        })
        .collect()
}

fn owned((key, value): (&str, &str)) -> (String, String) {
    (key.to_owned(), value.to_owned())
}

fn is(item: &Value, labels: &[(String, String)]) -> bool {
    let shown = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    labels.iter().all(|(key, value)| item.get(key).is_some_and(|found| shown(found) == *value))
}

/// What came of putting a value somewhere.
#[derive(PartialEq, Eq)]
enum Put {
    /// It has taken the place of another.
    There,
    /// It is one more item of a list.
    Added,
}

/// Puts a value where a path leads, or takes away what is there where it is null.
fn put(object: &mut Value, path: &str, new: &Value) -> Put {
    if let Some(list) = path.strip_suffix(" (order)") {
        let wanted: Vec<_> = new.as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let found = steps(list).iter().try_fold(object, enter);
        let place = |item: &Value| {
            let text = item["name"].as_str();
            wanted.iter().position(|name| Some(*name) == text).unwrap_or(usize::MAX)
        };
        found.and_then(Value::as_array_mut).unwrap_or_else(|| panic!("{path}")).sort_by_key(place);
        return Put::There;
    }
    let mut all = steps(path);
    let last = all.pop().unwrap();
    let parent = all.iter().try_fold(object, enter).unwrap_or_else(|| panic!("{path}"));
    match (last, new.is_null()) {
        (Step::Key(key), true) => drop(parent.as_object_mut().unwrap().shift_remove(&key)),
        (Step::Key(key), false) => parent[key] = new.clone(),
        // Lists without keys lose items at their end alone.
        (Step::Place(place), true) => parent.as_array_mut().unwrap().truncate(place),
        (Step::Item(labels), true) => parent.as_array_mut().unwrap().retain(|item| !is(item, &labels)),
        (step, false) => {
            let items = parent.as_array_mut().unwrap();
            let found = match &step {
                Step::Place(place) => Some(*place).filter(|place| *place < items.len()),
                Step::Item(labels) => items.iter().position(|item| is(item, labels)),
                Step::Key(_) => None,
            };
            let Some(place) = found else {
                items.push(new.clone());
                return Put::Added;
            };
            items[place] = new.clone();
        }
    }
    Put::There
}

fn enter<'a>(at: &'a mut Value, step: &Step) -> Option<&'a mut Value> {
    match step {
        Step::Key(key) => at.get_mut(key),
        Step::Place(place) => at.get_mut(*place),
        Step::Item(labels) => at.as_array_mut()?.iter_mut().find(|item| is(item, labels)),
    }
}

/// Where what was predicted and what is there differ, each in a line, beyond what does so by its nature.
pub(crate) fn differences(predicted: &Prediction, found: &Objects) -> Vec<String> {
    let Prediction { objects: predicted, grown } = predicted;
    let is_grown = |key: &Key, field: &Difference| {
        field.path.strip_suffix(" (order)").is_some_and(|list| grown.contains(&(key.clone(), list.to_owned())))
    };
    let keys: BTreeSet<_> = predicted.keys().chain(found.keys()).collect();
    let mut lines = Vec::new();
    for key in keys {
        let (_, kind, namespace, name) = key;
        let shown = format!("{kind} {namespace}/{name}");
        match (predicted.get(key), found.get(key)) {
            (Some(predicted), Some(found)) => {
                let fields = difference::compared(&plain(predicted.clone()), &plain(found.clone())).fields;
                let strange = fields
                    .into_iter()
                    .filter(|field| !is_natural(&format!("{kind} {namespace}/{name}"), field) && !is_grown(key, field));
                lines.extend(
                    strange.map(|field| {
                        format!("{shown} {}: predicted {:?}, found {:?}", field.path, field.old, field.new)
                    }),
                );
            }
            (Some(_), None) => lines.push(format!("{shown} was predicted, and is not there")),
            (None, _) => lines.push(format!("{shown} is there, and was not predicted")),
        }
    }
    lines
}

fn is_natural(object: &str, field: &Difference) -> bool {
    let place = format!("{object} {}", field.path);
    let words = |words: &str| words.split(' ').all(|word| place.contains(word));
    BY_NATURE.iter().any(|(path, _)| words(path))
}

/// An object without the moments at which it was written.
fn plain(object: Value) -> Value {
    static MOMENT: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)").unwrap());
    match object {
        Value::Object(map) => map.into_iter().map(|(key, value)| (key, plain(value))).collect(),
        Value::Array(items) => items.into_iter().map(plain).collect(),
        Value::String(text) => MOMENT.replace_all(&text, "TIME").into(),
        other => other,
    }
}
