//! What the API server gives out of its own stock: addresses and node ports of Services.
//!
//! Not known here: what answers on them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Server;
use crate::{
    actor::json::{items, map_at, name, text},
    kind::Kind,
    resource::Resource,
    status::{Cause, Status},
};

const SERVICES: Resource = Resource::core("services");
/// The range of node ports.
const PORTS: std::ops::RangeInclusive<u64> = 30_000..=32_767;

impl Server {
    /// Completes an object with what is given out.
    pub(crate) fn allot(&self, kind: &Kind, old: Option<&Value>, object: &mut Value) -> Result<(), Status> {
        if !kind.group.is_empty() || kind.kind != "Service" {
            return Ok(());
        }
        if let Some(old) = old {
            carry(old, object);
        }
        self.address(object)?;
        self.ports(object);
        Ok(())
    }

    fn address(&self, service: &mut Value) -> Result<(), Status> {
        let wanted = text(service, "/spec/clusterIP").to_owned();
        if text(service, "/spec/type") == "ExternalName" {
            return Ok(());
        }
        let taken = self.taken(service);
        let address = match wanted.as_str() {
            "" => {
                let mut number = 0_u32;
                loop {
                    let candidate = self.candidate(number);
                    if !taken.contains(&candidate) {
                        break candidate;
                    }
                    number += 1;
                }
            }
            "None" => wanted,
            _ if taken.contains(&wanted) => {
                let cause = Cause {
                    reason: "FieldValueInvalid".to_owned(),
                    message: format!(
                        "Invalid value: [\"{wanted}\"]: failed to allocate IP {wanted}: provided IP is already allocated"
                    ),
                    field: "spec.clusterIPs".to_owned(),
                };
                return Err(Status::invalid("", "Service", name(service), &[cause]));
            }
            _ => wanted,
        };
        let spec = map_at(service, "spec");
        spec.insert("clusterIP".to_owned(), address.as_str().into());
        spec.insert("clusterIPs".to_owned(), json!([address]));
        let has_selector = spec.get("selector").and_then(Value::as_object).is_some_and(|one| !one.is_empty());
        // Without either its endpoints are somebody else's to write, of whatever family they are.
        let (families, policy) = if address == "None" && !has_selector {
            (json!(["IPv4", "IPv6"]), "RequireDualStack")
        } else {
            (json!(["IPv4"]), "SingleStack")
        };
        spec.entry("ipFamilies").or_insert(families);
        spec.entry("ipFamilyPolicy").or_insert_with(|| policy.into());
        Ok(())
    }

    /// An address of the range 10.96.0.0/12, from the seed and then upwards.
    fn candidate(&self, number: u32) -> String {
        let random = u32::from(self.letter()) * 7919 + u32::from(self.letter()) * 31 + u32::from(self.letter());
        let host = 256 + (random + number) % 1_000_000;
        let [_, b, c, d] = host.to_be_bytes();
        format!("10.{}.{c}.{d}", 96 + b)
    }

    fn taken(&self, but: &Value) -> BTreeSet<String> {
        let resource = SERVICES.into();
        let all = self.store.all(&resource, None);
        let others =
            all.iter().filter(|one| (one.namespace(), one.name()) != (text(but, "/metadata/namespace"), name(but)));
        others.filter_map(|one| one.field(&resource, "spec.clusterIP").map(str::to_owned)).collect()
    }

    fn ports(&self, service: &mut Value) {
        if !matches!(text(service, "/spec/type"), "NodePort" | "LoadBalancer")
            || service["spec"]["allocateLoadBalancerNodePorts"] == false
        {
            return;
        }
        let mut used: BTreeSet<u64> = BTreeSet::new();
        for one in self.store.all(&SERVICES.into(), None) {
            let value = one.value();
            used.extend(items(&value, "/spec/ports").iter().filter_map(|port| port["nodePort"].as_u64()));
        }
        for port in service["spec"]["ports"].as_array_mut().into_iter().flatten() {
            if port["nodePort"].as_u64().unwrap_or(0) == 0 {
                let span = PORTS.end() - PORTS.start() + 1;
                let from = u64::from(self.letter()) * 131 + u64::from(self.letter()) * 17;
                let free = (0..span).map(|at| PORTS.start() + (from + at) % span).find(|port| !used.contains(port));
                if let Some(free) = free {
                    used.insert(free);
                    port["nodePort"] = free.into();
                }
            }
        }
        if text(service, "/spec/externalTrafficPolicy") == "Local" && text(service, "/spec/type") == "LoadBalancer" {
            let spec = map_at(service, "spec");
            let free = PORTS.rev().find(|port| !used.contains(port)).unwrap_or(*PORTS.end());
            spec.entry("healthCheckNodePort").or_insert_with(|| free.into());
        }
    }
}

/// What an update of a Service leaves out, it keeps: its address, and the node ports of equal ports.
fn carry(old: &Value, service: &mut Value) {
    let is_external = |service: &Value| text(service, "/spec/type") == "ExternalName";
    if !is_external(old) && !is_external(service) {
        let spec = map_at(service, "spec");
        for field in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "healthCheckNodePort"] {
            let is_absent = spec.get(field).is_none_or(|value| value.is_null() || value == "" || *value == json!([]));
            if is_absent && let Some(value) = old["spec"].get(field) {
                spec.insert(field.to_owned(), value.clone());
            }
        }
    }
    if matches!(text(service, "/spec/type"), "NodePort" | "LoadBalancer") {
        let before = items(old, "/spec/ports").to_vec();
        for port in service["spec"]["ports"].as_array_mut().into_iter().flatten() {
            let same = before.iter().find(|one| one["port"] == port["port"] && one["protocol"] == port["protocol"]);
            if port["nodePort"].as_u64().unwrap_or(0) == 0
                && let Some(known) = same.and_then(|one| one.get("nodePort"))
            {
                port["nodePort"] = known.clone();
            }
        }
    }
}
