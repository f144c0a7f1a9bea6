//! Turns a pod into an injected pod: runs the templates, merges them over the pod and puts things in order.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    PROXY, STATUS,
    owner::Owner,
    probe::{merge_probers, redirect_probes},
    prometheus::{merge_prometheus, undo_prometheus},
};
use crate::actor::{
    istiod::{
        overlay::{merge, without_nulls},
        proxy_config::{ProxyConfig, Role},
        settings::{Settings, yaml},
        template::from_json,
    },
    json::{annotation, as_map, items, label, list_at, map_at, name, named, namespace, text},
};

/// What a user changed in the proxy's container, kept for a second injection.
const OVERRIDES: &str = "proxy.istio.io/overrides";
const INIT: &str = "istio-init";
const VALIDATION: &str = "istio-validation";
const LISTS: [&str; 2] = ["containers", "initContainers"];

/// Everything an injection depends on besides the pod.
pub(crate) struct Injection<'a> {
    pub(crate) settings: &'a Settings,
    /// The revision of the istiod that injects.
    pub(crate) revision: &'a str,
    /// Is the proxy a container or an init container that stays?
    pub(crate) sidecar: Sidecar,
    /// What the path of the webhook says: `/inject/cluster/a/net/b`.
    pub(crate) path: &'a str,
}

/// Where a proxy runs in a pod, unless the pod's annotation says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sidecar {
    /// An init container with `restartPolicy: Always`.
    Native,
    /// A container beside the application's.
    Plain,
}

/// The pod with its proxy, or the reason why a template does not work.
pub(crate) fn inject(injection: &Injection, pod: &Value) -> Result<Value, String> {
    let settings = injection.settings;
    let proxy_config = ProxyConfig::of(settings, annotation(pod, "proxy.istio.io/config"))?;
    let stripped = with_overrides(without_injected(pod, &proxy_config));
    let dot = from_json(&dot(injection, &proxy_config, pod, &stripped));
    let mut template_pod = json!({});
    let mut merged = pod.clone();
    for template in settings.template_names(annotation(pod, "inject.istio.io/templates")) {
        let overlay = yaml(&settings.template(&template)?.run(&dot)?)?;
        merge(&mut template_pod, &without_empty_lists(&overlay));
        if is_native(injection, &merged) && has(&template_pod, "initContainers") && has(&merged, "containers") {
            move_proxy_to_init_containers(&mut merged);
        }
        merge(&mut merged, &without_empty_lists(&overlay));
    }
    let mut merged = reapply_overrides(merged, pod, &template_pod);
    finish(injection, &proxy_config, &mut merged, &template_pod);
    Ok(without_nulls(&merged))
}

fn has(pod: &Value, list: &str) -> bool {
    named(items(&pod["spec"], &format!("/{list}")), PROXY).is_some()
}

fn is_native(injection: &Injection, pod: &Value) -> bool {
    match annotation(pod, "sidecar.istio.io/nativeSidecar") {
        Some("true") => true,
        Some("false") => false,
        _ => injection.sidecar == Sidecar::Native,
    }
}

/// An empty list in a template says nothing: Go leaves it out when it writes a typed pod.
fn without_empty_lists(overlay: &Value) -> Value {
    let mut overlay = overlay.clone();
    if let Some(spec) = overlay["spec"].as_object_mut() {
        spec.retain(|_, value| value.as_array().is_none_or(|list| !list.is_empty()));
    }
    overlay
}

/// What the templates see.
fn dot(injection: &Injection, proxy_config: &ProxyConfig, pod: &Value, stripped: &Value) -> Value {
    let settings = injection.settings;
    let owner = Owner::of(pod);
    let containers = items(stripped, "/spec/containers").iter();
    let containers: Vec<_> =
        containers.map(|one| json!({ "Name": one["name"], "Image": one["image"], "Ports": one["ports"] })).collect();
    let image = |role| proxy_config.image(settings, role, annotation(stripped, "sidecar.istio.io/proxyImageType"));
    let localhost = text(&settings.mesh, "/inboundTrafficPolicy/mode") == "LOCALHOST";
    json!({
        "TypeMeta": { "APIVersion": owner.api_version, "Kind": owner.kind },
        "DeploymentMeta": { "Name": owner.name, "Namespace": namespace(pod) },
        "ObjectMeta": {
            "Name": name(stripped),
            "Namespace": namespace(stripped),
            "Labels": stripped["metadata"]["labels"],
            "Annotations": stripped["metadata"]["annotations"],
        },
        "Spec": { "Containers": containers, "ServiceAccountName": text(stripped, "/spec/serviceAccountName") },
        "ProxyConfig": proxy_config.dot(),
        "MeshConfig": mesh_dot(settings),
        "Values": settings.values,
        "Revision": injection.revision,
        "NativeSidecars": injection.sidecar == Sidecar::Native,
        "ProxyImage": image(Role::Proxy),
        "ProxyInitImage": image(Role::Init),
        "ProxyUID": 1337,
        "ProxyGID": 1337,
        "InboundTrafficPolicyMode": if localhost { "localhost" } else { "passthrough" },
        "CompliancePolicy": settings.environment.get("COMPLIANCE_POLICY").cloned().unwrap_or_default(),
    })
}

