//! istiod's own webhook configurations: the certificate that each entry trusts, and whether a failure of the validator
//! refuses or lets through.

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{
    MANAGER,
    instance::{Identity, Istiod},
    view::{MUTATING, VALIDATING, View},
};
use crate::actor::{
    api::{Api, Fault, Part, Resource, has_code},
    json::{items, label, name, text},
};

/// How long istiod waits before it tries its webhook again.
const PATIENCE: SignedDuration = SignedDuration::from_millis(900);
const NETWORKING_GATEWAYS: Resource = Resource::of("networking.istio.io", "v1alpha3", "gateways");

/// What is left to do when a round is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Nothing, until something changes.
    Settled,
    /// The same again in a moment.
    Again,
}

/// Brings every webhook configuration of this revision, its tags' included, to what it should be.
pub(crate) async fn reconcile(
    istiod: &Istiod,
    api: &Api,
    view: &View,
    ca_pem: &str,
    now: Timestamp,
) -> Result<Progress, Fault> {
    let bundle = STANDARD.encode(ca_pem);
    let identity = &istiod.identity;
    for configuration in mine(view.mutating.all(), identity) {
        let stale = |one: &Value| name_ends(one) && one["clientConfig"]["caBundle"] != bundle.as_str();
        if items(&configuration, "/webhooks").iter().any(stale) {
            let set = |one: &mut Value| {
                if name_ends(one) {
                    one["clientConfig"]["caBundle"] = bundle.clone().into();
                }
            };
            if let Some(written) = rewrite(api, MUTATING, name(&configuration), set).await? {
                view.mutating.put(written);
            }
        }
    }
    validators(istiod, api, view, &bundle, now).await
}

fn name_ends(webhook: &Value) -> bool {
    text(webhook, "/name").ends_with("sidecar-injector.istio.io")
}

fn mine(all: Vec<std::sync::Arc<Value>>, identity: &Identity) -> impl Iterator<Item = std::sync::Arc<Value>> + use<'_> {
    all.into_iter().filter(|one| label(one, "istio.io/rev") == Some(identity.revision.as_str()))
}

/// The validators stay open until the webhook has been seen to refuse what it must refuse.
async fn validators(istiod: &Istiod, api: &Api, view: &View, bundle: &str, now: Timestamp) -> Result<Progress, Fault> {
    let mine: Vec<_> = mine(view.validating.all(), &istiod.identity).collect();
    if mine.is_empty() {
        return Ok(Progress::Settled);
    }
    let mut memory = istiod.memory.lock().await;
    let tried_lately = memory.tried.is_some_and(|at| now.duration_since(at) < PATIENCE);
    if !memory.has_refused && tried_lately {
        return Ok(Progress::Again);
    }
    if !memory.has_refused {
        memory.tried = Some(now);
        memory.has_refused = refuses_invalid(&istiod.identity, api).await;
    }
    let policy = if memory.has_refused { "Fail" } else { "Ignore" };
    for configuration in mine {
        let stale = |one: &Value| {
            one["clientConfig"]["caBundle"] != bundle || one.get("failurePolicy").is_some_and(|set| set != policy)
        };
        if items(&configuration, "/webhooks").iter().any(stale) {
            let set = |one: &mut Value| {
                one["clientConfig"]["caBundle"] = bundle.into();
                one["failurePolicy"] = policy.into();
            };
            if let Some(written) = rewrite(api, VALIDATING, name(&configuration), set).await? {
                view.validating.put(written);
            }
        }
    }
    Ok(if memory.has_refused { Progress::Settled } else { Progress::Again })
}

/// Tries, without creating anything, a Gateway that no istiod accepts.
async fn refuses_invalid(identity: &Identity, api: &Api) -> bool {
    let invalid = json!({
        "apiVersion": "networking.istio.io/v1alpha3",
        "kind": "Gateway",
        "metadata": {
            "name": "invalid-gateway",
            "namespace": identity.namespace,
            "labels": { "istio.io/rev": identity.revision },
            "annotations": { "internal.istio.io/webhook-always-reject": "true" },
        },
        "spec": {},
    });
    match api.dry_run_create(NETWORKING_GATEWAYS, &invalid).await {
        Err(Fault::Api(status)) => {
            let fragments =
                ["denied the request", "the server could not find the requested resource", "does not support dry run"];
            fragments.iter().any(|fragment| status.message.contains(fragment))
        }
        _ => false,
    }
}

/// Reads a configuration afresh, changes every entry and writes it back; none where it is gone. A conflict is left to the
/// event that follows it.
async fn rewrite(
    api: &Api,
    resource: Resource,
    name: &str,
    change: impl Fn(&mut Value),
) -> Result<Option<Value>, Fault> {
    let Some(mut present) = api.get(resource, "", name).await? else { return Ok(None) };
    let before = present.clone();
    present["webhooks"].as_array_mut().into_iter().flatten().for_each(change);
    if present == before {
        return Ok(Some(present));
    }
    match api.update(resource, MANAGER, Part::Whole, &present).await {
        Ok(written) => Ok(Some(written)),
        Err(fault) if has_code(&fault, 409) || has_code(&fault, 404) => Ok(None),
        Err(fault) => Err(fault),
    }
}
