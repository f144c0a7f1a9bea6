//! What lies below an object: its scale, its eviction, its binding, tokens of its account.
//!
//! Not known here: how objects are written.

use std::{sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::Method;
use serde_json::{Value, json};

use super::{
    Server,
    answer::Answer,
    body,
    delete::Deletion,
    door::Asked,
    metadata::moment,
    modify::{Basis, Book},
    order::{Earnest, Order},
    path::Place,
};
use crate::{
    actor::json::{items, map_at, name, selects, text},
    kind::Source,
    patch,
    resource::{GroupResource, Resource},
    status::{Cause, Status},
    store::Stored,
};

const BUDGETS: Resource = Resource::of("policy", "v1", "poddisruptionbudgets");

impl Server {
    /// Answers a request for something below an object.
    pub(crate) async fn below(self: &Arc<Self>, asked: &Asked, place: &Place) -> Result<Answer, Status> {
        match (place.below.as_str(), &asked.method) {
            ("scale", &Method::GET) => self
                .stored(place)
                .and_then(|stored| scale_of(place, &stored.value()))
                .map(|scale| Answer::of(200, &scale)),
            ("scale", &Method::PUT | &Method::PATCH) => self.rescale(asked, place).await,
            ("eviction", &Method::POST) => self.evict(asked, place).await,
            ("binding", &Method::POST) => self.binding(asked, place).await,
            ("token", &Method::POST) => self.token(asked, place),
            ("finalize", &Method::PUT) => self.finalize(asked, place).await,
            ("scale" | "eviction" | "binding" | "token" | "finalize", _) => Err(Status::method_not_allowed()),
            (other, _) => {
                self.stored(place)?;
                let what = match other {
                    "log" | "exec" | "attach" | "portforward" | "proxy" => "there is no process behind a pod",
                    _ => "this subresource is not simulated",
                };
                Err(Status::beyond_simulation(format!("{}/{other}: {what}", place.kind.plural)))
            }
        }
    }

    async fn rescale(self: &Arc<Self>, asked: &Asked, place: &Place) -> Result<Answer, Status> {
        let mut order = Order::read(place, &asked.query, &asked.headers, "UpdateOptions")?;
        let paths = Paths::of(place);
        let now = scale_of(place, &self.stored(place)?.value())?;
        let wanted = match (&asked.method, asked.media()) {
            (&Method::PUT, media) => body::object(media, &asked.body, "Scale", "autoscaling/v1")?,
            (_, "application/json-patch+json") => {
                patch::json(&now, &body::json(&asked.body)?).map_err(|why| Status::bad_request(why.to_string()))?
            }
            (_, "application/apply-patch+yaml") => {
                return Err(Status::beyond_simulation("an apply to a scale: apply the object itself"));
            }
            // A scale has no lists: both sorts of merge do the same to it.
            _ => patch::merge(&now, &body::json(&asked.body)?),
        };
        let replicas = match &wanted["spec"]["replicas"] {
            Value::Null => 0,
            value => value.as_i64().ok_or_else(|| {
                Status::bad_request("json: cannot unmarshal into Go struct field ScaleSpec.spec.replicas of type int32")
            })?,
        };
        if replicas < 0 {
            let cause = Cause {
                reason: "FieldValueInvalid".to_owned(),
                message: format!("Invalid value: {replicas}: must be greater than or equal to 0"),
                field: "spec.replicas".to_owned(),
            };
            return Err(Status::invalid("autoscaling", "Scale", &place.name, &[cause]));
        }
        // A patch that says no version is for whatever is there: the one that it was laid over is not its own word.
        let is_said = asked.method == Method::PUT || wanted["metadata"] != now["metadata"];
        let said = if is_said { text(&wanted, "/metadata/resourceVersion").to_owned() } else { String::new() };
        order.place.below.clear();
        order.part = "scale";
        let written = self
            .modify(&order, Basis::Any, Book::Open, |live| {
                if !said.is_empty() && live["metadata"]["resourceVersion"] != said.as_str() {
                    return Err(Status::stale(&place.resource(), &place.name));
                }
                let mut new = live.clone();
                set(&mut new, &paths.replicas, replicas.into());
                Ok(new)
            })
            .await?;
        Ok(Answer::of(200, &scale_of(place, &written.object)?).warning(written.warnings))
    }

    /// Deletes a pod, if the budgets that cover it allow.
    async fn evict(self: &Arc<Self>, asked: &Asked, place: &Place) -> Result<Answer, Status> {
        let eviction = body::object(asked.media(), &asked.body, "Eviction", "policy/v1")?;
        if !name(&eviction).is_empty() && name(&eviction) != place.name {
            return Err(Status::bad_request("name in URL does not match name in Eviction object"));
        }
        let options = eviction.get("deleteOptions").filter(|options| options.is_object());
        let (how, is_dry) = Deletion::read(options, &asked.query)?;
        let mut order = Order::read(place, &asked.query, &asked.headers, "UpdateOptions")?;
        order.place.below.clear();
        if is_dry {
            order.earnest = Earnest::DryRun;
        }
        let pod = self.stored(place)?.value();
        let is_over = matches!(text(&pod, "/status/phase"), "Succeeded" | "Failed" | "Pending");
        let is_going = pod["metadata"]["deletionTimestamp"].is_string();
        if !is_over && !is_going {
            self.spend(&pod, order.is_dry()).await?;
        }
        self.delete(&order, &how).await?;
        Ok(Answer::of(
            201,
            &json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201 }),
        ))
    }

    /// Takes one disruption out of the budget that covers a pod.
    async fn spend(self: &Arc<Self>, pod: &Value, is_dry: bool) -> Result<(), Status> {
        let namespace = text(pod, "/metadata/namespace");
        let all: Vec<_> = self.store.all(&BUDGETS.into(), Some(namespace)).iter().map(|one| one.value()).collect();
        let covers = |budget: &&Value| {
            budget["spec"]["selector"].is_object() && selects(&budget["spec"]["selector"], &pod["metadata"]["labels"])
        };
        let covering: Vec<_> = all.iter().filter(covers).collect();
        let budget = match covering.as_slice() {
            [] => return Ok(()),
            [one] => *one,
            _ => {
                return Err(Status::other(
                    500,
                    "InternalError",
                    "Internal error occurred: This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
                ));
            }
        };
        let is_ready =
            items(pod, "/status/conditions").iter().any(|one| one["type"] == "Ready" && one["status"] == "True");
        let status = &budget["status"];
        let (healthy, desired) =
            (status["currentHealthy"].as_i64().unwrap_or(0), status["desiredHealthy"].as_i64().unwrap_or(0));
        let is_free =
            budget["spec"]["unhealthyPodEvictionPolicy"] == "AlwaysAllow" || (healthy >= desired && desired > 0);
        if !is_ready && is_free {
            return Ok(());
        }
        let stale = status["observedGeneration"].as_i64() < budget["metadata"]["generation"].as_i64();
        let refused = |message: String| {
            let cause = Cause { reason: "DisruptionBudget".to_owned(), message, field: String::new() };
            Err(Status::too_many_requests(
                "Cannot evict pod as it would violate the pod's disruption budget.",
                0,
                &[cause],
            ))
        };
        if stale {
            let cause = Cause {
                reason: "DisruptionBudget".to_owned(),
                message: format!("The disruption budget {} is still being processed by the server.", name(budget)),
                field: String::new(),
            };
            return Err(Status::too_many_requests(
                "Cannot evict pod as it would violate the pod's disruption budget.",
                10,
                &[cause],
            ));
        }
        let allowed = status["disruptionsAllowed"].as_i64().unwrap_or(0);
        if allowed <= 0 {
            let need = format!(
                "The disruption budget {} needs {desired} healthy pods and has {healthy} currently",
                name(budget)
            );
            return refused(need);
        }
        if is_dry {
            return Ok(());
        }
        let now = moment(self.clock.now());
        let patch = json!({ "status": { "disruptionsAllowed": allowed - 1, "disruptedPods": { name(pod): now } } });
        self.hand_merge(&BUDGETS.into(), "kube-apiserver", "status", (namespace, name(budget)), patch).await.map(|_| ())
    }

    async fn binding(self: &Arc<Self>, asked: &Asked, place: &Place) -> Result<Answer, Status> {
        let binding = body::object(asked.media(), &asked.body, "Binding", "v1")?;
        let node = text(&binding, "/target/name");
        if node.is_empty() {
            let cause = Cause {
                reason: "FieldValueRequired".to_owned(),
                message: "Required value".to_owned(),
                field: "target.name".to_owned(),
            };
            return Err(Status::invalid("", "Binding", name(&binding), &[cause]));
        }
        let order = Order::read(place, &asked.query, &asked.headers, "UpdateOptions")?;
        self.bind(order, node).await?;
        Ok(Answer::of(
            201,
            &json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201 }),
        ))
    }

    /// Binds a pod to a node, once.
    pub(crate) async fn bind(self: &Arc<Self>, mut order: Order, node: &str) -> Result<(), Status> {
        order.place.below.clear();
        order.part = "binding";
        let resource = crate::resource::GroupResource::new("", "pods/binding");
        let now = moment(self.clock.now());
        let stands = self.store.get(&GroupResource::new("", "nodes"), "", node);
        let changed = self.modify(&order, Basis::Any, Book::Open, |live| {
            let bound = text(live, "/spec/nodeName");
            if !bound.is_empty() {
                let because = format!("pod {} is already assigned to node \"{bound}\"", name(live));
                return Err(Status::conflict(&resource, name(live), &because));
            }
            let mut new = live.clone();
            map_at(&mut new, "spec").insert("nodeName".to_owned(), node.into());
            if let Some(node) = &stands {
                stands_on(&mut new, node);
            }
            let scheduled = json!({
                "type": "PodScheduled", "status": "True", "lastProbeTime": null, "lastTransitionTime": now,
            });
            let conditions = crate::actor::json::list_at(&mut new["status"], "conditions");
            conditions.retain(|one| one["type"] != "PodScheduled");
            conditions.push(scheduled);
            Ok(new)
        });
        changed.await.map(|_| ())
    }

    /// A token that nobody can be fooled with: it says that it is simulated.
    fn token(&self, asked: &Asked, place: &Place) -> Result<Answer, Status> {
        let account = self.stored(place)?;
        let mut request = body::object(asked.media(), &asked.body, "TokenRequest", "authentication.k8s.io/v1")?;
        let seconds = request["spec"]["expirationSeconds"].as_u64().unwrap_or(3600);
        let until = self.clock.now() + Duration::from_secs(seconds.min(86_400 * 365));
        let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let head = part(json!({ "alg": "none", "typ": "JWT" }));
        let subject = format!("system:serviceaccount:{}:{}", account.namespace(), account.name());
        let claims = part(json!({ "iss": "simulation", "sub": subject, "exp": until.as_second() }));
        map_at(&mut request, "spec").entry("expirationSeconds").or_insert_with(|| seconds.into());
        request["metadata"] = json!({ "name": account.name(), "namespace": account.namespace(), "creationTimestamp": moment(self.clock.now()) });
        request["status"] =
            json!({ "token": format!("{head}.{claims}.simulated"), "expirationTimestamp": moment(until) });
        Ok(Answer::of(201, &request))
    }

    /// Takes the finalizers out of a namespace.
    async fn finalize(self: &Arc<Self>, asked: &Asked, place: &Place) -> Result<Answer, Status> {
        let mut order = Order::read(place, &asked.query, &asked.headers, "UpdateOptions")?;
        let sent = self.sent(asked, place)?;
        order.place.below.clear();
        order.part = "finalize";
        let written = self
            .modify(&order, Basis::Any, Book::Open, |live| {
                let mut new = live.clone();
                map_at(&mut new, "spec").insert("finalizers".to_owned(), sent["spec"]["finalizers"].clone());
                Ok(new)
            })
            .await?;
        Ok(Answer::of(200, &written.object))
    }
}