/// The mesh configuration as far as templates read it.
pub(crate) fn mesh_dot(settings: &Settings) -> Value {
    let port = |field: &str, fallback: u64| settings.mesh[field].as_u64().unwrap_or(fallback);
    json!({
        "TrustDomain": settings.mesh["trustDomain"].as_str().unwrap_or("cluster.local"),
        "ProxyListenPort": port("proxyListenPort", 15001),
        "ProxyInboundListenPort": port("proxyInboundListenPort", 15006),
    })
}

/// The names that an earlier injection added to a list, by its status annotation.
fn injected_before(pod: &Value, list: &str) -> Vec<String> {
    let status = annotation(pod, STATUS).and_then(|status| serde_json::from_str::<Value>(status).ok());
    let status = status.unwrap_or_default();
    status[list].as_array().into_iter().flatten().filter_map(|name| name.as_str().map(str::to_owned)).collect()
}

/// The pod without what an earlier injection put in.
fn without_injected(pod: &Value, proxy_config: &ProxyConfig) -> Value {
    let mut pod = pod.clone();
    if annotation(&pod, STATUS).is_none() {
        return pod;
    }
    for list in LISTS {
        let injected = injected_before(&pod, list);
        list_at(&mut pod["spec"], list).retain(|one| !injected.iter().any(|name| one["name"] == name.as_str()));
    }
    undo_prometheus(&mut pod, proxy_config.status_port());
    map_at(&mut pod["metadata"], "annotations").shift_remove(STATUS);
    pod
}

fn kept_overrides(pod: &Value) -> Value {
    annotation(pod, OVERRIDES).and_then(|kept| serde_json::from_str(kept).ok()).unwrap_or_default()
}

/// The pod with the containers again that a user had given before an earlier injection.
fn with_overrides(mut pod: Value) -> Value {
    let overrides = kept_overrides(&pod);
    for list in LISTS {
        for container in overrides[list].as_array().into_iter().flatten() {
            let existing = list_at(&mut pod["spec"], list);
            if named(existing, text(container, "/name")).is_none() {
                existing.push(container.clone());
            }
        }
    }
    pod
}

/// Lays the user's own settings of injected containers over the result, and remembers them in an annotation.
fn reapply_overrides(mut merged: Value, original: &Value, template_pod: &Value) -> Value {
    let kept = kept_overrides(original);
    let mut overrides = json!({});
    for list in LISTS {
        let before = injected_before(original, list);
        for container in items(template_pod, &format!("/spec/{list}")) {
            let container = text(container, "/name");
            if before.iter().any(|name| name == container) {
                continue;
            }
            let Some(mut own) = users_container(&kept, original, list, container) else { continue };
            if own["image"] == "auto" {
                as_map(&mut own).shift_remove("image");
            }
            merge(&mut merged, &json!({ "spec": { list: [own] } }));
            list_at(&mut overrides, list).push(own);
        }
    }
    if annotation(original, STATUS).is_none() && overrides.as_object().is_some_and(|found| !found.is_empty()) {
        map_at(&mut merged["metadata"], "annotations").insert(OVERRIDES.into(), overrides.to_string().into());
    }
    merged
}

fn users_container(kept: &Value, original: &Value, list: &str, container: &str) -> Option<Value> {
    let of = |pod: &Value, list: &str| named(items(pod, &format!("/{list}")), container).cloned();
    let spec = &original["spec"];
    let own = of(kept, list).or_else(|| of(spec, list));
    if list == "initContainers" { own.or_else(|| of(spec, "containers")) } else { own }
}

fn move_proxy_to_init_containers(pod: &mut Value) {
    let containers = list_at(&mut pod["spec"], "containers");
    if let Some(at) = containers.iter().position(|one| one["name"] == PROXY) {
        let proxy = containers.remove(at);
        list_at(&mut pod["spec"], "initContainers").push(proxy);
    }
}

