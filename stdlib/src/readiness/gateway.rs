//! Gateways of the Gateway API: accepted and programmed, for the present generation.
//!
//! Does not know whose controller does it.

use serde_json::Value;

use super::kstatus;
use super::verdict::Verdict;

/// The verdict on a `gateway.networking.k8s.io` Gateway.
pub fn verdict(gateway: &Value) -> Verdict {
    let reasons: Vec<String> =
        ["Accepted", "Programmed"].into_iter().filter_map(|kind| kstatus::lacks(gateway, kind, "True")).collect();
    if reasons.is_empty() { Verdict::Ready } else { Verdict::not_ready("", reasons) }
}
