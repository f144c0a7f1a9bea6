//! What a plan is bound to: its script, its parameters, its cluster, its time, and the objects that it changes.
//!
//! Does not know the calls of a run.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::{StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;
use runbook_core::fault::{Code, Fault};
use runbook_core::world::Cluster;
use runbook_stdlib::kubectl::api::{Api, Scope};
use runbook_stdlib::kubectl::kind;
use runbook_stdlib::kubectl::query::{Listing, ManagedFields};
use serde_json::{Map, Value};

use super::draw::{RESTLESS, essence, writers};
use super::file::{Before, Plan};
use crate::screen;

/// Objects read at the same time.
const AT_ONCE: usize = 8;

/// How many objects are named.
const NAMED: usize = 10;

/// What a run is started with.
pub(crate) struct Given<'a> {
    pub(crate) now: Timestamp,
    pub(crate) program: &'a str,
    pub(crate) runbook: &'a str,
    pub(crate) digest: &'a str,
    /// Parameters in effect, without those that are secrets.
    pub(crate) parameters: &'a Map<String, Value>,
    /// Those that are.
    pub(crate) secrets: &'a Map<String, Value>,
}

/// Whether a plan is for what is started now. Nothing is read for that.
///
/// Faults: `RB053` with every reason why not.
pub(crate) fn start(plan: &Plan, file: &str, given: &Given<'_>) -> Result<(), Fault> {
    let mut reasons = Vec::new();
    if given.now >= plan.expires {
        reasons.push(format!("it held until {}", screen::moment(plan.expires)));
    }
    if plan.runbook != given.runbook {
        reasons.push(format!("it is for runbook `{}`, and this is `{}`", plan.runbook, given.runbook));
    } else if plan.digest != given.digest {
        reasons.push(format!("the script `{}` has changed since", plan.runbook));
    }
    if plan.program != given.program {
        reasons.push(format!("it was made by runbook {}, and this is {}", plan.program, given.program));
    }
    let names: std::collections::BTreeSet<&String> = plan.parameters.keys().chain(given.parameters.keys()).collect();
    let shown = |value: Option<&Value>| {
        value.map_or_else(|| "nothing".to_owned(), |value| format!("`{}`", screen::plain(value)))
    };
    for name in names {
        let (planned, now) = (plan.parameters.get(name), given.parameters.get(name));
        if planned != now {
            reasons.push(format!("`--{}` was {}, and is {}", name.replace('_', "-"), shown(planned), shown(now)));
        }
    }
    for (name, digest) in &plan.secrets {
        if given.secrets.get(name).map(|value| plan.keyed(value)).as_ref() != Some(digest) {
            reasons.push(format!("`--{}` is another secret than it was", name.replace('_', "-")));
        }
    }
    unless(reasons, file)
}

/// Whether a plan is for this cluster, and what it changes is as it was.
///
/// Faults: `RB053` where it is not; those of reading.
pub(crate) async fn cluster(plan: &Plan, file: &str, live: &Arc<Cluster>, id: Option<&str>) -> Result<(), Fault> {
    let mut reasons = Vec::new();
    match id {
        _ if id == plan.cluster.id.as_deref() => {}
        Some(_) => reasons.push(format!(
            "it is for the cluster of `--context {}` at {}, and this is another one at {}",
            plan.cluster.context, plan.cluster.server, live.server
        )),
        None => reasons
            .push("which cluster this is cannot be found out: the namespace `kube-system` cannot be read".to_owned()),
    }
    if plan.namespace != live.namespace {
        reasons.push(format!("its calls went to namespace `{}`, and would go to `{}`", plan.namespace, live.namespace));
    }
    // Another cluster's objects say nothing.
    unless(reasons, file)?;
    let asked = futures::stream::iter(&plan.objects).map(|before| changed(plan, live, before));
    let changed: Vec<Option<String>> = asked.buffered(AT_ONCE).try_collect().await?;
    unless(changed.into_iter().flatten().collect(), file)
}

