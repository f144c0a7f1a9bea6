//! How a proxy is configured: the `ProxyConfig` of the mesh with a pod's own on top, and the image it runs.

use serde_json::{Map, Value, json};

use super::settings::{Settings, yaml};
use crate::actor::json::text;

/// The defaults that istiod leaves out of `PROXY_CONFIG` when it writes it into a pod.
fn defaults() -> Value {
    json!({
        "configPath": "./etc/istio/proxy",
        "binaryPath": "/usr/local/bin/envoy",
        "serviceCluster": "istio-proxy",
        "drainDuration": "45s",
        "terminationDrainDuration": "5s",
        "proxyAdminPort": 15000,
        "controlPlaneAuthPolicy": "MUTUAL_TLS",
        "discoveryAddress": "istiod.istio-system.svc:15012",
        "statNameLength": 189,
        "statusPort": 15020,
    })
}

/// The fields of `ProxyConfig` in the order of their numbers, which is the order in which they are written.
const FIELD_ORDER: [&str; 34] = [
    "configPath",
    "binaryPath",
    "serviceCluster",
    "drainDuration",
    "discoveryAddress",
    "zipkinAddress",
    "statsdUdpAddress",
    "proxyAdminPort",
    "controlPlaneAuthPolicy",
    "customConfigFile",
    "statNameLength",
    "concurrency",
    "proxyBootstrapTemplatePath",
    "interceptionMode",
    "tracing",
    "envoyAccessLogService",
    "envoyMetricsService",
    "proxyMetadata",
    "runtimeValues",
    "statusPort",
    "extraStatTags",
    "gatewayTopology",
    "terminationDrainDuration",
    "meshId",
    "readinessProbe",
    "proxyStatsMatcher",
    "holdApplicationUntilProxyStarts",
    "tracingServiceName",
    "caCertificatesPem",
    "image",
    "privateKeyProvider",
    "proxyHeaders",
    "fileFlushInterval",
    "fileFlushMinSizeKb",
];

/// The configuration of one proxy.
pub(crate) struct ProxyConfig(Map<String, Value>);

impl ProxyConfig {
    /// The mesh's default configuration with a pod's annotation `proxy.istio.io/config` merged over it.
    pub(crate) fn of(settings: &Settings, annotation: Option<&str>) -> Result<Self, String> {
        let mut merged = settings.mesh["defaultConfig"].as_object().cloned().unwrap_or_default();
        let own = annotation.map(yaml).transpose()?.unwrap_or_default();
        for (field, value) in own.as_object().cloned().unwrap_or_default() {
            match (merged.get_mut(&field), value) {
                (Some(Value::Object(base)), Value::Object(over)) if field == "proxyMetadata" => base.extend(over),
                (_, value) => {
                    merged.insert(field, value);
                }
            }
        }
        Ok(Self(merged))
    }

    fn text(&self, field: &str) -> Option<&str> {
        self.0.get(field)?.as_str()
    }

    /// How traffic is captured: `REDIRECT` unless set.
    pub(crate) fn interception_mode(&self) -> &str {
        self.text("interceptionMode").unwrap_or("REDIRECT")
    }

    /// The port of the agent, 15020 unless set.
    pub(crate) fn status_port(&self) -> u64 {
        self.0.get("statusPort").and_then(Value::as_u64).unwrap_or(15020)
    }

    /// Does the application wait for the proxy?
    pub(crate) fn holds_application(&self) -> bool {
        self.0.get("holdApplicationUntilProxyStarts").and_then(Value::as_bool).unwrap_or(false)
    }

    /// As it is written into a pod: compact JSON without what is default anyway.
    pub(crate) fn written(&self) -> String {
        let defaults = defaults();
        let differs = |field: &str| {
            let value = self.0.get(field)?;
            let empty = value.as_object().is_some_and(Map::is_empty);
            (defaults.get(field) != Some(value) && !empty && !value.is_null()).then_some(value)
        };
        let known = FIELD_ORDER.iter().copied();
        let unknown = self.0.keys().map(String::as_str).filter(|field| !FIELD_ORDER.contains(field));
        let fields = known.chain(unknown).filter_map(|field| Some(format!("\"{field}\":{}", differs(field)?)));
        format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
    }

