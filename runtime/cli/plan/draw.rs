//! Draws up a plan from what a dry run found.
//!
//! Does not know how the dry run went about it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use runbook_core::digest;
use runbook_core::fault::{Code, Fault};
use runbook_core::record::{Cluster, Run};
use runbook_sim::overlay::{Overlay, Subject};
use runbook_stdlib::difference;
use serde_json::{Map, Value};

use super::file::{Before, Call, Plan, VERSION};
use super::likeness;
use crate::id;

/// What changes all the time of its own accord, and is no news.
pub(super) const RESTLESS: [&str; 5] =
    ["pods", "endpoints", "endpointslices.discovery.k8s.io", "leases.coordination.k8s.io", "events"];

/// What a plan is drawn from.
pub(crate) struct Drawing<'a> {
    pub(crate) run: &'a Run,
    pub(crate) cluster: Option<&'a Cluster>,
    pub(crate) namespace: String,
    /// Parameters in effect, without those that are secrets.
    pub(crate) parameters: Map<String, Value>,
    /// Those that are.
    pub(crate) secrets: Map<String, Value>,
    pub(crate) overlay: &'a Overlay,
    /// The calls, with their arguments as they were.
    pub(crate) calls: Vec<(Call, Value)>,
    pub(crate) now: Timestamp,
    /// When the dry run began, by its own clock.
    pub(crate) since: Timestamp,
    /// How long it holds.
    pub(crate) lasts: Duration,
}

/// Draws up a plan.
///
/// Faults: `RB053` where nothing says which cluster it is for; `RB050` where there are no random numbers.
pub(crate) fn draw(drawing: Drawing<'_>) -> Result<Plan, Fault> {
    let Drawing { run, cluster, namespace, parameters, secrets, overlay, calls, now, since, lasts } = drawing;
    let cluster = cluster.filter(|cluster| cluster.id.is_some()).cloned().ok_or_else(|| {
        Fault::new(Code::PlanUnfit, "a plan is for one cluster, and nothing says which this is")
            .hint("its id is the uid of the namespace `kube-system`, which you need to be allowed to get")
    })?;
    let mut plan = Plan {
        version: VERSION,
        program: run.program.clone(),
        runbook: run.runbook.clone(),
        digest: run.digest.clone(),
        made: now,
        expires: now + lasts,
        by: run.by.clone(),
        cluster,
        namespace,
        parameters,
        secrets: BTreeMap::new(),
        key: digest::of_bytes(&id::key()?),
        objects: Vec::new(),
        calls: Vec::new(),
        read: overlay.reads().into_iter().map(|read| (in_words(&read.subject), read.version)).collect(),
    };
    plan.secrets = secrets.iter().map(|(name, value)| (name.clone(), plan.keyed(value))).collect();
    let deeds = overlay.deeds().into_iter().filter(|deed| deed.verb == "create");
    let made_up: BTreeSet<String> = deeds.map(|deed| deed.subject.name).collect();
    plan.calls =
        calls.into_iter().map(|(call, arguments)| digested(&plan, call, &arguments, since, &made_up)).collect();
    plan.objects = overlay.changes().into_iter().filter_map(|change| before(&plan, &change)).collect();
    Ok(plan)
}

/// A call with the digests of its arguments. Names that the simulation made up are others in earnest.
fn digested(plan: &Plan, call: Call, arguments: &Value, since: Timestamp, made_up: &BTreeSet<String>) -> Call {
    let (digest, loose) = plan.digests(arguments, since);
    let is_loose = !call.effect.writes() || likeness::mentions(arguments, made_up);
    Call { digest, loose: is_loose.then_some(loose), ..call }
}

/// What a change of the run began with. What controllers write follows from it.
fn before(plan: &Plan, change: &runbook_sim::overlay::Change) -> Option<Before> {
    let object = change.before.as_ref().filter(|_| change.by_run())?;
    let resource = change.subject.full_resource();
    if RESTLESS.contains(&resource.as_str()) {
        return None;
    }
    Some(Before {
        resource,
        namespace: change.subject.namespace.clone(),
        name: change.subject.name.clone(),
        digest: plan.keyed(&essence(object)),
        written: writers(object).map(|(at, _)| at).max(),
    })
}

/// What an object is made of, and not how many replicas there are of it, which autoscalers say.
pub(super) fn essence(object: &Value) -> Value {
    let mut object = difference::without_servers_own(object.clone());
    if let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) {
        spec.shift_remove("replicas");
    }
    object
}

/// Who has written an object, and when. Who wrote its status says nothing of what it is made of.
pub(super) fn writers(object: &Value) -> impl Iterator<Item = (Timestamp, &str)> {
    let entries = object["metadata"]["managedFields"].as_array().into_iter().flatten();
    entries.filter(|entry| entry["subresource"].as_str().is_none()).filter_map(|entry| {
        let at = entry["time"].as_str()?.parse().ok()?;
        Some((at, entry["manager"].as_str().unwrap_or("somebody")))
    })
}

fn in_words(subject: &Subject) -> String {
    let place = if subject.namespace.is_empty() { String::new() } else { format!("{}/", subject.namespace) };
    format!("{} {place}{}", subject.full_resource(), subject.name)
}
