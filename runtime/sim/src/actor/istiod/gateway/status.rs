//! What istiod says of a Gateway: is it accepted, does it have an address, are its listeners fine.

use std::net::IpAddr;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    class::{Class, Reports},
    render::{deployment_name, is_managed},
};
use crate::actor::{
    api::{Api, Fault, Part, has_code},
    istiod::{
        MANAGER,
        load_balancer::address,
        view::{GATEWAYS, View},
    },
    json::{as_map, items, name, namespace, text},
};

/// Writes the status of a Gateway where it is not what it should be.
pub(super) async fn reconcile(
    api: &Api,
    view: &View,
    gateway: &Value,
    class: &Class,
    now: Timestamp,
) -> Result<(), Fault> {
    let services: Vec<_> = hosts(gateway, class)
        .into_iter()
        .map(|(namespace, name)| {
            (view.services.get(&namespace, &name), format!("{name}.{namespace}.svc.cluster.local"))
        })
        .collect();
    let services: Vec<_> = services.iter().map(|(service, host)| (service.as_deref(), host.as_str())).collect();
    if status(gateway, class, &services, now) == gateway["status"] {
        return Ok(());
    }
    let Some(mut fresh) = api.get(GATEWAYS, namespace(gateway), name(gateway)).await? else { return Ok(()) };
    let wanted = status(&fresh, class, &services, now);
    if wanted == fresh["status"] {
        return Ok(());
    }
    fresh["status"] = wanted;
    match api.update(GATEWAYS, MANAGER, Part::Status, &fresh).await {
        Ok(written) => view.gateways.put(written),
        Err(fault) if has_code(&fault, 409) || has_code(&fault, 404) => {}
        Err(fault) => return Err(fault),
    }
    Ok(())
}

/// Namespace and name of the Services that stand for a Gateway: the one made for it, or those that its addresses name.
fn hosts(gateway: &Value, class: &Class) -> Vec<(String, String)> {
    if is_managed(gateway) {
        return vec![(namespace(gateway).to_owned(), deployment_name(gateway, class))];
    }
    let named = items(gateway, "/spec/addresses").iter().filter(|one| text(one, "/type") != "IPAddress");
    named
        .map(|one| {
            let mut parts = text(one, "/value").split('.');
            let service = parts.next().unwrap_or_default().to_owned();
            (parts.next().unwrap_or_else(|| namespace(gateway)).to_owned(), service)
        })
        .collect()
}

/// The whole status, with the moments of conditions that stay as they are.
pub(crate) fn status(gateway: &Value, class: &Class, services: &[(Option<&Value>, &str)], now: Timestamp) -> Value {
    let found = Found::of(gateway, services);
    let generation = &gateway["metadata"]["generation"];
    let condition = |kind: &str, status: &str, reason: &str, message: &str| json!({ "type": kind, "status": status, "reason": reason, "message": message, "observedGeneration": generation });
    let mut status = gateway["status"].clone();
    let (state, reason, message) = found.programmed(services.is_empty());
    let before = items(&status, "/conditions").to_vec();
    let conditions = with_condition(&before, condition("Accepted", "True", "Accepted", "Resource accepted"), now);
    let conditions = with_condition(&conditions, condition("Programmed", state, reason, &message), now);
    let listeners: Vec<_> = items(gateway, "/spec/listeners")
        .iter()
        .map(|listener| listener_status(listener, items(&status, "/listeners"), generation, now))
        .collect();
    let fields = as_map(&mut status);
    fields.insert("conditions".into(), conditions.into());
    fields.insert("listeners".into(), listeners.into());
    let addresses = found.addresses(gateway, class);
    // Once reported, an address is never taken back.
    if !addresses.is_empty() {
        let kind = |value: &str| if value.parse::<IpAddr>().is_ok() { "IPAddress" } else { "Hostname" };
        let addresses = addresses.iter().map(|value| json!({ "type": kind(value), "value": value }));
        fields.insert("addresses".into(), addresses.collect());
    }
    status
}

/// What is found of a Gateway's Services.
#[derive(Default)]
struct Found {
    /// Names and ports at which the Gateway is reached from inside.
    internal: Vec<String>,
    internal_ips: Vec<String>,
    external: Vec<String>,
    /// Names that wait for an address from outside.
    pending: Vec<String>,
    warnings: Vec<String>,
}

impl Found {
    fn of(gateway: &Value, services: &[(Option<&Value>, &str)]) -> Self {
        let mut found = Self::default();
        for (service, host) in services {
            let Some(service) = service else {
                found.warnings.push(format!("hostname \"{host}\" not found"));
                continue;
            };
            let mut ports: Vec<u64> =
                items(gateway, "/spec/listeners").iter().filter_map(|one| one["port"].as_u64()).collect();
            ports.sort_unstable();
            ports.dedup();
            for port in ports {
                found.port(service, host, port);
            }
        }
        found
    }

