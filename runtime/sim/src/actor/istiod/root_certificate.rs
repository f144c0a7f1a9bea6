//! The certificate authority as the API shows it: its Secret, and the root certificate in every namespace.

use serde_json::{Value, json};

use super::{
    MANAGER,
    instance::Istiod,
    leadership,
    view::{CONFIG_MAPS, SECRETS, View},
};
use crate::actor::{
    api::{Api, Fault, Part, has_code},
    json::{name, text},
};

/// The ConfigMap that holds the root certificate.
const ROOT: &str = "istio-ca-root-cert";

/// Namespaces that get no certificate.
const IGNORED: [&str; 3] = ["kube-public", "kube-node-lease", "local-path-storage"];

/// The root certificate that namespaces have already.
pub(crate) fn known(view: &View) -> Option<String> {
    let maps = view.certificates.all();
    let mut held = maps.iter().filter(|map| name(map) == ROOT).map(|map| text(map, "/data/root-cert.pem"));
    held.find(|pem| !pem.is_empty()).map(str::to_owned)
}

/// Makes the Secret of the authority where there is none and, as the leader, sees to the ConfigMaps of every namespace.
pub(crate) async fn reconcile(istiod: &Istiod, api: &Api, view: &View, ca_pem: &str) -> Result<(), Fault> {
    if !istiod.memory.lock().await.leads.contains(&leadership::NAMESPACES) {
        return Ok(());
    }
    let mut wanted = vec![(ROOT, "root-cert.pem", ca_pem)];
    if istiod.identity.release.writes_revocation_list() {
        wanted.push(("istio-ca-crl", "ca-crl.pem", ""));
    }
    for namespace in view.namespaces.all() {
        if IGNORED.contains(&name(&namespace)) || text(&namespace, "/status/phase") == "Terminating" {
            continue;
        }
        for (map, key, content) in &wanted {
            config_map(api, view, (name(&namespace), map), key, content).await?;
        }
    }
    Ok(())
}

async fn config_map(api: &Api, view: &View, at: (&str, &str), key: &str, content: &str) -> Result<(), Fault> {
    let known = view.certificates.get(at.0, at.1);
    if known.as_ref().is_some_and(|known| known["data"][key] == content) {
        return Ok(());
    }
    let object = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": { "name": at.1, "namespace": at.0, "labels": { "istio.io/config": "true" } },
        "data": { key: content },
    });
    let written = match api.create(CONFIG_MAPS, MANAGER, &object).await {
        Err(fault) if has_code(&fault, 409) => replace(api, at, key, content).await,
        other => other.map(Some),
    };
    match written {
        Ok(written) => {
            if let Some(written) = written {
                view.certificates.put(written);
            }
            Ok(())
        }
        // The namespace is on its way out, or somebody was faster: the next event decides.
        Err(fault) if [403, 404, 409].iter().any(|code| has_code(&fault, *code)) => Ok(()),
        Err(fault) => Err(fault),
    }
}

async fn replace(api: &Api, at: (&str, &str), key: &str, content: &str) -> Result<Option<Value>, Fault> {
    let Some(mut present) = api.get(CONFIG_MAPS, at.0, at.1).await? else { return Ok(None) };
    if present["data"][key] == content && present["metadata"]["labels"]["istio.io/config"] == "true" {
        return Ok(Some(present));
    }
    present["data"][key] = content.into();
    present["metadata"]["labels"]["istio.io/config"] = "true".into();
    api.update(CONFIG_MAPS, MANAGER, Part::Whole, &present).await.map(Some)
}

/// The Secret of a self-signed authority. The key is left out: nothing here signs.
pub(crate) async fn authority(istiod: &Istiod, api: &Api, ca_pem: &str) -> Result<(), Fault> {
    let namespace = &istiod.identity.namespace;
    for own in ["cacerts", "istio-ca-secret"] {
        if api.get(SECRETS, namespace, own).await?.is_some() {
            return Ok(());
        }
    }
    let secret = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "istio.io/ca-root",
        "metadata": { "name": "istio-ca-secret", "namespace": namespace },
        "stringData": { "ca-cert.pem": ca_pem, "ca-key.pem": "", "cert-chain.pem": "", "key.pem": "", "root-cert.pem": "" },
    });
    match api.create(SECRETS, MANAGER, &secret).await {
        Err(fault) if has_code(&fault, 409) => Ok(()),
        other => other.map(|_| ()),
    }
}
