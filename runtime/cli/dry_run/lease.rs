//! A Lease that another run holds: told, and no obstacle to a run that writes nothing.
//!
//! Does not know how a run takes a Lease.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use runbook_core::world::Clock as _;
use runbook_sim::overlay::{Subject, Veil};
use serde_json::Value;

use crate::clock::RealClock;

/// How the names of our own Leases begin.
const OURS: &str = "runbook-";

/// Shows Leases that other runs hold as free, with a note about who holds them.
pub(super) fn veil(clock: Arc<RealClock>) -> Veil {
    Arc::new(move |about: &Subject, object: &mut Value| {
        let is_ours = about.resource == "leases" && about.name.starts_with(OURS);
        let holder = is_ours.then(|| holder(object, clock.now())).flatten()?;
        object["spec"]["holderIdentity"] = "".into();
        Some(format!("{holder} holds it now, and a real run would wait for that to end"))
    })
}

fn holder(lease: &Value, now: Timestamp) -> Option<String> {
    let spec = &lease["spec"];
    let holder = spec["holderIdentity"].as_str().filter(|holder| !holder.is_empty())?;
    let renewed: Timestamp = spec["renewTime"].as_str()?.parse().ok()?;
    let lasts = SignedDuration::from_secs(spec["leaseDurationSeconds"].as_i64().unwrap_or(0));
    (now.duration_since(renewed) < lasts).then(|| holder.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn lease(renewed: Timestamp) -> Value {
        json!({ "spec": { "holderIdentity": "run A", "renewTime": renewed.to_string(), "leaseDurationSeconds": 60 } })
    }

    #[test]
    fn a_lease_that_another_run_holds_is_told_of_and_free() {
        let real = Arc::new(RealClock::start());
        let (veil, now) = (veil(real.clone()), real.now());
        let about = |name: &str| Subject { resource: "leases".to_owned(), name: name.to_owned(), ..Subject::default() };
        let mut held = lease(now);
        let note = veil(&about("runbook-istio"), &mut held).unwrap();
        assert!(note.contains("run A holds it now"), "{note}");
        assert_eq!(held["spec"]["holderIdentity"], "");
        assert!(veil(&about("runbook-istio"), &mut lease(now - SignedDuration::from_secs(90))).is_none(), "expired");
        assert!(veil(&about("istio-leader"), &mut lease(now)).is_none(), "not one of ours");
    }
}
