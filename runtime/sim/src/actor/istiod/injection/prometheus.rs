//! Points Prometheus at the proxy's agent, which answers for the application too.

use serde_json::{Value, json};

use super::pod::proxy_mut;
use crate::actor::json::{list_at, map_at};

const SCRAPE: &str = "prometheus_io_scrape";
const PORT: &str = "prometheus_io_port";
const PATH: &str = "prometheus_io_path";

/// Prometheus reads `prometheus.io/port` and `prometheus_io_port` alike.
fn canonical(key: &str) -> String {
    key.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

fn told(pod: &Value, wanted: &str) -> Option<String> {
    let annotations = pod["metadata"]["annotations"].as_object()?;
    let (_, value) = annotations.iter().find(|(key, _)| canonical(key) == wanted)?;
    value.as_str().map(str::to_owned)
}

fn clear(pod: &mut Value) {
    map_at(&mut pod["metadata"], "annotations")
        .retain(|key, _| ![SCRAPE, PORT, PATH].contains(&canonical(key).as_str()));
}

/// Redirects scraping to the agent and leaves what the pod said to the agent, unless the pod is not to be scraped.
pub(super) fn merge_prometheus(pod: &mut Value, status_port: u64) {
    let refused = told(pod, SCRAPE).is_some_and(|scrape| scrape == "false");
    let merged_before = told(pod, PORT).is_some_and(|port| port == status_port.to_string());
    if refused || merged_before {
        return;
    }
    let fields = [("scrape", told(pod, SCRAPE)), ("path", told(pod, PATH)), ("port", told(pod, PORT))];
    if fields.iter().any(|(_, value)| value.is_some()) {
        let fields = fields.map(|(field, value)| format!("\"{field}\":{}", Value::from(value.unwrap_or_default())));
        let written = format!("{{{}}}", fields.join(","));
        if let Some(proxy) = proxy_mut(pod) {
            list_at(proxy, "env").push(json!({ "name": "ISTIO_PROMETHEUS_ANNOTATIONS", "value": written }));
        }
    }
    clear(pod);
    let annotations = map_at(&mut pod["metadata"], "annotations");
    for (key, value) in
        [("port", status_port.to_string()), ("path", "/stats/prometheus".into()), ("scrape", "true".into())]
    {
        annotations.insert(format!("prometheus.io/{key}"), Value::String(value));
    }
}

/// Takes back what an earlier injection redirected.
pub(super) fn undo_prometheus(pod: &mut Value, status_port: u64) {
    if told(pod, PORT).is_some_and(|port| port == status_port.to_string()) {
        clear(pod);
    }
}
