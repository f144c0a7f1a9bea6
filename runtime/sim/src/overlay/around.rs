//! What else has to be known before anybody acts on an object: what its admission asks, who owns it, what it owns, and what the
//! controllers look at that it concerns.
//!
//! Not known here: how the live cluster is read, and what is done with what is known.

use serde_json::Value;

use super::{beneath::Miss, scope::Scope};
use crate::{
    actor::json::{items, name, text},
    resource::{GroupResource, Resource},
    server::{Server, arrange},
    store::{Event, Stored},
};

const NAMESPACES: Resource = Resource::core("namespaces");
const NODES: Resource = Resource::core("nodes");
const PODS: Resource = Resource::core("pods");
const SERVICES: Resource = Resource::core("services");
const ACCOUNTS: Resource = Resource::core("serviceaccounts");
const CONFIG_MAPS: Resource = Resource::core("configmaps");
const CLAIMS: Resource = Resource::core("persistentvolumeclaims");
const ENDPOINTS: Resource = Resource::core("endpoints");
const SLICES: Resource = Resource::of("discovery.k8s.io", "v1", "endpointslices");
const DEPLOYMENTS: Resource = Resource::of("apps", "v1", "deployments");
const REPLICA_SETS: Resource = Resource::of("apps", "v1", "replicasets");
const STATEFUL_SETS: Resource = Resource::of("apps", "v1", "statefulsets");
const DAEMON_SETS: Resource = Resource::of("apps", "v1", "daemonsets");
const REVISIONS: Resource = Resource::of("apps", "v1", "controllerrevisions");
const JOBS: Resource = Resource::of("batch", "v1", "jobs");
const BUDGETS: Resource = Resource::of("policy", "v1", "poddisruptionbudgets");
const SCALERS: Resource = Resource::of("autoscaling", "v2", "horizontalpodautoscalers");
const CLASSES: Resource = Resource::of("scheduling.k8s.io", "v1", "priorityclasses");
const DEFINITIONS: Resource = Resource::of("apiextensions.k8s.io", "v1", "customresourcedefinitions");
pub(super) const MUTATING: Resource =
    Resource::of("admissionregistration.k8s.io", "v1", "mutatingwebhookconfigurations");
pub(super) const VALIDATING: Resource =
    Resource::of("admissionregistration.k8s.io", "v1", "validatingwebhookconfigurations");

/// What has to be known, and of which the live cluster says no.
pub(crate) struct Missing {
    pub(crate) what: String,
    pub(crate) miss: Miss,
}

/// Sees to it that the definition of a custom kind is known, if there is one.
pub(crate) async fn definition(server: &Server, name: &str) -> Result<(), Miss> {
    one(server, &DEFINITIONS.into(), "", name).await
}

/// Sees to it that one object is known.
pub(crate) async fn one(server: &Server, of: &GroupResource, namespace: &str, name: &str) -> Result<(), Miss> {
    let versions = server.catalogue().versions(&of.group, &of.plural);
    let (Some(kind), Some(beneath)) = (versions.iter().find(|kind| kind.allows("get")), server.beneath()) else {
        return Ok(());
    };
    beneath.load(server, kind, Scope::one(kind, namespace, name)).await
}

/// Sees to it that all objects of a kind are known, in a namespace or, where it is empty, everywhere.
pub(crate) async fn all(server: &Server, of: &GroupResource, namespace: &str) -> Result<(), Miss> {
    let versions = server.catalogue().versions(&of.group, &of.plural);
    let (Some(kind), Some(beneath)) = (versions.iter().find(|kind| kind.allows("list")), server.beneath()) else {
        return Ok(());
    };
    match beneath.load(server, kind, Scope::all(kind, namespace)).await {
        // A kind that the live server does not have has no objects there.
        Err(Miss::Refused { code: 404, .. }) => Ok(()),
        other => other,
    }
}