/// A pod says where its node stands.
pub(crate) fn stands_on(pod: &mut Value, node: &Stored) {
    for key in ["topology.kubernetes.io/zone", "topology.kubernetes.io/region"] {
        if let Some(place) = node.label(key) {
            map_at(&mut pod["metadata"], "labels").insert(key.to_owned(), place.into());
        }
    }
}

/// Where the numbers of a scale stand in an object.
struct Paths {
    replicas: String,
    status: String,
    selector: Option<String>,
}

impl Paths {
    fn of(place: &Place) -> Self {
        if let Source::Custom(custom) = &place.kind.source {
            let scale = &custom.version()["subresources"]["scale"];
            let pointer = |key: &str| scale[key].as_str().map(|path| path.replace('.', "/"));
            return Self {
                replicas: pointer("specReplicasPath").unwrap_or_default(),
                status: pointer("statusReplicasPath").unwrap_or_default(),
                selector: pointer("labelSelectorPath"),
            };
        }
        Self { replicas: "/spec/replicas".to_owned(), status: "/status/replicas".to_owned(), selector: None }
    }
}

fn set(object: &mut Value, pointer: &str, value: Value) {
    let mut parts: Vec<&str> = pointer.split('/').filter(|part| !part.is_empty()).collect();
    let Some(last) = parts.pop() else { return };
    let mut at = object;
    for part in parts {
        at = crate::actor::json::as_map(at).entry(part).or_insert_with(|| json!({}));
    }
    crate::actor::json::as_map(at).insert(last.to_owned(), value);
}

