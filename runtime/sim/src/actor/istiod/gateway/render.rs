//! What a Gateway becomes: the objects that its class's template makes of it.
//!
//! Pure: a Gateway and the settings of one istiod go in, objects come out.

use serde_json::{Map, Value, json};

use super::class::{Class, Suffix};
use crate::actor::{
    istiod::{
        injection::mesh_dot,
        instance::Identity,
        overlay::{merge, without_nulls},
        proxy_config::{ProxyConfig, Role},
        settings::{Settings, yaml, yaml_documents},
        template::from_json,
    },
    json::{annotation, items, label, map_at, name, namespace, text},
};

const MANAGED: &str = "gateway.istio.io/managed";
/// The label by which Deployments of old select their pods.
const OLD_NAME: &str = "istio.io/gateway-name";
const NAME: &str = "gateway.networking.k8s.io/gateway-name";

/// Everything that the objects of a Gateway depend on.
pub(crate) struct Blueprint<'a> {
    pub(crate) identity: &'a Identity,
    pub(crate) settings: &'a Settings,
    pub(crate) gateway: &'a Value,
    pub(crate) class: &'static Class,
    /// The minor version of Kubernetes 1, plus 100: 136 for 1.36.
    pub(crate) kube_version: u32,
    /// The Deployment as it is, none before the first time.
    pub(crate) deployment: Option<&'a Value>,
    /// What the class's defaults and the Gateway's parameters lay over the objects, by kind.
    pub(crate) overlays: &'a [Value],
}

/// Does istiod make a proxy for this Gateway? Not where its addresses say that one exists.
pub(crate) fn is_managed(gateway: &Value) -> bool {
    let addresses = items(gateway, "/spec/addresses");
    addresses.iter().all(|one| matches!(text(one, "/type"), "IPAddress") && !text(one, "/value").is_empty())
}

/// The name of a Gateway's Deployment and Service.
pub(crate) fn deployment_name(gateway: &Value, class: &Class) -> String {
    annotation(gateway, "gateway.istio.io/name-override").map_or_else(|| default_name(gateway, class), str::to_owned)
}

fn default_name(gateway: &Value, class: &Class) -> String {
    match class.suffix {
        Suffix::Class => format!("{}-{}", name(gateway), text(gateway, "/spec/gatewayClassName")),
        Suffix::None => name(gateway).to_owned(),
    }
}