/// Sees to it that what admission looks at is known, before an object of a namespace is written.
pub(crate) async fn admission(server: &Server, namespace: &str) -> Result<(), Miss> {
    let beneath = server.beneath().expect("who asks stands over a live cluster");
    if !namespace.is_empty() {
        match one(server, &NAMESPACES.into(), "", namespace).await {
            Err(miss @ Miss::Refused { code: 403, .. }) => {
                beneath.book.unknown(format!("the labels of namespace {namespace}"), miss.words());
                assume(server, namespace);
            }
            other => other?,
        }
    }
    for resource in [MUTATING, VALIDATING] {
        match all(server, &resource.into(), "").await {
            Err(miss @ Miss::Refused { code: 403, .. }) => {
                beneath.book.unknown(format!("which {} have a say in a write", resource.plural), miss.words());
            }
            other => other?,
        }
        for configuration in server.store.all(&resource.into(), None) {
            for webhook in items(configuration.tree(), "/webhooks") {
                let service = &webhook["clientConfig"]["service"];
                if service.is_object() {
                    one(server, &SERVICES.into(), text(service, "/namespace"), text(service, "/name")).await?;
                }
            }
        }
    }
    Ok(())
}

/// Does anything answer behind a Service, as far as its endpoints say?
pub(crate) async fn has_endpoints(server: &Server, namespace: &str, service: &str) -> bool {
    if all(server, &SLICES.into(), namespace).await.is_err() {
        return true;
    }
    let slices = server.store.all(&SLICES.into(), Some(namespace));
    slices.iter().filter(|slice| slice.label("kubernetes.io/service-name") == Some(service)).any(|slice| {
        items(&slice.value(), "/endpoints").iter().any(|endpoint| endpoint["conditions"]["ready"] != false)
    })
}

/// Takes a namespace that may not be read for one that is there. Reads of it are refused as before.
fn assume(server: &Server, namespace: &str) {
    let object = serde_json::json!({
        "metadata": { "name": namespace, "labels": { "kubernetes.io/metadata.name": namespace }, "resourceVersion": "1" },
        "spec": { "finalizers": ["kubernetes"] }, "status": { "phase": "Active" },
    });
    let object = arrange("Namespace", "v1", object);
    let resource = GroupResource::from(NAMESPACES);
    server.store.lay(&resource, &std::sync::Arc::new(Stored::of(&resource, &object, 1)));
}

/// Where else something is looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// In the namespace of the object.
    Here,
    /// Everywhere.
    Everywhere,
}

use Reach::{Everywhere, Here};

/// What is looked at to make pods, and to place them.
const FOR_PODS: [(Resource, Reach); 4] = [(PODS, Here), (ACCOUNTS, Here), (CLASSES, Everywhere), (NODES, Everywhere)];

/// What controllers look at once something has happened to an object of a kind.
fn neighbours(group: &str, plural: &str) -> Vec<(Resource, Reach)> {
    let with = |more: &[(Resource, Reach)]| [&FOR_PODS[..], more].concat();
    match (group, plural) {
        ("apps", "deployments") => with(&[(REPLICA_SETS, Here)]),
        ("apps", "replicasets") | ("batch", "jobs") => with(&[]),
        ("apps", "daemonsets") => with(&[(REVISIONS, Here)]),
        ("apps", "statefulsets") => with(&[(REVISIONS, Here), (CLAIMS, Here)]),
        ("batch", "cronjobs") => with(&[(JOBS, Here)]),
        ("", "pods") => with(&[(SERVICES, Here), (SLICES, Here), (ENDPOINTS, Here), (BUDGETS, Here)]),
        ("", "services") | ("discovery.k8s.io", "endpointslices") => {
            vec![(SERVICES, Here), (SLICES, Here), (ENDPOINTS, Here), (PODS, Here), (NODES, Everywhere)]
        }
        ("policy", "poddisruptionbudgets") => {
            vec![(PODS, Here), (REPLICA_SETS, Here), (DEPLOYMENTS, Here), (STATEFUL_SETS, Here)]
        }
        ("autoscaling", "horizontalpodautoscalers") => vec![(PODS, Here), (DEPLOYMENTS, Here), (STATEFUL_SETS, Here)],
        ("", "nodes") => vec![(PODS, Everywhere), (DAEMON_SETS, Everywhere)],
        _ => Vec::new(),
    }
}

/// What an object of a custom kind is likely to own.
const OWNED: [Resource; 6] = [DEPLOYMENTS, SERVICES, ACCOUNTS, CONFIG_MAPS, BUDGETS, SCALERS];