/// What templates cannot say: the cluster's name, scraping, probes, the status annotation and the order of containers.
fn finish(injection: &Injection, proxy_config: &ProxyConfig, pod: &mut Value, template_pod: &Value) {
    let settings = injection.settings;
    let environment = cluster_environment(injection, pod);
    if let Some(proxy) = proxy_mut(pod) {
        overwrite_environment(proxy, &environment);
    }
    if settings.merges_prometheus() {
        merge_prometheus(pod, proxy_config.status_port());
    }
    if settings.rewrites_probes() && (has(pod, "containers") || has(pod, "initContainers")) {
        let probers = redirect_probes(pod, proxy_config.status_port());
        merge_probers(pod, probers);
    }
    if let Some(network) = environment.get("ISTIO_META_NETWORK") {
        map_at(&mut pod["metadata"], "labels").insert("topology.istio.io/network".into(), network.clone().into());
    }
    let annotations = map_at(&mut pod["metadata"], "annotations");
    annotations.insert(STATUS.into(), status(template_pod, injection.revision).into());
    for (key, value) in settings.injected_annotations() {
        annotations.insert(key.clone(), value.clone());
    }
    let holds = proxy_config.holds_application()
        || settings.values["global"]["proxy"]["holdApplicationUntilProxyStarts"] == true;
    reorder(pod, if holds { Place::First } else { Place::Last });
}

/// The proxy's container, wherever it runs.
pub(super) fn proxy_mut(pod: &mut Value) -> Option<&mut Value> {
    let list = LISTS.into_iter().find(|list| has(pod, list))?;
    list_at(&mut pod["spec"], list).iter_mut().find(|one| one["name"] == PROXY)
}

/// Cluster and network, of the values, the webhook's path and the pod's label.
fn cluster_environment(injection: &Injection, pod: &Value) -> BTreeMap<String, String> {
    let global = &injection.settings.values["global"];
    let mut environment = BTreeMap::new();
    for (variable, value) in [
        ("ISTIO_META_CLUSTER_ID", text(global, "/multiCluster/clusterName")),
        ("ISTIO_META_NETWORK", text(global, "/network")),
    ] {
        environment.insert(variable.to_owned(), value.to_owned());
    }
    let told = injection.path.trim_end_matches('/').splitn(3, '/').nth(2).unwrap_or_default();
    let told: Vec<_> = told.split('/').collect();
    for pair in told.chunks_exact(2) {
        let variable = match pair[0] {
            "cluster" => "ISTIO_META_CLUSTER_ID".to_owned(),
            "net" => "ISTIO_META_NETWORK".to_owned(),
            other => other.to_uppercase(),
        };
        environment.insert(variable, pair[1].replace("--slash--", "/"));
    }
    if let Some(network) = label(pod, "topology.istio.io/network") {
        environment.insert("ISTIO_META_NETWORK".into(), network.to_owned());
    }
    environment.retain(|_, value| !value.is_empty());
    environment
}

fn overwrite_environment(proxy: &mut Value, environment: &BTreeMap<String, String>) {
    let variables = list_at(proxy, "env");
    variables.retain(|one| !environment.contains_key(text(one, "/name")));
    variables.extend(environment.iter().map(|(name, value)| json!({ "name": name, "value": value })));
}

/// The text of the status annotation, as Go writes it.
fn status(template_pod: &Value, revision: &str) -> String {
    let names = |list: &str| {
        let names = items(template_pod, &format!("/spec/{list}")).iter().map(|one| one["name"].clone());
        let names: Vec<_> = names.collect();
        if names.is_empty() { Value::Null } else { Value::Array(names) }
    };
    json!({
        "initContainers": names("initContainers"),
        "containers": names("containers"),
        "volumes": names("volumes"),
        "imagePullSecrets": names("imagePullSecrets"),
        "revision": revision,
    })
    .to_string()
}

#[derive(Clone, Copy)]
enum Place {
    First,
    Last,
}

/// `kubectl exec` goes to the user's container, so the proxy is last unless the application waits for it. Traffic is
/// captured after the user's init containers have run, except where the proxy itself is one.
fn reorder(pod: &mut Value, proxy: Place) {
    let native = has(pod, "initContainers");
    let put = |pod: &mut Value, list: &str, container: &str, place: Place| {
        let Some(containers) = pod["spec"][list].as_array_mut() else { return };
        if let Some(at) = containers.iter().position(|one| one["name"] == container) {
            let container = containers.remove(at);
            match place {
                Place::First => containers.insert(0, container),
                Place::Last => containers.push(container),
            }
        }
    };
    put(pod, "containers", PROXY, proxy);
    if native {
        put(pod, "initContainers", PROXY, Place::First);
        put(pod, "initContainers", VALIDATION, Place::First);
        put(pod, "initContainers", INIT, Place::First);
    } else {
        put(pod, "initContainers", VALIDATION, Place::First);
        put(pod, "initContainers", INIT, Place::Last);
    }
}
