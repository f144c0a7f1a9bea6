//! Admission webhooks on the way: which nobody would answer at some moment of a run, and which namespaces get another one.
//!
//! Told from configurations, Services, endpoints and namespaces alone: every state that they go through. Does not know whose
//! webhooks they are.

use std::collections::{BTreeMap, BTreeSet};

use runbook_core::Value;
use runbook_sim::Subject;
use runbook_stdlib::value::labels;
use serde_json::Map;

use super::change::Key;
use super::collector::{Collected, Moment};
use super::disruption::Disruption;
use super::grade::Grade;

/// What webhooks depend on: group and plural.
pub(super) const RESOURCES: [(&str, &str); 4] = [
    ("admissionregistration.k8s.io", "mutatingwebhookconfigurations"),
    ("admissionregistration.k8s.io", "validatingwebhookconfigurations"),
    ("discovery.k8s.io", "endpointslices"),
    ("", "namespaces"),
];

/// The label by which endpoints name their Service.
const SERVICE: &str = "kubernetes.io/service-name";

/// Whether webhooks depend on an object.
pub(super) fn depends_on(subject: &Subject) -> bool {
    RESOURCES.contains(&(subject.group.as_str(), subject.plural.as_str()))
}

/// The objects that webhooks depend on, at one moment.
#[derive(Debug, Default, Clone)]
pub(super) struct State {
    objects: BTreeMap<Key, Value>,
}

impl State {
    /// Puts in what was listed of a resource.
    pub(super) fn put(&mut self, (group, plural): (&str, &str), objects: Vec<Value>) {
        for object in objects {
            let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default().to_owned();
            let key = Key {
                group: group.to_owned(),
                plural: plural.to_owned(),
                namespace: text("namespace"),
                name: text("name"),
            };
            self.objects.insert(key, object);
        }
    }

    fn set(&mut self, key: Key, object: Option<Value>) {
        match object {
            Some(object) => drop(self.objects.insert(key, object)),
            None => drop(self.objects.remove(&key)),
        }
    }

    fn of<'a>(&'a self, plural: &'a str) -> impl Iterator<Item = &'a Value> {
        self.objects.iter().filter(move |(key, _)| key.plural == plural).map(|(_, object)| object)
    }

    /// The services behind webhooks that nobody answers: configuration, service, and whether requests are refused then.
    fn unanswered(&self) -> BTreeSet<Gap> {
        let mut found = BTreeSet::new();
        for configuration in RESOURCES[..2].iter().flat_map(|(_, plural)| self.of(plural)) {
            for webhook in items(&configuration["webhooks"]) {
                let Some((namespace, service)) = service(webhook) else { continue };
                if !self.has_endpoint(namespace, service) {
                    found.insert(Gap {
                        configuration: text(&configuration["metadata"]["name"]).to_owned(),
                        kind: text(&configuration["kind"]).to_owned(),
                        service: format!("{namespace}/{service}"),
                        refuses: webhook["failurePolicy"] != "Ignore",
                    });
                }
            }
        }
        found
    }

    fn has_endpoint(&self, namespace: &str, service: &str) -> bool {
        self.of("endpointslices")
            .filter(|slice| {
                slice["metadata"]["namespace"] == namespace && slice["metadata"]["labels"][SERVICE] == service
            })
            .flat_map(|slice| items(&slice["endpoints"]))
            .any(|endpoint| endpoint["conditions"]["ready"] != false)
    }

    /// For each namespace, the services that change an ordinary new pod in it.
    fn injectors(&self) -> BTreeMap<String, BTreeSet<String>> {
        let webhooks: Vec<&Value> = self
            .of("mutatingwebhookconfigurations")
            .flat_map(|configuration| items(&configuration["webhooks"]))
            .filter(|webhook| {
                items(&webhook["rules"]).any(is_about_pods) && fits(&webhook["objectSelector"], &Map::new())
            })
            .collect();
        let mut found = BTreeMap::new();
        for namespace in self.of("namespaces") {
            let labels = namespace["metadata"]["labels"].as_object().cloned().unwrap_or_default();
            let meets = webhooks.iter().filter(|webhook| fits(&webhook["namespaceSelector"], &labels));
            let who = meets.map(|webhook| match service(webhook) {
                Some((namespace, service)) => format!("{namespace}/{service}"),
                None => text(&webhook["clientConfig"]["url"]).to_owned(),
            });
            found.insert(text(&namespace["metadata"]["name"]).to_owned(), who.collect());
        }
        found
    }
}

/// A webhook that nobody answers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Gap {
    configuration: String,
    kind: String,
    service: String,
    refuses: bool,
}

