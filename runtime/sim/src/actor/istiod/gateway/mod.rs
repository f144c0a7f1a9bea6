//! The Gateway API: what istiod makes of the Gateways that are its own.

mod apply;
pub(super) mod class;
pub(super) mod render;
pub(super) mod status;

pub(crate) use apply::Applied;

use jiff::Timestamp;

use super::{instance::Istiod, view::View};
use crate::actor::api::{Api, Fault};

/// Brings classes, objects and status of every Gateway of this istiod to what they should be.
pub(crate) async fn reconcile(istiod: &Istiod, api: &Api, view: &View, now: Timestamp) -> Result<(), Fault> {
    if !view.gateways.is_served() || !view.gateway_classes.is_served() {
        return Ok(());
    }
    class::reconcile(istiod, api, view, now).await?;
    let Some(settings) = istiod.settings(view) else { return Ok(()) };
    let claim = istiod.identity.claim(view);
    let gateways = view.gateways.all();
    let exists = |(in_namespace, named): &(String, String)| view.gateways.get(in_namespace, named).is_some();
    istiod.memory.lock().await.applied.retain(|key, _| exists(key));
    for gateway in gateways {
        let namespace = view.namespaces.get("", crate::actor::json::namespace(&gateway));
        let Some(class) = class::of(&gateway, view, &istiod.identity) else { continue };
        let Some(causes) = claim.of_mine(&gateway, namespace.as_deref()) else { continue };
        if gateway["metadata"].get("deletionTimestamp").is_some() {
            continue;
        }
        let api = &api.because(causes);
        if render::is_managed(&gateway) && !class.template.is_empty() {
            apply::reconcile(istiod, api, view, &settings, &gateway, class).await?;
        }
        if !class.template.is_empty() {
            status::reconcile(api, view, &gateway, class, now).await?;
        }
    }
    Ok(())
}