impl Blueprint<'_> {
    /// The objects, ready to be applied; or why the template makes none.
    pub(crate) fn objects(&self) -> Result<Vec<Value>, String> {
        let proxy_config = ProxyConfig::of(self.settings, None)?;
        let program = self.settings.template(self.class.template)?;
        let rendered = program.run(&from_json(&self.dot(&proxy_config)))?;
        let objects = yaml_documents(&rendered)?.into_iter().filter_map(|object| self.finished(&object).transpose());
        objects.collect()
    }

    fn dot(&self, proxy_config: &ProxyConfig) -> Value {
        let (gateway, class) = (self.gateway, self.class);
        let image_type = annotation(gateway, "sidecar.istio.io/proxyImageType");
        let service_type = annotation(gateway, "networking.istio.io/service-type").unwrap_or(class.service_type);
        let service_account = annotation(gateway, "gateway.istio.io/service-account");
        let addresses = items(gateway, "/spec/addresses").iter().map(|one| json!({ "Value": one["value"] }));
        json!({
            "Name": name(gateway),
            "Namespace": namespace(gateway),
            "UID": text(gateway, "/metadata/uid"),
            "ObjectMeta": { "Annotations": gateway["metadata"]["annotations"], "Labels": gateway["metadata"]["labels"] },
            "Spec": { "Addresses": addresses.collect::<Vec<_>>() },
            "GatewayClass": text(gateway, "/spec/gatewayClassName"),
            "DeploymentName": deployment_name(gateway, class),
            "ServiceAccount": service_account.map_or_else(|| default_name(gateway, class), str::to_owned),
            "Ports": ports(gateway),
            "ServiceType": service_type,
            "ClusterID": self.identity.environment.get("CLUSTER_ID").cloned().unwrap_or_default(),
            "KubeVersion": self.kube_version,
            "Revision": self.identity.revision,
            "ProxyUID": 1337,
            "ProxyGID": 1337,
            "CompliancePolicy": self.identity.environment.get("COMPLIANCE_POLICY").cloned().unwrap_or_default(),
            "InfrastructureLabels": self.labels(),
            "InfrastructureAnnotations": self.infrastructure("annotations"),
            "GatewayNameLabel": self.name_label(),
            "IsEastWestGateway": false,
            "ControllerLabel": class.label,
            "ProxyImage": proxy_config.image(self.settings, Role::Proxy, image_type),
            "ProxyConfig": proxy_config.dot(),
            "MeshConfig": mesh_dot(self.settings),
            "Values": self.settings.values,
        })
    }

    /// `spec.infrastructure` where it says something, else the Gateway's own metadata.
    fn infrastructure(&self, field: &str) -> Map<String, Value> {
        let told = self.gateway["spec"]["infrastructure"][field].as_object();
        match told {
            Some(told) => {
                let kept = told.iter().filter(|(key, _)| !key.starts_with("gateway.networking.k8s.io/"));
                kept.map(|(key, value)| (key.clone(), value.clone())).collect()
            }
            None => self.gateway["metadata"][field].as_object().cloned().unwrap_or_default(),
        }
    }

    fn labels(&self) -> Map<String, Value> {
        let mut labels = self.infrastructure("labels");
        let class = text(self.gateway, "/spec/gatewayClassName");
        let (mode, network) = ("istio.io/dataplane-mode", "topology.istio.io/network");
        let in_mesh = class.contains("waypoint") || class.contains("east-west");
        let says_mode = labels.contains_key(mode) || label(self.gateway, mode).is_some();
        if self.identity.is_ambient() && !in_mesh && !says_mode {
            labels.insert(mode.into(), "none".into());
        }
        let own_network = text(&self.settings.values, "/global/network");
        if in_mesh && !own_network.is_empty() && label(self.gateway, network).is_none() {
            labels.insert(network.into(), own_network.into());
        }
        labels
    }

    fn selects_by_old_name(&self) -> bool {
        self.deployment.is_some_and(|one| one["spec"]["selector"]["matchLabels"].get(OLD_NAME).is_some())
    }

    /// The label by which pods are selected. A selector cannot change, so one of old is kept where the version does so.
    fn name_label(&self) -> &'static str {
        let old = self.selects_by_old_name() && !self.identity.release.reads_selectors_itself();
        if old { OLD_NAME } else { NAME }
    }

    /// What is done to every object after the template; none for an object that needs an overlay and has none.
    fn finished(&self, object: &Value) -> Result<Option<Value>, String> {
        let mut object = without_nulls(object);
        let kind = text(&object, "/kind").to_owned();
        let key = match kind.as_str() {
            "Deployment" => "deployment",
            "Service" => "service",
            "ServiceAccount" => "serviceAccount",
            "HorizontalPodAutoscaler" => "horizontalPodAutoscaler",
            "PodDisruptionBudget" => "podDisruptionBudget",
            other => return Err(format!("unknown overlay kind \"{other}\"")),
        };
        let overlays = self.overlays.iter().filter_map(|one| one[key].as_str()).map(yaml);
        let overlays = overlays.collect::<Result<Vec<_>, _>>()?;
        if overlays.is_empty() && matches!(kind.as_str(), "HorizontalPodAutoscaler" | "PodDisruptionBudget") {
            return Ok(None);
        }
        for overlay in &overlays {
            merge(&mut object, overlay);
        }
        let managed = self.class.controller.replace('/', "-");
        map_at(&mut object["metadata"], "labels").insert(MANAGED.into(), managed.into());
        if kind == "Deployment" && self.selects_by_old_name() && self.identity.release.keeps_gateway_selector() {
            let present = self.deployment.expect("it selects by the old name");
            object["spec"]["selector"] = present["spec"]["selector"].clone();
            let old = present["spec"]["template"]["metadata"]["labels"][OLD_NAME].clone();
            map_at(&mut object["spec"]["template"]["metadata"], "labels").insert(OLD_NAME.into(), old);
        }
        Ok(Some(object))
    }
}

/// The ports of a Gateway's Service: the agent's, then one for each port that a listener has.
fn ports(gateway: &Value) -> Vec<Value> {
    let mut ports = vec![json!({ "Name": "status-port", "Port": 15021, "Protocol": "TCP", "AppProtocol": "tcp" })];
    let mut seen = Vec::new();
    for (at, listener) in items(gateway, "/spec/listeners").iter().enumerate() {
        if seen.contains(&&listener["port"]) {
            continue;
        }
        seen.push(&listener["port"]);
        let protocol = text(listener, "/protocol").to_lowercase();
        let name: String = text(listener, "/name").replace('.', "-").chars().take(63).collect();
        let name = if name.is_empty() { format!("{protocol}-{at}") } else { name };
        ports.push(json!({ "Name": name, "Port": listener["port"], "Protocol": "TCP", "AppProtocol": protocol }));
    }
    ports
}