/// In words, how an object differs from what the plan began with.
async fn changed(plan: &Plan, live: &Arc<Cluster>, before: &Before) -> Result<Option<String>, Fault> {
    let scope = if before.namespace.is_empty() { Scope::All } else { Scope::Namespace(Some(before.namespace.clone())) };
    let api = Api::of(live, kind::resolve(live, &before.resource).await?, &scope)?;
    let title = api.title(&before.name);
    let place = if before.namespace.is_empty() { String::new() } else { format!(" in {}", before.namespace) };
    Ok(match api.find(&before.name).await? {
        None => Some(format!("{title}{place} is gone")),
        Some(object) if plan.keyed(&essence(&object)) == before.digest => None,
        Some(object) => Some(format!("{title}{place} has been changed{}", by_whom(&object, before.written))),
    })
}

/// Who has written an object since then, as far as its fields say.
fn by_whom(object: &Value, since: Option<Timestamp>) -> String {
    let last = writers(object).filter(|(at, _)| Some(*at) > since).max_by_key(|(at, _)| *at);
    last.map(|(at, who)| format!(" by {who} at {}", at.strftime("%H:%M:%S UTC"))).unwrap_or_default()
}

fn unless(reasons: Vec<String>, file: &str) -> Result<(), Fault> {
    let Some(first) = reasons.first() else { return Ok(()) };
    let message = match reasons.len() {
        1 => format!("`{file}` is not for this run: {first}"),
        more => format!("`{file}` is not for this run, for {more} reasons"),
    };
    let mut fault = Fault::new(Code::PlanUnfit, message)
        .hint("plan anew with `--dry-run --plan-out FILE`, and look at what differs");
    if reasons.len() > 1 {
        fault.evidence = reasons;
    }
    Err(fault)
}

/// What of all that was read for a plan is not as it was, in words. Empty where it cannot be read.
pub(crate) async fn moved(plan: &Plan, live: &Arc<Cluster>) -> Vec<String> {
    let mut collections: BTreeMap<&str, Vec<(&str, Option<&str>)>> = BTreeMap::new();
    for (words, version) in &plan.read {
        let Some((resource, name)) = words.split_once(' ') else { continue };
        if !RESTLESS.contains(&resource) {
            collections.entry(resource).or_default().push((name, version.as_deref()));
        }
    }
    let mut found = Vec::new();
    for (resource, read) in collections {
        let Ok(now) = versions(live, resource).await else { continue };
        let differs = read.iter().filter(|(name, version)| now.get(*name).map(String::as_str) != *version);
        found.extend(differs.map(|(name, version)| match version {
            None => format!("{resource} {name} has come"),
            Some(_) if now.contains_key(*name) => format!("{resource} {name} has been changed"),
            Some(_) => format!("{resource} {name} is gone"),
        }));
    }
    let more = found.len().saturating_sub(NAMED);
    found.truncate(NAMED);
    if more > 0 {
        found.push(format!("and {more} more"));
    }
    found.into_iter().map(|words| format!("since the plan was made: {words}")).collect()
}

/// The resource versions of a collection, by `namespace/name`.
async fn versions(live: &Arc<Cluster>, resource: &str) -> Result<BTreeMap<String, String>, Fault> {
    let api = Api::of(live, kind::resolve(live, resource).await?, &Scope::All)?;
    let listing = Listing { managed_fields: ManagedFields::Dropped, ..Listing::default() }.metadata_only();
    let items = api.list(&listing).await?.items;
    let text = |object: &Value, key: &str| object["metadata"][key].as_str().map(str::to_owned);
    Ok(items
        .iter()
        .filter_map(|object| {
            let name = text(object, "name")?;
            let name =
                text(object, "namespace").map_or_else(|| name.clone(), |namespace| format!("{namespace}/{name}"));
            Some((name, text(object, "resourceVersion")?))
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn who_has_changed_an_object_since_is_named() {
        let written = |manager: &str, time: &str| json!({ "manager": manager, "time": time });
        let mut object = json!({ "metadata": { "managedFields": [
            written("helm", "2026-11-27T06:00:00Z"),
            { "manager": "kube-controller-manager", "time": "2026-11-27T08:00:00Z", "subresource": "status" },
        ] } });
        let since = writers(&object).map(|(at, _)| at).max();
        assert_eq!(by_whom(&object, since), "");
        let fields = object["metadata"]["managedFields"].as_array_mut().unwrap();
        fields.push(written("kubectl-edit", "2026-11-27T07:14:03Z"));
        assert_eq!(by_whom(&object, since), " by kubectl-edit at 07:14:03 UTC");
    }
}
