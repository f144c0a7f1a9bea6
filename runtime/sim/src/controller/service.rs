//! Services and their endpoints, old and new.
//!
//! The Services of a namespace are looked at together: a pod that changes then costs one look, however many Services might
//! select it. Not known here: who gives out cluster addresses.

mod endpoint;

use std::collections::BTreeMap;

use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::{
    Controller, Hand, Key, Next, Watch,
    member::{Member, PODS},
    reading::is_leaving,
};
use crate::{
    actor::json::{items, name, text},
    resource::Resource,
    server::Deletion,
    status::Status,
    store::Event,
};

const SERVICES: Resource = Resource::core("services");
const SLICES: Resource = Resource::of("discovery.k8s.io", "v1", "endpointslices");
const ENDPOINTS: Resource = Resource::core("endpoints");

pub(super) const ENDPOINT_SLICE: Controller = Controller {
    name: "endpointslice-controller",
    watches: &[Watch::by(SERVICES, of_services), Watch::by(PODS, of_pods), Watch::owner(SLICES, "Service")],
    reconcile: |hand, key| boxed(hand, key),
};

pub(super) const LOAD_BALANCER: Controller = Controller {
    name: "service-controller",
    watches: &[Watch::itself(SERVICES)],
    reconcile: |hand, key| Box::pin(balance(hand, key)),
};

fn boxed<'a>(hand: &'a Hand, key: &'a Key) -> BoxFuture<'a, Result<Next, Status>> {
    Box::pin(reconcile(hand, key))
}

fn of_services(_: &Hand, event: &Event) -> Vec<Key> {
    vec![Key::new(event.new.namespace(), "")]
}

/// The whole namespace, where a pod with labels may have come to serve, or ceased to.
fn of_pods(hand: &Hand, event: &Event) -> Vec<Key> {
    let is_of_interest = !event.new.labels.is_empty() && hand.count(SERVICES, Some(event.new.namespace())) > 0;
    // A pod that was just made has no address yet.
    let is_new = event.old.is_none();
    if is_of_interest && !is_new { vec![Key::new(event.new.namespace(), "")] } else { Vec::new() }
}

async fn reconcile(hand: &Hand, key: &Key) -> Result<Next, Status> {
    let space = &key.namespace;
    let services = hand.stored(SERVICES, Some(space));
    let named: Vec<&str> = services.iter().map(|service| service.name()).collect();
    for endpoints in hand.stored(ENDPOINTS, Some(space)) {
        let is_ours = endpoints.label("endpoints.kubernetes.io/managed-by") == Some("endpoint-controller");
        if is_ours && !named.contains(&endpoints.name()) {
            delete(hand, ENDPOINTS, space, endpoints.name()).await?;
        }
    }
    let selecting: Vec<&Value> = services
        .iter()
        .map(|service| service.tree())
        .filter(|service| !is_leaving(service) && text(service, "/spec/type") != "ExternalName")
        .filter(|service| service["spec"]["selector"].as_object().is_some_and(|selector| !selector.is_empty()))
        .collect();
    if selecting.is_empty() {
        return Ok(Next::Done);
    }
    let pods = hand.stored(PODS, Some(space));
    let slices = slices_of(hand, space);
    for service in selecting {
        let wanted: Vec<(&str, &str)> = items_of(&service["spec"]["selector"]);
        let selected = pods.iter().filter(|pod| wanted.iter().all(|(key, value)| pod.label(key) == Some(value)));
        let serving: Vec<Member> = selected.cloned().map(Member::of).collect();
        endpoint::write(hand, service, &serving, slices.get(name(service)).map_or(&[][..], Vec::as_slice)).await?;
    }
    Ok(Next::Done)
}

fn items_of(selector: &Value) -> Vec<(&str, &str)> {
    let pairs = selector.as_object().into_iter().flatten();
    pairs.map(|(key, value)| (key.as_str(), value.as_str().unwrap_or_default())).collect()
}

/// The slices that we look after, by their Service.
fn slices_of(hand: &Hand, space: &str) -> BTreeMap<String, Vec<Value>> {
    let mut found: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for slice in hand.stored(SLICES, Some(space)) {
        let is_ours = slice.label("endpointslice.kubernetes.io/managed-by") == Some("endpointslice-controller.k8s.io");
        if let Some(service) = slice.label("kubernetes.io/service-name").filter(|_| is_ours) {
            found.entry(service.to_owned()).or_default().push(slice.value());
        }
    }
    found
}

async fn delete(hand: &Hand, resource: Resource, space: &str, named: &str) -> Result<(), Status> {
    match hand.delete(resource, (space, named), Deletion::default()).await {
        Err(status) if !status.is_not_found() => Err(status),
        _ => Ok(()),
    }
}

/// Gives a Service of type `LoadBalancer` its address, where the cluster has any to give.
async fn balance(hand: &Hand, key: &Key) -> Result<Next, Status> {
    let Some(service) = hand.get(SERVICES, &key.namespace, &key.name) else { return Ok(Next::Done) };
    let habits = hand.habits();
    let has_address = !items(&service, "/status/loadBalancer/ingress").is_empty();
    let is_balanced = text(&service, "/spec/type") == "LoadBalancer" && service["spec"]["loadBalancerClass"].is_null();
    let at = (key.namespace.as_str(), key.name.as_str());
    if !is_balanced {
        if has_address && text(&service, "/spec/type") != "LoadBalancer" {
            hand.patch_status(SERVICES, at, json!({ "status": { "loadBalancer": { "ingress": null } } })).await?;
        }
        return Ok(Next::Done);
    }
    if has_address || is_leaving(&service) || habits.load_balancers.is_empty() {
        return Ok(Next::Done);
    }
    let given = hand.list(SERVICES, None);
    let uses = |address: &str| {
        let of = |service: &&Value| {
            let first = &service["status"]["loadBalancer"]["ingress"][0];
            first["ip"] == address || first["hostname"] == address
        };
        given.iter().filter(of).count()
    };
    // In turn: the first of those that are given to the fewest.
    let Some(address) = habits.load_balancers.iter().min_by_key(|address| uses(address)) else { return Ok(Next::Done) };
    let is_ip = address.parse::<std::net::IpAddr>().is_ok();
    let ingress = if is_ip { json!({ "ip": address, "ipMode": "VIP" }) } else { json!({ "hostname": address }) };
    hand.patch_status(SERVICES, at, json!({ "status": { "loadBalancer": { "ingress": [ingress] } } })).await?;
    hand.event(&service, super::Gravity::Normal, "EnsuredLoadBalancer", "Ensured load balancer").await;
    Ok(Next::Done)
}