    fn port(&mut self, service: &Value, host: &str, port: u64) {
        if !items(service, "/spec/ports").iter().any(|one| one["port"] == port) {
            self.warnings.push(format!("port {port} not found for hostname \"{host}\""));
            return;
        }
        self.internal.push(format!("{host}:{port}"));
        for ip in items(service, "/spec/clusterIPs").iter().filter_map(Value::as_str) {
            if !self.internal_ips.iter().any(|known| known == ip) {
                self.internal_ips.push(ip.to_owned());
            }
        }
        if let Some(address) = address(service) {
            if !self.external.contains(&address) {
                self.external.push(address);
            }
        } else if text(service, "/spec/type") == "LoadBalancer" && !self.pending.iter().any(|known| known == host) {
            self.warnings.push(format!("address pending for hostname \"{host}\""));
            self.pending.push(host.to_owned());
        }
    }

    /// Status, reason and message of the condition `Programmed`.
    fn programmed(&self, without_services: bool) -> (&'static str, &'static str, String) {
        let joined = human_join(&self.internal);
        if without_services {
            return ("False", "AddressNotUsable", "Failed to assign to any requested addresses".into());
        }
        if self.warnings.is_empty() {
            return ("True", "Programmed", format!("Resource programmed, assigned to service(s) {joined}"));
        }
        let reason = if self.pending.is_empty() { "AddressNotUsable" } else { "AddressNotAssigned" };
        let warnings = self.warnings.join("; ");
        let message = if self.internal.is_empty() {
            format!("Failed to assign to any requested addresses: {warnings}")
        } else {
            format!("Assigned to service(s) {joined}, but failed to assign to all requested addresses: {warnings}")
        };
        ("False", reason, message)
    }

    fn addresses(&self, gateway: &Value, class: &Class) -> Vec<String> {
        if !self.external.is_empty() {
            return self.external.clone();
        }
        let asked = crate::actor::json::annotation(gateway, "networking.istio.io/address-type");
        let (ips, names) = match (asked, class.reports) {
            (Some("IPAddress"), _) => (true, false),
            (Some("Hostname"), _) | (None, Reports::Hostname) => (false, true),
            _ => (true, true),
        };
        let mut addresses = if ips { self.internal_ips.clone() } else { Vec::new() };
        for host in self.internal.iter().filter_map(|one| one.split(':').next()).filter(|_| names) {
            if !addresses.iter().any(|known| known == host) && !self.pending.iter().any(|pending| pending == host) {
                addresses.push(host.to_owned());
            }
        }
        addresses
    }
}

fn human_join(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [one, other] => format!("{one} and {other}"),
        [most @ .., other] => format!("{}, and {other}", most.join(", ")),
    }
}

fn listener_status(listener: &Value, before: &[Value], generation: &Value, now: Timestamp) -> Value {
    let known = before.iter().find(|one| one["name"] == listener["name"]);
    let mut conditions = known.map(|one| items(one, "/conditions").to_vec()).unwrap_or_default();
    for (kind, status, reason) in [
        ("Accepted", "True", "Accepted"),
        ("Conflicted", "False", "NoConflicts"),
        ("Programmed", "True", "Programmed"),
        ("ResolvedRefs", "True", "ResolvedRefs"),
    ] {
        let condition = json!({
            "type": kind,
            "status": status,
            "reason": reason,
            "message": "No errors found",
            "observedGeneration": generation,
        });
        conditions = with_condition(&conditions, condition, now);
    }
    json!({
        "attachedRoutes": known.map_or(Value::from(0), |one| one["attachedRoutes"].clone()),
        "conditions": conditions,
        "name": listener["name"],
        "supportedKinds": supported_kinds(listener),
    })
}

fn supported_kinds(listener: &Value) -> Vec<Value> {
    let kinds: &[&str] = match text(listener, "/protocol") {
        "HTTP" | "HTTPS" => &["HTTPRoute", "GRPCRoute"],
        "TLS" if text(listener, "/tls/mode") == "Passthrough" => &["TLSRoute"],
        "TCP" | "TLS" => &["TCPRoute"],
        _ => &[],
    };
    kinds.iter().map(|kind| json!({ "group": "gateway.networking.k8s.io", "kind": kind })).collect()
}

/// The list with one condition set. Its moment stays where its status does; where nothing differs, all of it stays.
pub(super) fn with_condition(before: &[Value], mut condition: Value, now: Timestamp) -> Vec<Value> {
    let mut conditions = before.to_vec();
    let known = conditions.iter().position(|one| one["type"] == condition["type"]);
    let moment = known
        .map(|at| &conditions[at])
        .filter(|known| known["status"] == condition["status"])
        .map(|known| known["lastTransitionTime"].clone());
    let moment = moment.unwrap_or_else(|| now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string().into());
    as_map(&mut condition).insert("lastTransitionTime".into(), moment);
    match known {
        Some(at) => conditions[at] = condition,
        None => conditions.push(condition),
    }
    conditions
}
