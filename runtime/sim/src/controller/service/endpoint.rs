//! Where a Service leads: its `EndpointSlices`, and the `Endpoints` of old.
//!
//! Not known here: which pods are selected.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{ENDPOINTS, SLICES, delete};
use crate::{
    actor::json::{items, name, namespace, text},
    controller::{
        Hand,
        member::{Member, reference},
        node::NODES,
        reading::stamp,
    },
    status::Status,
};

/// As many endpoints as one slice holds.
const SLICE: usize = 100;
/// As many as the `Endpoints` of old hold.
const MOST: usize = 1000;
const CHANGED: &str = "endpoints.kubernetes.io/last-change-trigger-time";

/// Writes where a Service leads, as far as it changed.
pub(super) async fn write(hand: &Hand, service: &Value, pods: &[Member], present: &[Value]) -> Result<(), Status> {
    let mut groups: BTreeMap<String, (Value, Vec<Value>)> = BTreeMap::new();
    for pod in pods.iter().filter(|pod| !pod.has_ended() && pod.ip().is_some()) {
        let Some(ports) = ports(hand, service, pod) else { continue };
        let group = groups.entry(ports.to_string()).or_insert_with(|| (ports, Vec::new()));
        group.1.push(endpoint(hand, service, pod));
    }
    if groups.is_empty() {
        groups.insert(String::new(), (Value::Null, Vec::new()));
    }
    write_slices(hand, service, &groups, present).await?;
    write_endpoints(hand, service, pods, &groups).await
}

/// The ports that the Service reaches on a pod; none where it has them all missing.
fn ports(hand: &Hand, service: &Value, pod: &Member) -> Option<Value> {
    let by_name = |wanted: &str, protocol: &str| {
        let object = hand.get(super::PODS, pod.namespace(), pod.name())?;
        let containers = items(&object, "/spec/containers").iter();
        let sidecars = items(&object, "/spec/initContainers").iter().filter(|it| it["restartPolicy"] == "Always");
        containers
            .chain(sidecars)
            .flat_map(|container| items(container, "/ports"))
            .find(|port| text(port, "/name") == wanted && text(port, "/protocol") == protocol)
            .and_then(|port| port["containerPort"].as_i64())
    };
    let asked = items(service, "/spec/ports");
    if asked.is_empty() {
        return Some(Value::Null);
    }
    let mut found = Vec::new();
    for port in asked {
        let number = match &port["targetPort"] {
            Value::String(wanted) => by_name(wanted, text(port, "/protocol")),
            Value::Number(number) => number.as_i64(),
            _ => port["port"].as_i64(),
        };
        let Some(number) = number else { continue };
        let mut reached = json!({ "name": text(port, "/name"), "port": number, "protocol": port["protocol"] });
        if let Some(protocol) = port.get("appProtocol") {
            reached["appProtocol"] = protocol.clone();
        }
        found.push(reached);
    }
    (!found.is_empty()).then(|| found.into())
}

fn endpoint(hand: &Hand, service: &Value, pod: &Member) -> Value {
    let publishes = service["spec"]["publishNotReadyAddresses"] == true;
    let (serving, leaving) = (pod.is_ready(), pod.is_leaving());
    let mut endpoint = json!({
        "addresses": [pod.ip()],
        "conditions": { "ready": publishes || (serving && !leaving), "serving": serving, "terminating": leaving },
        "targetRef": { "kind": "Pod", "namespace": pod.namespace(), "name": pod.name(), "uid": pod.uid() },
    });
    if let Some(node) = pod.node() {
        endpoint["nodeName"] = node.into();
        let zone = hand
            .stored_one(NODES, "", node)
            .and_then(|node| Some(node.label("topology.kubernetes.io/zone")?.to_owned()));
        if let Some(zone) = zone {
            endpoint["zone"] = zone.into();
        }
    }
    if let Some(hostname) = pod.hostname().filter(|_| pod.subdomain() == Some(name(service))) {
        endpoint["hostname"] = hostname.into();
    }
    endpoint
}

type Groups = BTreeMap<String, (Value, Vec<Value>)>;

async fn write_slices(hand: &Hand, service: &Value, groups: &Groups, present: &[Value]) -> Result<(), Status> {
    let mut left: Vec<&Value> = present.iter().collect();
    for (ports, endpoints) in groups.values() {
        let chunks: Vec<&[Value]> = if endpoints.is_empty() { vec![&[]] } else { endpoints.chunks(SLICE).collect() };
        for chunk in chunks {
            let reused =
                left.iter().position(|slice| slice["ports"] == *ports).or_else(|| (!left.is_empty()).then_some(0));
            let labels = labels(service, "endpointslice.kubernetes.io/managed-by", "endpointslice-controller.k8s.io");
            match reused.map(|index| left.remove(index)) {
                Some(slice) => {
                    let listed = if chunk.is_empty() { Value::Null } else { chunk.into() };
                    let is_same = slice["ports"] == *ports
                        && same(&slice["endpoints"], chunk)
                        && slice["metadata"]["labels"] == labels;
                    if is_same {
                        continue;
                    }
                    let mut updated = slice.clone();
                    updated["ports"] = ports.clone();
                    updated["endpoints"] = listed;
                    updated["metadata"]["labels"] = labels;
                    updated["metadata"]["annotations"][CHANGED] = stamp(hand.now());
                    hand.update(SLICES, updated).await?;
                }
                None => create_slice(hand, service, ports, chunk, labels).await?,
            }
        }
    }
    for slice in left {
        delete(hand, SLICES, namespace(slice), name(slice)).await?;
    }
    Ok(())
}