fn scale_of(place: &Place, object: &Value) -> Result<Value, Status> {
    let paths = Paths::of(place);
    let number = |pointer: &str| object.pointer(pointer).and_then(Value::as_i64);
    let selector = match &paths.selector {
        Some(pointer) => object.pointer(pointer).and_then(Value::as_str).map(str::to_owned),
        None if place.kind.is_custom() => None,
        None => Some(spelt(&object["spec"]["selector"])),
    };
    let mut metadata = json!({});
    for field in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
        if let Some(value) = object["metadata"].get(field) {
            metadata[field] = value.clone();
        }
    }
    let mut spec = json!({});
    if let Some(replicas) = number(&paths.replicas).filter(|replicas| *replicas != 0) {
        spec["replicas"] = replicas.into();
    }
    let mut status = json!({ "replicas": number(&paths.status).unwrap_or(0) });
    if let Some(selector) = selector.filter(|selector| !selector.is_empty()) {
        status["selector"] = selector.into();
    }
    Ok(json!({ "kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata, "spec": spec, "status": status }))
}

/// A `LabelSelector`, or a plain map, as text.
fn spelt(selector: &Value) -> String {
    let structured = selector.get("matchLabels").is_some() || selector.get("matchExpressions").is_some();
    let equal = if structured { &selector["matchLabels"] } else { selector };
    let mut terms: Vec<String> = equal
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    for one in items(selector, "/matchExpressions") {
        let values: Vec<_> = items(one, "/values").iter().filter_map(Value::as_str).collect();
        let key = text(one, "/key");
        terms.push(match text(one, "/operator") {
            "In" => format!("{key} in ({})", values.join(",")),
            "NotIn" => format!("{key} notin ({})", values.join(",")),
            "Exists" => key.to_owned(),
            _ => format!("!{key}"),
        });
    }
    terms.sort();
    terms.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_are_spelt_as_text() {
        let selector = json!({ "matchLabels": { "app": "web" }, "matchExpressions": [{ "key": "tier", "operator": "In", "values": ["a", "b"] }] });
        assert_eq!(spelt(&selector), "app=web,tier in (a,b)");
        assert_eq!(spelt(&json!({ "app": "web" })), "app=web");
    }
}
