//! What every new pod is given: an account and its token, a priority, patience with nodes that are away.
//!
//! Not known here: what becomes of the pod.

use serde_json::{Value, json};

use super::Act;
use crate::{
    actor::json::{items, list_at, map_at, text},
    resource::{GroupResource, Resource},
    server::Server,
    status::Status,
};

const ACCOUNTS: Resource = Resource::core("serviceaccounts");
const PRIORITIES: Resource = Resource::of("scheduling.k8s.io", "v1", "priorityclasses");
const TOKEN_PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// Completes a new pod.
pub(super) fn complete(server: &Server, act: &Act, object: &mut Value) -> Result<(), Status> {
    let kind = &act.order.place.kind;
    if !kind.group.is_empty() || kind.kind != "Pod" {
        return Ok(());
    }
    tolerate(object);
    prioritise(server, act, object)?;
    account(server, act, object)
}

/// Five minutes of patience with a node that is not ready or out of reach.
fn tolerate(pod: &mut Value) {
    let known = items(pod, "/spec/tolerations").to_vec();
    for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
        let is_met = known.iter().any(|one| {
            (one["key"] == key || text(one, "/key").is_empty())
                && (one["effect"] == "NoExecute" || text(one, "/effect").is_empty())
        });
        if !is_met {
            let toleration =
                json!({ "key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300 });
            list_at(&mut pod["spec"], "tolerations").push(toleration);
        }
    }
}

fn prioritise(server: &Server, act: &Act, pod: &mut Value) -> Result<(), Status> {
    let wanted = text(pod, "/spec/priorityClassName").to_owned();
    let spec = map_at(pod, "spec");
    let (value, preemption) = if wanted.is_empty() {
        (json!(0), json!("PreemptLowerPriority"))
    } else {
        let found = server.store.get(&PRIORITIES.into(), "", &wanted).ok_or_else(|| {
            let because = format!("no PriorityClass with name {wanted} was found");
            Status::forbidden(&GroupResource::new("", "pods"), &act.name, &because)
        })?;
        let class = found.tree();
        let preemption = class.get("preemptionPolicy").cloned().unwrap_or_else(|| json!("PreemptLowerPriority"));
        (class["value"].clone(), preemption)
    };
    spec.insert("priority".to_owned(), value);
    spec.insert("preemptionPolicy".to_owned(), preemption);
    Ok(())
}

fn account(server: &Server, act: &Act, pod: &mut Value) -> Result<(), Status> {
    let spec = map_at(pod, "spec");
    let named = ["serviceAccountName", "serviceAccount"]
        .into_iter()
        .find_map(|key| spec.get(key).and_then(Value::as_str).filter(|named| !named.is_empty()).map(str::to_owned));
    let named = named.unwrap_or_else(|| "default".to_owned());
    spec.insert("serviceAccountName".to_owned(), named.as_str().into());
    spec.insert("serviceAccount".to_owned(), named.as_str().into());
    let namespace = &act.order.place.namespace;
    let found = server.store.get(&ACCOUNTS.into(), namespace, &named).ok_or_else(|| {
        let because =
            format!("error looking up service account {namespace}/{named}: serviceaccount \"{named}\" not found");
        Status::forbidden(&GroupResource::new("", "pods"), &act.name, &because)
    })?;
    let account = found.tree();
    if pod["spec"]["imagePullSecrets"].as_array().is_none_or(Vec::is_empty)
        && let Some(secrets) = account.get("imagePullSecrets")
    {
        map_at(pod, "spec").insert("imagePullSecrets".to_owned(), secrets.clone());
    }
    let wanted = pod["spec"]["automountServiceAccountToken"]
        .as_bool()
        .or_else(|| account["automountServiceAccountToken"].as_bool())
        .unwrap_or(true);
    if wanted && pod["metadata"]["annotations"]["kubernetes.io/config.mirror"].is_null() {
        mount(server, pod);
    }
    Ok(())
}

fn mount(server: &Server, pod: &mut Value) {
    let volumes = items(pod, "/spec/volumes");
    let known = volumes.iter().map(name_of).find(|name| name.starts_with("kube-api-access-"));
    let volume = known.map_or_else(|| server.generated("kube-api-access-"), str::to_owned);
    let is_known = known.is_some();
    let mut is_used = false;
    for list in ["initContainers", "containers"] {
        for container in pod["spec"][list].as_array_mut().into_iter().flatten() {
            if items(container, "/volumeMounts").iter().all(|mount| mount["mountPath"] != TOKEN_PATH) {
                let mount = json!({ "name": volume, "readOnly": true, "mountPath": TOKEN_PATH });
                list_at(container, "volumeMounts").push(mount);
                is_used = true;
            }
        }
    }
    if is_used && !is_known {
        list_at(&mut pod["spec"], "volumes").push(json!({
            "name": volume,
            "projected": {
                "sources": [
                    { "serviceAccountToken": { "expirationSeconds": 3607, "path": "token" } },
                    { "configMap": { "name": "kube-root-ca.crt", "items": [{ "key": "ca.crt", "path": "ca.crt" }] } },
                    { "downwardAPI": { "items": [{
                        "path": "namespace", "fieldRef": { "apiVersion": "v1", "fieldPath": "metadata.namespace" },
                    }] } },
                ],
                "defaultMode": 420,
            },
        }));
    }
}

fn name_of(volume: &Value) -> &str {
    text(volume, "/name")
}

impl Server {
    /// A name that begins with `base`.
    pub(crate) fn generated(&self, base: &str) -> String {
        crate::server::generated(base, || self.letter())
    }
}
