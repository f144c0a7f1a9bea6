//! Services: an address where one is promised, and someone behind it.
//!
//! Does not know how endpoints are found.

use serde_json::Value;

use super::endpoints;
use super::object::{items, text};
use super::related::Related;
use super::verdict::Verdict;

/// The verdict on a Service.
pub fn verdict(service: &Value, related: Option<&Related>) -> Verdict {
    let kind = text(service, "/spec/type");
    if kind == "ExternalName" {
        return Verdict::Ready;
    }
    if kind == "LoadBalancer" && items(service, "/status/loadBalancer/ingress").is_empty() {
        return Verdict::because("its load balancer has no address yet");
    }
    endpoints::verdict(service, related, 1)
}