    /// As templates see it.
    pub(crate) fn dot(&self) -> Value {
        json!({
            "ProxyMetadata": self.0.get("proxyMetadata").cloned().unwrap_or_else(|| json!({})),
            "InterceptionMode": { "String": self.interception_mode() },
            "HoldApplicationUntilProxyStarts": { "GetValue": self.holds_application() },
            "GetTracing": { "GetTlsSettings": null },
            "StatusPort": self.status_port(),
            "JSON": self.written(),
        })
    }

    /// The image of the proxy, or of what runs before it: hub, name and tag of the values, with the variant that is asked
    /// for.
    pub(crate) fn image(&self, settings: &Settings, role: Role, asked_type: Option<&str>) -> String {
        let global = &settings.values["global"];
        let name = match role {
            Role::Proxy => text(global, "/proxy/image"),
            Role::Init => text(global, "/proxy_init/image"),
        };
        let name = if name.is_empty() { "proxyv2" } else { name };
        let tag = match &global["tag"] {
            Value::String(tag) => tag.clone(),
            other => other.to_string(),
        };
        let own = self.0.get("image").map(|image| text(image, "/imageType"));
        let variant = asked_type.or(own).unwrap_or_else(|| text(global, "/variant"));
        format!("{}/{name}:{}", text(global, "/hub"), with_variant(&tag, variant))
    }
}

/// What an image is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The proxy itself.
    Proxy,
    /// The init container that redirects traffic to it.
    Init,
}

/// A tag with its variant replaced; `default` stands for none, and an empty one leaves the tag alone.
fn with_variant(tag: &str, variant: &str) -> String {
    if variant.is_empty() {
        return tag.to_owned();
    }
    let plain = tag.strip_suffix("-distroless").or_else(|| tag.strip_suffix("-debug")).unwrap_or(tag);
    if variant == "default" { plain.to_owned() } else { format!("{plain}-{variant}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::istiod::template::Environment;

    fn settings(mesh: &str) -> Settings {
        let values = r#"{"global": {"hub": "docker.io/istio", "tag": "1.29.6", "proxy": {"image": "proxyv2"}}}"#;
        Settings::parse(mesh, "policy: enabled", values, Environment::new()).unwrap()
    }

    #[test]
    fn what_is_default_is_not_written() {
        let mesh = "defaultConfig: { discoveryAddress: 'istiod.istio-system.svc:15012', statusPort: 15020 }";
        assert_eq!(ProxyConfig::of(&settings(mesh), None).unwrap().written(), "{}");
    }

    #[test]
    fn the_annotation_of_a_pod_is_merged_over_the_mesh() {
        let mesh = "defaultConfig: { proxyMetadata: { A: '1' }, discoveryAddress: 'istiod-x.istio-system.svc:15012' }";
        let own = "proxyMetadata: { B: '2' }\nconcurrency: 4";
        let written = ProxyConfig::of(&settings(mesh), Some(own)).unwrap().written();
        assert_eq!(
            written,
            r#"{"discoveryAddress":"istiod-x.istio-system.svc:15012","concurrency":4,"proxyMetadata":{"A":"1","B":"2"}}"#
        );
    }

    #[test]
    fn the_variant_of_the_image_is_replaced_not_doubled() {
        assert_eq!(with_variant("1.30.3-distroless", "debug"), "1.30.3-debug");
        assert_eq!(with_variant("1.30.3-distroless", "default"), "1.30.3");
        assert_eq!(with_variant("1.30.3", ""), "1.30.3");
        let plain = settings("defaultConfig: {}");
        assert_eq!(
            ProxyConfig::of(&plain, None).unwrap().image(&plain, Role::Proxy, None),
            "docker.io/istio/proxyv2:1.29.6"
        );
    }
}
