//! The cloud's part: every Service of type `LoadBalancer` gets an address that nothing answers on.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::view::{SERVICES, View};
use crate::actor::{
    api::{Api, Fault, Part, has_code},
    json::{items, name, namespace, text},
};

/// Gives each Service that waits for an address the first free one of 192.0.2.0/24, the network kept for documentation.
pub(crate) async fn reconcile(api: &Api, view: &View) -> Result<(), Fault> {
    let services = view.services.all();
    let balanced = || services.iter().filter(|one| text(one, "/spec/type") == "LoadBalancer");
    let mut taken: BTreeSet<String> = balanced().filter_map(|one| address(one)).collect();
    for service in balanced().filter(|one| address(one).is_none() && one["metadata"].get("deletionTimestamp").is_none())
    {
        let Some(free) = free(&taken) else {
            tracing::warn!(service = name(service), "no address is left for this Service");
            return Ok(());
        };
        let status = json!({ "status": { "loadBalancer": { "ingress": [{ "ip": free, "ipMode": "VIP" }] } } });
        let at = (namespace(service), name(service));
        match api.merge(SERVICES, "load-balancer", Part::Status, at, &status).await {
            Ok(written) => view.services.put(written),
            Err(fault) if has_code(&fault, 404) || has_code(&fault, 409) => continue,
            Err(fault) => return Err(fault),
        }
        taken.insert(free);
    }
    Ok(())
}

/// The address that a Service has.
pub(crate) fn address(service: &Value) -> Option<String> {
    let ingress = items(service, "/status/loadBalancer/ingress").first()?;
    let found = Some(text(ingress, "/ip")).filter(|ip| !ip.is_empty()).unwrap_or_else(|| text(ingress, "/hostname"));
    (!found.is_empty()).then(|| found.to_owned())
}

fn free(taken: &BTreeSet<String>) -> Option<String> {
    (1..255).map(|last| format!("192.0.2.{last}")).find(|address| !taken.contains(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_address_is_given_twice() {
        let taken = BTreeSet::from(["192.0.2.1".to_owned(), "192.0.2.3".to_owned()]);
        assert_eq!(free(&taken).unwrap(), "192.0.2.2");
    }
}