/// Sees to it that everything is known that controllers look at after an event.
pub(crate) async fn surround(server: &Server, resource: &GroupResource, event: &Event) -> Result<(), Missing> {
    let here = event.new.namespace();
    for (near, reach) in neighbours(&resource.group, &resource.plural) {
        need(server, near, if reach == Here { here } else { "" }).await?;
    }
    if is_waiting(resource, event) {
        room(server, here).await;
    }
    for state in [event.old.as_deref(), Some(&*event.new)].into_iter().flatten() {
        owners(server, state).await?;
    }
    let is_leaving = event.is_deletion || contains(event.new.bytes(), "\"deletionTimestamp\"");
    if is_leaving {
        dependents(server, resource, event).await?;
    }
    Ok(())
}

fn is_waiting(resource: &GroupResource, event: &Event) -> bool {
    *resource == PODS.into() && event.old.is_none() && event.new.first_field().is_none_or(str::is_empty)
}

fn contains(bytes: &[u8], word: &str) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| text.contains(word))
}

async fn need(server: &Server, resource: Resource, namespace: &str) -> Result<(), Missing> {
    all(server, &resource.into(), namespace).await.map_err(|miss| Missing {
        what: match namespace {
            "" => resource.plural.to_owned(),
            _ => format!("{} in namespace {namespace}", resource.plural),
        },
        miss,
    })
}

/// The pods of all namespaces take room on the nodes. Where they may not be read, the room is what those here leave.
async fn room(server: &Server, here: &str) {
    if let Err(missing) = need(server, PODS, "").await
        && let Some(beneath) = server.beneath()
    {
        let what = format!("whether nodes have room for new pods of namespace {here}");
        beneath.book.unknown(what, missing.miss.words());
    }
}

/// Owners that are not known would look as if they were gone.
async fn owners(server: &Server, object: &Stored) -> Result<(), Missing> {
    for owner in &object.owners {
        let group = owner.api_version.rsplit_once('/').map_or("", |(group, _)| group);
        if server.resource_of(&owner.api_version, &owner.kind).is_none() && group.contains('.') {
            learn(server, group, &owner.kind).await?;
        }
        let Some((resource, is_namespaced)) = server.resource_of(&owner.api_version, &owner.kind) else { continue };
        let namespace = if is_namespaced { object.namespace() } else { "" };
        one(server, &resource, namespace, &owner.name).await.map_err(|miss| Missing {
            what: format!("{} {}, which owns {}", owner.kind, owner.name, object.key()),
            miss,
        })?;
    }
    Ok(())
}

/// Finds the definition of a kind whose resource is not known, among all that there are.
async fn learn(server: &Server, group: &str, kind: &str) -> Result<(), Missing> {
    need(server, DEFINITIONS, "")
        .await
        .map_err(|missing| Missing { what: format!("the definition of {kind}.{group}"), ..missing })
}

async fn dependents(server: &Server, resource: &GroupResource, event: &Event) -> Result<(), Missing> {
    let here = event.new.namespace();
    match (&*resource.group, &*resource.plural) {
        ("", "namespaces") => contents(server, event.new.name()).await?,
        ("apiextensions.k8s.io", "customresourcedefinitions") => instances(server, &event.new.value()).await?,
        (group, _) if group.contains('.') && !group.ends_with(".k8s.io") || group == "gateway.networking.k8s.io" => {
            for owned in OWNED.into_iter().filter(|_| !here.is_empty()) {
                need(server, owned, here).await?;
            }
        }
        _ => {}
    }
    for (_, dependent) in server.store.owned(&event.new.uid) {
        owners(server, &dependent).await?;
    }
    Ok(())
}

/// Everything that lies in a namespace.
async fn contents(server: &Server, namespace: &str) -> Result<(), Missing> {
    need(server, DEFINITIONS, "").await?;
    let mut resources: Vec<GroupResource> = server
        .catalogue()
        .all()
        .filter(|kind| kind.namespaced && kind.allows("list") && kind.plural != "events")
        .map(|kind| GroupResource::new(&kind.group, &kind.plural))
        .collect();
    resources.sort();
    resources.dedup();
    for resource in resources {
        all(server, &resource, namespace)
            .await
            .map_err(|miss| Missing { what: format!("{} in namespace {namespace}", resource.words()), miss })?;
    }
    Ok(())
}

/// The objects of a definition.
async fn instances(server: &Server, definition: &Value) -> Result<(), Missing> {
    let (group, plural) = (text(definition, "/spec/group"), text(definition, "/spec/names/plural"));
    all(server, &GroupResource::new(group, plural), "")
        .await
        .map_err(|miss| Missing { what: format!("the objects of {}", name(definition)), miss })
}