/// What is disturbed on the way to `last`, the state at the end of the run.
pub(super) fn disruptions(collected: &Collected, last: State) -> Vec<Disruption> {
    let mut state = last;
    for moment in collected.moments.iter().rev() {
        state.set(Key::of(&moment.change.subject), moment.change.before());
    }
    // What was so before is not this run's doing.
    let mut open: BTreeMap<Gap, Option<usize>> = state.unanswered().into_iter().map(|gap| (gap, None)).collect();
    let mut injectors = state.injectors();
    let mut found = Vec::new();
    for (index, moment) in collected.moments.iter().enumerate() {
        state.set(Key::of(&moment.change.subject), moment.change.after());
        let now = state.unanswered();
        let closed: Vec<Gap> = open.keys().filter(|gap| !now.contains(gap)).cloned().collect();
        for gap in closed {
            if let Some(Some(call)) = open.remove(&gap) {
                found.push((call, said(&gap, collected, call, Until::Call(moment.call))));
            }
        }
        for gap in now {
            open.entry(gap).or_insert(Some(moment.call));
        }
        if ends_a_call(&collected.moments, index) {
            let now = state.injectors();
            found.extend(moved(&injectors, &now, collected, moment.call).into_iter().map(|one| (moment.call, one)));
            injectors = now;
        }
    }
    for (gap, call) in open {
        found.extend(call.map(|call| (call, said(&gap, collected, call, Until::End))));
    }
    found.sort_by_key(|(call, _)| *call);
    found.into_iter().map(|(_, disruption)| disruption).collect()
}

fn ends_a_call(moments: &[Moment], index: usize) -> bool {
    moments.get(index + 1).is_none_or(|next| next.call != moments[index].call)
}

/// Until when a webhook is not answered.
#[derive(Clone, Copy)]
enum Until {
    Call(usize),
    End,
}

fn said(gap: &Gap, collected: &Collected, call: usize, until: Until) -> Disruption {
    let made = &collected.calls[call];
    let until = match until {
        Until::Call(end) if end == call => "while it goes on".to_owned(),
        Until::Call(end) => format!("until `{}`", collected.calls[end].words),
        Until::End => "from then on, to the end of the run".to_owned(),
    };
    let meaning =
        if gap.refuses { "what it is asked about is refused" } else { "what it is asked about passes unseen" };
    Disruption {
        step: made.call.step.clone(),
        what: format!(
            "{}/{} has no endpoint behind {} {until}",
            gap.kind.to_lowercase(),
            gap.configuration,
            gap.service
        ),
        why: format!("`{}`; {meaning}", made.words),
        grade: Grade::Simulated,
        pods: None,
    }
}

/// The namespaces in which new pods meet another webhook than before; those that move alike stand together.
fn moved(
    before: &BTreeMap<String, BTreeSet<String>>,
    after: &BTreeMap<String, BTreeSet<String>>,
    collected: &Collected,
    call: usize,
) -> Vec<Disruption> {
    let none = BTreeSet::new();
    let mut alike: BTreeMap<(String, String), Vec<&str>> = BTreeMap::new();
    for (namespace, now) in after {
        let was = before.get(namespace).unwrap_or(&none);
        // A new namespace has no pods that were made by another.
        if before.contains_key(namespace) && was != now {
            alike.entry((in_words(was), in_words(now))).or_default().push(namespace);
        }
    }
    let made = &collected.calls[call];
    let one = |((was, now), namespaces): ((String, String), Vec<&str>)| Disruption {
        step: made.call.step.clone(),
        what: format!("new pods in {} are changed by {now}, before by {was}", listed(&namespaces)),
        why: format!("`{}`", made.words),
        grade: Grade::Simulated,
        pods: None,
    };
    alike.into_iter().map(one).collect()
}

fn listed(namespaces: &[&str]) -> String {
    let shown = namespaces.iter().take(5).copied().collect::<Vec<_>>().join(", ");
    let more = namespaces.len().saturating_sub(5);
    let word = if namespaces.len() == 1 { "namespace" } else { "namespaces" };
    if more > 0 { format!("{word} {shown} and {more} more") } else { format!("{word} {shown}") }
}

fn in_words(services: &BTreeSet<String>) -> String {
    if services.is_empty() { "none".to_owned() } else { services.iter().cloned().collect::<Vec<_>>().join(" and ") }
}

fn is_about_pods(rule: &Value) -> bool {
    let has = |field: &str, wanted: &str| items(&rule[field]).any(|value| value == wanted || value == "*");
    has("resources", "pods") && has("operations", "CREATE") && has("apiGroups", "")
}

fn service(webhook: &Value) -> Option<(&str, &str)> {
    let service = &webhook["clientConfig"]["service"];
    Some((service["namespace"].as_str()?, service["name"].as_str()?))
}

/// A selector that cannot be read fits nothing: the API server would not have taken it.
fn fits(selector: &Value, labels: &Map<String, Value>) -> bool {
    selector.as_object().is_none_or(|selector| labels::fits(selector, labels).unwrap_or(false))
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
