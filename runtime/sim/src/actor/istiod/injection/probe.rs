//! Sends the application's probes through the proxy's agent, which can reach it when the proxy captures all traffic.

use serde_json::{Map, Value, json};

use super::{PROXY, pod::proxy_mut};
use crate::actor::json::{annotation, as_map, items, list_at, text};

const VARIABLE: &str = "ISTIO_KUBE_APP_PROBERS";
/// Fields of a container, and the last part of the path that the agent serves for each.
const PROBES: [(&str, &str); 3] =
    [("readinessProbe", "readyz"), ("livenessProbe", "livez"), ("startupProbe", "startupz")];

/// Rewrites the probes of every container but the proxy; what they were, by the path that stands for each.
pub(super) fn redirect_probes(pod: &mut Value, status_port: u64) -> Map<String, Value> {
    let mut probers = Map::new();
    if annotation(pod, "sidecar.istio.io/rewriteAppHTTPProbers") == Some("false") {
        return probers;
    }
    for list in ["containers", "initContainers"] {
        let Some(containers) = pod["spec"][list].as_array_mut() else { continue };
        for container in containers {
            let native = list == "containers" || container["restartPolicy"] == "Always";
            if container["name"] == PROXY || !native {
                continue;
            }
            redirect_container(container, status_port, &mut probers);
        }
    }
    probers
}

fn redirect_container(container: &mut Value, status_port: u64, probers: &mut Map<String, Value>) {
    let name = text(container, "/name").to_owned();
    let ports: Vec<Value> = items(container, "/ports").to_vec();
    for (field, served) in PROBES {
        let Some(probe) = container[field].as_object_mut() else { continue };
        let path = format!("/app-health/{name}/{served}");
        let Some(prober) = prober(&Value::Object(probe.clone()), &ports, status_port) else { continue };
        let headers = probe.get("httpGet").and_then(|get| get.get("httpHeaders")).cloned();
        for kind in ["httpGet", "tcpSocket", "grpc"] {
            probe.shift_remove(kind);
        }
        let mut get = json!({ "path": path, "port": status_port, "scheme": "HTTP" });
        if let Some(headers) = headers {
            as_map(&mut get).insert("httpHeaders".into(), headers);
        }
        probe.insert("httpGet".into(), get);
        probers.insert(path, prober);
    }
}

/// What the agent is told of one probe; none for commands and for probes that go to the agent already.
fn prober(probe: &Value, ports: &[Value], status_port: u64) -> Option<Value> {
    let timeout = probe["timeoutSeconds"].as_u64().filter(|seconds| *seconds > 0);
    let mut prober = if let Some(get) = probe.get("httpGet") {
        let port = number(&get["port"], ports)?;
        if port == status_port {
            return None;
        }
        let mut get = get.clone();
        as_map(&mut get).insert("port".into(), port.into());
        json!({ "httpGet": get })
    } else if let Some(socket) = probe.get("tcpSocket") {
        json!({ "tcpSocket": { "port": number(&socket["port"], ports)? } })
    } else {
        json!({ "grpc": probe.get("grpc")? })
    };
    if let Some(seconds) = timeout {
        as_map(&mut prober).insert("timeoutSeconds".into(), seconds.into());
    }
    Some(prober)
}

/// A port's number, looked up among the container's ports where it is a name.
fn number(port: &Value, ports: &[Value]) -> Option<u64> {
    match port {
        Value::String(name) => ports.iter().find(|one| one["name"] == name.as_str())?["containerPort"].as_u64(),
        other => other.as_u64(),
    }
}

/// Tells the proxy's agent of the probes that it stands for, beside those of an earlier injection.
pub(super) fn merge_probers(pod: &mut Value, probers: Map<String, Value>) {
    if probers.is_empty() {
        return;
    }
    let injected_before = annotation(pod, super::STATUS).is_some();
    let Some(proxy) = proxy_mut(pod) else { return };
    let variables = list_at(proxy, "env");
    let existing = variables.iter().position(|one| one["name"] == VARIABLE).filter(|_| injected_before);
    let mut all: std::collections::BTreeMap<String, Value> = probers.into_iter().collect();
    if let Some(at) = existing {
        let before: Map<String, Value> = serde_json::from_str(text(&variables[at], "/value")).unwrap_or_default();
        all.extend(before);
        variables.remove(at);
    }
    let written = serde_json::to_string(&all).expect("a map of JSON values with text keys is always written");
    variables.push(json!({ "name": VARIABLE, "value": written }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_application_probe_goes_through_the_agent() {
        let mut pod = json!({ "metadata": {}, "spec": { "containers": [
            { "name": "web", "ports": [{ "name": "http", "containerPort": 8080 }],
              "readinessProbe": { "httpGet": { "path": "/ready", "port": "http" }, "timeoutSeconds": 2 } },
            { "name": "istio-proxy", "readinessProbe": { "httpGet": { "path": "/healthz/ready", "port": 15021 } } },
        ]}});
        let probers = redirect_probes(&mut pod, 15020);
        merge_probers(&mut pod, probers);
        assert_eq!(pod["spec"]["containers"][0]["readinessProbe"]["httpGet"]["path"], "/app-health/web/readyz");
        assert_eq!(pod["spec"]["containers"][1]["readinessProbe"]["httpGet"]["port"], 15021);
        assert_eq!(
            pod["spec"]["containers"][1]["env"][0]["value"],
            r#"{"/app-health/web/readyz":{"httpGet":{"path":"/ready","port":8080},"timeoutSeconds":2}}"#
        );
    }
}
