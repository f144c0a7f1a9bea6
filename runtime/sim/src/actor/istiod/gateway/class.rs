//! The classes that Istio has for Gateways: what they are called, who handles them, how their Gateways are made.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::status::with_condition;
use crate::actor::{
    api::{Api, Fault, Part, has_code},
    istiod::{
        MANAGER,
        instance::{Identity, Istiod},
        view::{GATEWAY_CLASSES, View},
    },
    json::{items, text},
};

/// One class, as istiod knows it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Class {
    pub(crate) name: &'static str,
    pub(crate) controller: &'static str,
    /// The value of `gateway.istio.io/managed` on pods and what they belong to.
    pub(crate) label: &'static str,
    pub(crate) description: &'static str,
    /// The injection template that makes its Gateways; empty where none are made.
    pub(crate) template: &'static str,
    pub(crate) service_type: &'static str,
    /// What is added to a Gateway's name.
    pub(crate) suffix: Suffix,
    pub(crate) reports: Reports,
}

/// How the objects made for a Gateway are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Suffix {
    /// The Gateway's name, a dash and the class.
    Class,
    /// The Gateway's name alone.
    None,
}

/// Which address a Gateway reports that has none from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reports {
    /// The name of its Service.
    Hostname,
    /// The address and the name of its Service.
    Both,
}

pub(crate) const INGRESS: Class = Class {
    name: "istio",
    controller: "istio.io/gateway-controller",
    label: "istio.io-gateway-controller",
    description: "The default Istio GatewayClass",
    template: "kube-gateway",
    service_type: "LoadBalancer",
    suffix: Suffix::Class,
    reports: Reports::Hostname,
};

pub(crate) const REMOTE: Class = Class {
    name: "istio-remote",
    controller: "istio.io/unmanaged-gateway",
    label: "",
    description: "Remote to this cluster. Does not deploy or affect configuration.",
    template: "",
    service_type: "",
    suffix: Suffix::Class,
    reports: Reports::Hostname,
};

pub(crate) const WAYPOINT: Class = Class {
    name: "istio-waypoint",
    controller: "istio.io/mesh-controller",
    label: "istio.io-mesh-controller",
    description: "The default Istio waypoint GatewayClass",
    template: "waypoint",
    service_type: "ClusterIP",
    suffix: Suffix::None,
    reports: Reports::Both,
};

/// The classes that an istiod has. Waypoints belong to ambient control planes.
fn known(identity: &Identity) -> impl Iterator<Item = &'static Class> {
    [&INGRESS, &REMOTE, &WAYPOINT].into_iter().filter(|class| class.name != WAYPOINT.name || identity.is_ambient())
}

/// The class of a Gateway, by the controller of its GatewayClass; none where it is not one of Istio's.
pub(crate) fn of(gateway: &Value, view: &View, identity: &Identity) -> Option<&'static Class> {
    let name = text(gateway, "/spec/gatewayClassName");
    match view.gateway_classes.get("", name) {
        Some(class) => known(identity).find(|one| one.controller == text(&class, "/spec/controllerName")),
        None => known(identity).find(|one| one.name == name),
    }
}

/// Makes the classes that are missing and says of those that are Istio's that they are handled.
pub(super) async fn reconcile(istiod: &Istiod, api: &Api, view: &View, now: Timestamp) -> Result<(), Fault> {
    for class in known(&istiod.identity) {
        if view.gateway_classes.get("", class.name).is_none() {
            match api.create(GATEWAY_CLASSES, MANAGER, &object(class)).await {
                Ok(written) => view.gateway_classes.put(written),
                Err(fault) if has_code(&fault, 409) => {}
                Err(fault) => return Err(fault),
            }
        }
    }
    for present in view.gateway_classes.all() {
        let ours = known(&istiod.identity).any(|class| class.controller == text(&present, "/spec/controllerName"));
        if !ours || is_accepted(&present) {
            continue;
        }
        let Some(mut fresh) = api.get(GATEWAY_CLASSES, "", text(&present, "/metadata/name")).await? else { continue };
        if is_accepted(&fresh) {
            continue;
        }
        accept(&mut fresh, now);
        match api.update(GATEWAY_CLASSES, MANAGER, Part::Status, &fresh).await {
            Ok(written) => view.gateway_classes.put(written),
            Err(fault) if has_code(&fault, 409) => {}
            Err(fault) => return Err(fault),
        }
    }
    Ok(())
}

/// A class as it is created.
pub(crate) fn object(class: &Class) -> Value {
    json!({
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "GatewayClass",
        "metadata": { "name": class.name },
        "spec": { "controllerName": class.controller, "description": class.description },
    })
}

/// Says of a class that it is handled.
pub(crate) fn accept(class: &mut Value, now: Timestamp) {
    let generation = class["metadata"]["generation"].clone();
    let before = items(class, "/status/conditions").to_vec();
    let accepted = json!({
        "type": "Accepted",
        "status": "True",
        "reason": "Accepted",
        "message": "Handled by Istio controller",
        "observedGeneration": generation,
    });
    // The API server writes a condition of its own when a class is created; it is replaced, not kept beside.
    class["status"]["conditions"] = Value::Array(with_condition(&before, accepted, now));
}

fn is_accepted(class: &Value) -> bool {
    items(class, "/status/conditions").iter().any(|one| {
        one["type"] == "Accepted"
            && one["status"] == "True"
            && one["observedGeneration"] == class["metadata"]["generation"]
    })
}
