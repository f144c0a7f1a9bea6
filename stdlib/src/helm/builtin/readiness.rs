//! What `--wait` waits for, by this library's own rules: they know more than helm's, say why, and end early.
//!
//! Does not know the rules.

use std::time::Duration;

use runbook_core::Value;

use super::hook::wanted;
use super::item::Item;
use super::store::Store;
use super::trouble::Trouble;
use crate::wait::objects::{self, Wish};

/// How long definitions may take to be served.
const SERVED: Duration = Duration::from_mins(1);

/// Waits until what rolls out is rolled out, volumes are bound, load balancers have an address and definitions are served.
pub(super) async fn ready(store: &Store<'_>, items: &[Item], patience: Duration) -> Result<(), Trouble> {
    let awaited: Vec<_> = items.iter().filter(|item| is_awaited(item)).map(wanted).collect();
    Ok(objects::wait(store.world, &store.wire.cluster, &awaited, Wish::Ready, patience).await?)
}

/// Waits until definitions are served.
pub(super) async fn served(store: &Store<'_>, items: &[Item]) -> Result<(), Trouble> {
    let awaited: Vec<_> = items.iter().map(wanted).collect();
    Ok(objects::wait(store.world, &store.wire.cluster, &awaited, Wish::Ready, SERVED).await?)
}

/// Waits until objects are gone.
pub(super) async fn gone(store: &Store<'_>, items: &[Item], patience: Duration) -> Result<(), Trouble> {
    let awaited: Vec<_> = items.iter().map(wanted).collect();
    Ok(objects::wait(store.world, &store.wire.cluster, &awaited, Wish::Gone, patience).await?)
}

fn is_awaited(item: &Item) -> bool {
    let resource = &item.spot.resource;
    match (resource.group.as_str(), resource.kind.as_str()) {
        ("apps", "Deployment" | "StatefulSet" | "DaemonSet")
        | ("", "Pod" | "PersistentVolumeClaim")
        | ("apiextensions.k8s.io", "CustomResourceDefinition") => true,
        ("", "Service") => item.object.pointer("/spec/type").and_then(Value::as_str) == Some("LoadBalancer"),
        _ => false,
    }
}