/// The same endpoints, in whatever order.
fn same(known: &Value, wanted: &[Value]) -> bool {
    let known = known.as_array().map_or(&[][..], Vec::as_slice);
    let uid = |endpoint: &Value| text(endpoint, "/targetRef/uid").to_owned();
    if known.len() != wanted.len() {
        return false;
    }
    let by_uid: BTreeMap<String, &Value> = known.iter().map(|it| (uid(it), it)).collect();
    wanted.iter().all(|it| by_uid.get(&uid(it)).is_some_and(|known| *known == it))
}

async fn create_slice(
    hand: &Hand,
    service: &Value,
    ports: &Value,
    chunk: &[Value],
    labels: Value,
) -> Result<(), Status> {
    let mut metadata = json!({
        "generateName": format!("{}-", name(service)), "namespace": namespace(service), "labels": labels,
        "ownerReferences": [reference(service, ("v1", "Service"))],
    });
    metadata["annotations"] = json!({ CHANGED: stamp(hand.now()) });
    let family = text(service, "/spec/ipFamilies/0");
    let slice = json!({
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": metadata,
        "addressType": if family.is_empty() { "IPv4" } else { family }, "ports": ports,
        "endpoints": if chunk.is_empty() { Value::Null } else { chunk.into() },
    });
    hand.create(SLICES, slice).await.map(|_| ())
}

/// The labels of the Service go over to what leads to it.
fn labels(service: &Value, key: &str, who: &str) -> Value {
    let mut labels = service["metadata"].get("labels").cloned().unwrap_or_else(|| json!({}));
    labels[key] = who.into();
    if key.starts_with("endpointslice") {
        labels["kubernetes.io/service-name"] = name(service).into();
    }
    if text(service, "/spec/clusterIP") == "None" {
        labels["service.kubernetes.io/headless"] = "".into();
    }
    labels
}

/// The one object of old that says the same.
async fn write_endpoints(hand: &Hand, service: &Value, pods: &[Member], groups: &Groups) -> Result<(), Status> {
    let publishes = service["spec"]["publishNotReadyAddresses"] == true;
    let leaving: Vec<&str> = pods.iter().filter(|pod| pod.is_leaving()).map(Member::uid).collect();
    let mut subsets = Vec::new();
    for (ports, endpoints) in groups.values() {
        let (mut ready, mut unready) = (Vec::new(), Vec::new());
        let staying = endpoints.iter().filter(|it| !leaving.contains(&text(it, "/targetRef/uid")) || publishes);
        for endpoint in staying.take(MOST) {
            let mut address = json!({ "ip": endpoint["addresses"][0], "targetRef": endpoint["targetRef"] });
            for field in ["nodeName", "hostname"] {
                if let Some(value) = endpoint.get(field) {
                    address[field] = value.clone();
                }
            }
            if endpoint["conditions"]["ready"] == true { &mut ready } else { &mut unready }.push(address);
        }
        let mut subset = json!({});
        for (field, mut addresses) in [("addresses", ready), ("notReadyAddresses", unready)] {
            addresses.sort_by_key(|address| text(address, "/ip").to_owned());
            if !addresses.is_empty() {
                subset[field] = addresses.into();
            }
        }
        if subset.as_object().is_some_and(|subset| !subset.is_empty()) {
            let mut ports = ports.clone();
            for port in ports.as_array_mut().into_iter().flatten() {
                if let Some(fields) =
                    port.as_object_mut().filter(|fields| fields.get("name").is_some_and(|it| it == ""))
                {
                    fields.shift_remove("name");
                }
            }
            subset["ports"] = ports;
            subsets.push(subset);
        }
    }
    let subsets = if subsets.is_empty() { Value::Null } else { subsets.into() };
    let labels = labels(service, "endpoints.kubernetes.io/managed-by", "endpoint-controller");
    let (space, named) = (namespace(service), name(service));
    let Some(known) = hand.get(ENDPOINTS, space, named) else {
        let endpoints = json!({
            "apiVersion": "v1", "kind": "Endpoints", "subsets": subsets,
            "metadata": { "name": named, "namespace": space, "labels": labels, "annotations": { CHANGED: stamp(hand.now()) } },
        });
        return hand.under("endpoint-controller").create(ENDPOINTS, endpoints).await.map(|_| ());
    };
    let said = known.get("subsets").cloned().unwrap_or(Value::Null);
    if said == subsets && known["metadata"]["labels"] == labels {
        return Ok(());
    }
    let mut updated = known;
    updated["subsets"] = subsets;
    updated["metadata"]["labels"] = labels;
    updated["metadata"]["annotations"][CHANGED] = stamp(hand.now());
    hand.under("endpoint-controller").update(ENDPOINTS, updated).await.map(|_| ())
}
