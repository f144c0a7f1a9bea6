//! Makes the objects of a Gateway and keeps them as they were made.
//!
//! As with the real one, whoever changes such an object sees it changed back; two istiods that claim one Gateway undo each
//! other without end.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value, json};

use super::{
    class::Class,
    render::{Blueprint, deployment_name},
};
use crate::actor::{
    api::{Api, Fault, Resource, has_code},
    istiod::{
        instance::{Istiod, Known},
        view::{CONFIG_MAPS, DEPLOYMENTS, SERVICE_ACCOUNTS, SERVICES, View},
    },
    json::{items, label, map_at, name, namespace, text},
    mirror::version,
};

/// The field manager of everything that is made for a Gateway, whatever its class.
const MANAGER: &str = "istio.io/gateway-controller";

/// What was applied for one Gateway.
#[derive(Default)]
pub(crate) struct Applied {
    /// What it was made of.
    basis: String,
    /// The objects as they stood after that, by resource and name, without what others write.
    objects: BTreeMap<(&'static str, String), Value>,
}

/// Applies what the Gateway's template makes, unless nothing has changed since the last time.
pub(super) async fn reconcile(
    istiod: &Istiod,
    api: &Api,
    view: &View,
    settings: &Known,
    gateway: &Value,
    class: &'static Class,
) -> Result<(), Fault> {
    let key = (namespace(gateway).to_owned(), name(gateway).to_owned());
    let overlays = overlays(istiod, api, view, gateway).await?;
    let basis = basis(gateway, settings, &overlays, class);
    let mut memory = istiod.memory.lock().await;
    let applied = memory.applied.entry(key.clone()).or_default();
    if applied.basis == basis
        && applied.objects.iter().all(|((plural, name), as_left)| {
            present(view, plural, namespace(gateway), name).is_some_and(|now| bare(&now) == *as_left)
        })
    {
        return Ok(());
    }
    let deployment = view.gateway_deployment(namespace(gateway), &deployment_name(gateway, class));
    let kube_version = memory.kube_version;
    let blueprint = Blueprint {
        identity: &istiod.identity,
        settings: &settings.0,
        gateway,
        class,
        kube_version,
        deployment: deployment.as_deref(),
        overlays: &overlays,
    };
    let objects = match blueprint.objects() {
        Ok(objects) => objects,
        Err(reason) => {
            tracing::warn!(gateway = name(gateway), %reason, "the template makes nothing of this Gateway");
            memory.applied.insert(key, Applied { basis, objects: BTreeMap::new() });
            return Ok(());
        }
    };
    let mut left = Applied { basis, objects: BTreeMap::new() };
    for object in objects {
        match apply(api, view, object).await? {
            Outcome::Written(plural, written) => {
                left.objects.insert((plural, name(&written).to_owned()), bare(&written));
            }
            Outcome::NotMine => {}
            // Without a basis everything is applied again in the next round.
            Outcome::Refused => left.basis.clear(),
        }
    }
    memory.applied.insert(key, left);
    Ok(())
}

/// What the objects are made of, as a text that changes when any of it does.
fn basis(gateway: &Value, settings: &Known, overlays: &[Value], class: &Class) -> String {
    let metadata = &gateway["metadata"];
    let own = json!([metadata["uid"], metadata["generation"], metadata["labels"], metadata["annotations"], overlays]);
    format!("{own} {} {:?}", class.name, settings.1)
}

/// The defaults of the class, then the parameters that the Gateway refers to.
async fn overlays(istiod: &Istiod, api: &Api, view: &View, gateway: &Value) -> Result<Vec<Value>, Fault> {
    let class = text(gateway, "/spec/gatewayClassName");
    let mut defaults: Vec<_> = view
        .config_maps
        .all()
        .into_iter()
        .filter(|one| namespace(one) == istiod.identity.namespace)
        .filter(|one| label(one, "gateway.istio.io/defaults-for-class") == Some(class))
        .collect();
    defaults.sort_by_key(|one| text(one, "/metadata/creationTimestamp").to_owned());
    let mut overlays: Vec<Value> = defaults.first().map(|oldest| oldest["data"].clone()).into_iter().collect();
    let parameters = &gateway["spec"]["infrastructure"]["parametersRef"];
    if parameters["kind"] == "ConfigMap" {
        let found = api.get(CONFIG_MAPS, namespace(gateway), text(parameters, "/name")).await?;
        overlays.extend(found.map(|found| found["data"].clone()));
    }
    Ok(overlays)
}

fn resource_of(object: &Value) -> Option<Resource> {
    Some(match text(object, "/kind") {
        "Deployment" => DEPLOYMENTS,
        "Service" => SERVICES,
        "ServiceAccount" => SERVICE_ACCOUNTS,
        "HorizontalPodAutoscaler" => Resource::of("autoscaling", "v2", "horizontalpodautoscalers"),
        "PodDisruptionBudget" => Resource::of("policy", "v1", "poddisruptionbudgets"),
        _ => return None,
    })
}

fn present(view: &View, plural: &str, namespace: &str, name: &str) -> Option<Arc<Value>> {
    match plural {
        "deployments" => view.gateway_deployments.get(namespace, name),
        "services" => view.services.get(namespace, name),
        "serviceaccounts" => view.gateway_accounts.get(namespace, name),
        _ => None,
    }
}

/// What came of applying one object.
enum Outcome {
    /// It is as it should be: its resource, and how it stands.
    Written(&'static str, Value),
    /// One of that name exists that nobody made for a Gateway.
    NotMine,
    /// Somebody was faster, the namespace is on its way out, or a field cannot change.
    Refused,
}

/// Applies one object.
async fn apply(api: &Api, view: &View, mut object: Value) -> Result<Outcome, Fault> {
    let Some(resource) = resource_of(&object) else { return Ok(Outcome::NotMine) };
    let known = present(view, resource.plural, namespace(&object), name(&object)).map(|known| (*known).clone());
    let existing = match known {
        Some(known) => Some(known),
        None => api.get(resource, namespace(&object), name(&object)).await?,
    };
    if let Some(existing) = existing {
        if label(&existing, "gateway.istio.io/managed").is_none() {
            return Ok(Outcome::NotMine);
        }
        map_at(&mut object, "metadata").insert("resourceVersion".into(), version(&existing).to_string().into());
    }
    match api.apply(resource, MANAGER, &object).await {
        Ok(written) => {
            match resource.plural {
                "deployments" => view.gateway_deployments.put(written.clone()),
                "services" => view.services.put(written.clone()),
                "serviceaccounts" => view.gateway_accounts.put(written.clone()),
                // Nobody follows these, so nothing tells how they stand later.
                _ => return Ok(Outcome::NotMine),
            }
            Ok(Outcome::Written(resource.plural, written))
        }
        Err(fault) if [403, 404, 409, 422].iter().any(|code| has_code(&fault, *code)) => {
            tracing::debug!(object = name(&object), %fault, "an object of a Gateway could not be applied");
            Ok(Outcome::Refused)
        }
        Err(fault) => Err(fault),
    }
}

/// An object without what the API server and its controllers write.
fn bare(object: &Value) -> Value {
    let mut object = object.clone();
    let whole = map_at(&mut object, "metadata");
    for field in ["resourceVersion", "generation", "managedFields"] {
        whole.shift_remove(field);
    }
    if whole.contains_key("annotations") {
        let annotations = map_at(&mut object["metadata"], "annotations");
        annotations.shift_remove("deployment.kubernetes.io/revision");
        if annotations.is_empty() {
            map_at(&mut object, "metadata").shift_remove("annotations");
        }
    }
    if let Some(fields) = object.as_object_mut() {
        fields.shift_remove("status");
        // A list leaves these out, a write answers with them.
        fields.shift_remove("kind");
        fields.shift_remove("apiVersion");
    }
    if items(&object, "/metadata/ownerReferences").is_empty() {
        map_at(&mut object, "metadata").shift_remove("ownerReferences");
    }
    object
}
